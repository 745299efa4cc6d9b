/* SPDX-License-Identifier: BSD-3-Clause */
/* What those are told who come when everything is held, and who wins when a CONFIRM comes in the
 * very millisecond in which its hold ends. */
#include "tests/unit/shop.h"

static struct shop shop;

/* Ten units, sold out to holds that end at 60, 70 and 80 s. */
static void fill_shop(unsigned workers)
{
    shop_open(&shop, workers, 10);
    shop_item(&shop, ITEM_HELD)->max_per_order = 8;
    for (uint32_t i = 0; i < 3; i++) {
        struct fg_request ask =
            shop_request(&shop, i % workers, FG_OP_ORDER, i + 1, 1, ITEM_HELD, i == 0 ? 8 : 1);
        assert_verdict(shop_ask(&shop, ask), ADMITTED, FG_HELD);
        shop_pass(&shop, 10000);
    }
}

/* What somebody is told who asks for a unit now. Of worker w. */
static struct fg_reply ask_for_one(unsigned w)
{
    static uint64_t request;
    return shop_ask(&shop, shop_request(&shop, w, FG_OP_ORDER, 1000, ++request, ITEM_HELD, 1));
}

#define assert_all_held(reply, wait)                                                               \
    do {                                                                                           \
        struct fg_reply told = reply;                                                              \
        assert_verdict(told, ALL_HELD, 0);                                                         \
        assert_in_range(told.wait_ms, wait, (wait) + (wait) / 4 + 1);                              \
    } while (0)

static void settle(unsigned op, unsigned w, uint32_t buyer)
{
    static uint8_t payload[2048];
    struct fg_request ask = shop_request(&shop, w, op, buyer, 1, 0, 0);
    shop_send(&shop, w, payload, &ask, 1);
}

/* After 30 s. The first hold's end, whoever holds it; when that is confirmed, the next one's. */
static void all_held_tells_the_earliest_return(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++) {
        fill_shop(workers);
        for (unsigned w = 0; w < workers; w++)
            assert_all_held(ask_for_one(w), 30000);
        settle(FG_OP_CONFIRM, 0, 1);
        shop_flush(&shop);
        shop_poll(&shop);
        while (shop_ready(&shop, 0))
            ;
        for (unsigned w = 0; w < workers; w++)
            assert_all_held(ask_for_one(w), 40000);
        shop_pass(&shop, 1000);
        assert_all_held(ask_for_one(0), 39000);
        shop_pass(&shop, 39500); /* the second one has run out, and its unit is back */
        shop_flush(&shop);
        shop_poll(&shop);
        assert_int_equal(fg_stock_free_units(&shop.stock, ITEM_HELD - 1), 1);
        assert_verdict(shop_ask(&shop, shop_request(&shop, 0, FG_OP_ORDER, 4, 1, ITEM_HELD, 1)),
                       ADMITTED, FG_HELD);
        assert_all_held(ask_for_one(0), 9500);
        shop_close(&shop);
    }
}

/* Units on their way back are there with the next flush: soon, but not for all at once. */
static void all_held_knows_of_returns_under_way(void **state)
{
    (void)state;
    fill_shop(2);
    settle(FG_OP_CANCEL, 0, 3);
    uint8_t payload[2048];
    struct fg_request ask = shop_request(&shop, 1, FG_OP_ORDER, 1000, 1, ITEM_HELD, 1);
    shop_send(&shop, 1, payload, &ask, 1);
    assert_ptr_equal(shop_ready(&shop, 1), payload);
    assert_all_held(shop_reply(payload, 0), 100);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_non_null(shop_ready(&shop, 0));
    assert_verdict(ask_for_one(1), ADMITTED, FG_HELD);
    assert_all_held(ask_for_one(0), 30000);
    shop_close(&shop);
}

