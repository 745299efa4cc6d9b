/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of a buyer's datagrams, and others that are not newer: they leave the buyer what is his,
 * and give nobody more than that. */
#include "tests/unit/rates_fixture.h"

#define WINDOW_NS (FG_FRESHNESS_MS * UINT64_C(1000000))
/* Where 32 bits of a datagram's time come round. */
#define ROUND_NS (UINT64_C(200) << (32 + FG_RATES_STAMP_SHIFT))

enum { RATE = 5, BURST = 10, BUYER = 7 };

static const struct fg_penalty_rule strict = {
    .after = 5, .within_ms = 10000, .first_ms = 1000, .most_ms = 60000};

/* What somebody on the path has seen of the buyer's datagrams. */
static struct seen {
    uint64_t time_ns;
    bool settles;
} seen[4096];
static unsigned seen_count;

static void begin_at(uint64_t first_ns, uint32_t buyers)
{
    begin_under(5, buyers, 1, &strict);
    start_ns = first_ns;
    seen_count = 0;
}

/* The datagram with this time, once more. */
static bool ask_named(const struct fg_item *item, uint64_t time_ns, bool settles)
{
    uint32_t wait_ms;

    fg_rates_datagram(&rates, time_ns, wall_ns());
    return ask_more(item, BUYER, settles, &wait_ms);
}

static bool ask_own(const struct fg_item *item, bool settles)
{
    uint64_t time_ns = datagram();
    uint32_t wait_ms;

    seen[seen_count++] = (struct seen){time_ns, settles};
    return ask_more(item, BUYER, settles, &wait_ms);
}

/* `times` copies of what was seen and is fresh: of the last one, and of any. How many passed. */
static unsigned flood(const struct fg_item *item, unsigned times)
{
    unsigned passed = 0, oldest = 0;

    while (oldest < seen_count && seen[oldest].time_ns + WINDOW_NS < wall_ns())
        oldest++;
    for (unsigned i = 0; i < times && oldest < seen_count; i++) {
        const struct seen *it =
            draw(2) ? &seen[seen_count - 1] : &seen[oldest + (unsigned)draw(seen_count - oldest)];
        passed += ask_named(item, it->time_ns, it->settles);
    }
    return passed;
}

/* A buyer who keeps to his rate, in bursts and alone, and a hundred times as many copies: all of
 * his pass, he is under no penalty, and the copies get what his rate is, as one who settles. */
static void honest_in_a_flood(uint64_t first_ns)
{
    struct fg_item item = item_in(1, RATE, BURST);
    uint32_t next_ms = 1000;
    uint64_t passed = 0;
    begin_at(first_ns, 1024);
    for (uint32_t ms = 0; ms < 120000; ms++) {
        if (ms == next_ms) {
            uint32_t some = draw(2) ? 1 : 1 + (uint32_t)draw(BURST);
            for (uint32_t n = 0; n < some; n++) {
                assert_true(ask_own(&item, n > 0 && draw(2)));
                passed += flood(&item, (unsigned)draw(3));
            }
            next_ms += some * 1000 / RATE;
        }
        passed += flood(&item, 1 + (ms & 1));
        pass(1);
    }
    assert_true(seen_count > 120 * RATE * 8 / 10);
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER) + count(FG_COUNTER_THROTTLED_PENALTY), 0);
    assert_int_equal(count(FG_COUNTER_PENALTIES), 0);
    assert_true(count(FG_COUNTER_THROTTLED_COPIES) > 100 * 120 * RATE);
    assert_true(passed <= 2 * (120 * RATE + BURST));
    end();
}

static void test_copies_leave_a_buyer_his_rate(void **state)
{
    (void)state;
    honest_in_a_flood(SHOP_NOW_NS);
}

static void test_times_come_round(void **state)
{
    (void)state;
    honest_in_a_flood(ROUND_NS - UINT64_C(60000000000));
    honest_in_a_flood(ROUND_NS - (UINT64_C(1) << (31 + FG_RATES_STAMP_SHIFT)));
}

/* Nobody's places last, as others need them; what was seen is sent again in its order, as if it
 * were new, whenever nothing is owed any more. */
