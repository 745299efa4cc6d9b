/* SPDX-License-Identifier: BSD-3-Clause */
/* What has to wait, and for what: durability, other workers' orders, room. */
#include "tests/unit/shop.h"

static struct shop shop;

static void order(unsigned w, uint8_t *payload, uint32_t buyer, uint64_t request, uint32_t item,
                  uint16_t quantity)
{
    struct fg_request ask = shop_request(&shop, w, FG_OP_ORDER, buyer, request, item, quantity);
    shop_send(&shop, w, payload, &ask, 1);
}

static void an_answer_leaves_after_its_record(void **state)
{
    (void)state;
    uint8_t first[2048], copy[2048], other[2048];

    shop_open(&shop, 1, 10);
    order(0, first, 1, 1, ITEM_PLAIN, 1);
    order(0, copy, 1, 1, ITEM_PLAIN, 1); /* a double click */
    shop_poll(&shop);
    assert_null(shop_ready(&shop, 0));
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), 2);
    /* A refusal does not wait for others' records. */
    order(0, other, 2, 1, 99, 1);
    assert_ptr_equal(shop_ready(&shop, 0), other);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), first);
    assert_verdict(shop_reply(first, 0), ADMITTED, 0);
    assert_ptr_equal(shop_ready(&shop, 0), copy);
    assert_verdict(shop_reply(copy, 0), ADMITTED, FG_REPLAY);
    assert_int_equal(shop_reply(copy, 0).order, shop_reply(first, 0).order);
    assert_int_equal(shop.logged, 1);
    shop_close(&shop);
}

/* What the caller leaves for later keeps its place and its turn, and what was answered at once goes
 * before it. Another engine may take over meanwhile: then nothing of it is told any more. */
static void what_may_leave_is_left_for_later(void **state)
{
    (void)state;
    uint8_t payloads[3][2048], refused[2048];
    struct fg_ready ready[FG_BURST];
    struct fg_admission *admission;

    shop_open(&shop, 1, 10);
    admission = shop.admissions[0];
    for (unsigned i = 0; i < 3; i++)
        order(0, payloads[i], 1 + i, 1, ITEM_PLAIN, 1);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(fg_admission_ready_at_once(admission, ready, FG_BURST), 0);
    assert_int_equal(fg_admission_ready(admission, ready, 1), 1);
    assert_ptr_equal(ready[0].packet, payloads[0]);
    assert_int_equal(fg_admission_waiting(admission), 2);
    order(0, refused, 9, 1, 99, 1);
    assert_int_equal(fg_admission_ready(admission, ready, 2), 2);
    assert_ptr_equal(ready[0].packet, refused);
    assert_ptr_equal(ready[1].packet, payloads[1]);
    fg_lane_fence(&shop.lanes[0]);
    assert_int_equal(fg_admission_ready(admission, ready, FG_BURST), 0);
    assert_int_equal(fg_admission_waiting(admission), 1);
    shop_close(&shop);
}

/* FORBIDDEN tells whoever gave up that the order stands: a crash must not take it back. */
static void a_cancel_is_forbidden_after_the_record(void **state)
{
    (void)state;
    uint8_t admitted[2048], forbidden[2048];

    shop_open(&shop, 1, 10);
    order(0, admitted, 1, 1, ITEM_PLAIN, 2);
    struct fg_request cancel = shop_request(&shop, 0, FG_OP_CANCEL, 1, 1, 0, 0);
    shop_send(&shop, 0, forbidden, &cancel, 1);
    shop_poll(&shop);
    assert_null(shop_ready(&shop, 0));
    shop_flush(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), admitted);
    assert_verdict(shop_reply(admitted, 0), ADMITTED, 0);
    assert_ptr_equal(shop_ready(&shop, 0), forbidden);
    assert_verdict(shop_reply(forbidden, 0), FORBIDDEN, 0);
    assert_int_equal(shop_reply(forbidden, 0).order, 0);
    assert_int_equal(fg_stock_free_units(&shop.stock, 0), 8);
    shop_close(&shop);
}

