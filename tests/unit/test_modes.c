/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operator's words do to orders: pauses of an item and of the engine, drain, kill switch, a
 * sale's limit; and orders cancelled by an operator. */
#include <errno.h>

#include "tests/unit/one_shop.h"

/* --- pauses --- */

static void a_paused_item_stops_alone(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 3, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    shop_item(&shop, ITEM_HELD)->paused = 1;
    struct fg_reply reply = OP(ORDER, 2, 1, ITEM_HELD, 1);
    assert_verdict(reply, PAUSED, 0);
    assert_in_range(reply.wait_ms, 1000, 1250);
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_REPLAY | FG_HELD);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(CANCEL, 3, 1, 0, 0), CANCELLED, 0);
    /* A sale that is over, or not begun, says so whether its item is paused or not. */
    shop_item(&shop, ITEM_HELD)->state = FG_SALE_CLOSED;
    assert_verdict(OP(ORDER, 2, 2, ITEM_HELD, 1), CLOSED, 0);
    shop_item(&shop, ITEM_HELD)->state = FG_SALE_SCHEDULED;
    assert_verdict(OP(ORDER, 2, 2, ITEM_HELD, 1), NOT_OPEN, 0);
    shop_item(&shop, ITEM_HELD)->state = FG_SALE_OPEN;
    shop_item(&shop, ITEM_HELD)->paused = 0;
    assert_verdict(OP(ORDER, 2, 2, ITEM_HELD, 1), ADMITTED, FG_HELD);
}

/* Held orders 1 and 2, a final one 3: what each operation is told in a mode. */
static void fill_shop(void)
{
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 2, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 3, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 4, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
}

static void a_paused_engine_settles(void **state)
{
    (void)state;
    fill_shop();
    shop.catalogue.mode = FG_ENGINE_PAUSED;
    struct fg_reply reply = OP(ORDER, 9, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, PAUSED, 0);
    assert_in_range(reply.wait_ms, 1000, 1250);
    assert_verdict(OP(ORDER, 9, 1, 99, 1), UNKNOWN_ITEM, 0);
    assert_verdict(OP(ORDER, 3, 1, ITEM_PLAIN, 1), ADMITTED, FG_REPLAY);
    assert_verdict(OP(QUERY, 3, 1, 0, 0), ADMITTED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(CANCEL, 2, 1, 0, 0), CANCELLED, 0);
    assert_verdict(OP(STOCK, 9, 1, ITEM_PLAIN, 0), STOCK, 0);
    assert_verdict(OP(PING, 9, 1, 0, 0), PONG, 0);
    shop_pass(&shop, 60001);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_verdict(OP(QUERY, 4, 1, 0, 0), EXPIRED, FG_REPLAY);
    shop.catalogue.mode = FG_ENGINE_RUNNING;
    assert_verdict(OP(ORDER, 9, 1, ITEM_PLAIN, 1), ADMITTED, 0);
}

static void a_draining_engine_settles(void **state)
{
    (void)state;
    fill_shop();
    shop.catalogue.mode = FG_ENGINE_DRAINING;
    struct fg_reply reply = OP(ORDER, 9, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, BUSY, 0);
    assert_in_range(reply.wait_ms, 500, 625);
    /* What is refused for another reason is told that one. */
    assert_verdict(OP(ORDER, 9, 1, ITEM_LIMITED, 4), LIMIT_REACHED, 0);
    shop_item(&shop, ITEM_PLAIN)->state = FG_SALE_CLOSED;
    assert_verdict(OP(ORDER, 9, 1, ITEM_PLAIN, 1), CLOSED, 0);
    assert_verdict(OP(ORDER, 3, 1, ITEM_PLAIN, 1), ADMITTED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(CANCEL, 2, 1, 0, 0), CANCELLED, 0);
    assert_verdict(OP(QUERY, 2, 1, 0, 0), CANCELLED, FG_REPLAY);
    shop_pass(&shop, 60001);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_verdict(OP(QUERY, 4, 1, 0, 0), EXPIRED, FG_REPLAY);
}

