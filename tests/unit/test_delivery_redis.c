/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery as a thread against a real Redis. */
#include "delivery_fixture.h"
#include "private_redis.h"

/* --- the thread, against a real Redis ----------------------------------------------------- */

static void start_real(struct fixture *f, struct fg_redis_link **link, const char *socket)
{
    struct fg_redis_config redis = {
        .socket = socket, .timeout_ms = 1000, .epoch = EPOCH, .instance = 1};
    *link = fg_redis_link_create(&redis);
    struct fg_delivery_config config = {.dir = f->log.dir,
                                        .disk = &fg_disk_files,
                                        .clock = &fg_clock_system,
                                        .link = *link,
                                        .batch = 512,
                                        .durable = hand_log_durable,
                                        .durable_arg = &f->log};
    int error;
    fg_delivery_destroy(f->delivery);
    f->delivery = fg_delivery_create(&config, &error);
    assert_non_null(f->delivery);
    assert_int_equal(fg_delivery_start(f->delivery, 0), 0);
}

static void command(struct private_redis *redis, const char *text)
{
    redisReply *reply = redisCommand(redis->admin, text);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

static void await_lag(struct fixture *f, bool (*reached)(uint64_t lag))
{
    for (int tries = 0; tries < 10000 && !reached(lag(f)); tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(reached(lag(f)));
}

static bool some(uint64_t lag)
{
    return lag > 0;
}

static bool none(uint64_t lag)
{
    return lag == 0;
}

static void assert_real_stream(struct private_redis *redis, unsigned count)
{
    redisReply *reply = redisCommand(redis->admin, "XRANGE flashgate:{spring}:orders - +");
    assert_int_equal(reply->elements, count);
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%u-%u", EPOCH, i + 1);
        assert_string_equal(reply->element[i]->element[0]->str, id);
    }
    freeReplyObject(reply);
}

static void test_thread_with_a_real_redis(void **state)
{
    static const char *const faults[][2] = {
        {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
        {"FUNCTION FLUSH", "PING"},
        {"CLIENT KILL TYPE normal SKIPME yes", "PING"},
        {"DEL flashgate:{spring}:orders", "PING"},
    };
    struct fixture *f = *state;
    struct private_redis redis;
    struct fg_redis_link *link;
    unsigned next = 1;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(private_redis_start(&redis), 0);
    start_real(f, &link, redis.socket);
    for (unsigned i = 0; i < 4; i++, next += 500) {
        command(&redis, faults[i][0]);
        log_orders(f, 1, next, next + 499);
        await_lag(f, i == 0 ? some : none);
        command(&redis, faults[i][1]);
        await_lag(f, none);
    }
    log_orders(f, 1, next, next + 1999);
    fg_delivery_stop(f->delivery, 5000); /* drains */
    assert_real_stream(&redis, next + 1999);
    fg_redis_link_destroy(link);
    private_redis_stop(&redis);
}

/* Stop waits for a Redis that is away, but only so long. */
static void test_stop_has_a_limit(void **state)
{
    struct fixture *f = *state;
    struct fg_redis_link *link;
    struct timespec begin, end;
    start_real(f, &link, "/nonexistent/redis.sock");
    log_orders(f, 1, 1, 5);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    fg_delivery_stop(f->delivery, 50);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) * 1e-9;
    assert_true(seconds >= 0.05 && seconds < 2);
    fg_delivery_stop(f->delivery, 50); /* a second time does nothing */
    fg_redis_link_destroy(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_thread_with_a_real_redis),
        CASE(test_stop_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
