/* SPDX-License-Identifier: BSD-3-Clause */
/* Decisions on what there is: limits, stock, the states of a sale. */
#include "tests/unit/one_shop.h"

static void limits(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_LIMITED, 4), LIMIT_REACHED, 0);
    assert_verdict(OP(ORDER, 1, 1, ITEM_LIMITED, 2), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_LIMITED, 2), LIMIT_REACHED, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_LIMITED, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 3, ITEM_LIMITED, 1), LIMIT_REACHED, 0);
    assert_verdict(OP(ORDER, 2, 1, ITEM_LIMITED, 1), ADMITTED, 0);
    shop_item(&shop, ITEM_LIMITED)->cancel_final = 1;
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), CANCELLED, 0);
    assert_verdict(OP(ORDER, 1, 3, ITEM_LIMITED, 2), ADMITTED, 0);
    assert_int_equal(free_units(ITEM_LIMITED), 6);
}

static void sold_out_and_all_held(void **state)
{
    (void)state;
    for (unsigned buyer = 1; buyer <= 3; buyer++)
        assert_verdict(OP(ORDER, buyer, 1, ITEM_PLAIN, 3), ADMITTED, 0);
    struct fg_reply reply = OP(ORDER, 4, 1, ITEM_PLAIN, 2);
    assert_verdict(reply, SOLD_OUT, 0);
    assert_int_equal(reply.available, 1);
    assert_verdict(OP(ORDER, 4, 1, ITEM_PLAIN, 1), ADMITTED, 0); /* a refusal is not remembered */
    assert_verdict(OP(ORDER, 5, 1, ITEM_PLAIN, 1), SOLD_OUT, 0);

    for (unsigned buyer = 1; buyer <= 3; buyer++)
        assert_verdict(OP(ORDER, buyer, 2, ITEM_HELD, 3), ADMITTED, FG_HELD);
    shop_pass(&shop, 1000);
    reply = OP(ORDER, 4, 2, ITEM_HELD, 2);
    assert_verdict(reply, ALL_HELD, 0);
    assert_in_range(reply.wait_ms, 59000, 59000 * 5 / 4 + 1);
    for (unsigned buyer = 1; buyer <= 3; buyer++)
        assert_verdict(OP(CONFIRM, buyer, 2, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(ORDER, 4, 2, ITEM_HELD, 2), SOLD_OUT, 0);
}

/* The hold that would have ended first was confirmed. Nobody knows any more when the next one ends,
 * but to send everybody back after a millisecond would be a storm. */
static void all_held_sends_nobody_back_at_once(void **state)
{
    (void)state;
    shop_item(&shop, ITEM_HELD)->max_per_order = 10;
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    shop_pass(&shop, 30000);
    assert_verdict(OP(ORDER, 2, 1, ITEM_HELD, 9), ADMITTED, FG_HELD);
    assert_verdict(OP(CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    for (unsigned ms = 0; ms < 59000; ms += 1000) {
        struct fg_reply reply = OP(ORDER, 3, ms, ITEM_HELD, 1);
        assert_verdict(reply, ALL_HELD, 0);
        assert_true(reply.wait_ms >= 100);
        shop_pass(&shop, 1000);
    }
    /* What only waits for a flush is worth coming back for. */
    struct fg_request confirm = shop_request(&shop, 0, FG_OP_CONFIRM, 2, 1, 0, 0);
    uint8_t payload[2048];
    shop_send(&shop, 0, payload, &confirm, 1);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    assert_verdict(OP(ORDER, 3, 1, ITEM_HELD, 1), SOLD_OUT, 0);
}

static void sale_states(void **state)
{
    (void)state;
    struct fg_item *item = shop_item(&shop, ITEM_PLAIN);
    assert_verdict(OP(ORDER, 9, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    item->state = FG_SALE_SCHEDULED;
    struct fg_reply reply = OP(ORDER, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, NOT_OPEN, 0);
    assert_int_equal(reply.wait_ms, 0); /* opened by hand: nobody knows when */
    item->opens_ns = shop.now.wall_ns + 2500000;
    reply = OP(ORDER, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, NOT_OPEN, 0);
    assert_int_equal(reply.wait_ms, 3);
    shop_pass(&shop, 3);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    item->closes_ns = shop.now.wall_ns;
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 1), CLOSED, 0);
    item->closes_ns = 0;
    item->state = FG_SALE_PAUSED;
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 1), PAUSED, 0);
    item->state = FG_SALE_CLOSED;
    assert_verdict(OP(ORDER, 1, 2, ITEM_PLAIN, 1), CLOSED, 0);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, FG_REPLAY); /* from memory */
    assert_verdict(OP(ORDER, 9, 1, ITEM_PLAIN, 1), ADMITTED, FG_REPLAY);
    shop.catalogue.mode = FG_ENGINE_KILLED;
    assert_verdict(OP(QUERY, 9, 1, 0, 0), BUSY, 0);
}

/* An order of an archived sale is none, before the sweep has come to it and after. */
static void archived_sale(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_item(&shop, ITEM_PLAIN)->id = 12345;
    for (unsigned swept = 0; swept < 2; swept++) {
        assert_int_equal(fg_admission_gauges(shop.admissions[0])->orders, swept ? 0 : 2);
        assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), UNKNOWN_ITEM, 0);
        assert_verdict(OP(QUERY, 1, 1, 0, 0), NOT_FOUND, 0);
        assert_verdict(OP(CONFIRM, 1, 1, 0, 0), NOT_FOUND, 0);
        shop.catalogue.archives = 1;
        shop_poll(&shop);
    }
    /* The buyer may use the request again. */
    assert_verdict(OP(ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(CANCEL, 2, 1, 0, 0), CANCELLED, 0); /* void */
}

/* Its archiving is not on record yet: a crash would bring the sale back, so nothing is told that
 * follows from its being gone, and none of its orders is forgotten. */
static void leaving_sale(void **state)
{
    (void)state;
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_item(&shop, ITEM_PLAIN)->id = 12345;
    shop.catalogue.archives = 1;
    shop.catalogue.leaving = true;
    shop_poll(&shop);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), BUSY, 0);
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), BUSY, 0);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), BUSY, 0);
    assert_verdict(OP(CANCEL, 1, 1, 0, 0), BUSY, 0);
    assert_verdict(OP(STOCK, 0, 0, ITEM_PLAIN, 0), BUSY, 0);
    assert_verdict(OP(QUERY, 2, 1, 0, 0), NOT_FOUND, 0); /* never was */
    assert_verdict(OP(ORDER, 2, 2, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_int_equal(fg_admission_gauges(shop.admissions[0])->orders, 2);
    shop.catalogue.leaving = false;
    shop_poll(&shop);
    assert_int_equal(fg_admission_gauges(shop.admissions[0])->orders, 1);
    assert_verdict(OP(ORDER, 1, 1, ITEM_PLAIN, 1), UNKNOWN_ITEM, 0);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), NOT_FOUND, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
    const struct CMUnitTest tests[] = {
        TEST(limits),      TEST(sold_out_and_all_held), TEST(all_held_sends_nobody_back_at_once),
        TEST(sale_states), TEST(archived_sale),         TEST(leaving_sale),
    };
    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