static void test_who_was_forgotten_is_not_charged_for_old_copies(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, RATE, BURST);
    uint64_t stranger = 1000;
    uint32_t wait_ms;
    begin_at(SHOP_NOW_NS, 4);
    for (int turn = 0; turn < 300; turn++) {
        unsigned oldest = seen_count > 100 ? seen_count - 100 : 0, until = seen_count;
        for (unsigned i = oldest; i < until; i++)
            ask_named(&item, seen[i].time_ns, false);
        for (int n = 0; n < BURST; n++)
            assert_true(ask_own(&item, false));
        pass(BURST * 1000 / RATE);
        for (int n = 0; n < 20; n++)
            ask(&item, stranger++, false, &wait_ms);
        assert_true(rates.buyers[0].tag[0] != rates.buyers[0].tag[1]);
        pass(300);
    }
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER), 0);
    end();
}

/* What was refused is not new when it is sent again at the time that was told. */
static void test_what_was_refused_is_seen_too(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, RATE, BURST);
    begin_at(SHOP_NOW_NS, 1024);
    for (int n = 0; n < BURST; n++)
        assert_true(ask_own(&item, false));
    assert_false(ask_own(&item, false));
    for (int turn = 0; turn < 50; turn++) {
        pass(1000 / RATE);
        ask_named(&item, seen[seen_count - 1].time_ns, false); /* it is `all` that has room again */
        assert_true(ask_own(&item, false));
        assert_false(ask_own(&item, false));
        for (int n = 0; n < 100; n++)
            assert_false(ask_named(&item, seen[seen_count - 1].time_ns, false));
        if (turn % 3 < 2)
            continue;
        pass(11000); /* four newer ones were refused: that is no penalty yet, and over then */
        for (int n = 0; n < BURST; n++)
            assert_true(ask_own(&item, false));
    }
    assert_int_equal(count(FG_COUNTER_PENALTIES), 0);
    end();
}

/* Who signs everything with one time, or with old and new ones, at a thousand a second. */
static uint64_t bot(bool old, bool newer, bool settles)
{
    struct fg_item item = item_in(1, RATE, BURST);
    uint64_t passed = 0, time_ns;
    uint32_t wait_ms;
    begin_under(5, 1024, 1, &no_penalties);
    time_ns = datagram();
    for (uint32_t ms = 0; ms < 60000; ms++) {
        for (int n = 0; n < 4; n++)
            if (old && (!newer || draw(2)))
                passed += ask_named(&item, newer && ms > 20000 ? wall_ns() - 20000000000 : time_ns,
                                    settles);
            else
                passed += ask(&item, BUYER, settles, &wait_ms);
        pass(1);
    }
    end();
    return passed;
}

static void test_no_times_make_a_rate_greater(void **state)
{
    (void)state;
    const uint64_t fair = 60 * RATE, slack = fair / 64 + 2;
    assert_in_range(bot(true, false, false), fair + BURST - 1, fair + BURST + slack);
    assert_in_range(bot(false, true, false), fair + BURST - 1, fair + BURST + slack);
    assert_in_range(bot(true, true, false), fair + BURST - 1, fair + 2 * BURST + slack);
    assert_in_range(bot(true, true, true), 2 * fair, 2 * (fair + 2 * BURST + slack));
    assert_int_equal(count(FG_COUNTER_THROTTLED_PENALTY), 0);
}

/* Two gateways ask for one buyer, and the clock of one is behind. Without a flood all pass, the
 * whole burst too; whatever it is behind, and also where a burst is one. */
static void test_a_gateway_whose_clock_is_behind(void **state)
{
    (void)state;
    for (uint64_t behind_ms = 1; behind_ms <= 30000; behind_ms *= 3)
        for (uint32_t burst = 1; burst <= BURST; burst += 3) {
            struct fg_item item = item_in(1, RATE, burst);
            begin_at(SHOP_NOW_NS, 1024);
            for (int turn = 0; turn < 100; turn++) {
                for (uint32_t n = 0; n < burst; n++)
                    if (draw(2))
                        assert_true(ask_own(&item, false));
                    else
                        assert_true(ask_named(&item, wall_ns() - behind_ms * 1000000 + n * 5000,
                                              n > 0 && draw(2)));
                pass(burst * 1000 / RATE);
            }
            /* what it is refused above the rate counts for nothing */
            ask_own(&item, false);
            for (int n = 0; n < 1000; n++)
                ask_named(&item, wall_ns() - behind_ms * 1000000, false);
            assert_int_equal(count(FG_COUNTER_PENALTIES) + count(FG_COUNTER_THROTTLED_BUYER), 0);
            end();
        }
}