/* A datagram that waits for another worker's record when the drain begins is told BUSY. */
static void a_drain_ends_what_is_undecided(void **state)
{
    (void)state;
    static struct shop two;
    uint8_t buys[2048], waits[2048];
    shop_open(&two, 2, 1);
    struct fg_request ask = shop_request(&two, 0, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1);
    shop_send(&two, 0, buys, &ask, 1);
    ask = shop_request(&two, 1, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 1);
    shop_send(&two, 1, waits, &ask, 1);
    assert_null(shop_ready(&two, 1));
    two.catalogue.mode = FG_ENGINE_DRAINING;
    shop_poll(&two);
    assert_ptr_equal(shop_ready(&two, 1), waits);
    assert_verdict(shop_reply(waits, 0), BUSY, 0);
    shop_flush(&two);
    shop_poll(&two);
    assert_ptr_equal(shop_ready(&two, 0), buys);
    assert_verdict(shop_reply(buys, 0), ADMITTED, 0);
    assert_int_equal(fg_admission_waiting(two.admissions[0]), 0);
    assert_int_equal(fg_admission_waiting(two.admissions[1]), 0);
    shop_close(&two);
}

static void the_kill_switch_stops_everything(void **state)
{
    (void)state;
    fill_shop();
    shop.catalogue.mode = FG_ENGINE_KILLED;
    unsigned logged = shop.logged;
    for (unsigned op = FG_OP_ORDER; op <= FG_OP_MAX; op++)
        assert_verdict(shop_do(&shop, op, 3, 1, ITEM_PLAIN, 1), BUSY, 0);
    /* Nobody can confirm: nothing runs out, and everybody has a second afterwards. */
    shop_pass(&shop, 59500);
    assert_in_range(OP(CONFIRM, 1, 1, 0, 0).wait_ms, 500, 625);
    shop_pass(&shop, 499);
    shop.catalogue.mode = FG_ENGINE_RUNNING;
    shop_pass(&shop, 400);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(shop.logged, logged + 2); /* 2 and 4 have run out: nobody asked for them */
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);

    assert_verdict(OP(ORDER, 5, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    shop.catalogue.mode = FG_ENGINE_KILLED;
    shop_pass(&shop, 100000);
    shop.catalogue.mode = FG_ENGINE_RUNNING;
    assert_verdict(OP(CONFIRM, 5, 1, 0, 0), CONFIRMED, 0);
}

/* --- a sale's limit --- */

static void a_sales_limit_is_over_all_its_items(void **state)
{
    (void)state;
    shop_item(&shop, ITEM_PLAIN)->sale_limit = 4;
    shop_item(&shop, ITEM_HELD)->sale_limit = 4;
    shop_item(&shop, ITEM_LIMITED)->sale_limit = 4;
    shop_item(&shop, ITEM_PLAIN)->cancel_final = 1;
    shop_item(&shop, ITEM_PLAIN)->max_per_order = 9;
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 5), LIMIT_REACHED, 0); /* a stranger's, too */
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 2), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 1, 3, ITEM_LIMITED, 2), LIMIT_REACHED, 0);
    assert_verdict(OP(ORDER, 1, 3, ITEM_LIMITED, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 4, ITEM_PLAIN, 1), LIMIT_REACHED, 0);
    assert_verdict(OP(ORDER, 1, 4, ITEM_OTHER_SALE, 4), ADMITTED, 0); /* has none */
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, 0);
    assert_verdict(OP(ORDER, 1, 5, ITEM_HELD, 2), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 1, 6, ITEM_HELD, 1), LIMIT_REACHED, 0);
    /* The item's own limit holds beside it. */
    shop_item(&shop, ITEM_LIMITED)->sale_limit = 100;
    assert_verdict(OP(ORDER, 3, 1, ITEM_LIMITED, 4), LIMIT_REACHED, 0);
}

