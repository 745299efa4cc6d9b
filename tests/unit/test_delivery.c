/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery against logs written by hand and a Redis in memory, stepped on a clock of the test's
 * own; and once as a thread against a real Redis.
 */
#include "dataplane/orders/delivery.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fake_redis.h"
#include "hand_log.h"
#include "private_redis.h"

#define EPOCH 7

struct fixture {
    struct hand_log log;
    struct fake_redis *redis;
    struct fg_delivery *delivery;
    uint64_t now_ns;
    struct fg_clock clock;
};

static uint64_t test_now(void *context)
{
    return ((struct fixture *)context)->now_ns;
}

/* A log whose base is empty, and two sales in its first frame. */
static void open_log(struct fixture *f)
{
    hand_log_open(&f->log, 1, EPOCH);
    hand_log_frame(&f->log, FG_FRAME_BASE);
    hand_log_frame(&f->log, FG_FRAME_EPOCH);
    hand_log_sale(&f->log, 1, "spring");
    hand_log_sale(&f->log, 2, "summer");
    hand_log_frame(&f->log, 0);
}

static void make_delivery(struct fixture *f, unsigned batch)
{
    struct fg_delivery_config config = {.dir = f->log.dir,
                                        .disk = &fg_disk_files,
                                        .clock = &f->clock,
                                        .link = &f->redis->link,
                                        .batch = batch,
                                        .durable = hand_log_durable,
                                        .durable_arg = &f->log};
    int error = 0;
    f->delivery = fg_delivery_create(&config, &error);
    assert_non_null(f->delivery);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->clock = (struct fg_clock){f, test_now, test_now};
    f->now_ns = 1000000000;
    open_log(f);
    f->redis = fake_redis_create(EPOCH);
    make_delivery(f, 4);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fg_delivery_destroy(f->delivery);
    fake_redis_destroy(f->redis);
    hand_log_close(&f->log);
    free(f);
    return 0;
}

/* Puts sale's records first..last into one frame. */
static void log_orders(struct fixture *f, uint32_t sale, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++)
        hand_log_order(&f->log, sale, seq);
    hand_log_frame(&f->log, 0);
}

/* Steps for so long on the test's clock; a step that does something takes no time. */
static int run_ms(struct fixture *f, unsigned ms)
{
    unsigned busy = 0;
    while (ms > 0) {
        int rc = fg_delivery_step(f->delivery);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            f->now_ns += 1000000;
            ms--;
            busy = 0;
        }
        assert_true(++busy < 100000); /* it comes to rest */
    }
    return 0;
}

static void assert_stream(struct fixture *f, uint32_t sale, const char *name, unsigned count,
                          uint64_t first_of_next_epoch)
{
    struct fake_stream *stream = fake_stream(f->redis, name);
    if (stream->count != count)
        fail_msg("%s holds %u entries, not %u", name, stream->count, count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t seq = i + 1;
        assert_int_equal(stream->entries[i].id.sale_seq, seq);
        assert_int_equal(stream->entries[i].id.epoch,
                         first_of_next_epoch && seq >= first_of_next_epoch ? EPOCH + 1 : EPOCH);
        assert_int_equal(stream->entries[i].order, hand_log_order_id(sale, seq));
    }
}

#define assert_spring(count) assert_stream(f, 1, "spring", count, 0)
#define assert_summer(count) assert_stream(f, 2, "summer", count, 0)

static void assert_states(struct fixture *f, enum fg_stream_state spring,
                          enum fg_stream_state summer)
{
    assert_int_equal(fg_delivery_stream_state(f->delivery, 1), spring);
    assert_int_equal(fg_delivery_stream_state(f->delivery, 2), summer);
}

static uint64_t lag(struct fixture *f)
{
    return fg_delivery_stats(f->delivery)->lag;
}

static enum fg_delivery_state state_of(struct fixture *f)
{
    return fg_delivery_stats(f->delivery)->state;
}

/* --- the plain case ----------------------------------------------------------------------- */