static void a_fifth_copy_of_an_undecided_order_is_silence(void **state)
{
    (void)state;
    uint8_t payloads[6][2048];

    shop_open(&shop, 1, 10);
    for (unsigned i = 0; i < 6; i++)
        order(0, payloads[i], 1, 1, ITEM_PLAIN, 1);
    assert_ptr_equal(shop_ready(&shop, 0), payloads[5]);
    assert_int_equal(shop.length, 0);
    assert_null(shop_ready(&shop, 0));
    shop_flush(&shop);
    shop_poll(&shop);
    for (unsigned i = 0; i < 5; i++) {
        assert_ptr_equal(shop_ready(&shop, 0), payloads[i]);
        assert_int_equal(shop.length, FG_REPLY_BYTES(1));
    }
    order(0, payloads[5], 1, 1, ITEM_PLAIN, 1); /* durable now: answered at once */
    assert_ptr_equal(shop_ready(&shop, 0), payloads[5]);
    assert_int_equal(shop.length, FG_REPLY_BYTES(1));
    shop_close(&shop);
}

/* The last unit is another worker's order that is not durable: nobody may say SOLD_OUT yet. */
static void a_refusal_waits_until_it_is_true(void **state)
{
    (void)state;
    uint8_t buys[2048], refused[2048];

    shop_open(&shop, 2, 1);
    order(0, buys, 1, 1, ITEM_PLAIN, 1);
    order(1, refused, 2, 1, ITEM_PLAIN, 1);
    for (int i = 0; i < 5; i++)
        shop_poll(&shop);
    assert_null(shop_ready(&shop, 1));
    shop_flush(&shop);
    shop_poll(&shop);
    shop_poll(&shop); /* worker 1 may have looked before worker 0 settled */
    assert_ptr_equal(shop_ready(&shop, 0), buys);
    assert_verdict(shop_reply(buys, 0), ADMITTED, 0);
    assert_ptr_equal(shop_ready(&shop, 1), refused);
    assert_verdict(shop_reply(refused, 0), SOLD_OUT, 0);
    shop_close(&shop);
}

static void who_waits_too_long_is_told_busy(void **state)
{
    (void)state;
    uint8_t buys[2048], waits[2048];

    shop_open(&shop, 2, 1);
    order(0, buys, 1, 1, ITEM_PLAIN, 1);
    order(1, waits, 2, 1, ITEM_PLAIN, 1);
    shop_pass(&shop, FG_UNSETTLED_WAIT_MS - 1);
    assert_null(shop_ready(&shop, 1));
    shop_pass(&shop, 1);
    assert_ptr_equal(shop_ready(&shop, 1), waits);
    assert_verdict(shop_reply(waits, 0), BUSY, 0);
    assert_int_equal(fg_admission_waiting(shop.admissions[1]), 0);
    shop_close(&shop);
}

/* One datagram, two entries: one buys, the other cannot be judged yet. One answer for both. */
static void decided_entries_wait_for_the_others(void **state)
{
    (void)state;
    uint8_t buys[2048], both[2048];

    shop_open(&shop, 2, 1);
    order(0, buys, 1, 1, ITEM_PLAIN, 1);
    struct fg_request asks[3] = {
        shop_request(&shop, 1, FG_OP_ORDER, 2, 1, ITEM_LIMITED, 1),
        shop_request(&shop, 1, FG_OP_ORDER, 2, 2, ITEM_PLAIN, 1),
        shop_request(&shop, 1, FG_OP_ORDER, 2, 3, 99, 1),
    };
    shop_send(&shop, 1, both, asks, 3);
    shop_poll(&shop);
    assert_null(shop_ready(&shop, 1));
    shop_flush(&shop);
    shop_poll(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 1), both);
    assert_verdict(shop_reply(both, 0), ADMITTED, 0);
    assert_verdict(shop_reply(both, 1), SOLD_OUT, 0);
    assert_verdict(shop_reply(both, 2), UNKNOWN_ITEM, 0);
    assert_int_equal(shop_reply(both, 1).request, 2);
    shop_close(&shop);
}