/* What was bought meanwhile counts when an expired order is confirmed late. */
static void a_late_confirm_stays_within_the_sales_limit(void **state)
{
    (void)state;
    struct fg_item *held = shop_item(&shop, ITEM_HELD);
    held->late_confirm = FG_LATE_REACQUIRE;
    held->sale_limit = shop_item(&shop, ITEM_PLAIN)->sale_limit = 3;
    for (uint32_t buyer = 1; buyer <= 2; buyer++)
        assert_verdict(OP(ORDER, buyer, 1, ITEM_HELD, 2), ADMITTED, FG_HELD);
    shop_pass(&shop, 60001);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 2), ADMITTED, 0);
    assert_verdict(OP(ORDER, 2, 2, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), EXPIRED, 0);
    assert_verdict(OP(CONFIRM, 2, 1, 0, 0), CONFIRMED, 0);
    assert_int_equal(free_units(ITEM_HELD), 8);
}

/* --- cancelled by an operator --- */

static int cancel(uint32_t number, uint64_t request, struct fg_order_view *view)
{
    uint8_t buyer[FG_BUYER_BYTES];
    shop_buyer(&shop, 0, number, buyer);
    return fg_admission_cancel(shop.admissions[0], &shop.now, &shop.catalogue, buyer, request,
                               view);
}

