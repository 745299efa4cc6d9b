/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery: streams that lost something, that do not fit the log, and that are built anew. */
#include "delivery_fixture.h"

/* --- lost tails -------------------------------------------------------------------------- */

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

/* From the moment that something is known to be missing, nobody is told that all is delivered. */
static void test_what_is_asked_anew_is_not_caught_up(void **state)
{
    struct fixture *f = *state;
    const struct fg_delivery_stats *stats = fg_delivery_stats(f->delivery);
    log_orders(f, 1, 1, 10);
    assert_int_equal(run_ms(f, 5), 0);
    assert_int_equal(stats->caught_up, hand_log_durable(&f->log));
    fake_lose_tail(fake_stream(f->redis, "spring"), 4);
    f->now_ns += 1100000000;
    for (unsigned step = 0; stats->caught_up != 0 && step < 3; step++) /* the poll */
        fg_delivery_step(f->delivery);
    assert_int_equal(stats->caught_up, 0);
    assert_int_equal(run_ms(f, 5), 0);
    assert_spring(10);
    assert_int_equal(stats->caught_up, hand_log_durable(&f->log));
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
    /* An operator restores it: what it ended with is gone. (Growing alone changes nothing.) */
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    fake_lose_tail(spring, 0);
    fake_add(spring, (struct fg_stream_id){EPOCH, 1}, hand_log_order_id(1, 1));
    assert_int_equal(run_ms(f, 1100), 0);
    assert_spring(10);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    fake_add(spring, (struct fg_stream_id){EPOCH + 1, 2}, 1);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_states(f, FG_STREAM_FOREIGN, FG_STREAM_LIVE);
    /* Or moves it away. */
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

/* --- rebuilding --------------------------------------------------------------------------- */

static void test_rebuild(void **state)
{
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    char key[FG_SALE_NAME_MAX];
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), -ENOENT);
    log_orders(f, 1, 1, 10);
    log_orders(f, 2, 1, 3);
    fake_add(spring, (struct fg_stream_id){1753100000000, 0}, 1);
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_FOREIGN, FG_STREAM_LIVE);
    assert_error(f, "spring: its stream ends with 1753100000000-0, which this log does not have");
    fg_delivery_last_aside(f->delivery, key, sizeof(key));
    assert_string_equal(key, "");
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), 0);
    assert_int_equal(run_ms(f, 5), 0); /* soon: not at the next poll */
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_spring(10);
    assert_summer(3);
    fg_delivery_last_aside(f->delivery, key, sizeof(key));
    assert_string_equal(key, "aside:spring");

    spring->wrong_type = true;
    assert_int_equal(run_ms(f, 1100), 0);
    assert_states(f, FG_STREAM_BAD_KEY, FG_STREAM_LIVE);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), 0);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 2), 0); /* a live one, too */
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    assert_spring(10);
    assert_summer(3);
    assert_int_equal(spring->asides, 2);
    assert_int_equal(fake_stream(f->redis, "summer")->asides, 1);
    assert_int_equal(run_ms(f, 3000), 0);
    assert_int_equal(spring->asides, 2);
}

/* Redis is away, cannot, or loses its answer: the request waits. Where it refuses, it is dropped.
 */
static void test_rebuild_under_faults(void **state)
{
    static const enum fg_redis_answer faults[] = {FG_REDIS_LOST, FG_REDIS_RETRY, FG_REDIS_RELOAD};
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    log_orders(f, 1, 1, 10);
    assert_int_equal(run_ms(f, 5), 0);
    for (unsigned i = 0; i < 3; i++) {
        f->redis->aside_answer = faults[i];
        assert_int_equal(fg_delivery_rebuild(f->delivery, 1), 0);
        assert_int_equal(run_ms(f, 500), 0);
        assert_int_equal(spring->asides, i);
        f->redis->aside_answer = FG_REDIS_OK;
        assert_int_equal(run_ms(f, 1100), 0);
        assert_int_equal(spring->asides, i + 1);
        assert_spring(10);
    }
    f->redis->aside_answer = FG_REDIS_REFUSED;
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), 0);
    assert_int_equal(run_ms(f, 1100), 0);
    f->redis->aside_answer = FG_REDIS_OK;
    log_orders(f, 1, 11, 12);
    assert_int_equal(run_ms(f, 1100), 0);
    assert_int_equal(spring->asides, 3);
    assert_spring(12);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_lost_tail_is_refilled_when_idle),
        CASE(test_what_is_asked_anew_is_not_caught_up),
        CASE(test_lost_tail_is_refilled_at_a_gap),
        CASE(test_idle_sale_is_polled_beside_a_busy_one),
        CASE(test_idle_poll_is_cheap),
        CASE(test_foreign_tail_stops_only_its_sale),
        CASE(test_growing_foreign_stream_is_left_alone),
        CASE(test_base_positions),
        CASE(test_key_of_the_wrong_type),
        CASE(test_rebuild),
        CASE(test_rebuild_under_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