/* No flush ever comes: what is full answers BUSY before stock, and settling still has its share. */
static void a_full_lane_refuses_orders_and_still_settles(void **state)
{
    (void)state;
    static uint8_t payloads[128][2048];
    unsigned admitted = 0, busy = 0;

    shop_open(&shop, 1, 1000);
    shop_do(&shop, FG_OP_ORDER, 500, 1, ITEM_HELD, 1);
    for (unsigned i = 0; i < 128; i++) {
        order(0, payloads[i], i + 1, 1, ITEM_PLAIN, 1);
        if (shop_ready(&shop, 0)) {
            assert_verdict(shop_reply(payloads[i], 0), BUSY, 0);
            busy++;
        } else {
            admitted++;
        }
    }
    assert_true(busy > 0);
    assert_in_range(admitted, 40, 63 - 7); /* 64 places, one eighth kept back */
    assert_int_equal(fg_stock_free_units(&shop.stock, 0), 1000 - admitted);
    struct fg_request confirm = shop_request(&shop, 0, FG_OP_CONFIRM, 500, 1, 0, 0);
    static uint8_t payload[2048];
    shop_send(&shop, 0, payload, &confirm, 1);
    assert_null(shop_ready(&shop, 0)); /* taken, not refused */
    shop_flush(&shop);
    shop_poll(&shop);
    for (unsigned i = 0; i < admitted; i++) {
        uint8_t *back = shop_ready(&shop, 0);
        assert_non_null(back);
        assert_verdict(shop_reply(back, 0), ADMITTED, 0);
    }
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    assert_verdict(shop_reply(payload, 0), CONFIRMED, 0);
    shop_close(&shop);
}

/* Another engine has taken over: what was parked stays parked, though its record may be durable,
 * and nothing new is taken. */
static void a_fence_keeps_what_is_parked(void **state)
{
    (void)state;
    uint8_t before[2048], after[2048];

    shop_open(&shop, 1, 10);
    order(0, before, 1, 1, ITEM_PLAIN, 1);
    shop_flush(&shop);
    fg_lane_fence(&shop.lanes[0]);
    shop_poll(&shop);
    assert_null(shop_ready(&shop, 0));
    assert_int_equal(fg_admission_waiting(shop.admissions[0]), 1);
    order(0, after, 2, 1, ITEM_PLAIN, 1);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), after);
    assert_verdict(shop_reply(after, 0), BUSY, 0);
    assert_null(shop_ready(&shop, 0));
    assert_int_equal(shop.logged, 1);
    shop_close(&shop);
}

/* The log tells what it has room for; nothing is taken for what it has none. */
static void a_full_log_refuses_orders_then_everything(void **state)
{
    (void)state;
    shop_open(&shop, 1, 1000);
    shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_HELD, 1);
    shop_do(&shop, FG_OP_ORDER, 2, 1, ITEM_HELD, 1);
    shop_do(&shop, FG_OP_ORDER, 3, 1, ITEM_HELD, 1);
    shop.lanes[0].log_room = FG_LOG_SETTLES;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 4, 1, ITEM_PLAIN, 1), BUSY, 0);
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, 1, 1, 0, 0), CONFIRMED, 0);
    shop.lanes[0].log_room = FG_LOG_SHUT;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 4, 1, ITEM_PLAIN, 1), BUSY, 0);
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, 2, 1, 0, 0), BUSY, 0);
    assert_verdict(shop_do(&shop, FG_OP_CANCEL, 3, 1, 0, 0), BUSY, 0);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 1, 1, 0, 0), CONFIRMED, FG_REPLAY);
    shop_pass(&shop, 61001);
    shop_flush(&shop);
    assert_int_equal(shop.logged, 4); /* no hold has run out */
    assert_int_equal(fg_stock_free_units(&shop.stock, 0), 1000);
    assert_int_equal(fg_stock_free_units(&shop.stock, 1), 997);
    shop.lanes[0].log_room = FG_LOG_OPEN;
    shop_pass(&shop, 10);
    shop_flush(&shop);
    assert_int_equal(shop.logged, 6);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 4, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    shop_close(&shop);
}