static void test_delivers_in_order(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    for (uint64_t seq = 1; seq <= 30; seq++) {
        hand_log_order(&f->log, 2, seq);
        hand_log_order(&f->log, 1, 10 + seq);
        if (seq % 7 == 0)
            hand_log_frame(&f->log, 0);
    }
    hand_log_frame(&f->log, FG_FRAME_CLOSING);
    assert_int_equal(run_ms(f, 5), 0);
    assert_spring(40);
    assert_summer(30);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_int_equal(f->redis->largest, 4); /* the batch asked for */
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 70);
    assert_int_equal(lag(f), 0);
    assert_int_equal(state_of(f), FG_DELIVERY_RUNNING);
    assert_int_equal(fake_stream(f->redis, "summer")->fence_epoch, EPOCH);

    log_orders(f, 2, 31, 31); /* goes out at once, not when a batch is full */
    assert_int_equal(run_ms(f, 1), 0);
    assert_summer(31);
}

static void test_never_past_the_durable_mark(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    log_orders(f, 1, 4, 6);
    f->log.durable--;
    assert_int_equal(run_ms(f, 2500), 0);
    assert_spring(3);
    f->log.durable++;
    assert_int_equal(run_ms(f, 1), 0);
    assert_spring(6);
}

/* The base names more sales than there are batches, and their records are interleaved. */
static void test_many_sales(void **state)
{
    struct fixture *f = *state;
    char name[16];
    for (uint32_t sale = 3; sale <= 90; sale++) {
        snprintf(name, sizeof(name), "sale-%u", sale);
        hand_log_sale(&f->log, sale, name);
    }
    for (uint64_t seq = 1; seq <= 3; seq++)
        for (uint32_t sale = 3; sale <= 90; sale++)
            hand_log_order(&f->log, sale, seq);
    hand_log_frame(&f->log, 0);
    assert_int_equal(run_ms(f, 3), 0);
    for (uint32_t sale = 3; sale <= 90; sale++) {
        snprintf(name, sizeof(name), "sale-%u", sale);
        assert_stream(f, sale, name, 3, 0);
    }
    assert_int_equal(lag(f), 0);
}

static void test_restart_under_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 5);
    assert_int_equal(run_ms(f, 2), 0);
    log_orders(f, 1, 6, 8); /* logged, and not delivered before the crash */

    fg_delivery_destroy(f->delivery);
    f->log.epoch = f->redis->epoch = EPOCH + 1;
    hand_log_frame(&f->log, FG_FRAME_EPOCH);
    log_orders(f, 1, 9, 12);
    make_delivery(f, 4);
    assert_int_equal(run_ms(f, 2), 0);
    assert_stream(f, 1, "spring", 12, 9);
    assert_int_equal(fake_stream(f->redis, "spring")->fence_epoch, EPOCH + 1);
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 7);
    assert_int_equal(fg_delivery_stats(f->delivery)->gaps, 0);
}

/* --- lost links and lost tails ------------------------------------------------------------ */

static void test_nothing_twice_after_a_lost_link(void **state)
{
    static const int faults[] = {LOSE_REPLY, LOSE_CALL, DELAY_CALL};
    struct fixture *f = *state;
    uint64_t next = 1;
    for (unsigned i = 0; i < 9; i++) {
        f->redis->next = faults[i % 3];
        log_orders(f, 1, next, next + i);
        next += i + 1;
        assert_int_equal(run_ms(f, 50), 0);
        assert_spring((unsigned)next - 1);
        assert_int_equal(lag(f), 0);
    }
    assert_int_equal(fg_delivery_stats(f->delivery)->connects, 10);
}

static void test_lost_tail_is_refilled_when_idle(void **state)
{
    static const unsigned left[] = {9, 4, 1, 0};
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    log_orders(f, 2, 1, 3);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(run_ms(f, 5), 0);
        fake_lose_tail(fake_stream(f->redis, "spring"), left[i]);
        assert_int_equal(run_ms(f, 1100), 0);
        assert_spring(10);
        assert_summer(3);
    }
}