/* One datagram comes from a clock that is as far ahead as is taken. What others ask for the buyer
 * is not newer as long: that passes by itself, and competes with copies until the time has come. */
static void test_a_gateway_whose_clock_is_ahead(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, RATE, BURST);
    uint64_t ahead_ns, asked = 0, passed = 0;
    begin_at(SHOP_NOW_NS, 1024);
    ahead_ns = wall_ns() + WINDOW_NS;
    assert_true(ask_named(&item, ahead_ns, false));
    for (int n = 0; n < BURST - 1; n++)
        assert_true(ask_own(&item, false));
    for (uint32_t ms = 0; ms < 10000; ms++) {
        pass(1);
        if (ms % (1000 / RATE) == 1000 / RATE - 1)
            assert_true(ask_own(&item, false));
    }
    for (uint32_t ms = 10000; ms < 60000; ms++) {
        pass(1);
        if (ahead_ns + WINDOW_NS >= wall_ns())
            for (int n = 0; n < 5; n++)
                ask_named(&item, ahead_ns, false);
        if (ms % (1000 / RATE) != 0)
            continue;
        bool may = ask_own(&item, false);
        if (wall_ns() > ahead_ns) {
            assert_true(may);
        } else {
            asked++;
            passed += may;
        }
    }
    assert_true(asked >= 19 * RATE && passed < asked / 2); /* the flood was one */
    assert_int_equal(count(FG_COUNTER_PENALTIES) + count(FG_COUNTER_THROTTLED_BUYER), 0);
    end();
}

/* Entries of one datagram are all newer, or none is. */
static void test_entries_of_one_datagram(void **state)
{
    (void)state;
    struct fg_item item = item_in(1, RATE, BURST), other = item_in(2, RATE, BURST);
    uint64_t time_ns;
    uint32_t wait_ms;
    unsigned passed = 0;
    begin_at(SHOP_NOW_NS, 1024);
    time_ns = datagram();
    for (unsigned n = 0; n < FG_ENTRIES_MAX - 4; n++)
        passed += ask_more(&item, n % 3 == 0 ? 1 : BUYER, false, &wait_ms);
    for (unsigned n = 0; n < 4; n++)
        assert_true(ask_more(&other, BUYER, false, &wait_ms));
    assert_int_equal(passed, 2 * BURST);
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER), strict.after);
    assert_int_equal(count(FG_COUNTER_THROTTLED_PENALTY), 8 - strict.after);
    assert_int_equal(count(FG_COUNTER_PENALTIES), 1);
    assert_int_equal(count(FG_COUNTER_THROTTLED_COPIES), 0);
    /* the same one again: all that it owes must be paid first */
    pass(1000);
    for (unsigned run = 0; run < 4; run++) {
        passed = 0;
        fg_rates_datagram(&rates, time_ns, wall_ns());
        for (unsigned n = 0; n < FG_ENTRIES_MAX; n++)
            passed += ask_more(&item, BUYER, false, &wait_ms);
        assert_int_equal(passed, run == 0 ? RATE : 0);
    }
    assert_int_equal(count(FG_COUNTER_THROTTLED_COPIES), 4 * FG_ENTRIES_MAX - RATE);
    /* ... and of that the next datagram of the buyer knows nothing */
    datagram();
    for (unsigned n = 0; n < RATE; n++)
        assert_true(ask_more(&item, BUYER, false, &wait_ms));
    assert_false(ask_more(&item, BUYER, false, &wait_ms));
    end();
}

/* --- Decisions --- */

static struct shop shop;

static void send_again(const uint8_t *copy, unsigned count, unsigned verdict)
{
    static uint8_t payload[2048];
    struct fg_datagram datagram = {.packet = payload, .payload = payload, .count = (uint8_t)count};

    memcpy(payload, copy, FG_REQUEST_BYTES(count));
    fg_admission_decide(shop.admissions[0], &shop.now, &shop.catalogue, &datagram, 1);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    for (unsigned i = 0; i < count && verdict; i++)
        assert_int_equal(shop_reply(payload, i).verdict, verdict);
}

/* A thousand copies of a refused order, and of one that was admitted: the buyer's next orders pass,
 * nobody suspects him, and his key has paid for what passed alone. */
