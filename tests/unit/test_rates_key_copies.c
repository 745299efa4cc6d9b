/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of a key's datagrams, whatever they ask for: they push none of its orders out. */
#define SHOP_BUCKETS buckets
static unsigned buckets;
#include "tests/unit/shop.h"

#include "dataplane/admission/internal.h"

enum { KEY_RATE = 1000, KEY_BURST = 100, BUYER_RATE = 5, BUYER_BURST = 10 };
enum { NO_ITEM = 99, TOO_MANY = 9 }; /* an order of too many passes the rates, and leaves nothing */

static struct shop shop;
static uint8_t copied[2048];
static unsigned refused; /* of honest orders */

static void open_shop(uint32_t buyer_rate)
{
    shop_open(&shop, 1, 1000);
    for (uint32_t id = 1; id <= 3; id++)
        fg_rates_set_item(shop_item(&shop, id), buyer_rate, BUYER_BURST);
    fg_rates_set_key(&shop.ring.keys[0], KEY_RATE, KEY_BURST);
    refused = 0;
}

static uint64_t count(enum fg_counter which)
{
    return fg_count_read(&shop.counters[0].count[which]);
}

static void flood(const uint8_t *copy, unsigned times)
{
    static uint8_t payload[256];
    struct fg_datagram datagram = {.packet = payload, .payload = payload, .count = 1};

    while (times-- > 0) {
        memcpy(payload, copy, FG_REQUEST_BYTES(1));
        fg_admission_decide(shop.admissions[0], &shop.now, &shop.catalogue, &datagram, 1);
        assert_ptr_equal(shop_ready(&shop, 0), payload);
    }
}

/* Of a buyer of its own; a gateway whose clock is so far behind. */
static void honest_order(uint32_t number, uint64_t behind_ns)
{
    struct fg_request ask = shop_request(&shop, 0, FG_OP_ORDER, number, 1, ITEM_PLAIN, TOO_MANY);
    uint64_t ahead_ns = shop.last_time_ns;

    shop.now.wall_ns -= behind_ns;
    if (behind_ns != 0) /* one a millisecond */
        shop.last_time_ns = 0;
    shop_datagram(&shop, copied, &ask, 1);
    shop.now.wall_ns += behind_ns;
    if (behind_ns != 0)
        shop.last_time_ns = ahead_ns;

    static uint8_t payload[256];
    struct fg_datagram datagram = {.packet = payload, .payload = payload, .count = 1};
    memcpy(payload, copied, FG_REQUEST_BYTES(1));
    fg_admission_decide(shop.admissions[0], &shop.now, &shop.catalogue, &datagram, 1);
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    refused += shop_reply(payload, 0).verdict != FG_VERDICT_BAD_QUANTITY;
}

/* One datagram that names no order, or nobody in a sale with a rate, is copied fifty times as often
 * as its key may ask. All that the key asks passes, its burst and its rate. */
static void test_a_copied_request_pushes_no_order_out(void **state)
{
    (void)state;
    static const struct {
        uint8_t op;
        uint32_t item;
    } kinds[] = {
        {FG_OP_PING, 0},          {FG_OP_STOCK, ITEM_PLAIN}, {FG_OP_STOCK, NO_ITEM},
        {FG_OP_QUERY, 0},         {FG_OP_QUERY, ITEM_PLAIN}, {FG_OP_CONFIRM, 0},
        {FG_OP_ORDER, NO_ITEM},   {FG_OP_ORDER, ITEM_PLAIN}, {FG_OP_ORDER, ITEM_OTHER_SALE},
        {FG_OP_CANCEL, ITEM_HELD}};
    for (unsigned kind = 0; kind < 2 * sizeof(kinds) / sizeof(*kinds); kind++) {
        static uint8_t copy[256];
        uint32_t number = 2;
        open_shop(kind % 2 ? BUYER_RATE : 0);
        struct fg_request ask =
            shop_request(&shop, 0, kinds[kind / 2].op, 1, 7, kinds[kind / 2].item, TOO_MANY);
        shop_datagram(&shop, copy, &ask, 1);
        flood(copy, 1);
        for (unsigned ms = 0; ms < 600; ms++) {
            unsigned orders = ms == 0 || ms == 400 ? KEY_BURST - 1 : ms < 200 || ms >= 500;
            if (ms == 0 || ms == 400)
                flood(copy, 500);
            while (orders-- > 0)
                honest_order(number++, 0);
            flood(copy, 50);
            shop_pass(&shop, 1);
        }
        assert_int_equal(refused, 0);
        assert_int_equal(count(FG_COUNTER_THROTTLED_KEY), 0);
        assert_true(count(FG_COUNTER_THROTTLED_COPIES) > 28000);
        shop_close(&shop);
    }
}

