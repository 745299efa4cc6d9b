/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery's reading on while Redis works on a batch: what was gathered by then goes out after the
 * batch, or not at all. Batches have four records. The Redis in memory aborts when it is called
 * during a call, and when entries come out of order.
 */
#include "delivery_fixture.h"

static uint64_t logged(struct fixture *f, uint32_t sale)
{
    return fg_delivery_stream(f->delivery, sale).logged;
}

/* Steps up to the end of the next append, whatever its answer. */
static void step_append(struct fixture *f)
{
    unsigned appends = f->redis->appends;
    for (unsigned steps = 0; f->redis->appends == appends; steps++) {
        fg_delivery_step(f->delivery);
        assert_true(steps < 1000);
    }
}

static void test_gathers_meanwhile(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 3);
    log_orders(f, 1, 4, 30);
    step_append(f);
    assert_int_equal(logged(f, 1), 8); /* up to the next full batch, and no further */
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 4);
    step_append(f);
    assert_int_equal(logged(f, 1), 12);
    f->redis->hurried = true;
    step_append(f);
    assert_int_equal(logged(f, 1), 12);
    f->redis->hurried = false;
    assert_int_equal(run_ms(f, 2), 0);
    assert_spring(30);
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 30);
    assert_int_equal(lag(f), 0);
}

/* The same batch again, and what was gathered behind it after that. */
static void test_retry_keeps_both(void **state)
{
    struct fixture *f = *state;
    f->redis->only_appends = true;
    f->redis->append_answer = FG_REDIS_RETRY;
    log_orders(f, 1, 1, 10);
    step_append(f);
    assert_int_equal(logged(f, 1), 8);
    assert_int_equal(run_ms(f, 100), 0);
    assert_int_equal(logged(f, 1), 8); /* a second full batch is no third */
    assert_spring(0);
    f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 200), 0);
    assert_spring(10);
    assert_int_equal(f->redis->connects, 1);
}

static void test_gap_drops_both(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 4);
    assert_int_equal(run_ms(f, 1), 0);
    fake_lose_tail(fake_stream(f->redis, "spring"), 2);
    log_orders(f, 1, 5, 14);
    step_append(f);
    assert_int_equal(fg_delivery_stats(f->delivery)->gaps, 1);
    assert_int_equal(run_ms(f, 2), 0);
    assert_spring(14);
    assert_int_equal(fg_delivery_stats(f->delivery)->gaps, 1);
}

static void test_lost_link_drops_both(void **state)
{
    static const int faults[] = {LOSE_REPLY, LOSE_CALL, DELAY_CALL};
    struct fixture *f = *state;
    uint64_t next = 1;
    for (unsigned i = 0; i < 6; i++, next += 11) {
        log_orders(f, 1, next, next + 10);
        f->redis->next = faults[i % 3];
        step_append(f);
        assert_int_equal(run_ms(f, 50), 0);
        assert_spring((unsigned)next + 10);
    }
}

static void test_refused_drops_both(void **state)
{
    static const enum fg_redis_answer answers[] = {FG_REDIS_REFUSED, FG_REDIS_BAD_KEY};
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        log_orders(f, 1, 1 + 10 * i, 10 + 10 * i);
        log_orders(f, 2, 1 + 10 * i, 10 + 10 * i);
        assert_int_equal(fg_delivery_step(f->delivery), 1);
        fake_stream(f->redis, "spring")->answer = answers[i];
        assert_int_equal(run_ms(f, 3), 0);
        assert_int_equal(fake_stream(f->redis, "spring")->count, 10 * i);
        assert_summer(10 + 10 * i);
        fake_stream(f->redis, "spring")->answer = FG_REDIS_OK;
        assert_int_equal(run_ms(f, 7000), 0);
        assert_spring(10 + 10 * i);
        assert_int_equal(lag(f), 0);
    }
}

/* A sale that is claimed at its first order waits for the call's end with that. */
static void test_claim_waits(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_ms(f, 1), 0);
    log_orders(f, 1, 1, 5);
    hand_log_sale(&f->log, 3, "autumn");
    hand_log_order(&f->log, 3, 1);
    hand_log_order(&f->log, 1, 6);
    hand_log_order(&f->log, 3, 2);
    hand_log_frame(&f->log, 0);
    unsigned claims = f->redis->claims;
    step_append(f);
    assert_int_equal(logged(f, 1), 5);
    assert_int_equal(logged(f, 3), 0);
    assert_int_equal(f->redis->claims, claims);
    assert_int_equal(run_ms(f, 1), 0);
    assert_spring(6);
    assert_stream(f, 3, "autumn", 2, 0);
    assert_int_equal(f->redis->claims, claims + 1);
}

