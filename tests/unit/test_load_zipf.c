/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks for what: Zipf's law and its parts, bots, turns; against what the law says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <cmocka.h>

#include "perf/load/mix.h"
#include "perf/load/random.h"
#include "perf/load/zipf.h"

enum { DRAWS = 400000, RANKS_MAX = 5000 };

/* Is chi-square of so many degrees of freedom no more than a chance of one in a million allows?
 * (Wilson and Hilferty, 1931: its cube root is nearly normal.) */
static void assert_fits(const uint64_t *seen, const double *weights, unsigned count, uint64_t draws)
{
    double sum = 0, chi = 0, expected = 0, here = 0;
    unsigned cells = 0;

    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    for (unsigned i = 0; i < count; i++) {
        expected += weights[i] / sum * (double)draws;
        here += (double)seen[i];
        /* Rare ranks are counted together. */
        if (expected < 20 && i + 1 < count)
            continue;
        if (expected > 0)
            chi += (here - expected) * (here - expected) / expected;
        cells++;
        expected = here = 0;
    }
    double degrees = cells - 1, spread = 2 / (9 * degrees);
    double normal = (cbrt(chi / degrees) - (1 - spread)) / sqrt(spread);
    if (normal > 4.75)
        fail_msg("chi-square %.1f with %.0f degrees of freedom", chi, degrees);
}

static void ranks_follow_the_law(void **state)
{
    static const struct {
        unsigned count;
        double offset, exponent;
    } laws[] = {{2, 1, 1},      {10, 1, 1},      {1000, 1, 0.5},  {5000, 1, 0.99}, {5000, 1, 1},
                {5000, 1, 1.2}, {100, 1, 3},     {50, 0.02, 1.1}, {50, 0.5, 0.7},  {1, 1, 1},
                {300, 1, 0.01}, {79, 0.0625, 2}, {3, 1, 10}};
    (void)state;
    for (size_t l = 0; l < sizeof(laws) / sizeof(laws[0]); l++) {
        static uint64_t seen[RANKS_MAX];
        static double weights[RANKS_MAX];
        struct load_zipf zipf;
        load_zipf_init(&zipf, laws[l].count, laws[l].offset, laws[l].exponent);
        for (unsigned k = 0; k < laws[l].count; k++) {
            seen[k] = 0;
            weights[k] = pow(laws[l].offset + k, -laws[l].exponent);
        }
        for (uint64_t i = 0; i < DRAWS; i++) {
            uint64_t rank = load_zipf_draw(&zipf, 7 + l, i);
            assert_true(rank < laws[l].count);
            seen[rank]++;
        }
        if (laws[l].count > 1)
            assert_fits(seen, weights, laws[l].count, DRAWS);
    }
}

static void draws_repeat_from_seed_and_number(void **state)
{
    struct load_zipf zipf;
    (void)state;
    load_zipf_init(&zipf, UINT64_C(1000000000), 1, 1.1);
    unsigned same = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t rank = load_zipf_draw(&zipf, 3, i);
        assert_true(rank < UINT64_C(1000000000));
        assert_true(rank == load_zipf_draw(&zipf, 3, i));
        same += rank == load_zipf_draw(&zipf, 4, i);
    }
    assert_true(same < 500);
}

static struct load_mix mix;

static void make_mix(enum load_choice choice, uint32_t buyers, uint32_t batch, uint32_t partitions)
{
    char message[128];

    mix = (struct load_mix){.seed = 5,
                            .buyers = buyers,
                            .batch = batch,
                            .choice = choice,
                            .exponent = 1.1,
                            .bots = buyers / 10,
                            .bot_factor = 30};
    assert_int_equal(load_weights_parse(&mix.items, "1,2", 10, message, sizeof(message)), 0);
    assert_int_equal(load_weights_parse(&mix.quantities, "1", 10, message, sizeof(message)), 0);
    load_mix_init(&mix);
    assert_int_equal(load_mix_steer(&mix, partitions), 0);
}

static void free_mix(void)
{
    load_mix_fini(&mix);
    load_weights_fini(&mix.items);
    load_weights_fini(&mix.quantities);
}

/* Requests by buyer, over whole datagrams. Those of one datagram share their first buyer's
 * partition, so what is counted is one request of each. */
static void count_buyers(uint64_t *seen, uint32_t place)
{
    for (uint64_t group = 0; group < DRAWS; group++)
        seen[load_mix_want(&mix, group * mix.batch + place).buyer]++;
}

static void buyers_of_every_place_follow_the_law(void **state)
{
    static const enum load_choice choices[] = {LOAD_BY_ZIPF, LOAD_BOTS, LOAD_EVENLY};
    enum { BUYERS = 1000 };
    (void)state;
    for (size_t c = 0; c < 3; c++)
        for (uint32_t batch = 1; batch <= 4; batch += 3) {
            uint64_t seen[BUYERS] = {0};
            double weights[BUYERS];
            make_mix(choices[c], BUYERS, batch, 64);
            for (unsigned k = 0; k < BUYERS; k++)
                weights[k] = choices[c] == LOAD_BY_ZIPF ? pow(k + 1.0, -mix.exponent)
                             : choices[c] == LOAD_BOTS  ? (k < mix.bots ? mix.bot_factor : 1)
                                                        : 1;
            count_buyers(seen, batch - 1);
            assert_fits(seen, weights, BUYERS, DRAWS);
            free_mix();
        }
}

static void in_turn_everyone_asks_once(void **state)
{
    enum { BUYERS = 64 * 5 * 3 + 7, GROUPS = 64 * 3 };
    static uint8_t asked[BUYERS];
    (void)state;
    make_mix(LOAD_IN_TURN, BUYERS, 5, 64);
    for (uint64_t number = 0; number < GROUPS * 5; number++) {
        uint32_t buyer = load_mix_want(&mix, number).buyer;
        assert_true(buyer < BUYERS);
        assert_int_equal(asked[buyer]++, 0);
    }
    free_mix();
    mix.choice = LOAD_IN_TURN;
    mix.buyers = 64 * 5 - 1;
    assert_int_equal(load_mix_steer(&mix, 64), -ERANGE);
}

static void a_group_is_its_requests(void **state)
{
    (void)state;
    for (enum load_choice choice = LOAD_EVENLY; choice <= LOAD_BOTS; choice++) {
        make_mix(choice, 1000, 7, 64);
        for (uint64_t group = 0; group < 2000; group++) {
            struct load_want wants[7];
            uint32_t partition = load_mix_group(&mix, group, wants);
            for (uint32_t i = 0; i < 7; i++) {
                struct load_want want = load_mix_want(&mix, group * 7 + i);
                assert_int_equal(want.buyer, wants[i].buyer);
                assert_int_equal(want.item, wants[i].item);
                assert_int_equal(want.quantity, wants[i].quantity);
                assert_int_equal(load_mix_partition(want.buyer, 64), partition);
            }
        }
        free_mix();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_follow_the_law),
        cmocka_unit_test(draws_repeat_from_seed_and_number),
        cmocka_unit_test(buyers_of_every_place_follow_the_law),
        cmocka_unit_test(in_turn_everyone_asks_once),
        cmocka_unit_test(a_group_is_its_requests),
    };
    return cmocka_run_group_tests_name("load_zipf", tests, NULL, NULL);
}
