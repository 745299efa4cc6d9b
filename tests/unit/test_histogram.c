/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/counters.h"

static struct fg_histogram histogram;
static struct fg_histogram_view view;

static int clear(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof(histogram));
    memset(&view, 0, sizeof(view));
    return 0;
}

/* Every bucket begins where the one before it ends, and holds exactly what lies between. */
static void buckets_follow_each_other_without_gaps(void **state)
{
    (void)state;
    assert_int_equal(fg_histogram_bucket(0), 0);
    for (unsigned i = 0; i + 1 < FG_HISTOGRAM_BUCKETS; i++) {
        uint64_t edge = fg_histogram_edge(i);
        assert_int_equal(fg_histogram_bucket(edge - 1), i);
        assert_int_equal(fg_histogram_bucket(edge), i + 1);
    }
    assert_int_equal(fg_histogram_bucket(UINT64_MAX), FG_HISTOGRAM_BUCKETS - 1);
    assert_true(fg_histogram_edge(FG_HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static void a_bucket_is_at_most_an_eighth_wide(void **state)
{
    (void)state;
    for (unsigned i = 1; i + 1 < FG_HISTOGRAM_BUCKETS; i++) {
        uint64_t from = fg_histogram_edge(i - 1), to = fg_histogram_edge(i);
        assert_true(from < to && (to - from) * 8 <= from);
    }
}

static void counts_sums_and_the_greatest_are_kept(void **state)
{
    (void)state;
    fg_histogram_record(&histogram, 1000, 3);
    fg_histogram_record(&histogram, 5000, 1);
    fg_histogram_gather(&view, &histogram);
    assert_int_equal(view.count, 4);
    assert_int_equal(view.sum_ns, 8000);
    assert_int_equal(view.max_ns, 5000);
    fg_histogram_gather(&view, &histogram); /* another worker's, just as busy */
    assert_int_equal(view.count, 8);
    assert_int_equal(view.sum_ns, 16000);
    assert_int_equal(view.max_ns, 5000);
}

static void what_is_below_a_power_of_two_is_counted_exactly(void **state)
{
    (void)state;
    fg_histogram_record(&histogram, 1023, 1);
    fg_histogram_record(&histogram, 1024, 10);
    fg_histogram_record(&histogram, 2047, 100);
    fg_histogram_record(&histogram, UINT64_C(1) << FG_HISTOGRAM_LAST, 1000);
    fg_histogram_gather(&view, &histogram);
    assert_int_equal(fg_histogram_below(&view, 9), 0);
    assert_int_equal(fg_histogram_below(&view, 10), 1);
    assert_int_equal(fg_histogram_below(&view, 11), 111);
    assert_int_equal(fg_histogram_below(&view, FG_HISTOGRAM_LAST), 111);
}

static void quantiles_are_right_to_an_eighth(void **state)
{
    (void)state;
    assert_int_equal(fg_histogram_quantile(&view, 500), 0);
    for (uint64_t us = 1; us <= 1000; us++)
        fg_histogram_record(&histogram, us * 1000, 1);
    fg_histogram_gather(&view, &histogram);
    for (unsigned permille = 1; permille <= 1000; permille++) {
        uint64_t truth = permille * UINT64_C(1000);
        uint64_t told = fg_histogram_quantile(&view, permille);
        assert_true(told >= truth && told <= truth + truth / 8 + 256);
    }
    assert_int_equal(fg_histogram_quantile(&view, 1000), 1000000);
}

static void the_counters_have_a_name_each_and_the_drops_are_among_them(void **state)
{
    (void)state;
    static const char *const drops[] = {
#define X(name, text, help) [FG_COUNTER_##name] = text,
        FG_DROPS(X)
#undef X
    };
    for (unsigned i = 0; i < sizeof(drops) / sizeof(*drops); i++)
        if (drops[i])
            assert_memory_equal(drops[i], "drop_", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(buckets_follow_each_other_without_gaps, clear),
        cmocka_unit_test_setup(a_bucket_is_at_most_an_eighth_wide, clear),
        cmocka_unit_test_setup(counts_sums_and_the_greatest_are_kept, clear),
        cmocka_unit_test_setup(what_is_below_a_power_of_two_is_counted_exactly, clear),
        cmocka_unit_test_setup(quantiles_are_right_to_an_eighth, clear),
        cmocka_unit_test(the_counters_have_a_name_each_and_the_drops_are_among_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
