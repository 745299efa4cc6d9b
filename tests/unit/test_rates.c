/* SPDX-License-Identifier: BSD-3-Clause */
/* The buckets of buyers, by themselves: what passes, what waits, and for how long. */
#include "tests/unit/rates_fixture.h"

static struct fg_item item_of(uint32_t rate, uint32_t burst)
{
    return item_in(1, rate, burst);
}

static void test_without_a_rate_all_pass(void **state)
{
    (void)state;
    struct fg_item item = item_of(0, 0);
    uint32_t wait_ms;
    begin(5, 1024, 1);
    for (int i = 0; i < 100000; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    end();
}

static void test_burst_then_rate(void **state)
{
    (void)state;
    struct fg_item item = item_of(4, 3);
    uint32_t wait_ms = 0;
    begin(5, 1024, 1);
    for (int i = 0; i < 3; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    assert_int_equal(wait_ms, 250);
    assert_true(ask(&item, 2, false, &wait_ms)); /* another has its own */
    pass(249);
    assert_false(ask(&item, 1, false, &wait_ms));
    assert_int_equal(wait_ms, 1);
    pass(1);
    assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    pass(1000000); /* never more than a burst */
    for (int i = 0; i < 3; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    item = item_of(4, 0); /* changed: begins anew, and as many as rate */
    for (int i = 0; i < 4; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER), 5);
    end();
}

static void test_sales_are_apart(void **state)
{
    (void)state;
    struct fg_item one = item_of(1, 1), two = {.id = 2, .sale = 2};
    uint32_t wait_ms;
    fg_rates_set_item(&two, 1, 1);
    begin(5, 1024, 1);
    assert_true(ask(&one, 1, false, &wait_ms));
    assert_true(ask(&two, 1, false, &wait_ms));
    assert_false(ask(&one, 1, false, &wait_ms));
    assert_false(ask(&two, 1, false, &wait_ms));
    end();
}

/* Whatever the rate, and whatever was asked before: refused at one millisecond less, passes then.
 */
static void test_wait_is_right(void **state)
{
    (void)state;
    begin(UINT32_MAX - 100000, 1024, 1); /* the clock comes round on the way */
    for (int run = 0; run < 2000; run++) {
        struct fg_item item = item_of(1 + (uint32_t)draw(FG_BUYER_RATE_MAX), (uint32_t)draw(20));
        uint64_t buyer = draw(UINT64_MAX);
        for (int i = 0; i < 200; i++) {
            bool settles = draw(3) == 0;
            uint32_t wait_ms, again_ms;
            if (draw(3) == 0)
                pass((uint32_t)draw(20));
            if (ask(&item, buyer, settles, &wait_ms))
                continue;
            assert_in_range(wait_ms, 1, 11000); /* half a burst of 20 at most, and one more */
            pass(wait_ms - 1);
            if (wait_ms > 1) {
                assert_false(ask(&item, buyer, settles, &again_ms));
                assert_int_equal(again_ms, 1);
            }
            pass(1);
            assert_true(ask(&item, buyer, settles, &wait_ms));
        }
    }
    end();
}

/* Requests that pass of one who asks `times` as often as its rate allows, for a minute. */
static uint64_t hammer(uint32_t rate, uint32_t burst, unsigned times, bool settles)
{
    struct fg_item item = item_of(rate, burst);
    uint64_t passed = 0, asked = 0, asks = (uint64_t)rate * times * 60;
    uint32_t wait_ms;
    begin(UINT32_MAX - 30000, 1024, 1);
    for (uint32_t ms = 0; ms < 60000; ms++) {
        for (; asked * 60000 < asks * (ms + UINT64_C(1)); asked++)
            passed += ask(&item, 7, settles, &wait_ms);
        pass(1);
    }
    end();
    return passed;
}

static void test_who_hammers_gets_its_rate(void **state)
{
    (void)state;
    for (uint32_t rate = 1; rate <= 100; rate = rate * 3 + 1) {
        uint64_t fair = rate * 60, burst = 5, slack = fair / 64 + 1; /* of rounding */
        assert_in_range(hammer(rate, 5, 10, false), fair + burst - 1, fair + burst + slack);
        assert_in_range(hammer(rate, 5, 10, true), 2 * fair + 2 * burst - 2,
                        2 * (fair + burst + slack));
        assert_int_equal(hammer(rate, 5, 2, true),
                         2 * fair); /* refused above twice the rate only */
        assert_int_equal(hammer(rate, 5, 1, false), fair);
    }
}

/* However many others ask, and however often, one who keeps to the rate always passes. */
static void test_the_honest_are_never_throttled(void **state)
{
    (void)state;
    enum { HONEST = 500, OTHERS = 200000, SECONDS = 100 };
    static uint32_t next_ms[HONEST];
    const uint32_t rate = 2, burst = 4, start_ms = UINT32_MAX - 40000;
    struct fg_item item = item_of(rate, burst);
    uint64_t caught = 0;
    uint32_t wait_ms;
    begin(start_ms, 8192, 1);
    for (int i = 0; i < HONEST; i++)
        next_ms[i] = start_ms + (uint32_t)draw(1000);
    for (uint32_t ms = 0; ms < SECONDS * 1000; ms++) {
        for (int i = 0; i < HONEST; i++) {
            if (next_ms[i] != rates.now_ms)
                continue;
            /* a burst, and then silence until it is earned again */
            uint32_t some = 1 + (uint32_t)draw(burst);
            for (uint32_t n = 0; n < some; n++)
                assert_true(ask(&item, (uint64_t)i, n > 0 && draw(2), &wait_ms));
            next_ms[i] += some * 1000 / rate + (uint32_t)draw(3) * 1000;
        }
        for (int i = 0; i < 20; i++)
            caught += !ask(&item, HONEST + draw(i < 10 ? 50 : OTHERS), false, &wait_ms);
        pass(1);
    }
    assert_true(caught > SECONDS * 1000 * 5); /* of those 50, most are */
    assert_true(count(FG_COUNTER_BUYERS_FORGOTTEN) > 0);
    end();
}

/* In a full table the place that is needed least is given away: who asks often keeps its own. */
static void test_who_owes_most_stays(void **state)
{
    (void)state;
    struct fg_item item = item_of(1, 4);
    uint64_t passed = 0, stranger = 1000;
    uint32_t wait_ms;
    begin(5, 32, 1); /* eight sets */
    for (int i = 0; i < 10000; i++) {
        passed += ask(&item, 7, false, &wait_ms);
        for (int n = 0; n < 64; n++)
            assert_true(ask(&item, stranger++, false, &wait_ms));
        passed += ask(&item, 7, false, &wait_ms);
        pass(1);
    }
    assert_in_range(passed, 10, 20); /* 10 s at 1 a second, and a burst; of 20000 */
    end();
}

/* One who owes gives way to a newcomer whose datagram has the time `by_ms` from now, in a set whose
 * first `ahead` buyers have asked by clocks that are ahead, and the others by right ones. Is the
 * datagram taken for what may be a copy? */
static bool newcomer_seems_a_copy(uint64_t first_ns, unsigned ahead, int64_t by_ms)
{
    static const uint64_t ahead_ms[FG_BUYER_WAYS] = {FG_FRESHNESS_MS, 3000, 200, 100};
    struct fg_item item = item_of(5, 10);
    uint32_t wait_ms;
    begin(5, FG_BUYER_WAYS, 1);
    start_ns = first_ns;
    for (unsigned n = 0; n < FG_BUYER_WAYS; n++) {
        uint64_t its_ms = n < ahead ? ahead_ms[n] : 0;
        fg_rates_datagram(&rates, wall_ns() + its_ms * 1000000, wall_ns());
        assert_true(ask_more(&item, n, false, &wait_ms));
    }
    pass(1);
    assert_int_equal(count(FG_COUNTER_BUYERS_FORGOTTEN), 0);
    fg_rates_datagram(&rates, wall_ns() + (uint64_t)(by_ms * 1000000), wall_ns());
    assert_true(ask_more(&item, FG_BUYER_WAYS, false, &wait_ms));
    assert_int_equal(count(FG_COUNTER_BUYERS_FORGOTTEN), 1);
    end();
    return fg_rates_copy(&rates);
}

/* What others have asked with tells which of a newcomer's datagrams may be copies, but times that
 * lie ahead tell nothing: else whose clock is right would not be newer, for a freshness window. */
static void test_clocks_ahead_make_nobody_a_copy(void **state)
{
    (void)state;
    const uint64_t round_ns = UINT64_C(200) << (32 + FG_RATES_STAMP_SHIFT);
    const uint64_t firsts[] = {SHOP_NOW_NS, round_ns - 20000 * UINT64_C(1000000), round_ns};
    for (unsigned i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
        for (unsigned ahead = 0; ahead <= FG_BUYER_WAYS; ahead++) {
            bool one_is_right = ahead < FG_BUYER_WAYS;
            assert_false(newcomer_seems_a_copy(firsts[i], ahead, 0));
            assert_false(newcomer_seems_a_copy(firsts[i], ahead, 10));
            assert_int_equal(newcomer_seems_a_copy(firsts[i], ahead, -150), one_is_right);
        }
}

/* A free place is nobody's who was forgotten, so its neighbours' times tell nothing. */
static void test_a_free_place_makes_nobody_a_copy(void **state)
{
    struct fg_item item = item_of(5, 10);
    uint32_t wait_ms;
    (void)state;

    begin(5, FG_BUYER_WAYS, 1);
    for (unsigned n = 0; n + 1 < FG_BUYER_WAYS; n++) {
        fg_rates_datagram(&rates, wall_ns(), wall_ns());
        assert_true(ask_more(&item, n, false, &wait_ms));
    }
    pass(1);
    fg_rates_datagram(&rates, wall_ns() - 150 * UINT64_C(1000000), wall_ns());
    assert_true(ask_more(&item, FG_BUYER_WAYS, false, &wait_ms));
    assert_int_equal(count(FG_COUNTER_BUYERS_FORGOTTEN), 0);
    assert_false(fg_rates_copy(&rates));
    end();
}

/* Stamps come round after 18 hours: nobody is taken for one in debt because of that. */
static void test_old_stamps_never_lie_ahead(void **state)
{
    (void)state;
    enum { BUYERS = 64 }; /* most places are never used */
    struct fg_item item = item_of(1, 1000);
    uint32_t wait_ms;
    begin(0, 8192, 1);
    for (uint32_t ms = 0; ms < 80 * 3600 * 1000u; ms += 900) {
        uint64_t buyer = draw(BUYERS);
        /* who waits for longer than a bucket's depth has a full one */
        assert_true(ask(&item, buyer, false, &wait_ms));
        if (ms < 30 * 3600 * 1000u && draw(10000) == 0)
            fg_rates_tick(&rates, rates.now_ms + 20u * 3600 * 1000); /* it stood still */
        fg_rates_tick(&rates, rates.now_ms + 900);
    }
    for (uint32_t i = 0; i <= rates.set_mask; i++)
        for (unsigned way = 0; way < FG_BUYER_WAYS; way++)
            assert_in_range(rates.buyers[i].all[way] - rates.ticks + (UINT32_C(1) << 30), 0,
                            (UINT32_C(1) << 30) + 3 * 1000 * 64 * 1000 / 2);
    end();
}

static void test_the_table_goes_by_the_cache(void **state)
{
    (void)state;
    assert_int_equal(fg_rates_buyers(0), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(-1), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(1 << 20), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(1280 << 10), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(2 << 20), 2 * FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(1), 4096);
    assert_int_equal(fg_rates_buyers(1L << 40), 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_rate_all_pass),
        cmocka_unit_test(test_burst_then_rate),
        cmocka_unit_test(test_sales_are_apart),
        cmocka_unit_test(test_wait_is_right),
        cmocka_unit_test(test_who_hammers_gets_its_rate),
        cmocka_unit_test(test_the_honest_are_never_throttled),
        cmocka_unit_test(test_who_owes_most_stays),
        cmocka_unit_test(test_clocks_ahead_make_nobody_a_copy),
        cmocka_unit_test(test_a_free_place_makes_nobody_a_copy),
        cmocka_unit_test(test_old_stamps_never_lie_ahead),
        cmocka_unit_test(test_the_table_goes_by_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