static void test_lost_tail_is_refilled_at_a_gap(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    assert_int_equal(run_ms(f, 5), 0);
    fake_lose_tail(fake_stream(f->redis, "spring"), 6);
    log_orders(f, 1, 11, 12);
    assert_int_equal(run_ms(f, 2), 0);
    assert_spring(12);
    assert_int_equal(fg_delivery_stats(f->delivery)->gaps, 1);
    assert_int_equal(fg_delivery_stats(f->delivery)->connects, 1); /* the link was good */
}

/* Other sales being busy must not hide it. */
static void test_idle_sale_is_polled_beside_a_busy_one(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    assert_int_equal(run_ms(f, 5), 0);
    fake_lose_tail(fake_stream(f->redis, "spring"), 0);
    for (unsigned i = 1; i <= 300; i++) {
        log_orders(f, 2, i, i);
        assert_int_equal(run_ms(f, 4), 0);
    }
    assert_spring(10);
    assert_summer(300);
}

static void test_idle_poll_is_cheap(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    assert_int_equal(run_ms(f, 5), 0);
    unsigned claims = f->redis->claims;
    assert_int_equal(run_ms(f, 10000), 0);
    assert_in_range(f->redis->claims - claims, 18, 20); /* two sales, once a second */
    assert_int_equal(f->redis->connects, 1);
}

/* --- streams that do not fit -------------------------------------------------------------- */

static void test_foreign_tail_stops_only_its_sale(void **state)
{
    static const struct fg_stream_id tails[] = {
        {EPOCH, 11}, {EPOCH - 1, 4}, {1753100000000, 0}, {EPOCH + 1, 2}};
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    log_orders(f, 2, 1, 3);
    for (unsigned i = 0; i < 4; i++) {
        fg_delivery_destroy(f->delivery);
        make_delivery(f, 4);
        fake_lose_tail(fake_stream(f->redis, "spring"), 0);
        fake_add(fake_stream(f->redis, "spring"), tails[i], 1);
        assert_int_equal(run_ms(f, 3000), 0);
        assert_states(f, FG_STREAM_FOREIGN, FG_STREAM_LIVE);
        assert_int_equal(fake_stream(f->redis, "spring")->count, 1);
        assert_summer(3 + i);
        assert_int_equal(lag(f), 10);
        log_orders(f, 2, 4 + i, 4 + i);
    }
    /* An operator moves the foreign stream away. */
    fake_lose_tail(fake_stream(f->redis, "spring"), 0);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_spring(10);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
}

/* A stray writer that goes on must not make delivery read the log again each second. */
static void test_growing_foreign_stream_is_left_alone(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 10);
    assert_int_equal(run_ms(f, 5), 0);
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){EPOCH, 500}, 1);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_states(f, FG_STREAM_FOREIGN, FG_STREAM_LIVE);
    fake_add(fake_stream(f->redis, "spring"), (struct fg_stream_id){EPOCH, 501}, 1);
    unsigned claims = f->redis->claims;
    assert_int_equal(run_ms(f, 3000), 0);
    assert_in_range(f->redis->claims - claims, 5, 6);
    assert_int_equal(fake_stream(f->redis, "spring")->count, 12);
}

static void test_base_positions(void **state)
{
    static const struct {
        unsigned epoch, seq; /* the stream's last */
        enum fg_stream_state wanted;
        unsigned count; /* entries in the end */
    } cases[] = {
        {5, 20, FG_STREAM_LIVE, 4}, /* as the base says */
        {7, 22, FG_STREAM_LIVE, 2},           {5, 19, FG_STREAM_LOST_BEYOND_LOG, 1},
        {0, 0, FG_STREAM_LOST_BEYOND_LOG, 0}, {6, 20, FG_STREAM_FOREIGN, 1},
    };
    struct fixture *f = *state;
    hand_log_close(&f->log);
    hand_log_open(&f->log, 3, EPOCH);
    hand_log_position(&f->log, 1, 21, 5); /* before its name */
    hand_log_sale(&f->log, 1, "spring");
    hand_log_sale(&f->log, 2, "summer");
    hand_log_position(&f->log, 2, 1, 0); /* no order yet */
    hand_log_frame(&f->log, FG_FRAME_BASE);
    log_orders(f, 1, 21, 23);
    log_orders(f, 2, 1, 2);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fg_delivery_destroy(f->delivery);
        make_delivery(f, 4);
        struct fake_stream *stream = fake_stream(f->redis, "spring");
        fake_lose_tail(stream, 0);
        if (cases[i].seq)
            fake_add(stream, (struct fg_stream_id){cases[i].epoch, cases[i].seq}, 1);
        assert_int_equal(run_ms(f, 1100), 0);
        assert_states(f, cases[i].wanted, FG_STREAM_LIVE);
        assert_int_equal(stream->count, cases[i].count);
        assert_summer(2);
    }
}

