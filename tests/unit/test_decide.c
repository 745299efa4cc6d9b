/* SPDX-License-Identifier: BSD-3-Clause */
/* The state table and the order of checks of docs/protocol.md, one worker. What there is to take:
 * test_decide_stock.c. */
#include "tests/unit/one_shop.h"

static void final_order(void **state)
{
    (void)state;
    struct fg_reply admitted = OP(ORDER, 1, 1, ITEM_PLAIN, 2);
    assert_verdict(admitted, ADMITTED, 0);
    assert_int_equal(admitted.order, fg_order_id(5, 9, 0, 1));
    assert_int_equal(admitted.quantity, 2);
    assert_int_equal(free_units(ITEM_PLAIN), 8);

    struct fg_reply again = OP(ORDER, 1, 1, ITEM_PLAIN, 2);
    assert_verdict(again, ADMITTED, FG_REPLAY);
    assert_int_equal(again.order, admitted.order);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), ADMITTED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, FG_REPLAY);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 2), ADMITTED, FG_REPLAY); /* no record of it */
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), FORBIDDEN, 0);
    assert_int_equal(shop.logged, 1);
    assert_int_equal(shop.log[0].kind, FG_EVENT_ADMIT);

    shop_item(&shop, ITEM_PLAIN)->cancel_final = 1;
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, 0);
    assert_int_equal(free_units(ITEM_PLAIN), 10);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 2), CANCELLED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    assert_int_equal(free_units(ITEM_PLAIN), 10);
    assert_int_equal(shop.logged, 2);
}

static void held_order(void **state)
{
    (void)state;
    struct fg_reply held = OP(ORDER, 1, 1, ITEM_HELD, 1);
    assert_verdict(held, ADMITTED, FG_HELD);
    assert_int_equal(held.wait_ms, 60000);
    shop_pass(&shop, 100);
    held = OP(ORDER, 1, 1, ITEM_HELD, 1);
    assert_verdict(held, ADMITTED, FG_HELD | FG_REPLAY);
    assert_int_equal(held.wait_ms, 59900);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), ADMITTED, FG_HELD | FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, FG_REPLAY);
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), CONFIRMED, FG_REPLAY);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), FORBIDDEN, 0); /* as final */
    shop_pass(&shop, 61000);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), CONFIRMED, FG_REPLAY);
    assert_int_equal(free_units(ITEM_HELD), 9);

    assert_verdict(OP(ORDER, 1, 2, ITEM_HELD, 3), ADMITTED, FG_HELD);
    assert_verdict(OP(CANCEL, 1, 2, 0, 0), CANCELLED, 0);
    assert_int_equal(free_units(ITEM_HELD), 9);
    shop_pass(&shop, 61000);
    assert_verdict(OP(QUERY, 1, 2, 0, 0), CANCELLED, FG_REPLAY);
    assert_int_equal(free_units(ITEM_HELD), 9);
}

static void expired_order(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 4), ADMITTED, FG_HELD);
    shop_pass(&shop, 59999);
    assert_int_equal(shop.logged, 1);
    shop_pass(&shop, 2);
    assert_int_equal(free_units(ITEM_HELD), 6); /* not durable: not back yet */
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(free_units(ITEM_HELD), 10);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), EXPIRED, FG_REPLAY);
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 4), EXPIRED, FG_REPLAY);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), EXPIRED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), EXPIRED, 0); /* recorded */
    assert_int_equal(shop.log[shop.logged - 1].kind, FG_EVENT_REFUSE_LATE);
    unsigned logged = shop.logged;
    shop_item(&shop, ITEM_HELD)->late_confirm = FG_LATE_REACQUIRE;
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), EXPIRED, FG_REPLAY); /* final */
    assert_int_equal(shop.logged, logged);
}

static void late_confirm_takes_units_anew(void **state)
{
    (void)state;
    shop_item(&shop, ITEM_HELD)->late_confirm = FG_LATE_REACQUIRE;
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 4), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 2, 1, ITEM_HELD, 4), ADMITTED, FG_HELD);
    shop_pass(&shop, 60001);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    assert_int_equal(free_units(ITEM_HELD), 6);
    assert_int_equal(shop.log[shop.logged - 1].kind, FG_EVENT_REACQUIRE);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, FG_REPLAY);
    /* Nothing left: the other one is told EXPIRED, for good. */
    assert_verdict(OP(ORDER, 3, 1, ITEM_HELD, 4), ADMITTED, FG_HELD);
    assert_verdict(OP(CONFIRM, 2, 1, 0, 0), EXPIRED, 0);
    assert_verdict(OP(CANCEL, 3, 1, 0, 0), CANCELLED, 0);
    assert_verdict(OP(CONFIRM, 2, 1, 0, 0), EXPIRED, FG_REPLAY);
}

