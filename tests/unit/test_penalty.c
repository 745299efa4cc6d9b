/* SPDX-License-Identifier: BSD-3-Clause */
/* Penalties of buyers who are refused for their rate again and again: who comes under one, for how
 * long, and what it bears on. */
#include "tests/unit/rates_fixture.h"

static const struct fg_penalty_rule strict = {
    .after = 5, .within_ms = 1000, .first_ms = 300, .most_ms = 1500};
/* As the configuration has it where nothing is said. */
static const struct fg_penalty_rule standard = {
    .after = 50, .within_ms = 10000, .first_ms = 10000, .most_ms = 600000};

/* How long a new order of the buyer is told to wait; 0: it passes. */
static uint32_t order(const struct fg_item *item, uint64_t buyer)
{
    uint32_t wait_ms;

    return ask(item, buyer, false, &wait_ms) ? 0 : wait_ms;
}

static uint32_t settle(const struct fg_item *item, uint64_t buyer)
{
    uint32_t wait_ms;

    return ask(item, buyer, true, &wait_ms) ? 0 : wait_ms;
}

/* Asks until a penalty begins; returns how long it is told to wait then. */
static uint32_t incur(const struct fg_item *item, uint64_t buyer)
{
    uint64_t before = count(FG_COUNTER_PENALTIES);
    uint32_t wait_ms = 0;

    for (unsigned i = 0; count(FG_COUNTER_PENALTIES) == before; i++) {
        assert_true(i < 100);
        wait_ms = order(item, buyer);
    }
    return wait_ms;
}

/* The fifth refusal begins it and tells all of it, those after it the rest; then it is over. */
static void test_begins_and_ends(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, 10, 1);
    begin_under(UINT32_MAX - 1000, 1024, 1, &strict); /* the clock comes round on the way */
    for (int start = 0; start < 10; start++) {
        assert_int_equal(order(&item, 1), 0);
        for (int i = 0; i < 4; i++)
            assert_int_equal(order(&item, 1), 100);
        assert_int_equal(count(FG_COUNTER_PENALTIES), start);
        uint32_t all_ms = order(&item, 1);
        assert_int_equal(count(FG_COUNTER_PENALTIES), start + 1);
        assert_int_equal(all_ms, start == 0 ? 300 : start == 1 ? 600 : start == 2 ? 1200 : 1500);
        for (uint32_t left_ms = all_ms; left_ms > 0; left_ms -= 100) {
            assert_int_equal(order(&item, 1), left_ms);
            if (left_ms > 1) {
                pass(99);
                assert_int_equal(order(&item, 1), left_ms - 99);
                pass(1);
            }
        }
    }
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER), 50);
    assert_int_equal(count(FG_COUNTER_THROTTLED_PENALTY), 2 * (3 + 6 + 12 + 7 * 15));
    assert_int_equal(count(FG_COUNTER_PENALTIES_FULL), 0);
    end();
}

/* Whoever has been without one for as long as the longest begins anew. */
static void test_the_row_ends(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, 10, 1);
    begin_under(5, 1024, 1, &strict);
    assert_int_equal(incur(&item, 1), 300);
    pass(300 + 1499);
    assert_int_equal(incur(&item, 1), 600);
    pass(600 + 1500);
    assert_int_equal(incur(&item, 1), 300);
    end();
}

static void test_the_window(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, 1, 1);
    begin_under(5, 1024, 1, &strict);
    assert_int_equal(order(&item, 1), 0);
    for (int window = 0; window < 100; window++) {
        for (int i = 0; i < 4; i++) /* the first of them is the first that counts */
            assert_int_not_equal(settle(&item, 1) + order(&item, 1), 0);
        pass(999);
        pass(1);
        settle(&item, 1);
        settle(&item, 1); /* nothing left but what these owe */
    }
    assert_int_equal(count(FG_COUNTER_PENALTIES), 0);
    /* ... at its last millisecond the fifth still counts */
    pass(10000);
    assert_int_equal(order(&item, 1), 0);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(order(&item, 1), 0);
    pass(999);
    assert_int_equal(order(&item, 1), 300);
    assert_int_equal(count(FG_COUNTER_PENALTIES), 1);
    end();
}

