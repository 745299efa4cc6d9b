/* SPDX-License-Identifier: BSD-3-Clause */
/* A key's rate, shared among workers: it goes to where the traffic is, and never makes more. */
#include "control/key_shares.h"
#include "dataplane/admission/internal.h"
#include "tests/unit/shop.h"

#define WORKERS 4
#define RATE    100000
#define BURST   5000

static struct fg_engine engine;
static struct fg_worker workers[WORKERS];
static struct fg_key_shares shares;
static struct shop shop;
static uint64_t chance;

static void begin(void)
{
    shop_open(&shop, WORKERS, 10);
    memset(&shares, 0, sizeof(shares));
    chance = 5;
    engine.config.workers = WORKERS;
    for (unsigned w = 0; w < WORKERS; w++) {
        workers[w].admission = shop.admissions[w];
        engine.workers[w] = &workers[w];
    }
    fg_rates_set_key(&shop.ring.keys[0], RATE, BURST);
}

static struct fg_rates *rates_of(unsigned w)
{
    return fg_admission_rates(shop.admissions[w]);
}

/* Shares in force come to no more than the rate. */
static void assert_no_more_than_the_rate(void)
{
    double sum = 0;
    for (unsigned w = 0; w < WORKERS; w++)
        sum += 1 / (double)fg_rates_share(rates_of(w), &shop.ring.keys[0], 0);
    assert_true(sum <= 1.0000001 / (double)shop.ring.keys[0].rate_cost);
}

/* By a datagram of its own, where no buyer's bucket is asked. */
static bool ask(unsigned w, uint64_t time_ns)
{
    uint32_t wait_ms;

    fg_rates_datagram(rates_of(w), time_ns, shop.now.wall_ns);
    return fg_rates_key(rates_of(w), &shop.ring.keys[0], 0, false, false, &wait_ms);
}

static bool ask_newer(unsigned w)
{
    shop.last_time_ns += SHOP_APART_NS;
    return ask(w, shop.last_time_ns);
}

/* A millisecond in which each worker is asked so often; returns how many passed. */
static uint64_t pass_ms(const unsigned asks[WORKERS])
{
    uint64_t passed = 0;
    shop.now.ms++;
    shop.now.wall_ns += 1000000;
    for (unsigned w = 0; w < WORKERS; w++) {
        fg_rates_tick(rates_of(w), shop.now.ms);
        for (unsigned i = 0; i < asks[w]; i++)
            passed += ask_newer(w);
    }
    fg_key_shares_step(&shares, &shop.ring, &engine, shop.now.ms);
    assert_no_more_than_the_rate();
    return passed;
}

static uint64_t pass_second(const unsigned asks[WORKERS])
{
    uint64_t passed = 0;
    for (int ms = 0; ms < 1000; ms++)
        passed += pass_ms(asks);
    return passed;
}

static void shares_go_to_the_demand(void **state)
{
    (void)state;
    static const uint64_t some[WORKERS] = {300 * 256, 100 * 256, 0, 0}, none[WORKERS];
    uint64_t costs[WORKERS];
    fg_key_shares_split(1000000, some, WORKERS, costs);
    assert_in_range(costs[0], 1000000 * 4 / 3, 1500000);
    assert_in_range(costs[1], 3900000, 4300000);
    assert_true(costs[2] == costs[3] && costs[2] > 50000000 && costs[2] < 80000000);
    fg_key_shares_split(1000001, none, WORKERS, costs);
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(costs[w], 4000004);
    fg_key_shares_split(1000001, none, 1, costs);
    assert_int_equal(costs[0], 1000001);
}

static void one_worker_gets_nearly_all(void **state)
{
    (void)state;
    static const unsigned last[WORKERS] = {0, 0, 0, 200}, first[WORKERS] = {200, 0, 0, 0};
    begin();
    assert_in_range(pass_second(last), RATE / 4, RATE + BURST);
    pass_second(last);
    assert_in_range(pass_second(last), RATE * 93 / 100, RATE);
    pass_second(first); /* it moves, and its share after it */
    pass_second(first);
    pass_second(first);
    assert_in_range(pass_second(first), RATE * 93 / 100, RATE);
    shop_close(&shop);
}