static void a_cancel_before_its_order_voids_it(void **state)
{
    (void)state;
    struct fg_reply reply = OP(CANCEL, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, CANCELLED, 0);
    assert_int_equal(reply.order, 0);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    reply = OP(ORDER, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, CANCELLED, FG_REPLAY);
    assert_int_equal(reply.order, 0);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    assert_int_equal(free_units(ITEM_PLAIN), 10);
    assert_int_equal(shop.logged, 0);
    shop_pass(&shop, 2 * FG_FRESHNESS_MS - 1);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    shop_pass(&shop, 2);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), NOT_FOUND, 0);
    for (unsigned request = 2; request < 18; request++)
        assert_verdict(OP(CANCEL, 1, request, 0, 0), CANCELLED, 0);
    assert_verdict(OP(CANCEL, 1, 18, 0, 0), BUSY, 0); /* bounded for each buyer */
}

/* Every CANCELLED is worth the whole time: a copy of the ORDER may have left just before it. */
static void each_cancel_voids_anew(void **state)
{
    (void)state;
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, 0);
    shop_pass(&shop, 2 * FG_FRESHNESS_MS - 10);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    shop_pass(&shop, 2 * FG_FRESHNESS_MS - 10);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), CANCELLED, FG_REPLAY); /* renews nothing */
    assert_verdict(OP(QUERY, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    shop_pass(&shop, 20);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
}

static void void_requests_leave_room_for_orders(void **state)
{
    (void)state;
    uint32_t buyer = 1;
    while (OP(CANCEL, buyer, 1, 0, 0).verdict == FG_VERDICT_CANCELLED)
        buyer++;
    assert_int_equal(buyer - 1, SHOP_ORDERS / FG_SETTLE_SHARE);
    assert_verdict(OP(CANCEL, buyer, 1, 0, 0), BUSY, 0);
    assert_verdict(OP(ORDER, buyer, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    for (unsigned pass = 0; pass < 100; pass++) /* forgotten, a bounded number in each loop */
        shop_pass(&shop, 2 * FG_FRESHNESS_MS / 50);
    assert_verdict(OP(CANCEL, buyer + 1, 1, 0, 0), CANCELLED, 0);
}

static void a_late_confirm_waits_for_its_own_units(void **state)
{
    (void)state;
    shop_item(&shop, ITEM_HELD)->late_confirm = FG_LATE_REACQUIRE;
    for (uint32_t buyer = 1; buyer <= 3; buyer++)
        OP(ORDER, buyer, 1, ITEM_HELD, buyer < 3 ? 4 : 2);
    shop_pass(&shop, 60001); /* all expired, nothing of it durable */
    struct fg_request ask = shop_request(&shop, 0, FG_OP_CONFIRM, 1, 1, 0, 0);
    shop_send(&shop, 0, shop.payload, &ask, 1);
    assert_non_null(shop_ready(&shop, 0));
    assert_verdict(shop_reply(shop.payload, 0), BUSY, 0);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
}

static void conflicts_and_unknowns(void **state)
{
    (void)state;
    struct fg_reply admitted = OP(ORDER, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 2), CONFLICT, 0);
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), CONFLICT, 0);
    struct fg_request ask = shop_request(&shop, 0, FG_OP_CONFIRM, 1, 1, 0, 0);
    ask.order = admitted.order + 1;
    assert_verdict(shop_ask(&shop, ask), CONFLICT, 0);
    ask.order = admitted.order;
    assert_verdict(shop_ask(&shop, ask), CONFIRMED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 2, 0, 0), NOT_FOUND, 0);
    assert_verdict(OP(QUERY, 2, 1, 0, 0), NOT_FOUND, 0);
    assert_verdict(OP(ORDER, 1, 2, 99, 1), UNKNOWN_ITEM, 0);
    assert_verdict(OP(ORDER, 1, 2, 0, 1), UNKNOWN_ITEM, 0);
    assert_verdict(OP(STOCK, 1, 2, 99, 1), UNKNOWN_ITEM, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 0), BAD_QUANTITY, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 5), BAD_QUANTITY, 0);
    assert_verdict(shop_do(&shop, 7, 1, 2, ITEM_PLAIN, 1), UNSUPPORTED, 0);
    assert_verdict(shop_do(&shop, 0, 1, 2, ITEM_PLAIN, 1), UNSUPPORTED, 0);
    ask = shop_request(&shop, 0, FG_OP_ORDER, 1, 3, ITEM_PLAIN, 1);
    ask.flags = 1;
    assert_verdict(shop_ask(&shop, ask), UNSUPPORTED, 0);
    assert_int_equal(shop.logged, 1);
}

