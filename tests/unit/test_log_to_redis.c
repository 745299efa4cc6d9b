/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole way of an order event with every thread running: lanes, journal, log, delivery, a real
 * Redis; over a restart, and with a stream lost in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/orders/delivery.h"
#include "dataplane/orders/journal.h"
#include "private_redis.h"

#define LANES     2
#define SALES     2
#define PER_EPOCH 6000 /* events of each lane; both lanes write to both sales */

struct fixture {
    char dir[64];
    struct private_redis redis;
    struct fg_journal *journal;
    struct fg_redis_link *link;
    struct fg_delivery *delivery;
};

static int apply(void *arg, const struct fg_record *record)
{
    (void)arg;
    (void)record;
    return 0;
}

static uint64_t durable(void *journal)
{
    return fg_journal_durable(journal);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    signal(SIGPIPE, SIG_IGN);
    snprintf(f->dir, sizeof(f->dir), "/tmp/flashgate-flow-XXXXXX");
    *state = f;
    return mkdtemp(f->dir) ? private_redis_start(&f->redis) : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    private_redis_stop(&f->redis);
    char command[128];
    for (unsigned segment = 1; segment < 10; segment++) {
        snprintf(command, sizeof(command), "%s/segment-%08u.fgl", f->dir, segment);
        unlink(command);
    }
    int rc = rmdir(f->dir);
    free(f);
    return rc;
}

static void start(struct fixture *f)
{
    struct fg_journal_config log = {.dir = f->dir,
                                    .budget_bytes = 8ull * FG_SEGMENT_MIN,
                                    .segment_bytes = FG_SEGMENT_MIN,
                                    .workers = LANES,
                                    .lane_records = 1024,
                                    .disk = &fg_disk_files,
                                    .clock = &fg_clock_system};
    struct fg_recovery found;
    int status, error;
    char message[256];
    f->journal = fg_journal_open(&log, apply, NULL, &found, &status, message, sizeof(message));
    if (!f->journal)
        fail_msg("%s", message);
    assert_int_equal(fg_journal_start(f->journal, -1, -1), 0);

    struct fg_redis_config redis = {.socket = f->redis.socket,
                                    .timeout_ms = 2000,
                                    .epoch = found.epoch,
                                    .instance = 100 + found.epoch};
    f->link = fg_redis_link_create(&redis);
    struct fg_delivery_config delivery = {.dir = f->dir,
                                          .disk = &fg_disk_files,
                                          .clock = &fg_clock_system,
                                          .link = f->link,
                                          .batch = FG_REDIS_APPEND_MAX,
                                          .durable = durable,
                                          .durable_arg = f->journal};
    f->delivery = fg_delivery_create(&delivery, &error);
    assert_non_null(f->delivery);
    assert_int_equal(fg_delivery_start(f->delivery, -1), 0);
}

static void stop(struct fixture *f)
{
    fg_journal_stop(f->journal);
    fg_delivery_stop(f->delivery, 20000);
    char error[512];
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    if (fg_delivery_stats(f->delivery)->lag != 0)
        fail_msg("left behind: %s", error);
    fg_delivery_destroy(f->delivery);
    fg_redis_link_destroy(f->link);
    fg_journal_close(f->journal);
}

static void define_sales(struct fixture *f)
{
    for (uint32_t sale = 1; sale <= SALES; sale++) {
        char body[64];
        int length = snprintf(body, sizeof(body), "{\"name\":\"sale-%u\"}", sale);
        struct fg_control_event event = {
            .kind = FG_EVENT_SALE, .body_length = (uint32_t)length, .sale = sale};
        uint64_t ticket = fg_journal_submit(f->journal, &event, body);
        assert_int_not_equal(ticket, 0);
        while (fg_journal_submitted_durable(f->journal) < ticket)
            sched_yield();
    }
}

static void push_orders(struct fixture *f, uint64_t epoch)
{
    for (uint64_t i = 0; i < PER_EPOCH; i++)
        for (unsigned lane = 0; lane < LANES; lane++) {
            struct fg_lane *to = fg_journal_lane(f->journal, lane);
            struct fg_order_event event = {.kind = FG_EVENT_ADMIT,
                                           .quantity = 1,
                                           .item = 1,
                                           .sale = 1 + (uint32_t)(i + lane) % SALES,
                                           .order = epoch << 38 | (uint64_t)lane << 32 | i};
            while (fg_lane_room(to) == 0)
                sched_yield();
            fg_lane_push(to, &event);
        }
}

/* Ids without a gap under the right epoch, and each lane's orders in the order it queued them. */
static void check_stream(struct fixture *f, uint32_t sale)
{
    redisReply *reply = redisCommand(f->redis.admin, "XRANGE flashgate:{sale-%u}:orders - +", sale);
    const unsigned each = PER_EPOCH * LANES / SALES;
    assert_int_equal(reply->elements, 2 * each);
    uint64_t before[3][LANES] = {0};
    for (unsigned i = 0; i < reply->elements; i++) {
        redisReply *entry = reply->element[i];
        unsigned epoch = 1 + i / each;
        char id[32];
        snprintf(id, sizeof(id), "%u-%u", epoch, i + 1);
        assert_string_equal(entry->element[0]->str, id);
        uint64_t order = strtoull(entry->element[1]->element[3]->str, NULL, 10);
        assert_int_equal(order >> 38, epoch);
        uint64_t *last = &before[epoch][order >> 32 & 63];
        assert_true((order & UINT32_MAX) + 1 > *last);
        *last = (order & UINT32_MAX) + 1;
    }
    freeReplyObject(reply);
}

static void test_log_to_redis(void **state)
{
    struct fixture *f = *state;
    start(f);
    define_sales(f);
    push_orders(f, 1);
    stop(f);
    start(f);
    freeReplyObject(redisCommand(f->redis.admin, "DEL flashgate:{sale-2}:orders"));
    push_orders(f, 2);
    stop(f);
    check_stream(f, 1);
    check_stream(f, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log_to_redis, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