static void an_operator_cancels_whatever_the_sale_says(void **state)
{
    (void)state;
    struct fg_order_view view;
    fill_shop();
    assert_verdict(OP(CONFIRM, 2, 1, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(CANCEL, 3, 1, 0, 0), FORBIDDEN, 0);
    uint64_t settled = fg_admission_gauges(shop.admissions[0])->settled;
    for (uint32_t buyer = 1; buyer <= 3; buyer++) {
        assert_int_equal(cancel(buyer, 1, &view), 0);
        assert_int_equal(view.verdict, FG_VERDICT_CANCELLED);
        assert_int_equal(view.durable, 0);
        assert_int_equal(view.ticket, settled + buyer);
        assert_int_equal(cancel(buyer, 1, &view), -EALREADY);
    }
    shop_poll(&shop);
    assert_int_equal(free_units(ITEM_HELD), 7); /* nothing is durable yet */
    assert_int_equal(free_units(ITEM_PLAIN), 9);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(free_units(ITEM_HELD), 9);
    assert_int_equal(free_units(ITEM_PLAIN), 10);
    assert_int_equal(fg_admission_gauges(shop.admissions[0])->settled, view.ticket);
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(shop.log[shop.logged - i].kind, FG_EVENT_CANCEL);
    assert_int_equal(fg_admission_gauges(shop.admissions[0])->holds, 1);
    /* The buyer is told; the hold's timer is gone. */
    assert_verdict(OP(QUERY, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CANCELLED, FG_REPLAY);
    assert_verdict(OP(ORDER, 3, 1, ITEM_PLAIN, 1), CANCELLED, FG_REPLAY);
    shop_pass(&shop, 60001);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(free_units(ITEM_HELD), 10);
    assert_int_equal(cancel(4, 1, &view), -ESTALE);
    assert_int_equal(view.verdict, FG_VERDICT_EXPIRED);
}

static void an_operator_cannot_cancel_what_is_not_there(void **state)
{
    (void)state;
    struct fg_order_view view;
    assert_int_equal(cancel(1, 1, &view), -ENOENT);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, 0); /* void */
    assert_int_equal(cancel(1, 1, &view), -ENOENT);
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    atomic_store(&shop.lanes[0].log_room, FG_LOG_SHUT);
    assert_int_equal(cancel(2, 1, &view), -EBUSY);
    assert_int_equal(view.verdict, FG_VERDICT_ADMITTED);
    atomic_store(&shop.lanes[0].log_room, FG_LOG_OPEN);
    shop_item(&shop, ITEM_PLAIN)->id = 12345; /* its sale is archived */
    assert_int_equal(cancel(2, 1, &view), -ENOENT);
}

static void an_operator_cancels_while_the_engine_is_stopped(void **state)
{
    (void)state;
    struct fg_order_view view;
    fill_shop();
    shop.catalogue.mode = FG_ENGINE_KILLED;
    assert_int_equal(cancel(1, 1, &view), 0);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(free_units(ITEM_HELD), 8);
}

static int list_page(uint32_t number, struct fg_order_page *page, struct fg_order_view *views,
                     unsigned max)
{
    uint8_t buyer[FG_BUYER_BYTES];
    shop_buyer(&shop, 0, number, buyer);
    return fg_admission_orders(shop.admissions[0], &shop.now, &shop.catalogue, buyer, page, views,
                               max);
}

static int list(uint32_t number, uint32_t sale, struct fg_order_view *views, unsigned max,
                bool *more)
{
    struct fg_order_page page = {.sale = sale};
    int count = list_page(number, &page, views, max);
    *more = page.more;
    return count;
}

static void a_buyers_orders_are_listed_newest_first(void **state)
{
    (void)state;
    static const uint64_t requests[] = {13, 11, 10};
    struct fg_order_view views[4];
    bool more = true;
    assert_int_equal(list(1, 0, views, 4, &more), 0);
    assert_false(more);
    assert_verdict(OP(ORDER, 1, 10, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 11, ITEM_HELD, 2), ADMITTED, FG_HELD);
    assert_verdict(OP(CANCEL, 1, 12, 0, 0), CANCELLED, 0); /* void: no order */
    assert_verdict(OP(ORDER, 1, 13, ITEM_OTHER_SALE, 3), ADMITTED, 0);
    assert_verdict(OP(ORDER, 2, 14, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_pass(&shop, 1000);
    assert_int_equal(list(1, 0, views, 4, &more), 3);
    assert_false(more);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(views[i].request, requests[i]);
    assert_int_equal(views[1].held, 1);
    assert_int_equal(views[1].left_ms, 59000);
    assert_int_equal(views[1].quantity, 2);
    assert_int_equal(list(1, 0, views, 3, &more), 3);
    assert_false(more);
    assert_int_equal(list(1, 0, views, 2, &more), 2);
    assert_true(more);
    assert_int_equal(list(1, 1, views, 4, &more), 2);
    assert_int_equal(views[0].request, 11);
    assert_int_equal(list(1, 2, views, 4, &more), 1);
    assert_int_equal(list(1, 3, views, 4, &more), 0);
    assert_false(more);
}

/* Page by page every order comes once, also while newer ones come in, and a page without any (of a
 * sale that the buyer has few orders of) leads on. */
static void a_list_goes_on_where_the_page_before_ended(void **state)
{
    (void)state;
    struct fg_order_view views[2];
    struct fg_order_page page = {0};
    for (uint64_t request = 1; request <= 5; request++)
        assert_verdict(OP(ORDER, 1, request, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_flush(&shop);
    for (uint64_t newest = 5; newest >= 1; newest -= 2) {
        assert_int_equal(list_page(1, &page, views, 2), newest == 1 ? 1 : 2);
        assert_int_equal(views[0].request, newest);
        assert_int_equal(page.more, newest != 1);
        page.goes_on = true;
        if (newest == 5)
            assert_verdict(OP(ORDER, 1, 6, ITEM_OTHER_SALE, 1), ADMITTED, 0);
        if (newest == 1)
            break;
    }
    assert_int_equal(page.after, 1);
    assert_int_equal(list_page(1, &page, views, 2), 0);
    page = (struct fg_order_page){.sale = 2, .goes_on = true, .after = 6};
    assert_int_equal(list_page(1, &page, views, 2), 0);
    assert_false(page.more);
    page.after = 77;
    assert_int_equal(list_page(1, &page, views, 2), -ENOENT);
    assert_int_equal(list_page(2, &page, views, 2), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
    const struct CMUnitTest tests[] = {
        TEST(a_paused_item_stops_alone),
        TEST(a_paused_engine_settles),
        TEST(a_draining_engine_settles),
        TEST(a_drain_ends_what_is_undecided),
        TEST(the_kill_switch_stops_everything),
        TEST(a_sales_limit_is_over_all_its_items),
        TEST(a_late_confirm_stays_within_the_sales_limit),
        TEST(an_operator_cancels_whatever_the_sale_says),
        TEST(an_operator_cannot_cancel_what_is_not_there),
        TEST(an_operator_cancels_while_the_engine_is_stopped),
        TEST(a_buyers_orders_are_listed_newest_first),
        TEST(a_list_goes_on_where_the_page_before_ended),
    };
    return cmocka_run_group_tests_name("modes", tests, NULL, NULL);
}