/* A hold whose CONFIRM was told BUSY gets another second. */
static void a_busy_confirm_keeps_its_hold(void **state)
{
    (void)state;
    static uint8_t payloads[80][2048];
    static uint8_t payload[2048];

    shop_open(&shop, 1, 1000);
    for (uint32_t buyer = 1; buyer <= 70; buyer++)
        shop_do(&shop, FG_OP_ORDER, buyer, 1, ITEM_HELD, 1);
    shop_pass(&shop, 59990);
    for (uint32_t buyer = 1; buyer <= 69; buyer++) { /* fills all there is: nothing is flushed */
        struct fg_request ask = shop_request(&shop, 0, FG_OP_CONFIRM, buyer, 1, 0, 0);
        shop_send(&shop, 0, payloads[buyer], &ask, 1);
    }
    while (shop_ready(&shop, 0))
        ;
    struct fg_request ask = shop_request(&shop, 0, FG_OP_CONFIRM, 70, 1, 0, 0);
    shop_send(&shop, 0, payload, &ask, 1);
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    assert_verdict(shop_reply(payload, 0), BUSY, 0);
    shop_pass(&shop, 500);
    shop_flush(&shop);
    shop_poll(&shop);
    while (shop_ready(&shop, 0))
        ;
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, 70, 1, 0, 0), CONFIRMED, 0);
    shop_close(&shop);
}

/* Restart: the log's events applied to a new engine with another number of workers. */
static void the_log_restores_everything(void **state)
{
    (void)state;
    static struct shop before;
    uint8_t buyers[4][FG_BUYER_BYTES];

    shop_open(&before, 1, 10);
    shop_item(&before, ITEM_HELD)->late_confirm = FG_LATE_REACQUIRE;
    shop_do(&before, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 2);
    shop_do(&before, FG_OP_ORDER, 2, 1, ITEM_HELD, 1);
    shop_do(&before, FG_OP_ORDER, 3, 1, ITEM_HELD, 3);
    shop_do(&before, FG_OP_CONFIRM, 3, 1, 0, 0);
    shop_do(&before, FG_OP_ORDER, 4, 1, ITEM_HELD, 4);
    shop_do(&before, FG_OP_CANCEL, 4, 1, 0, 0);
    for (uint32_t i = 0; i < 4; i++)
        shop_buyer(&before, 0, i + 1, buyers[i]);

    shop_open(&shop, 2, 0);
    int32_t given[SHOP_ITEMS + 1] = {0}, units;
    for (unsigned i = 0; i < before.logged; i++) {
        const struct fg_order_event *event = &before.log[i];
        unsigned w = fg_partition(event->buyer, SHOP_PARTITIONS) % 2;
        assert_int_equal(fg_admission_restore(shop.admissions[w], event, 30000, &units), 0);
        given[event->item] += units;
        /* Twice is an error of the log. */
        assert_int_equal(fg_admission_restore(shop.admissions[w], event, 30000, &units), -EINVAL);
    }
    for (uint32_t id = 1; id <= SHOP_ITEMS; id++)
        fg_stock_restore(&shop.stock, id - 1, 10 - (uint32_t)given[id]);
    for (unsigned w = 0; w < 2; w++)
        fg_admission_restored(shop.admissions[w], &shop.catalogue);
    for (uint32_t id = 1; id <= SHOP_ITEMS; id++)
        assert_int_equal(fg_stock_free_units(&shop.stock, id - 1),
                         fg_stock_free_units(&before.stock, id - 1));

    static const uint8_t wanted[4] = {FG_VERDICT_ADMITTED, FG_VERDICT_ADMITTED,
                                      FG_VERDICT_CONFIRMED, FG_VERDICT_CANCELLED};
    for (uint32_t i = 0; i < 4; i++) {
        struct fg_request ask = {.op = FG_OP_QUERY, .request = 1};
        memcpy(ask.buyer, buyers[i], FG_BUYER_BYTES);
        struct fg_reply reply = shop_ask(&shop, ask);
        assert_int_equal(reply.verdict, wanted[i]);
        assert_int_equal(reply.flags & FG_HELD, i == 1 ? FG_HELD : 0);
    }
    /* The hold that lives on expires, and only then the item could be sold out. */
    shop_pass(&shop, 31000);
    shop_flush(&shop);
    shop_poll(&shop);
    assert_int_equal(fg_stock_free_units(&shop.stock, ITEM_HELD - 1), 7);
    shop_close(&shop);
    shop_close(&before);
}