static void test_copies_of_orders(void **state)
{
    (void)state;
    static uint8_t first[256], copy[256];
    static struct fg_suspects_view view;
    shop_open(&shop, 1, 1000);
    fg_rates_set_item(shop_item(&shop, ITEM_HELD), RATE, BURST);
    fg_rates_set_key(&shop.ring.keys[0], 1000, 100);
    fg_admission_rates(shop.admissions[0])->penalties.rule = strict;
    for (uint64_t order = 1; order <= 8; order++) {
        struct fg_request ask =
            shop_request(&shop, 0, FG_OP_ORDER, 1, order, ITEM_HELD, order == 5 ? 9 : 1);
        shop_datagram(&shop, copy, &ask, 1);
        shop.last_time_ns -= SHOP_APART_NS; /* the very same one is sent */
        shop.now.wall_ns -= SHOP_APART_NS;
        shop_send(&shop, 0, first, &ask, 1);
        shop.now.wall_ns += SHOP_APART_NS;
        shop_flush(&shop);
        shop_poll(&shop);
        assert_ptr_equal(shop_ready(&shop, 0), first);
        if (order == 5)
            assert_verdict(shop_reply(first, 0), BAD_QUANTITY, 0);
        else
            assert_verdict(shop_reply(first, 0), ADMITTED, FG_HELD);
        for (int n = 0; n < 200; n++)
            send_again(copy, 1, n < 2 * BURST ? 0 : FG_VERDICT_THROTTLED);
        shop_pass(&shop, 1);
    }
    fg_admission_suspects(shop.admissions[0], &shop.now, &view);
    assert_int_equal(view.buyers_count, 0);
    assert_int_equal(view.keys_count, 1);
    const struct fg_counters *its = &shop.counters[0];
    assert_int_equal(fg_count_read(&its->count[FG_COUNTER_THROTTLED_BUYER]), 0);
    assert_int_equal(fg_count_read(&its->count[FG_COUNTER_THROTTLED_KEY]), 0);
    assert_int_equal(fg_count_read(&its->count[FG_COUNTER_PENALTIES]), 0);
    assert_in_range(fg_count_read(&its->count[FG_COUNTER_THROTTLED_COPIES]), 8 * 200 - 3 * BURST,
                    8 * 200 - BURST);
    shop_close(&shop);
}

/* 32 orders of two buyers in one datagram: each has its burst of them, and its copy has nothing. */
static void test_a_datagram_full_of_orders(void **state)
{
    (void)state;
    static uint8_t payload[2048], copy[2048];
    struct fg_request asks[FG_ENTRIES_MAX];
    unsigned admitted = 0;
    uint8_t other[FG_BUYER_BYTES];
    uint32_t number = 2;
    shop_open(&shop, 1, 1000);
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), RATE, BURST);
    asks[0] = shop_request(&shop, 0, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1);
    do /* entries of one datagram share a partition */
        shop_buyer(&shop, 0, number++, other);
    while (fg_partition(other, SHOP_PARTITIONS) != fg_partition(asks[0].buyer, SHOP_PARTITIONS));
    for (unsigned i = 0; i < FG_ENTRIES_MAX; i++) {
        asks[i] = shop_request(&shop, 0, FG_OP_ORDER, i % 2 ? number - 1 : 1, i, ITEM_PLAIN, 1);
    }
    shop_send(&shop, 0, payload, asks, FG_ENTRIES_MAX);
    shop.last_time_ns -= SHOP_APART_NS;
    shop_datagram(&shop, copy, asks, FG_ENTRIES_MAX);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    for (unsigned i = 0; i < FG_ENTRIES_MAX; i++)
        admitted += shop_reply(payload, i).verdict == FG_VERDICT_ADMITTED;
    assert_int_equal(admitted, 2 * BURST);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_BUYER]), 12);
    for (int n = 0; n < 10; n++)
        send_again(copy, FG_ENTRIES_MAX, 0);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_BUYER]), 12);
    shop_pass(&shop, 1000 / RATE);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 90, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, number - 1, 90, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_leave_a_buyer_his_rate),
        cmocka_unit_test(test_times_come_round),
        cmocka_unit_test(test_who_was_forgotten_is_not_charged_for_old_copies),
        cmocka_unit_test(test_what_was_refused_is_seen_too),
        cmocka_unit_test(test_no_times_make_a_rate_greater),
        cmocka_unit_test(test_a_gateway_whose_clock_is_behind),
        cmocka_unit_test(test_a_gateway_whose_clock_is_ahead),
        cmocka_unit_test(test_entries_of_one_datagram),
        cmocka_unit_test(test_copies_of_orders),
        cmocka_unit_test(test_a_datagram_full_of_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
