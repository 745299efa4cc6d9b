/* SPDX-License-Identifier: BSD-3-Clause */
/* Buyers on the block list: which of their requests are answered BLOCKED, and what comes before. */
#define SHOP_PENALTY                                                                               \
    {                                                                                              \
        .after = 20, .within_ms = 1000, .first_ms = 60000, .most_ms = 60000                        \
    }
#include "tests/unit/one_shop.h"

#include "dataplane/admission/lists.h"
#include "dataplane/admission/rates.h"

/* Buyers 1, 2 and 3 are blocked, of whom 3 is allowed, too. */
static struct fg_lists *lists;

static int open_listed(void **state)
{
    uint8_t block[3][FG_BUYER_BYTES], allow[1][FG_BUYER_BYTES];
    open_shop(state);
    for (uint32_t i = 0; i < 3; i++)
        shop_buyer(&shop, 0, i + 1, block[i]);
    memcpy(allow[0], block[2], FG_BUYER_BYTES);
    struct fg_lists_input input = {
        .buyers = {(const void *)block, (const void *)allow},
        .buyers_count = {3, 1},
        .seed = {1, 2},
    };
    lists = fg_lists_create(&input);
    return lists ? 0 : -1;
}

static int close_listed(void **state)
{
    fg_lists_destroy(lists);
    return close_shop(state);
}

static void block(void)
{
    shop.catalogue.lists = lists;
}

static void only_new_orders_are_blocked(void **state)
{
    (void)state;
    struct fg_reply had = OP(ORDER, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(had, ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 2, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(OP(ORDER, 1, 3, ITEM_HELD, 1), ADMITTED, FG_HELD);
    block();
    struct fg_reply blocked = OP(ORDER, 1, 4, ITEM_PLAIN, 1);
    assert_verdict(blocked, BLOCKED, 0);
    assert_int_equal(blocked.wait_ms, 0);
    assert_int_equal(blocked.order, 0);
    assert_int_equal(shop.logged, 3);
    assert_int_equal(free_units(ITEM_PLAIN), 9);

    /* What he has, he keeps, is told and may settle. */
    struct fg_reply again = OP(ORDER, 1, 1, ITEM_PLAIN, 1);
    assert_verdict(again, ADMITTED, FG_REPLAY);
    assert_int_equal(again.order, had.order);
    assert_verdict(OP(QUERY, 1, 1, 0, 0), ADMITTED, FG_REPLAY);
    assert_verdict(OP(QUERY, 1, 4, 0, 0), NOT_FOUND, 0);
    assert_verdict(OP(CONFIRM, 1, 2, 0, 0), CONFIRMED, 0);
    assert_verdict(OP(CANCEL, 1, 3, 0, 0), CANCELLED, 0);
    assert_verdict(OP(CONFIRM, 1, 4, 0, 0), NOT_FOUND, 0);
    assert_verdict(OP(CANCEL, 1, 4, 0, 0), CANCELLED, 0); /* void: gave up for good */
    assert_verdict(OP(ORDER, 1, 4, ITEM_PLAIN, 1), CANCELLED, FG_REPLAY);
    assert_verdict(OP(STOCK, 1, 0, ITEM_PLAIN, 0), STOCK, 0);
    assert_verdict(OP(PING, 1, 0, 0, 0), PONG, 0);
}

static void others_and_the_allowed_buy(void **state)
{
    (void)state;
    block();
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), BLOCKED, 0);
    assert_verdict(OP(ORDER, 3, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 4, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    shop.catalogue.lists = NULL;
    assert_verdict(OP(ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
}

/* The order of checks: each of these comes before the list ... */
static void what_is_checked_before(void **state)
{
    (void)state;
    block();
    struct fg_request ask = shop_request(&shop, 0, FG_OP_ORDER, 1, 9, ITEM_PLAIN, 1);
    ask.flags = 1;
    assert_verdict(shop_ask(&shop, ask), UNSUPPORTED, 0);
    assert_verdict(OP(ORDER, 1, 9, 999, 1), UNKNOWN_ITEM, 0);
    shop.catalogue.key_sales[0] = 1;
    assert_verdict(OP(ORDER, 1, 9, ITEM_OTHER_SALE, 1), FORBIDDEN, 0);
    shop.ring.keys[0].ops = 1 << FG_OP_QUERY;
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), FORBIDDEN, 0);
    shop.ring.keys[0].ops = 0x7e;
    shop.catalogue.mode = FG_ENGINE_KILLED;
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), BUSY, 0);
    shop.catalogue.mode = FG_ENGINE_RUNNING;
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), 1, 1);
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), BLOCKED, 0); /* and has paid for it */
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), THROTTLED, 0);
}

