/* SPDX-License-Identifier: BSD-3-Clause */
/* What requests ask for: weights, the mix, and the retry rule's waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/mix.h"
#include "perf/load/random.h"
#include "perf/load/retry.h"

static char message[256];

static void lists_are_read(void **state)
{
    struct load_weights weights;
    (void)state;
    assert_int_equal(load_weights_parse(&weights, "7:3,9,8:0", 100, message, sizeof(message)), 0);
    assert_int_equal(weights.count, 3);
    assert_int_equal(weights.values[0], 7);
    assert_int_equal(weights.values[1], 9);
    assert_int_equal(weights.weights[0], 3);
    assert_int_equal(weights.weights[1], 1);
    load_weights_fini(&weights);
}

static void wrong_lists_are_refused_with_a_sentence(void **state)
{
    static const char *const wrong[] = {"",      ",",   "1,",  "0:1", "101", "1:", "1:x", "x",
                                        "1:1:1", "1;2", "1,1", "1:0", "-1",  "1 ", " 1"};
    struct load_weights weights;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        message[0] = '\0';
        assert_int_equal(load_weights_parse(&weights, wrong[i], 100, message, sizeof(message)), -1);
        assert_true(strlen(message) > 10);
    }
}

static void values_are_drawn_by_weight(void **state)
{
    enum { DRAWS = 1000000 };
    struct load_weights weights;
    uint32_t seen[5] = {0};
    const uint32_t shares[5] = {1, 0, 10, 39, 50};
    (void)state;
    assert_int_equal(
        load_weights_parse(&weights, "1:1,2:0,3:10,4:39,5:50", 100, message, sizeof(message)), 0);
    for (uint64_t i = 0; i < DRAWS; i++)
        seen[load_weights_draw(&weights, load_word(4, i))]++;
    assert_int_equal(seen[1], 0);
    for (int i = 0; i < 5; i++) /* five standard deviations of the greatest are 2500 */
        assert_in_range(seen[i] + 2500, shares[i] * DRAWS / 100, shares[i] * DRAWS / 100 + 5000);
    load_weights_fini(&weights);
}

static struct load_mix mix;

static int make_mix(void **state)
{
    (void)state;
    mix = (struct load_mix){.seed = 42,
                            .buyers = 100000,
                            .batch = 1,
                            .partitions = 64,
                            .double_click_permille = 100,
                            .repeat_permille = 20,
                            .confirm_percent = 70,
                            .cancel_percent = 20};
    load_mix_init(&mix);
    return load_weights_parse(&mix.items, "1:1,2:1", 100, message, sizeof(message)) ||
           load_weights_parse(&mix.quantities, "1:9,2:1", 100, message, sizeof(message));
}

static int free_mix(void **state)
{
    (void)state;
    load_weights_fini(&mix.items);
    load_weights_fini(&mix.quantities);
    return 0;
}

/* The steering rests on this, for every number of partitions. */
static void a_buyers_index_tells_its_partition(void **state)
{
    uint8_t identity[FG_BUYER_BYTES];
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t buyer = (uint32_t)load_word(5, i);
        load_mix_buyer_identity(&mix, buyer, identity);
        for (uint32_t partitions = 64; partitions <= 65536; partitions *= 2)
            assert_int_equal(fg_partition(identity, partitions),
                             load_mix_partition(buyer, partitions));
    }
}

static int by_identity(const void *left, const void *right)
{
    return memcmp(left, right, FG_BUYER_BYTES);
}

static void identities_differ_by_buyer_and_seed(void **state)
{
    enum { BUYERS = 100000 };
    uint8_t(*identities)[FG_BUYER_BYTES] = malloc(2 * BUYERS * FG_BUYER_BYTES);
    (void)state;
    for (uint32_t i = 0; i < BUYERS; i++)
        load_mix_buyer_identity(&mix, i, identities[i]);
    mix.seed++;
    for (uint32_t i = 0; i < BUYERS; i++)
        load_mix_buyer_identity(&mix, i, identities[BUYERS + i]);
    qsort(identities, 2 * BUYERS, FG_BUYER_BYTES, by_identity);
    for (int i = 1; i < 2 * BUYERS; i++)
        assert_true(memcmp(identities[i - 1], identities[i], FG_BUYER_BYTES) != 0);
    free(identities);
}

static void requests_of_a_datagram_share_a_partition(void **state)
{
    (void)state;
    /* 100 buyers: most partitions have two, some have one. */
    for (mix.buyers = 100; mix.buyers <= 100000; mix.buyers *= 1000)
        for (mix.batch = 2; mix.batch <= 32; mix.batch *= 4)
            for (uint32_t first = 0; first < 1000 * mix.batch; first += mix.batch) {
                uint32_t partition = load_mix_want(&mix, first).buyer % 64;
                for (uint32_t i = 0; i < mix.batch; i++) {
                    struct load_want want = load_mix_want(&mix, first + i);
                    assert_true(want.buyer < mix.buyers);
                    assert_int_equal(want.buyer % 64, partition);
                }
            }
}

static void habits_come_as_often_as_asked(void **state)
{
    enum { REQUESTS = 200000 };
    uint32_t doubles = 0, repeats = 0, plans[3] = {0}, twos = 0;
    (void)state;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct load_habits habits = load_mix_habits(&mix, i);
        doubles += habits.double_click;
        repeats += habits.repeat;
        plans[habits.plan]++;
        twos += load_mix_want(&mix, i).quantity == 2;
    }
    assert_in_range(doubles, 19300, 20700);
    assert_in_range(repeats, 3700, 4300);
    assert_in_range(plans[LOAD_PLAN_CONFIRM], 139000, 141000);
    assert_in_range(plans[LOAD_PLAN_CANCEL], 39100, 40900);
    assert_in_range(plans[LOAD_PLAN_LEAVE], 19300, 20700);
    assert_in_range(twos, 19300, 20700);
    mix.double_click_permille = 1000;
    mix.repeat_permille = 0;
    mix.confirm_percent = 100;
    mix.cancel_percent = 0;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct load_habits habits = load_mix_habits(&mix, i);
        assert_true(habits.double_click && !habits.repeat && habits.plan == LOAD_PLAN_CONFIRM);
    }
}

static void waits_double_to_a_second_within_their_jitter(void **state)
{
    static const uint32_t means[] = {50, 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000};
    (void)state;
    for (unsigned retries = 0; retries < sizeof(means) / sizeof(means[0]); retries++) {
        assert_int_equal(load_retry_wait_ms(retries, 0), means[retries] / 2);
        assert_int_equal(load_retry_wait_ms(retries, UINT64_MAX),
                         means[retries] / 2 + means[retries]);
    }
    assert_int_equal(load_retry_wait_ms(255, 0), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(wrong_lists_are_refused_with_a_sentence),
        cmocka_unit_test(values_are_drawn_by_weight),
        cmocka_unit_test_setup_teardown(a_buyers_index_tells_its_partition, make_mix, free_mix),
        cmocka_unit_test_setup_teardown(identities_differ_by_buyer_and_seed, make_mix, free_mix),
        cmocka_unit_test_setup_teardown(requests_of_a_datagram_share_a_partition, make_mix,
                                        free_mix),
        cmocka_unit_test_setup_teardown(habits_come_as_often_as_asked, make_mix, free_mix),
        cmocka_unit_test(waits_double_to_a_second_within_their_jitter),
    };
    return cmocka_run_group_tests_name("load_mix", tests, NULL, NULL);
}