/* All that was asked in the last seconds is sent again, and again, to a key with two gateways; the
 * clock of one of them is behind. */
static void copies_of_many(unsigned places, uint64_t behind_ns)
{
    enum { SEEN = 4096 };
    static uint8_t seen[SEEN][FG_REQUEST_BYTES(1)];
    uint32_t orders = 0;
    buckets = places;
    open_shop(BUYER_RATE);
    for (unsigned ms = 0; ms < 4000; ms++) {
        honest_order(orders + 1, orders % 2 ? behind_ns : 0);
        memcpy(seen[orders++ % SEEN], copied, sizeof(seen[0]));
        for (unsigned back = 1; back < orders && back < 3000; back += 1 + back / 8)
            flood(seen[(orders - back) % SEEN], 1);
        shop_pass(&shop, 1);
    }
    assert_int_equal(refused, 0);
    assert_int_equal(fg_count_read(&fg_admission_rates(shop.admissions[0])->keys[0].asked), orders);
    assert_true(count(FG_COUNTER_THROTTLED_COPIES) > 100000);
    assert_true((count(FG_COUNTER_BUYERS_FORGOTTEN) > 1000) == (places != 0));
    shop_close(&shop);
    buckets = 0;
}

static void test_copies_of_many_buyers(void **state)
{
    (void)state;
    copies_of_many(0, 0);
    copies_of_many(0, 100000000);
}

/* ... and where buyers' places give way long before they are paid off. */
static void test_copies_of_buyers_who_are_forgotten(void **state)
{
    (void)state;
    copies_of_many(64, 0);
}

/* A bot's copy of what the buyer's bucket refused takes nothing of the key's, and a buyer who was
 * refused for the key's rate has his own. */
static void test_who_is_refused_for_the_key_has_paid_nothing(void **state)
{
    (void)state;
    open_shop(1);
    fg_rates_set_item(shop_item(&shop, ITEM_PLAIN), 1, 1);
    for (unsigned n = 0; n < KEY_BURST; n++)
        honest_order(100 + n, 0);
    for (unsigned n = 0; n < 50; n++) { /* of one with a place, and of one without */
        struct fg_reply reply = shop_do(&shop, FG_OP_ORDER, 1 + n % 3, n, ITEM_PLAIN, TOO_MANY);
        assert_verdict(reply, THROTTLED, 0);
        assert_in_range(reply.wait_ms, 1, 2); /* the key's, not the buyer's */
    }
    assert_int_equal(count(FG_COUNTER_THROTTLED_KEY), 50);
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER), 0);
    shop_pass(&shop, 3);
    for (unsigned n = 1; n <= 3; n++)
        assert_verdict(shop_do(&shop, FG_OP_ORDER, n, 90, ITEM_PLAIN, TOO_MANY), BAD_QUANTITY, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 91, ITEM_PLAIN, TOO_MANY), THROTTLED, 0);
    assert_int_equal(count(FG_COUNTER_THROTTLED_BUYER), 1);
    assert_int_equal(refused, 0);
    shop_close(&shop);
}

/* All entries of a datagram are newer than what the key asked before, whoever else they ask for. */
static void test_entries_of_one_datagram(void **state)
{
    (void)state;
    static uint8_t payload[2048];
    struct fg_request asks[FG_ENTRIES_MAX];
    open_shop(0);
    fg_rates_set_key(&shop.ring.keys[0], FG_ENTRIES_MAX, FG_ENTRIES_MAX);
    for (unsigned i = 0; i < FG_ENTRIES_MAX; i++)
        asks[i] = shop_request(&shop, 0, i % 2 ? FG_OP_PING : FG_OP_STOCK, 1, i, ITEM_PLAIN, 0);
    shop_send(&shop, 0, payload, asks, FG_ENTRIES_MAX);
    assert_ptr_equal(shop_ready(&shop, 0), payload);
    for (unsigned i = 0; i < FG_ENTRIES_MAX; i++)
        assert_int_equal(shop_reply(payload, i).verdict,
                         i % 2 ? FG_VERDICT_PONG : FG_VERDICT_STOCK);
    assert_int_equal(fg_count_read(&fg_admission_rates(shop.admissions[0])->keys[0].asked),
                     FG_ENTRIES_MAX);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copied_request_pushes_no_order_out),
        cmocka_unit_test(test_copies_of_many_buyers),
        cmocka_unit_test(test_copies_of_buyers_who_are_forgotten),
        cmocka_unit_test(test_who_is_refused_for_the_key_has_paid_nothing),
        cmocka_unit_test(test_entries_of_one_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
