/* SPDX-License-Identifier: BSD-3-Clause */
/* The percentile text: read back, line by line, against the values that made it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/hgrm.h"

static struct load_histogram histogram;
static char text[65536];

static const char *write_text(void)
{
    FILE *out = fmemopen(text, sizeof(text), "w");

    assert_non_null(out);
    assert_int_equal(load_hgrm_write(&histogram, out), 0);
    fclose(out);
    return text;
}

/* Three small values, exact ones, whose whole text is known. */
static void few_values_are_told_whole(void **state)
{
    (void)state;
    histogram = (struct load_histogram){0};
    load_histogram_add(&histogram, 10);
    load_histogram_add(&histogram, 20);
    load_histogram_add(&histogram, 30);
    assert_string_equal(write_text(), "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                                      "       0.010 0.000000000000          1           1.00\n"
                                      "       0.010 0.100000000000          1           1.11\n"
                                      "       0.010 0.200000000000          1           1.25\n"
                                      "       0.010 0.300000000000          1           1.43\n"
                                      "       0.020 0.400000000000          2           1.67\n"
                                      "       0.020 0.500000000000          2           2.00\n"
                                      "       0.020 0.550000000000          2           2.22\n"
                                      "       0.020 0.600000000000          2           2.50\n"
                                      "       0.020 0.650000000000          2           2.86\n"
                                      "       0.030 0.700000000000          3           3.33\n"
                                      "       0.030 1.000000000000          3\n"
                                      "#[Mean    =        0.020, StdDeviation   =        0.008]\n"
                                      "#[Max     =        0.030, Total count    =            3]\n"
                                      "#[Buckets =           37, SubBuckets     =          128]\n");
}

static void nothing_has_a_trailer_alone(void **state)
{
    (void)state;
    histogram = (struct load_histogram){0};
    assert_non_null(strstr(write_text(), "Total count    =            0]"));
    assert_null(strstr(text, " 1.000000000000 "));
}

static void lines_say_what_quantiles_say(void **state)
{
    double value, share, inverse, last = -1;
    unsigned long count, lines = 0;
    (void)state;
    histogram = (struct load_histogram){0};
    for (uint64_t i = 0; i < 100000; i++)
        load_histogram_add(&histogram, 1000 + i * i % 7000000);
    const char *at = strstr(write_text(), "\n\n") + 2;
    for (; *at != '#'; at = strchr(at, '\n') + 1, lines++) {
        int fields = sscanf(at, "%lf %lf %lu %lf\n", &value, &share, &count, &inverse);
        assert_true(share > last && fields >= 3);
        if (share < 1) {
            uint64_t right =
                load_histogram_quantile(&histogram, (uint32_t)ceil(share * 1e6 - 1e-6));
            assert_true(fabs(value * 1000 - (double)right) <= (double)right / 100 + 1);
            assert_true(fabs(inverse - 1 / (1 - share)) <= 0.006);
        }
        assert_true((double)count >= share * 100000 - 1e-3);
        last = share;
    }
    assert_true(last == 1 && count == 100000 && lines > 30);
    assert_true(fabs(value * 1000 - (double)histogram.max) < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_values_are_told_whole),
        cmocka_unit_test(nothing_has_a_trailer_alone),
        cmocka_unit_test(lines_say_what_quantiles_say),
    };
    return cmocka_run_group_tests_name("load_hgrm", tests, NULL, NULL);
}