/* The key of what waits is replaced: it must be signed by the ring in force when it is judged
 * again, and by no other one. */
static void what_waits_must_be_signed_by_the_ring_in_force(void **state)
{
    (void)state;
    uint8_t buys[2048], waits[2048];

    for (unsigned what = 0; what < 3; what++) {
        shop_open(&shop, 2, 1);
        struct fg_keyring next = shop.ring;
        next.generation++;
        if (what == 1)
            next.keys[0].secret[0] ^= 1;
        if (what == 2)
            next.keys[0].id++;
        order(0, buys, 1, 1, ITEM_PLAIN, 1);
        order(1, waits, 2, 1, ITEM_PLAIN, 1);
        shop_poll(&shop);
        assert_int_equal(fg_admission_waiting(shop.admissions[1]), 1);
        shop.catalogue.keys = &next;
        shop_flush(&shop);
        shop_poll(&shop);
        shop_poll(&shop);
        assert_ptr_equal(shop_ready(&shop, 1), waits);
        assert_int_equal(shop.length, what == 0 ? FG_REPLY_BYTES(1) : 0);
        assert_int_equal(fg_count_read(&shop.counters[1].count[FG_COUNTER_DROP_MAC]), what == 1);
        assert_int_equal(fg_count_read(&shop.counters[1].count[FG_COUNTER_DROP_UNKNOWN_KEY]),
                         what == 2);
        assert_int_equal(fg_admission_waiting(shop.admissions[1]), 0);
        /* what was decided before leaves, as it was signed */
        assert_ptr_equal(shop_ready(&shop, 0), buys);
        assert_verdict(shop_reply(buys, 0), ADMITTED, 0);
        shop_close(&shop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_leaves_after_its_record),
        cmocka_unit_test(what_may_leave_is_left_for_later),
        cmocka_unit_test(a_cancel_is_forbidden_after_the_record),
        cmocka_unit_test(a_fifth_copy_of_an_undecided_order_is_silence),
        cmocka_unit_test(a_refusal_waits_until_it_is_true),
        cmocka_unit_test(who_waits_too_long_is_told_busy),
        cmocka_unit_test(decided_entries_wait_for_the_others),
        cmocka_unit_test(a_full_lane_refuses_orders_and_still_settles),
        cmocka_unit_test(a_fence_keeps_what_is_parked),
        cmocka_unit_test(a_full_log_refuses_orders_then_everything),
        cmocka_unit_test(a_busy_confirm_keeps_its_hold),
        cmocka_unit_test(the_log_restores_everything),
        cmocka_unit_test(what_waits_must_be_signed_by_the_ring_in_force),
    };
    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