static void test_key_of_the_wrong_type(void **state)
{
    struct fixture *f = *state;
    fake_stream(f->redis, "spring")->wrong_type = true;
    log_orders(f, 1, 1, 10);
    log_orders(f, 2, 1, 3);
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_BAD_KEY, FG_STREAM_LIVE);
    assert_summer(3);
    uint64_t errors = fg_delivery_stats(f->delivery)->errors;
    assert_int_equal(run_ms(f, 5000), 0);
    assert_int_equal(fg_delivery_stats(f->delivery)->errors, errors); /* said once */
    fake_stream(f->redis, "spring")->wrong_type = false;
    assert_int_equal(run_ms(f, 1100), 0);
    assert_spring(10);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);

    fake_stream(f->redis, "summer")->wrong_type = true; /* while it is live */
    log_orders(f, 2, 4, 9);
    log_orders(f, 1, 11, 11);
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_BAD_KEY);
    assert_spring(11);
    fake_stream(f->redis, "summer")->wrong_type = false;
    assert_int_equal(run_ms(f, 1100), 0);
    assert_summer(9);
}

/* --- fences ------------------------------------------------------------------------------- */

/* `busy`: it finds out when it appends, else at the poll. */
static void fence_and_run(struct fixture *f, uint64_t epoch, uint64_t instance, bool busy)
{
    log_orders(f, 1, 1, 3);
    assert_int_equal(run_ms(f, 5), 0);
    fake_stream(f->redis, "spring")->fence_epoch = epoch;
    fake_stream(f->redis, "spring")->fence_instance = instance;
    if (busy)
        log_orders(f, 1, 4, 4);
    assert_int_equal(run_ms(f, busy ? 5 : 1100), -1);
    assert_int_equal(state_of(f), FG_DELIVERY_FENCED);
    assert_false(f->redis->connected);
    char error[128];
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    assert_string_equal(error, "spring: a planted fault");

    fake_stream(f->redis, "spring")->fence_epoch = 0; /* that the fence is lost changes nothing */
    assert_int_equal(fg_delivery_step(f->delivery), -1);
    assert_spring(3);
}

static void test_fenced_by_a_greater_epoch(void **state)
{
    fence_and_run(*state, EPOCH + 1, 1, true);
}

static void test_fenced_by_another_instance(void **state)
{
    fence_and_run(*state, EPOCH, 43, true);
}

static void test_fenced_while_idle(void **state)
{
    fence_and_run(*state, EPOCH + 1, 42, false);
}

/* --- Redis that cannot or will not -------------------------------------------------------- */

static void test_retry_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    assert_int_equal(run_ms(f, 2), 0);
    f->redis->append_answer = FG_REDIS_RETRY;
    log_orders(f, 1, 4, 9);
    unsigned appends = f->redis->appends;
    assert_int_equal(run_ms(f, 500), 0);
    /* At 0, 10, 30, 70, 150 and 310 ms. */
    assert_int_equal(f->redis->appends - appends, 6);
    f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 200), 0);
    assert_spring(9);
    assert_int_equal(f->redis->connects, 1);
}