/* ... and each of these after it. */
static void what_is_checked_after(void **state)
{
    (void)state;
    struct fg_item *item = shop_item(&shop, ITEM_PLAIN);
    static const uint8_t states[] = {FG_SALE_SCHEDULED, FG_SALE_PAUSED, FG_SALE_CLOSED};
    block();
    for (unsigned i = 0; i < sizeof(states); i++) {
        item->state = states[i];
        assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), BLOCKED, 0);
    }
    item->state = FG_SALE_OPEN;
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 0), BLOCKED, 0);
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 99), BLOCKED, 0);
    assert_verdict(OP(ORDER, 1, 9, ITEM_LIMITED, 4), BLOCKED, 0);
    shop.catalogue.mode = FG_ENGINE_DRAINING;
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), BLOCKED, 0);
    shop.catalogue.mode = FG_ENGINE_PAUSED;
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), BLOCKED, 0);
    shop.catalogue.mode = FG_ENGINE_RUNNING;
    for (uint32_t buyer = 11; free_units(ITEM_PLAIN) > 0; buyer++)
        assert_verdict(OP(ORDER, buyer, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 1, 9, ITEM_PLAIN, 1), BLOCKED, 0);
    assert_verdict(OP(ORDER, 99, 9, ITEM_PLAIN, 1), SOLD_OUT, 0);
}

/* Whoever is allowed is THROTTLED as often as anybody else, and never comes under a penalty; with
 * the same requests another does. */
static void the_allowed_come_under_no_penalty(void **state)
{
    (void)state;
    const _Atomic uint64_t *count = shop.counters[0].count;
    block();
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), 1, 1);
    for (uint32_t buyer = 3; buyer <= 4; buyer++) {
        assert_verdict(OP(ORDER, buyer, 1, ITEM_PLAIN, 1), ADMITTED, 0);
        for (uint64_t request = 2; request < 50; request++)
            assert_verdict(OP(ORDER, buyer, request, ITEM_PLAIN, 1), THROTTLED, 0);
        assert_int_equal(fg_count_read(&count[FG_COUNTER_PENALTIES]), buyer == 4);
    }
    shop_pass(&shop, 1000); /* what earns one request; the penalty is longer */
    assert_verdict(OP(ORDER, 3, 50, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(OP(ORDER, 4, 50, ITEM_PLAIN, 1), THROTTLED, 0);
    assert_true(fg_count_read(&count[FG_COUNTER_THROTTLED_PENALTY]) > 0);
    /* Taken off the list, nothing is held against him ... */
    shop.catalogue.lists = NULL;
    shop_pass(&shop, 1000);
    assert_verdict(OP(ORDER, 3, 51, ITEM_PLAIN, 1), ADMITTED, 0);
    /* ... and put on it, whoever is under a penalty is free of it at once. */
    uint8_t allow[1][FG_BUYER_BYTES];
    shop_buyer(&shop, 0, 4, allow[0]);
    struct fg_lists *freed = fg_lists_create(&(struct fg_lists_input){
        .buyers = {NULL, (const void *)allow}, .buyers_count = {0, 1}, .seed = {3, 4}});
    assert_non_null(freed);
    assert_verdict(OP(ORDER, 4, 51, ITEM_PLAIN, 1), THROTTLED, 0);
    shop.catalogue.lists = freed;
    assert_verdict(OP(ORDER, 4, 52, ITEM_PLAIN, 1), ADMITTED, 0);
    shop.catalogue.lists = NULL;
    fg_lists_destroy(freed);
}

/* An order that could not be judged yet is judged by the lists that are in force by then: when an
 * operator is told that a buyer is blocked, no order of his is admitted any more. */
static void who_is_blocked_while_he_waits_is_blocked(void **state)
{
    (void)state;
    uint8_t first[2048], second[2048];
    struct fg_request ask = shop_request(&shop, 0, FG_OP_ORDER, 50, 1, ITEM_PLAIN, 4);
    assert_verdict(OP(ORDER, 51, 1, ITEM_PLAIN, 4), ADMITTED, 0);
    assert_verdict(OP(ORDER, 52, 1, ITEM_PLAIN, 2), ADMITTED, 0);
    shop_send(&shop, 0, first, &ask, 1); /* takes the rest, not durable yet */
    ask = shop_request(&shop, 0, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 4);
    shop_send(&shop, 0, second, &ask, 1);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), 2);
    block();
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), second);
    assert_verdict(shop_reply(second, 0), BLOCKED, 0);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), first);
    assert_verdict(shop_reply(first, 0), ADMITTED, 0);
}

int main(void)
{
#define LISTED(name) cmocka_unit_test_setup_teardown(name, open_listed, close_listed)
    const struct CMUnitTest tests[] = {
        LISTED(only_new_orders_are_blocked),
        LISTED(others_and_the_allowed_buy),
        LISTED(what_is_checked_before),
        LISTED(what_is_checked_after),
        LISTED(the_allowed_come_under_no_penalty),
        LISTED(who_is_blocked_while_he_waits_is_blocked),
    };
    return cmocka_run_group_tests_name("blocked", tests, NULL, NULL);
}
