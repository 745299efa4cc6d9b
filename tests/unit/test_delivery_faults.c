/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery when Redis fails: each kind of answer, lost links, and all of it at random. */
#include "delivery_fixture.h"

/* --- lost links -------------------------------------------------------------------------- */

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
    /* At 0, 10, 20, 40, 80, 160 and 320 ms, each wait up to a quarter shorter. */
    assert_in_range(f->redis->appends - appends, 7, 8);
    assert_int_equal(fg_delivery_circuit(f->delivery)->state, FG_CIRCUIT_OPEN);
    f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 400), 0);
    assert_spring(9);
    assert_int_equal(fg_delivery_circuit(f->delivery)->state, FG_CIRCUIT_CLOSED);
    assert_int_equal(fg_delivery_circuit(f->delivery)->openings, 1);
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
    assert_in_range(f->redis->connects - connects, 10, 14); /* every 750 to 1000 ms */
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
    /* Twice 10 ms, then 20, doubling to 1 s, each up to a quarter shorter. */
    assert_in_range(f->redis->connects, 11, 15);
    assert_int_equal(fg_delivery_stats(f->delivery)->connects, 0);
    assert_int_equal(fg_delivery_circuit(f->delivery)->state, FG_CIRCUIT_OPEN);
    assert_int_equal(fg_delivery_circuit(f->delivery)->openings, 1);
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

/* What Redis refuses for one stream leaves the others alone, and is tried again slowly. */
static void test_one_stream_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fake_stream *spring = fake_stream(f->redis, "spring");
    spring->answer = FG_REDIS_REFUSED;
    log_orders(f, 1, 1, 5);
    log_orders(f, 2, 1, 5);
    assert_int_equal(run_ms(f, 14000), 0);
    assert_states(f, FG_STREAM_REFUSED, FG_STREAM_LIVE);
    assert_summer(5);
    assert_int_equal(f->redis->connects, 1);
    assert_int_equal(fg_delivery_stats(f->delivery)->errors, 3);
    assert_int_equal(fg_delivery_stream(f->delivery, 1).delivered, 0);
    assert_int_equal(lag(f), 5);
    spring->answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 6000), 0);
    assert_spring(5);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);

    spring->answer = FG_REDIS_REFUSED; /* while it is live */
    log_orders(f, 1, 6, 9);
    log_orders(f, 2, 6, 9);
    assert_int_equal(run_ms(f, 100), 0);
    assert_states(f, FG_STREAM_REFUSED, FG_STREAM_LIVE);
    assert_summer(9);
    spring->answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 6000), 0);
    assert_spring(9);
}

/* A Redis that tells one thing and does another: gaps without end, and no busy loop. */
static void test_gaps_without_end(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 5);
    f->redis->lies = true;
    assert_int_equal(run_ms(f, 10000), 0);
    assert_in_range(fg_delivery_stats(f->delivery)->gaps, 5, 20);
    assert_int_equal(fake_stream(f->redis, "spring")->count, 0);
    f->redis->lies = false;
    assert_int_equal(run_ms(f, 1100), 0);
    assert_spring(5);
}

/* No answer but OK makes anything delivered. */
static void test_only_ok_counts(void **state)
{
    static const enum fg_redis_answer answers[] = {FG_REDIS_GAP,     FG_REDIS_RETRY,
                                                   FG_REDIS_RELOAD,  FG_REDIS_LOST,
                                                   FG_REDIS_BAD_KEY, FG_REDIS_REFUSED};
    struct fixture *f = *state;
    for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        log_orders(f, 1, 3 * i + 1, 3 * i + 3);
        f->redis->only_appends = true;
        f->redis->append_answer = answers[i];
        assert_int_equal(run_ms(f, 300), 0);
        assert_true(fg_delivery_stream(f->delivery, 1).delivered <= 3 * i);
        /* What lies under a key of another type counts for nothing. */
        assert_int_equal(lag(f), answers[i] == FG_REDIS_BAD_KEY ? 3 * i + 3 : 3);
        f->redis->append_answer = FG_REDIS_OK;
        assert_int_equal(run_ms(f, 6000), 0);
        assert_int_equal(fg_delivery_stream(f->delivery, 1).delivered, 3 * i + 3);
        assert_int_equal(lag(f), 0);
        assert_spring(3 * i + 3);
    }
    assert_int_equal(fg_delivery_stats(f->delivery)->delivered, 18);
}