/* One that lasts gives up its place, so that the lag is counted on, and finds it again. */
static void test_long_retry(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    assert_int_equal(run_ms(f, 2), 0);
    f->redis->append_answer = FG_REDIS_RETRY;
    log_orders(f, 1, 4, 9);
    assert_int_equal(run_ms(f, 3000), 0);
    assert_int_equal(state_of(f), FG_DELIVERY_CONNECTING);
    for (uint64_t seq = 10; seq <= 100; seq += 10) {
        log_orders(f, 1, seq, seq + 9);
        assert_int_equal(run_ms(f, 2), 0);
        assert_int_equal(lag(f), seq + 9 - 3);
    }
    unsigned connects = f->redis->connects;
    assert_int_equal(run_ms(f, 10000), 0);
    assert_in_range(f->redis->connects - connects, 9, 11);
    f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 1100), 0);
    assert_spring(109);
    assert_int_equal(lag(f), 0);
}

static void test_redis_away_from_the_start(void **state)
{
    struct fixture *f = *state;
    f->redis->connect_answer = FG_REDIS_LOST;
    log_orders(f, 1, 1, 50);
    log_orders(f, 2, 1, 5);
    assert_int_equal(run_ms(f, 5000), 0);
    assert_int_equal(lag(f), 55);
    assert_int_equal(state_of(f), FG_DELIVERY_CONNECTING);
    assert_in_range(f->redis->connects, 9, 12); /* 10 ms, doubling to 1 s */
    assert_int_equal(fg_delivery_stats(f->delivery)->connects, 0);
    f->redis->connect_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 1100), 0);
    assert_spring(50);
    assert_summer(5);
    assert_int_equal(lag(f), 0);
}

static void test_function_missing(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 5);
    assert_int_equal(run_ms(f, 2), 0);
    f->redis->append_answer = FG_REDIS_RELOAD;
    log_orders(f, 1, 6, 7);
    assert_int_equal(fg_delivery_step(f->delivery), 1); /* reads */
    assert_int_equal(run_ms(f, 2), 0);
    f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 30), 0);
    assert_spring(7);
    assert_int_equal(f->redis->connects, 2);
}

static void test_refused_is_tried_slowly(void **state)
{
    struct fixture *f = *state;
    f->redis->connect_answer = FG_REDIS_REFUSED;
    log_orders(f, 1, 1, 5);
    assert_int_equal(run_ms(f, 14000), 0);
    assert_int_equal(f->redis->connects, 3);
    f->redis->connect_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 5000), 0);
    assert_spring(5);
}

/* --- logs that cannot be ------------------------------------------------------------------ */

static void assert_fails(struct fixture *f, const char *what)
{
    char error[256];
    assert_int_equal(run_ms(f, 10), -1);
    assert_int_equal(state_of(f), FG_DELIVERY_FAILED);
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    if (!strstr(error, what))
        fail_msg("the error is: %s", error);
}

static void test_order_of_an_unknown_sale(void **state)
{
    log_orders(*state, 3, 1, 1);
    assert_fails(*state, "before its sale's definition");
}

static void test_gap_in_the_numbering(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    log_orders(f, 1, 5, 5);
    assert_fails(f, "not numbered");
    assert_int_equal(fake_stream(f->redis, "spring")->count, 0); /* it had gathered only */
}

static void test_sale_without_a_usable_name(void **state)
{
    char longest[FG_SALE_NAME_MAX + 2] = {0};
    struct fixture *f = *state;
    memset(longest, 'n', FG_SALE_NAME_MAX);
    hand_log_sale(&f->log, 3, longest);
    hand_log_frame(&f->log, 0);
    log_orders(f, 3, 1, 1);
    assert_int_equal(run_ms(f, 2), 0);
    assert_stream(f, 3, longest, 1, 0);

    longest[FG_SALE_NAME_MAX] = 'n';
    hand_log_sale(&f->log, 4, longest);
    hand_log_frame(&f->log, 0);
    assert_fails(f, "no name, or one that is too long");
    tear_down(state);
    set_up(state);
    f = *state;
    hand_log_sale(&f->log, 3, "");
    hand_log_frame(&f->log, 0);
    assert_fails(f, "no name, or one that is too long");
}