/* An operator shortened the hold time: the newest holds end first. */
static void all_held_of_a_shortened_hold_time(void **state)
{
    (void)state;
    shop_open(&shop, 1, 200);
    for (uint32_t buyer = 1; buyer <= 100; buyer++)
        assert_verdict(shop_ask(&shop, shop_request(&shop, 0, FG_OP_ORDER, buyer, 1, ITEM_HELD, 1)),
                       ADMITTED, FG_HELD);
    shop_item(&shop, ITEM_HELD)->hold_ms = 5000;
    for (uint32_t buyer = 101; buyer <= 200; buyer++) {
        assert_verdict(shop_ask(&shop, shop_request(&shop, 0, FG_OP_ORDER, buyer, 1, ITEM_HELD, 1)),
                       ADMITTED, FG_HELD);
        shop_pass(&shop, 1);
    }
    assert_all_held(ask_for_one(0), 4900);
    /* Never later than a unit comes back, however they end. */
    for (uint32_t buyer = 101; buyer < 200; buyer++) {
        settle(FG_OP_CONFIRM, 0, buyer);
        shop_flush(&shop);
        shop_poll(&shop);
        assert_non_null(shop_ready(&shop, 0));
    }
    struct fg_reply reply = ask_for_one(0);
    assert_verdict(reply, ALL_HELD, 0);
    assert_in_range(reply.wait_ms, 100, 4999 * 5 / 4 + 1);
    shop_close(&shop);
}

/* --- CONFIRM against expiry --- */

/* In the millisecond of the deadline the CONFIRM wins, however many loops that has. */
static void a_confirm_in_the_deadlines_millisecond_wins(void **state)
{
    (void)state;
    fill_shop(1);
    shop_pass(&shop, 30000); /* now it is that millisecond, and the loop has been */
    for (unsigned i = 0; i < 5; i++)
        shop_poll(&shop);
    struct fg_reply reply = shop_ask(&shop, shop_request(&shop, 0, FG_OP_QUERY, 1, 1, 0, 0));
    assert_verdict(reply, ADMITTED, FG_REPLAY | FG_HELD);
    assert_int_equal(reply.wait_ms, 0);
    unsigned logged = shop.logged;
    assert_verdict(shop_ask(&shop, shop_request(&shop, 0, FG_OP_CONFIRM, 1, 1, 0, 0)), CONFIRMED,
                   0);
    shop_pass(&shop, 5000);
    shop_flush(&shop);
    assert_int_equal(shop.logged, logged + 1);
    assert_int_equal(shop.log[logged].kind, FG_EVENT_CONFIRM);
    shop_close(&shop);
}

/* From the next millisecond on it is whoever comes first: a loop decides before it runs out. */
static void after_it_whoever_comes_first_wins(void **state)
{
    (void)state;
    for (unsigned expiry_first = 0; expiry_first < 2; expiry_first++) {
        uint8_t payload[2048];
        fill_shop(1);
        shop_pass(&shop, 30000);
        unsigned logged = shop.logged;
        shop.now.ms++;
        shop.now.wall_ns += 1000000;
        if (expiry_first)
            shop_poll(&shop);
        struct fg_request ask = shop_request(&shop, 0, FG_OP_CONFIRM, 1, 1, 0, 0);
        shop_send(&shop, 0, payload, &ask, 1);
        shop_poll(&shop);
        shop_flush(&shop);
        shop_poll(&shop);
        assert_ptr_equal(shop_ready(&shop, 0), payload);
        if (expiry_first)
            assert_verdict(shop_reply(payload, 0), EXPIRED, 0);
        else
            assert_verdict(shop_reply(payload, 0), CONFIRMED, 0);
        assert_int_equal(shop.log[logged].kind, expiry_first ? FG_EVENT_EXPIRE : FG_EVENT_CONFIRM);
        assert_int_equal(shop.logged, logged + 1 + expiry_first); /* REFUSE_LATE is recorded */
        shop_close(&shop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_held_tells_the_earliest_return),
        cmocka_unit_test(all_held_knows_of_returns_under_way),
        cmocka_unit_test(all_held_of_a_shortened_hold_time),
        cmocka_unit_test(a_confirm_in_the_deadlines_millisecond_wins),
        cmocka_unit_test(after_it_whoever_comes_first_wins),
    };
    return cmocka_run_group_tests_name("hold_ends", tests, NULL, NULL);
}
