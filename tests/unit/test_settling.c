/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever makes new orders BUSY, orders that exist come to their end: CONFIRM, CANCEL, expiry, and
 * an operator's cancellation. */
#include "tests/unit/shop.h"

#define SOON_MS 60000 /* holds of ITEM_HELD, those that the test is about */

static struct shop shop;
static uint8_t payloads[80][2048];
static unsigned used; /* payloads on their way */

static void send(unsigned op, uint32_t buyer, uint64_t request, uint32_t item)
{
    struct fg_request ask = shop_request(&shop, 0, op, buyer, request, item, item ? 1 : 0);
    assert_true(used < 80);
    shop_send(&shop, 0, payloads[used++], &ask, 1);
}

/* Eleven orders, each asked for five times: 55 replies wait for 11 records, and one more. */
static void fill_parking(void)
{
    for (uint32_t buyer = 100; buyer <= 111; buyer++)
        for (unsigned copy = 0; copy < (buyer < 111 ? 1 + FG_COPIES_MAX : 1); copy++)
            send(FG_OP_ORDER, buyer, 1, ITEM_PLAIN);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), 64 - 64 / FG_SETTLE_SHARE);
    assert_true(fg_lane_count(&shop.lanes[0]) < 20);
}

/* Holds that run out leave records without replies: seven eighths of the lane. */
static void fill_lane(void)
{
    shop_item(&shop, ITEM_HELD)->hold_ms = 10;
    for (uint32_t buyer = 100; buyer < 157; buyer++)
        shop_do(&shop, FG_OP_ORDER, buyer, 1, ITEM_HELD, 1);
    shop_item(&shop, ITEM_HELD)->hold_ms = SOON_MS;
    shop_pass(&shop, 11);
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), 0);
    assert_int_equal(fg_lane_count(&shop.lanes[0]), 57);
}

static void fill_log(void)
{
    atomic_store(&shop.lanes[0].log_room, FG_LOG_SETTLES);
}

static void drain(void)
{
    shop.catalogue.mode = FG_ENGINE_DRAINING;
}

static struct fg_reply answer_of(const uint8_t *payload)
{
    const uint8_t *back;
    do
        back = shop_ready(&shop, 0);
    while (back && back != payload);
    assert_ptr_equal(back, payload);
    return shop_reply(payload, 0);
}

static unsigned count_logged(unsigned from, unsigned kind)
{
    unsigned count = 0;
    for (unsigned i = from; i < shop.logged; i++)
        count += shop.log[i].kind == kind;
    return count;
}

static void orders_end_while(void (*fill)(void))
{
    struct fg_order_view view;
    uint8_t buyer[FG_BUYER_BYTES];
    used = 0;
    shop_open(&shop, 1, 1000);
    shop_item(&shop, ITEM_HELD)->hold_ms = SOON_MS;
    for (uint32_t number = 1; number <= 4; number++)
        shop_do(&shop, FG_OP_ORDER, number, 1, ITEM_HELD, 1);
    shop_pass(&shop, SOON_MS - 100);
    fill();
    unsigned logged = shop.logged, queued = fg_lane_count(&shop.lanes[0]);

    const uint8_t *refused = payloads[used];
    send(FG_OP_ORDER, 99, 1, ITEM_PLAIN);
    assert_verdict(answer_of(refused), BUSY, 0);
    const uint8_t *confirm = payloads[used], *cancel = payloads[used + 1];
    send(FG_OP_CONFIRM, 1, 1, 0);
    send(FG_OP_CANCEL, 2, 1, 0);
    shop_buyer(&shop, 0, 3, buyer);
    assert_int_equal(
        fg_admission_cancel(shop.admissions[0], &shop.now, &shop.catalogue, buyer, 1, &view), 0);
    assert_int_equal(fg_lane_count(&shop.lanes[0]), queued + 3);
    shop_pass(&shop, 101); /* the fourth runs out */
    assert_int_equal(fg_lane_count(&shop.lanes[0]), queued + 4);
    assert_int_equal(fg_admission_gauges(shop.admissions[0])->holds, 0);

    shop_flush(&shop);
    shop_poll(&shop);
    assert_verdict(answer_of(confirm), CONFIRMED, 0);
    assert_verdict(answer_of(cancel), CANCELLED, 0);
    assert_int_equal(count_logged(logged, FG_EVENT_CONFIRM), 1);
    assert_int_equal(count_logged(logged, FG_EVENT_CANCEL), 2);
    assert_int_equal(shop.log[shop.logged - 1].kind, FG_EVENT_EXPIRE);
    assert_int_equal(fg_stock_free_units(&shop.stock, ITEM_HELD - 1), 1000 - 1);
    shop_close(&shop);
}

static void while_parking_is_full(void **state)
{
    (void)state;
    orders_end_while(fill_parking);
}

static void while_the_lane_is_seven_eighths_full(void **state)
{
    (void)state;
    orders_end_while(fill_lane);
}

static void while_the_log_is_nearly_full(void **state)
{
    (void)state;
    orders_end_while(fill_log);
}

static void while_the_engine_drains(void **state)
{
    (void)state;
    orders_end_while(drain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_parking_is_full),
        cmocka_unit_test(while_the_lane_is_seven_eighths_full),
        cmocka_unit_test(while_the_log_is_nearly_full),
        cmocka_unit_test(while_the_engine_drains),
    };
    return cmocka_run_group_tests_name("settling", tests, NULL, NULL);
}