static void test_damaged_frame(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    assert_int_equal(run_ms(f, 3), 0);
    log_orders(f, 1, 4, 6);
    uint8_t bad = 0xff;
    assert_int_equal(pwrite(f->log.file, &bad, 1, (off_t)f->log.offset - FG_BLOCK_BYTES + 100), 1);
    assert_fails(f, "damaged");
    assert_spring(3);
}

/* --- everything at once ------------------------------------------------------------------- */

static void plant_fault(struct fixture *f, unsigned dice)
{
    static const enum fg_redis_answer answers[] = {FG_REDIS_RETRY, FG_REDIS_RELOAD, FG_REDIS_LOST};
    struct fake_stream *stream = fake_stream(f->redis, dice & 1 ? "spring" : "summer");
    switch (dice / 2 % 6) {
    case 0:
        f->redis->next = (int)(dice / 16 % 4);
        break;
    case 1:
        fake_lose_tail(stream, stream->count ? dice / 16 % stream->count : 0);
        break;
    case 2:
        f->redis->append_answer = answers[dice / 16 % 3];
        break;
    case 3:
        f->redis->connect_answer = answers[dice / 16 % 3];
        break;
    default:
        f->redis->append_answer = f->redis->connect_answer = FG_REDIS_OK;
        break;
    }
}

static void test_random_faults(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct fixture *f = *state;
        uint64_t next[3] = {0, 1, 1};
        uint32_t dice = seed * 2654435761u;
        for (unsigned round = 0; round < 100; round++) {
            dice = dice * 1664525 + 1013904223;
            for (unsigned i = 0; i < (dice >> 8) % 12; i++) {
                uint32_t sale = 1 + (dice >> (12 + i) & 1);
                hand_log_order(&f->log, sale, next[sale]++);
            }
            hand_log_frame(&f->log, 0);
            if (dice >> 30 == 0)
                plant_fault(f, dice >> 10);
            assert_int_equal(run_ms(f, (dice >> 20) % 40), 0);
        }
        f->redis->append_answer = f->redis->connect_answer = FG_REDIS_OK;
        f->redis->next = KEEP;
        assert_int_equal(run_ms(f, 2500), 0);
        assert_spring((unsigned)next[1] - 1);
        assert_summer((unsigned)next[2] - 1);
        assert_int_equal(lag(f), 0);
        tear_down(state);
        set_up(state);
    }
}

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

static void test_create_without_a_log(void **state)
{
    struct fixture *f = *state;
    int error = 0;
    struct fg_delivery_config config = {
        .dir = "/nonexistent/log", .disk = &fg_disk_files, .clock = &f->clock, .batch = 1};
    assert_null(fg_delivery_create(&config, &error));
    assert_int_equal(error, -ENOENT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_delivers_in_order),
        CASE(test_never_past_the_durable_mark),
        CASE(test_many_sales),
        CASE(test_restart_under_a_new_epoch),
        CASE(test_nothing_twice_after_a_lost_link),
        CASE(test_lost_tail_is_refilled_when_idle),
        CASE(test_lost_tail_is_refilled_at_a_gap),
        CASE(test_idle_sale_is_polled_beside_a_busy_one),
        CASE(test_idle_poll_is_cheap),
        CASE(test_foreign_tail_stops_only_its_sale),
        CASE(test_growing_foreign_stream_is_left_alone),
        CASE(test_base_positions),
        CASE(test_key_of_the_wrong_type),
        CASE(test_fenced_by_a_greater_epoch),
        CASE(test_fenced_by_another_instance),
        CASE(test_fenced_while_idle),
        CASE(test_retry_keeps_its_place),
        CASE(test_long_retry),
        CASE(test_redis_away_from_the_start),
        CASE(test_function_missing),
        CASE(test_refused_is_tried_slowly),
        CASE(test_order_of_an_unknown_sale),
        CASE(test_gap_in_the_numbering),
        CASE(test_sale_without_a_usable_name),
        CASE(test_damaged_frame),
        CASE(test_random_faults),
        CASE(test_thread_with_a_real_redis),
        CASE(test_stop_has_a_limit),
        CASE(test_create_without_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