static void test_what_it_bears_on(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, 10, 2), other = item_in(2, 10, 2), changed = item_in(1, 20, 9);
    struct fg_item free = item_in(1, 0, 0);
    uint32_t wait_ms;
    begin_under(5, 1024, 1, &strict);
    incur(&item, 1);
    pass(200);
    /* what repeats or settles has its own right, and pays for it as ever */
    for (int i = 0; i < 4; i++)
        assert_int_equal(settle(&item, 1), 0);
    assert_int_equal(settle(&item, 1), 50);
    assert_int_equal(order(&item, 1), 100);
    /* another buyer; another sale; */
    assert_int_equal(order(&item, 2), 0);
    assert_int_equal(order(&other, 1), 0);
    /* a changed rate does not end it, none does; nor is it anything to who is exempt */
    assert_int_equal(order(&changed, 1), 100);
    assert_int_equal(order(&free, 1), 0);
    assert_true(fg_rates_buyer(&rates, &changed, buyer_hash(1), false, true, &wait_ms));
    for (int i = 0; i < 1000; i++)
        fg_rates_buyer(&rates, &item, buyer_hash(3), false, true, &wait_ms);
    assert_int_equal(count(FG_COUNTER_PENALTIES), 1);
    /* refusals of what settles count for nothing */
    for (int i = 0; i < 1000; i++)
        settle(&item, 4);
    assert_int_equal(count(FG_COUNTER_PENALTIES), 1);
    assert_int_equal(fg_rates_penalty(&rates, 1, buyer_hash(1)), 100);
    assert_int_equal(fg_rates_penalty(&rates, 2, buyer_hash(1)), 0);
    pass(100);
    assert_int_equal(fg_rates_penalty(&rates, 1, buyer_hash(1)), 0);
    end();
}

