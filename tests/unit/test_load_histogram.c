/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "perf/load/histogram.h"
#include "perf/load/random.h"

static struct load_histogram histogram;

static int empty(void **state)
{
    (void)state;
    histogram = (struct load_histogram){0};
    return 0;
}

static void nothing_counted_has_no_quantile(void **state)
{
    (void)state;
    assert_int_equal(load_histogram_quantile(&histogram, 500000), 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 100; value++)
        load_histogram_add(&histogram, value);
    assert_int_equal(load_histogram_quantile(&histogram, 0), 1);
    assert_int_equal(load_histogram_quantile(&histogram, 10000), 1);
    assert_int_equal(load_histogram_quantile(&histogram, 500000), 50);
    assert_int_equal(load_histogram_quantile(&histogram, 990000), 99);
    assert_int_equal(load_histogram_quantile(&histogram, 999000), 100);
    assert_int_equal(load_histogram_quantile(&histogram, 1000000), 100);
}

/* A lone value below a greater one: the quantile is its bucket's end, at most 1/128 above it. */
static void no_value_is_told_more_than_one_percent_off(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 43; bit++)
        for (int i = 0; i < 64; i++) {
            uint64_t value =
                ((uint64_t)1 << bit) | (load_word(bit, (uint64_t)i) & (((uint64_t)1 << bit) - 1));
            empty(NULL);
            load_histogram_add(&histogram, value);
            load_histogram_add(&histogram, UINT64_C(1) << 60);
            uint64_t told = load_histogram_quantile(&histogram, 500000);
            assert_true(told >= value);
            assert_true(told - value <= value / 128);
        }
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void quantiles_are_those_of_the_sorted_values(void **state)
{
    enum { COUNT = 10000 };
    static uint64_t values[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        values[i] = load_word(1, (uint64_t)i) >> (24 + load_word(2, (uint64_t)i) % 30);
        load_histogram_add(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof(values[0]), by_value);
    for (uint32_t per_million = 100; per_million <= 1000000; per_million += 100) {
        uint64_t right = values[(uint64_t)COUNT * per_million / 1000000 - 1];
        uint64_t told = load_histogram_quantile(&histogram, per_million);
        assert_true(told >= right && told - right <= right / 128);
    }
}

static void values_beyond_the_last_bucket_are_bounded_by_max(void **state)
{
    (void)state;
    load_histogram_add(&histogram, UINT64_MAX);
    load_histogram_add(&histogram, UINT64_C(1) << 50);
    assert_int_equal(histogram.count, 2);
    assert_true(load_histogram_quantile(&histogram, 500000) == UINT64_MAX);
    assert_true(histogram.max == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_counted_has_no_quantile, empty),
        cmocka_unit_test_setup(small_values_are_exact, empty),
        cmocka_unit_test_setup(no_value_is_told_more_than_one_percent_off, empty),
        cmocka_unit_test_setup(quantiles_are_those_of_the_sorted_values, empty),
        cmocka_unit_test_setup(values_beyond_the_last_bucket_are_bounded_by_max, empty),
    };
    return cmocka_run_group_tests_name("load_histogram", tests, NULL, NULL);
}
