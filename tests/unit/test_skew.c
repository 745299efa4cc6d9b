/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose clock is judged to be wrong, from what ten seconds have brought; and what a line of a key
 * tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/skew.h"
#include "dataplane/random.h"

#define S INT64_C(1000000000)

static struct fg_skew *skew;

static int begin(void **state)
{
    (void)state;
    skew = calloc(1, sizeof(*skew));
    return skew ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(skew);
    return 0;
}

static void add(struct fg_skew_second *second, uint16_t id, uint32_t source, uint64_t accepted,
                uint64_t stale, int64_t skew_ns)
{
    fg_skew_add(second, accepted,
                &(struct fg_skew_sample){id, stale, skew_ns, fg_ip_of_v4(source)});
}

static enum fg_skew_kind kind(void)
{
    return fg_skew_judge(skew).kind;
}

static void fresh_ones_say_nothing(void **state)
{
    (void)state;
    assert_int_equal(kind(), FG_SKEW_NONE);
    for (unsigned i = 0; i < 30; i++) {
        add(fg_skew_next(skew), 7, 1, 1000, 0, 0);
        assert_int_equal(kind(), FG_SKEW_NONE);
    }
    add(fg_skew_next(skew), 7, 1, 1000, FG_SKEW_SENDER - 1, 45 * S);
    assert_int_equal(kind(), FG_SKEW_NONE);
}

static void most_of_several_senders_is_the_engine(void **state)
{
    (void)state;
    struct fg_skew_second *second = fg_skew_next(skew);
    add(second, 7, 1, 100, 50, 45 * S);
    add(second, 8, 2, 0, 50, 46 * S);
    assert_int_equal(kind(), FG_SKEW_OF_SENDER); /* half is not most */
    add(second, 9, 3, 0, 1, 44 * S);
    struct fg_skew_finding finding = fg_skew_judge(skew);
    assert_int_equal(finding.kind, FG_SKEW_OF_ENGINE);
    assert_int_equal(finding.stale, 101);
    assert_int_equal(finding.accepted, 100);
    assert_int_equal(finding.skew_ns, 45 * S); /* the median */
    /* Too few for it. */
    *second = (struct fg_skew_second){.count = 0};
    add(second, 7, 1, 0, FG_SKEW_ENGINE - 2, -45 * S);
    add(second, 8, 2, 1, 1, -45 * S);
    assert_int_equal(kind(), FG_SKEW_OF_SENDER);
    add(second, 8, 2, 0, 1, -45 * S);
    finding = fg_skew_judge(skew);
    assert_int_equal(finding.kind, FG_SKEW_OF_ENGINE);
    assert_int_equal(finding.skew_ns, -45 * S);
    /* Of one key, from two places. */
    *second = (struct fg_skew_second){.count = 0};
    add(second, 7, 1, 1, 100, 45 * S);
    assert_int_equal(kind(), FG_SKEW_OF_SENDER);
    add(second, 7, 2, 0, 1, 45 * S);
    assert_int_equal(kind(), FG_SKEW_OF_ENGINE);
}

static void one_sender_is_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct fg_skew_second *second = fg_skew_next(skew);
        add(second, 7, 0x0a000001, 10, 0, 0);
        add(second, 8, 0x0a000003, 0, 400, -61 * S - i); /* far more than all others send */
        add(second, 9, 0x0a000004, 5, 0, 0);
    }
    struct fg_skew_finding finding = fg_skew_judge(skew);
    assert_int_equal(finding.kind, FG_SKEW_OF_SENDER);
    assert_int_equal(finding.id, 8);
    assert_true(fg_ip_same(finding.source, fg_ip_of_v4(0x0a000003)));
    assert_int_equal(finding.skew_ns, -61 * S - 19);
}

static void nothing_but_stale_ones_is_the_engine(void **state)
{
    (void)state;
    add(fg_skew_next(skew), 7, 1, 0, 500, 100 * S);
    assert_int_equal(kind(), FG_SKEW_OF_ENGINE);
}