static void test_none(void **state)
{
    (void)state;
    struct fg_penalty_rule none = {.within_ms = 1000, .first_ms = 1000, .most_ms = 1000};
    struct fg_item item = item_in(1, 10, 1);
    begin_under(5, 1024, 1, &none);
    assert_int_equal(order(&item, 1), 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(order(&item, 1), 100);
    end();
}

/* --- The honest --- */

/* A client by the protocol's rule 4 that hears nothing: the order, then at most ten copies, after
 * 50 ms, doubling to a second, each times 0.5 to 1.5. Fills in when; returns how many. */
static unsigned sends(uint32_t begin_ms, uint32_t at_ms[11])
{
    uint32_t wait_ms = 50;

    at_ms[0] = begin_ms;
    for (unsigned i = 1; i < 11; i++) {
        at_ms[i] = at_ms[i - 1] + wait_ms / 2 + (uint32_t)draw(wait_ms + 1);
        wait_ms = wait_ms * 2 < 1000 ? wait_ms * 2 : 1000;
    }
    return 11;
}

/* Four orders of a buyer at once of which nothing is ever heard, with the least rate there is; and
 * then a CANCEL for each. Nobody comes under a penalty by that, over and over. */
static void test_retries_never_bring_a_penalty(void **state)
{
    (void)state;
    enum { ORDERS = 4, RUNS = 1000 };
    struct fg_item item = item_in(1, 1, 1);
    uint64_t refused_most = 0;
    begin_under(UINT32_MAX - 1000000, 1024, 1, &standard);
    for (uint64_t run = 0; run < RUNS; run++) {
        static uint32_t at_ms[ORDERS][11];
        unsigned next[ORDERS] = {0};
        uint64_t before = count(FG_COUNTER_THROTTLED_BUYER);
        for (unsigned i = 0; i < ORDERS; i++)
            sends(draw(3) ? 0 : (uint32_t)draw(2000), at_ms[i]);
        uint32_t start_ms = rates.now_ms;
        for (uint32_t ms = 0; ms < 14000; ms++) {
            for (unsigned i = 0; i < ORDERS; i++) {
                if (next[i] < 11 && at_ms[i][next[i]] == ms) {
                    next[i]++;
                    order(&item, run);
                } else if (next[i] == 11 && at_ms[i][10] + 1000 == ms) {
                    settle(&item, run);
                }
            }
            if (ms % 7 == 0 || ms > 13990)
                fg_rates_tick(&rates, start_ms + ms + 1);
        }
        uint64_t refused = count(FG_COUNTER_THROTTLED_BUYER) - before;
        refused_most = refused > refused_most ? refused : refused_most;
        for (unsigned i = 0; i < ORDERS; i++)
            assert_int_equal(next[i], 11);
    }
    printf("refused at most %lu times, penalties begin at %u\n", (unsigned long)refused_most,
           standard.after);
    assert_true(refused_most > ORDERS * 10 / 2); /* it was a hard case */
    assert_int_equal(count(FG_COUNTER_PENALTIES), 0);
    end();
}

/* Who waits as told is refused once for each thing it wants at most. */
static void test_who_waits_as_told_is_never_punished(void **state)
{
    (void)state;
    enum { BUYERS = 300 };
    static uint32_t next_ms[BUYERS];
    struct fg_item item = item_in(1, 2, 1);
    begin_under(5, 1024, 1, &standard);
    for (uint32_t ms = 0; ms < 120000; ms++) {
        for (uint64_t b = 0; b < BUYERS; b++)
            if (next_ms[b] <= ms) {
                uint32_t wait_ms = order(&item, b);
                next_ms[b] = ms + (wait_ms ? wait_ms + (uint32_t)draw(wait_ms / 4 + 1) : 1);
            }
        pass(1);
    }
    assert_true(count(FG_COUNTER_THROTTLED_BUYER) > BUYERS * 100);
    assert_int_equal(count(FG_COUNTER_PENALTIES), 0);
    end();
}

/* --- The others --- */

/* Whatever other buyers do, and however many they are: a penalty lasts its time. */
static void test_nobody_washes_off_a_penalty(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, 1, 1);
    uint64_t stranger = 1000;
    begin_under(5, 1024, 1, &standard);
    for (uint64_t bot = 0; bot < 8; bot++)
        assert_int_equal(incur(&item, bot), 10000);
    for (int i = 0; i < 300000; i++) { /* many that are refused a little */
        uint64_t asks = 1 + draw(6);
        for (stranger++; asks > 0; asks--)
            order(&item, stranger);
        if (i % 100 == 0)
            pass(1);
    }
    for (uint64_t bot = 0; bot < 8; bot++)
        assert_int_equal(order(&item, bot), 10000 - 3000);
    for (int i = 0; i < 2 * FG_PENALTY_PLACES; i++, stranger++) /* ... and as many bots */
        for (int n = 0; n < 60; n++)
            order(&item, stranger);
    assert_true(count(FG_COUNTER_PENALTIES_FULL) > 0);
    assert_in_range(count(FG_COUNTER_PENALTIES), FG_PENALTY_PLACES * 9 / 10, FG_PENALTY_PLACES);
    for (uint64_t bot = 0; bot < 8; bot++)
        assert_int_equal(order(&item, bot), 10000 - 3000);
    /* their time is over for all of them together, and nothing is left of them in the end */
    pass(10000);
    assert_false(rates.penalties.any);
    pass(600000);
    pass(100 * FG_PENALTY_PLACES);
    for (uint32_t i = 0; i < FG_PENALTY_PLACES; i++)
        assert_int_equal(rates.penalties.places[i].refused + rates.penalties.places[i].penalties,
                         0);
    end();
}

