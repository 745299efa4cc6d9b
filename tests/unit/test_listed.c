/* SPDX-License-Identifier: BSD-3-Clause */
/* Block and allow lists as decisions go by them. What lists hold is test_lists' to say. */
#define SHOP_PENALTY                                                                               \
    {                                                                                              \
        .after = 3, .within_ms = 1000, .first_ms = 5000, .most_ms = 5000                           \
    }
#include "tests/unit/shop.h"

#include "dataplane/admission/rates.h"

enum { STRANGER = 1, BLOCKED = 2, ALLOWED = 3 };

static struct shop shop;

static void the_blocked_buy_nothing(void **state)
{
    (void)state;
    shop_open(&shop, 1, 10);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, BLOCKED, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    struct fg_lists *lists = shop_lists(&shop, BLOCKED, ALLOWED);
    shop.catalogue.lists = lists;
    for (uint64_t request = 2; request <= 3; request++) {
        assert_verdict(shop_do(&shop, FG_OP_ORDER, BLOCKED, request, ITEM_PLAIN, 1), BLOCKED, 0);
        assert_verdict(shop_do(&shop, FG_OP_ORDER, STRANGER, request, ITEM_PLAIN, 1), ADMITTED, 0);
        assert_verdict(shop_do(&shop, FG_OP_ORDER, ALLOWED, request, ITEM_PLAIN, 1), ADMITTED, 0);
    }
    /* what he has stays his */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, BLOCKED, 1, ITEM_HELD, 1), ADMITTED,
                   FG_HELD | FG_REPLAY);
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, BLOCKED, 1, 0, 0), CONFIRMED, 0);
    shop.catalogue.lists = NULL;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, BLOCKED, 4, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_close(&shop);
    fg_lists_destroy(lists);
}

/* How long the buyer has to wait who asked far too often. */
static uint32_t wait_of(uint64_t buyer)
{
    struct fg_reply reply = {0};

    for (uint64_t request = 1; request <= 20; request++)
        reply = shop_do(&shop, FG_OP_ORDER, buyer, request, ITEM_PLAIN, 1);
    assert_verdict(reply, THROTTLED, 0);
    return reply.wait_ms;
}

static void the_allowed_come_under_no_penalty(void **state)
{
    (void)state;
    shop_open(&shop, 1, 100);
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), 2, 2);
    struct fg_lists *lists = shop_lists(&shop, BLOCKED, ALLOWED);
    shop.catalogue.lists = lists;
    assert_in_range(wait_of(STRANGER), 4000, 5000 + 5000 / 4);
    assert_in_range(wait_of(ALLOWED), 1, 500 + 500 / 4);
    shop_close(&shop);
    fg_lists_destroy(lists);
}

/* Listed while his order waited to be judged: the lists in force when it is judged count. */
static void who_waited_is_judged_by_the_lists_in_force(void **state)
{
    static uint8_t taken[FG_REQUEST_BYTES(1)], waits[FG_REQUEST_BYTES(1)];

    (void)state;
    shop_open(&shop, 2, 1);
    struct fg_request ask = shop_request(&shop, 1, FG_OP_ORDER, STRANGER, 1, ITEM_PLAIN, 1);
    shop_send(&shop, 1, taken, &ask, 1);
    ask = shop_request(&shop, 0, FG_OP_ORDER, BLOCKED, 1, ITEM_PLAIN, 1);
    shop_send(&shop, 0, waits, &ask, 1);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), 1);
    struct fg_lists *lists = shop_lists(&shop, BLOCKED, ALLOWED);
    shop.catalogue.lists = lists;
    fg_admission_poll(shop.admissions[0], &shop.now, &shop.catalogue);
    assert_ptr_equal(shop_ready(&shop, 0), waits);
    assert_verdict(shop_reply(waits, 0), BLOCKED, 0);
    shop_close(&shop);
    fg_lists_destroy(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_blocked_buy_nothing),
        cmocka_unit_test(the_allowed_come_under_no_penalty),
        cmocka_unit_test(who_waited_is_judged_by_the_lists_in_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