/* A wait that has grown is forgotten when all is well again, also with nothing to append. */
static void test_wait_begins_anew(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_ms(f, 5), 0);
    f->redis->connect_answer = f->redis->append_answer = FG_REDIS_LOST;
    assert_int_equal(run_ms(f, 10000), 0);
    f->redis->connect_answer = f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 1500), 0);
    assert_int_equal(state_of(f), FG_DELIVERY_RUNNING);
    f->redis->append_answer = FG_REDIS_LOST;
    assert_int_equal(run_ms(f, 1000), 0); /* the poll sees it at some time of this */
    unsigned connects = f->redis->connects;
    f->redis->append_answer = FG_REDIS_OK;
    assert_int_equal(run_ms(f, 700), 0);
    assert_int_equal(state_of(f), FG_DELIVERY_RUNNING);
    assert_true(f->redis->connects > connects);
}

static void step_for(struct fixture *f, unsigned steps)
{
    while (steps-- > 0)
        assert_int_equal(fg_delivery_step(f->delivery), 1);
}

/* A link that is lost just when the log was rewound, before the pass has come to the definitions of
 * the sales: they are asked about all the same, or an engine without orders would never learn that
 * another one has taken over. */
static void test_lost_just_after_a_rewind(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_ms(f, 5), 0);
    for (unsigned i = 0; i < 2; i++) {
        f->redis->append_answer = FG_REDIS_LOST;
        f->now_ns += 1100000000;
        step_for(f, 1); /* the poll */
        assert_int_equal(state_of(f), FG_DELIVERY_CONNECTING);
        f->redis->append_answer = FG_REDIS_OK;
        f->now_ns += 1100000000;
        step_for(f, i == 0 ? 4 : 1); /* connects, claims both, rewinds */
    }
    assert_int_equal(run_ms(f, 5), 0);
    assert_states(f, FG_STREAM_LIVE, FG_STREAM_LIVE);
    fake_stream(f->redis, "summer")->fence_epoch = EPOCH + 1;
    assert_int_equal(run_ms(f, 1100), -1);
    assert_int_equal(state_of(f), FG_DELIVERY_FENCED);
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

/* In a long backlog one append in two fails at first: that is never several in a row. */
static void test_failures_between_successes_do_not_open_it(void **state)
{
    struct fixture *f = *state;
    log_orders(f, 1, 1, 100);
    for (unsigned i = 0; i < 2 * FG_CIRCUIT_FAILURES; i++) {
        unsigned entries = fake_stream(f->redis, "spring")->count;
        uint64_t errors = fg_delivery_stats(f->delivery)->errors;
        for (unsigned ms = 0; fg_delivery_stats(f->delivery)->errors == errors; ms++) {
            f->redis->append_answer = FG_REDIS_RETRY;
            f->redis->only_appends = true;
            f->now_ns += 1000000;
            assert_int_not_equal(fg_delivery_step(f->delivery), -1);
            assert_true(ms < 100);
        }
        f->redis->append_answer = FG_REDIS_OK;
        for (unsigned ms = 0; fake_stream(f->redis, "spring")->count == entries; ms++) {
            f->now_ns += 1000000;
            assert_int_not_equal(fg_delivery_step(f->delivery), -1);
            assert_true(ms < 100);
        }
        assert_true(fake_stream(f->redis, "spring")->count < 100);
        assert_int_equal(fg_delivery_circuit(f->delivery)->state, FG_CIRCUIT_CLOSED);
    }
    assert_int_equal(fg_delivery_circuit(f->delivery)->openings, 0);
    assert_int_equal(run_ms(f, 100), 0);
    assert_spring(100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_nothing_twice_after_a_lost_link),
        CASE(test_retry_keeps_its_place),
        CASE(test_long_retry),
        CASE(test_redis_away_from_the_start),
        CASE(test_function_missing),
        CASE(test_refused_is_tried_slowly),
        CASE(test_one_stream_is_refused),
        CASE(test_lost_just_after_a_rewind),
        CASE(test_gaps_without_end),
        CASE(test_only_ok_counts),
        CASE(test_wait_begins_anew),
        CASE(test_random_faults),
        CASE(test_failures_between_successes_do_not_open_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