/* A bot that never stops gets its burst now and then, and its rate never. */
static void test_what_a_bot_gets(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, 5, 10);
    uint64_t passed = 0;
    begin_under(5, 1024, 1, &standard);
    for (uint32_t ms = 0; ms < 3600 * 1000; ms += 2) {
        passed += order(&item, 1) == 0;
        passed += order(&item, 1) == 0;
        pass(2);
    }
    /* 10, 20 ... 600 s: in an hour 11 penalties */
    printf("a bot at 1000/s: %lu orders an hour of the %d that its rate would be\n",
           (unsigned long)passed, 5 * 3600);
    assert_in_range(passed, 100, 150);
    assert_in_range(count(FG_COUNTER_PENALTIES), 10, 12);
    end();
}

/* --- Decisions --- */

static struct shop shop;

static void test_orders_under_a_penalty(void **state)
{
    (void)state;
    shop_open(&shop, 1, 100);
    fg_rates_set_item(shop_item(&shop, ITEM_HELD), 10, 4);
    fg_admission_rates(shop.admissions[0])->penalties.rule = strict;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 2, ITEM_HELD, 1), ADMITTED, FG_HELD);
    for (uint64_t i = 10; i < 16; i++)
        shop_do(&shop, FG_OP_ORDER, 1, i, ITEM_HELD, 9);
    struct fg_reply reply = shop_do(&shop, FG_OP_ORDER, 1, 17, ITEM_HELD, 1);
    assert_verdict(reply, THROTTLED, 0); /* the fifth */
    assert_in_range(reply.wait_ms, 300, 375);
    uint32_t least = UINT32_MAX, most = 0;
    for (uint64_t i = 0; i < 500; i++) {
        reply = shop_do(&shop, FG_OP_ORDER, 1, 20 + i, ITEM_HELD, 1);
        assert_verdict(reply, THROTTLED, 0);
        least = reply.wait_ms < least ? reply.wait_ms : least;
        most = reply.wait_ms > most ? reply.wait_ms : most;
    }
    assert_in_range(least, 300, 303); /* the whole rest, and up to a quarter at random */
    assert_in_range(most, 372, 375);
    /* the orders that it has are told, confirmed and cancelled */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_REPLAY | FG_HELD);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 1, 2, ITEM_HELD, 0), ADMITTED, FG_REPLAY | FG_HELD);
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    assert_verdict(shop_do(&shop, FG_OP_CANCEL, 1, 2, 0, 0), CANCELLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 3, ITEM_PLAIN, 1), ADMITTED, 0); /* no rate */
    shop_pass(&shop, 299);
    reply = shop_do(&shop, FG_OP_ORDER, 1, 4, ITEM_HELD, 1);
    assert_verdict(reply, THROTTLED, 0);
    assert_int_equal(reply.wait_ms, 1);
    shop_pass(&shop, 701); /* and what it owes */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 5, ITEM_HELD, 1), ADMITTED, FG_HELD);
    const struct fg_counters *its = &shop.counters[0];
    assert_int_equal(fg_count_read(&its->count[FG_COUNTER_PENALTIES]), 1);
    assert_int_equal(fg_count_read(&its->count[FG_COUNTER_THROTTLED_BUYER]), 5);
    assert_int_equal(fg_count_read(&its->count[FG_COUNTER_THROTTLED_PENALTY]), 501);
    assert_int_equal(fg_count_read(&its->verdicts[FG_VERDICT_THROTTLED]), 506);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_and_ends),
        cmocka_unit_test(test_the_row_ends),
        cmocka_unit_test(test_the_window),
        cmocka_unit_test(test_what_it_bears_on),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_retries_never_bring_a_penalty),
        cmocka_unit_test(test_who_waits_as_told_is_never_punished),
        cmocka_unit_test(test_nobody_washes_off_a_penalty),
        cmocka_unit_test(test_what_a_bot_gets),
        cmocka_unit_test(test_orders_under_a_penalty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