static void remembered_orders_are_bounded(void **state)
{
    (void)state;
    for (unsigned request = 1; request <= 16; request++) {
        assert_verdict(OP(ORDER, 1, request, ITEM_HELD, 1), ADMITTED, FG_HELD);
        assert_verdict(OP(CANCEL, 1, request, 0, 0), CANCELLED, 0);
    }
    assert_verdict(OP(ORDER, 1, 17, ITEM_HELD, 1), LIMIT_REACHED, 0);
    assert_verdict(OP(ORDER, 1, 17, ITEM_OTHER_SALE, 1), ADMITTED, 0); /* of each sale */
}

static void rights_of_a_key(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_OTHER_SALE, 1), ADMITTED, 0);
    shop.catalogue.key_sales[0] = 1;
    assert_verdict(OP(ORDER, 1, 2, ITEM_OTHER_SALE, 1), FORBIDDEN, 0);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), FORBIDDEN, 0);
    assert_verdict(OP(STOCK, 1, 1, ITEM_OTHER_SALE, 0), FORBIDDEN, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 1), ADMITTED, 0);
    shop.ring.keys[0].ops = 1 << FG_OP_ORDER;
    assert_verdict(OP(QUERY, 1, 2, 0, 0), FORBIDDEN, 0);
    assert_verdict(OP(PING, 1, 2, 0, 0), FORBIDDEN, 0);
}

static void stock_and_ping(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 3), ADMITTED, 0);
    fg_stock_publish(&shop.stock, SHOP_ITEMS);
    struct fg_reply reply = OP(STOCK, 0, 77, ITEM_PLAIN, 0);
    assert_verdict(reply, STOCK, 0);
    assert_int_equal(reply.available, 7);
    assert_int_equal(reply.request, 77);
    reply = OP(PING, 0, 78, 0, 0);
    assert_verdict(reply, PONG, 0);
    assert_int_equal(reply.order, 9);
    assert_int_equal(reply.item, SHOP_PARTITIONS);
    assert_int_equal(reply.quantity, 40000);
    assert_int_equal(reply.wait_ms, 1);
}

static void entries_of_one_datagram_share_a_partition(void **state)
{
    (void)state;
    struct fg_request asks[4] = {
        shop_request(&shop, 0, FG_OP_PING, 900, 1, 0, 0),
        shop_request(&shop, 0, FG_OP_ORDER, 1, 2, ITEM_PLAIN, 1),
        shop_request(&shop, 0, FG_OP_ORDER, 1, 3, ITEM_PLAIN, 1),
    };
    uint32_t other = 2;
    do
        asks[3] = shop_request(&shop, 0, FG_OP_ORDER, other++, 4, ITEM_PLAIN, 1);
    while (fg_partition(asks[3].buyer, SHOP_PARTITIONS) ==
           fg_partition(asks[1].buyer, SHOP_PARTITIONS));
    shop_send(&shop, 0, shop.payload, asks, 4);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_non_null(shop_ready(&shop, 0));
    assert_int_equal(shop.length, FG_REPLY_BYTES(4));
    assert_verdict(shop_reply(shop.payload, 0), PONG, 0);
    assert_verdict(shop_reply(shop.payload, 1), ADMITTED, 0);
    assert_verdict(shop_reply(shop.payload, 2), ADMITTED, 0);
    assert_verdict(shop_reply(shop.payload, 3), MISROUTED, 0);
}

/* Another engine has taken over: what this one knows of orders and stock may be past already. */
static void nothing_is_told_after_a_fence(void **state)
{
    (void)state;
    static const unsigned ops[] = {FG_OP_ORDER, FG_OP_CONFIRM, FG_OP_CANCEL, FG_OP_QUERY};
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 2, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 3, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(CANCEL, 3, 1, 0, 0), CANCELLED, 0);
    fg_lane_fence(&shop.lanes[0]);
    for (uint32_t buyer = 1; buyer <= 4; buyer++)
        for (unsigned i = 0; i < sizeof(ops) / sizeof(*ops); i++)
            assert_verdict(shop_do(&shop, ops[i], buyer, 1, buyer == 1 ? ITEM_PLAIN : ITEM_HELD, 1),
                           BUSY, 0);
    assert_verdict(OP(STOCK, 1, 1, ITEM_PLAIN, 0), BUSY, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
    const struct CMUnitTest tests[] = {
        TEST(final_order),
        TEST(held_order),
        TEST(expired_order),
        TEST(late_confirm_takes_units_anew),
        TEST(a_cancel_before_its_order_voids_it),
        TEST(each_cancel_voids_anew),
        TEST(void_requests_leave_room_for_orders),
        TEST(a_late_confirm_waits_for_its_own_units),
        TEST(conflicts_and_unknowns),
        TEST(remembered_orders_are_bounded),
        TEST(rights_of_a_key),
        TEST(stock_and_ping),
        TEST(entries_of_one_datagram_share_a_partition),
        TEST(nothing_is_told_after_a_fence),
    };
    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