static void uneven_traffic_within_the_rate_passes(void **state)
{
    (void)state;
    static const unsigned uneven[WORKERS] = {60, 15, 10, 5};
    begin();
    pass_second(uneven);
    pass_second(uneven);
    assert_int_equal(pass_second(uneven), 90000);
    shop_close(&shop);
}

/* Traffic that jumps from worker to worker gets no more than its rate, whenever it jumps. */
static void jumping_makes_nothing(void **state)
{
    (void)state;
    for (unsigned period = 50; period <= 800; period *= 2) {
        uint64_t passed = 0;
        begin();
        for (unsigned ms = 0; ms < 8000; ms++) {
            unsigned asks[WORKERS] = {0};
            asks[ms / period % WORKERS] = 500 + (unsigned)(fg_random_next(&chance) % 500);
            passed += pass_ms(asks);
        }
        /* each share has room for a request, even where it is less than one */
        assert_in_range(passed, 0, 8 * RATE + BURST + WORKERS);
        shop_close(&shop);
    }
}

static void keys_without_a_rate_are_left_alone(void **state)
{
    (void)state;
    static const unsigned asks[WORKERS] = {500, 500, 500, 500};
    begin();
    fg_rates_set_key(&shop.ring.keys[0], 0, 0);
    uint64_t passed = 0;
    for (int ms = 0; ms < 1000; ms++) {
        fg_key_shares_step(&shares, &shop.ring, &engine, (uint64_t)ms);
        for (unsigned w = 0; w < WORKERS; w++)
            for (unsigned i = 0; i < asks[w]; i++)
                passed += ask_newer(w);
    }
    assert_int_equal(passed, 2000000);
    assert_int_equal(atomic_load(&rates_of(0)->costs[0]), 0);
    shop_close(&shop);
}

/* Copies, ten times the honest traffic, come to one worker: no share goes there for them. */
static void copies_draw_no_shares(void **state)
{
    (void)state;
    static const unsigned even[WORKERS] = {20, 20, 20, 20};
    begin();
    for (unsigned ms = 0; ms < 5000; ms++) {
        assert_int_equal(pass_ms(even), 80);
        for (unsigned n = 0; n < 800; n++)
            ask(0, shop.last_time_ns - 3 * 20 * SHOP_APART_NS);
    }
    shop_close(&shop);
}

/* The key's rate falls, or its place is another key's: nothing is left of what shares were. */
static void a_replaced_ring_begins_with_even_shares(void **state)
{
    (void)state;
    static const unsigned last[WORKERS] = {0, 0, 0, 200};
    for (int other = 0; other < 2; other++) {
        begin();
        pass_second(last);
        struct fg_keyring after = shop.ring;
        fg_rates_set_key(&after.keys[0], RATE / 10, BURST / 10);
        after.keys[0].id += (uint16_t)other;
        fg_key_shares_renew(&shares, &shop.ring, &after, &engine);
        shop.ring = after;
        assert_no_more_than_the_rate();
        for (unsigned w = 0; w < WORKERS; w++)
            assert_int_equal(fg_rates_share(rates_of(w), &after.keys[0], 0),
                             after.keys[0].rate_cost * WORKERS);
        assert_int_equal(shares.use[0][WORKERS - 1].demand == 0, other);
        pass_second(last);
        shop_close(&shop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_go_to_the_demand),
        cmocka_unit_test(one_worker_gets_nearly_all),
        cmocka_unit_test(uneven_traffic_within_the_rate_passes),
        cmocka_unit_test(jumping_makes_nothing),
        cmocka_unit_test(copies_draw_no_shares),
        cmocka_unit_test(keys_without_a_rate_are_left_alone),
        cmocka_unit_test(a_replaced_ring_begins_with_even_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