/* What stands behind the batch cannot be read: the batch is where it belongs, and that is all. */
static void test_damage_meanwhile(void **state)
{
    struct fixture *f = *state;
    char error[256];
    log_orders(f, 1, 1, 5);
    log_orders(f, 1, 6, 9);
    uint8_t bad = 0xff;
    assert_int_equal(pwrite(f->log.file, &bad, 1, (off_t)f->log.offset - FG_BLOCK_BYTES + 100), 1);
    f->redis->next = LOSE_REPLY; /* whose consequences would be another state and sentence */
    step_append(f);
    assert_int_equal(state_of(f), FG_DELIVERY_FAILED);
    assert_int_equal(run_ms(f, 10), -1);
    fg_delivery_last_error(f->delivery, error, sizeof(error));
    assert_non_null(strstr(error, "damaged"));
    assert_spring(4);
}

/* Many records that are not to be appended are read in parts, for the answer waits. */
static void test_answer_waits_for_no_more(void **state)
{
    struct fixture *f = *state;
    fake_stream(f->redis, "summer")->answer = FG_REDIS_BAD_KEY;
    assert_int_equal(run_ms(f, 1), 0);
    log_orders(f, 1, 1, 4);
    for (uint64_t seq = 1; seq <= 12000; seq += 1000)
        log_orders(f, 2, seq, seq + 999);
    log_orders(f, 1, 5, 8);
    step_append(f);
    assert_in_range(logged(f, 2), 1000, 8 * FG_REDIS_APPEND_MAX);
    assert_int_equal(run_ms(f, 2), 0);
    assert_int_equal(logged(f, 2), 12000);
    assert_spring(8);
}

/* The next batch is sent before the answer to the first has come, and so on to the end. */
static void test_follows(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 30);
    assert_int_equal(run_ms(f, 1), 0);
    assert_spring(30);
    assert_int_equal(f->redis->appends, 8);
    assert_int_equal(f->redis->followed, 6); /* neither the first nor the last, which is not full */
}

/* What is asked once a second, and what an operator asks for, does not wait until the log is read.
 */
static void test_poll_is_not_kept_waiting(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_ms(f, 1), 0);
    for (uint64_t seq = 1; seq <= 2000; seq += 1000)
        log_orders(f, 1, seq, seq + 999);
    step_append(f);
    unsigned claims = f->redis->claims;
    step_append(f);
    f->now_ns += 1100000000;
    step_append(f);
    assert_int_equal(f->redis->claims, claims); /* one was under way, and was waited for */
    step_append(f);
    assert_int_equal(f->redis->claims, claims + 2);
    assert_int_equal(fg_delivery_rebuild(f->delivery, 1), 0);
    step_append(f);
    step_append(f);
    assert_int_equal(fake_stream(f->redis, "spring")->asides, 1);
    assert_int_equal(run_ms(f, 3), 0);
    assert_spring(2000);
    assert_int_equal(fg_delivery_stats(f->delivery)->gaps, 0);
}

/* Another sale's batch does not follow: if the first is refused, that one need not be. */
static void test_another_sale_does_not_follow(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 4);
    log_orders(f, 2, 1, 4);
    log_orders(f, 1, 5, 8);
    assert_int_equal(run_ms(f, 1), 0);
    assert_spring(8);
    assert_summer(4);
    assert_int_equal(f->redis->followed, 0);
}

/* The append that was sent behind fails by itself. */
static void test_follower_fails(void **state)
{
    static const int faults[] = {LOSE_REPLY, LOSE_CALL, DELAY_CALL};
    struct fixture *f = *state;
    uint64_t next = 1;
    for (unsigned i = 0; i < 3; i++, next += 20) {
        log_orders(f, 1, next, next + 19);
        f->redis->hurried = true;
        step_append(f);
        f->redis->hurried = false;
        unsigned followed = f->redis->followed;
        step_append(f);
        assert_int_equal(f->redis->followed, followed + 1);
        f->redis->next = faults[i]; /* of the one that follows next */
        step_append(f);
        assert_int_equal(run_ms(f, 50), 0);
        assert_spring((unsigned)next + 19);
        assert_int_equal(lag(f), 0);
    }
    assert_int_equal(fg_delivery_stats(f->delivery)->connects, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_gathers_meanwhile),
        TEST(test_retry_keeps_both),
        TEST(test_gap_drops_both),
        TEST(test_lost_link_drops_both),
        TEST(test_refused_drops_both),
        TEST(test_claim_waits),
        TEST(test_damage_meanwhile),
        TEST(test_answer_waits_for_no_more),
        TEST(test_follows),
        TEST(test_poll_is_not_kept_waiting),
        TEST(test_another_sale_does_not_follow),
        TEST(test_follower_fails),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