/* A capture that is sent over and over, ten times the honest load, in any order. */
static void what_gets_older_is_no_clock(void **state)
{
    (void)state;
    uint64_t chance = 3;
    for (int i = 0; i < 25; i++) {
        struct fg_skew_second *second = fg_skew_next(skew);
        add(second, 7, 1, 50, 0, 0);
        for (unsigned n = 0; n < 8; n++)
            add(second, (uint16_t)(7 + n % 3), 9 + n, 0, 100,
                -(40 + i) * S - (int64_t)(fg_random_next(&chance) % 2000) * (S / 1000));
        if (i >= 5)
            assert_int_equal(kind(), FG_SKEW_COPIES);
    }
    /* It ends, and after ten seconds it is forgotten. */
    for (int i = 0; i < FG_SKEW_SECONDS; i++)
        add(fg_skew_next(skew), 7, 1, 50, 0, 0);
    assert_int_equal(kind(), FG_SKEW_NONE);
}

/* A clock that is off stays off by the same, and times that no clock tells overflow nothing. */
static void extremes(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct fg_skew_second *second = fg_skew_next(skew);
        add(second, 7, 1, 0, 50, INT64_MAX);
        add(second, 8, 2, 0, 50, i % 2 ? INT64_MAX : -INT64_MAX);
        for (unsigned n = 0; n < 3 * FG_SKEW_SAMPLES; n++)
            add(second, 9, 3, 0, 1, -INT64_MAX);
    }
    assert_int_equal(kind(), FG_SKEW_OF_ENGINE);
    assert_int_equal(fg_key_skew(0, 5), -5);
    assert_int_equal(fg_key_skew(5, 0), 5);
    assert_int_equal(fg_key_skew(UINT64_MAX, 1), INT64_MAX);
    assert_int_equal(fg_key_skew(1, UINT64_MAX), -INT64_MAX);
    assert_int_equal(fg_key_skew(7, 7), 0);
}

static void a_line_is_of_one_key(void **state)
{
    (void)state;
    struct fg_key_watch *lines = fg_key_watch_create();
    struct fg_key_sight sight = {.accepted = 0};
    fg_key_watch_read(&lines[0], 0, &sight);
    assert_int_equal(sight.accepted, 0);
    fg_key_watch_accepted(&lines[0], 0, 5); /* key 0, too, has a line of its own */
    fg_key_watch_read(&lines[0], 0, &sight);
    assert_int_equal(sight.accepted, 1);
    assert_int_equal(sight.seen_ns, 5);
    fg_key_watch_stale(&lines[0], 7, 10 + 60 * S, 10, fg_ip_of_v4(77));
    sight = (struct fg_key_sight){.accepted = 0};
    fg_key_watch_read(&lines[0], 0, &sight);
    assert_int_equal(sight.accepted + sight.stale, 0);
    fg_key_watch_read(&lines[0], 7, &sight);
    assert_int_equal(sight.accepted, 0);
    assert_int_equal(sight.stale, 1);
    assert_int_equal(sight.skew_ns, 60 * S);
    assert_int_equal(sight.stale_ns, 10);
    assert_true(fg_ip_same(sight.source, fg_ip_of_v4(77)));
    /* Of two workers the later one tells the last. */
    fg_key_watch_stale(&lines[1], 7, 1, 9, fg_ip_of_v4(78));
    fg_key_watch_read(&lines[1], 7, &sight);
    assert_int_equal(sight.stale, 2);
    assert_int_equal(sight.skew_ns, 60 * S);
    fg_key_watch_stale(&lines[2], 7, 1, 11, fg_ip_of_v4(79));
    fg_key_watch_read(&lines[2], 7, &sight);
    assert_int_equal(sight.skew_ns, -10);
    free(lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(fresh_ones_say_nothing),      TEST(most_of_several_senders_is_the_engine),
        TEST(one_sender_is_named),         TEST(nothing_but_stale_ones_is_the_engine),
        TEST(what_gets_older_is_no_clock), TEST(extremes),
        TEST(a_line_is_of_one_key),
    };
    return cmocka_run_group_tests_name("skew", tests, NULL, NULL);
}
