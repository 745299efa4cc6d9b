/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys that go, or get another secret or rate, while datagrams of theirs are with a worker. */
#include "dataplane/admission/rates.h"
#include "tests/unit/shop.h"

static struct shop shop;
static uint8_t first[2048], second[2048];

static void order(unsigned w, uint8_t *payload, uint32_t buyer)
{
    struct fg_request ask = shop_request(&shop, w, FG_OP_ORDER, buyer, 1, ITEM_PLAIN, 1);
    shop_send(&shop, w, payload, &ask, 1);
}

/* The one unit is about to be `first`'s; `second` waits to hear whether it is. */
static void let_one_wait(void)
{
    shop_open(&shop, 2, 1);
    order(0, first, 1);
    order(1, second, 2);
    shop_poll(&shop);
    assert_null(shop_ready(&shop, 0));
    assert_null(shop_ready(&shop, 1));
}

static uint64_t dropped(enum fg_counter which)
{
    return fg_count_read(&shop.counters[1].count[which]);
}

/* Decided before: told, signed as it came. Not decided: silence, and counted. */
static void settle(enum fg_counter counted)
{
    static const uint8_t old_secret[FG_SECRET_BYTES];
    struct fg_header header;
    shop_flush(&shop);
    shop_poll(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 0), first);
    assert_verdict(shop_reply(first, 0), ADMITTED, 0);
    memcpy(&header, first, sizeof(header));
    assert_true(header.mac == fg_payload_mac(old_secret, first, FG_REPLY_BYTES(1)));
    assert_ptr_equal(shop_ready(&shop, 1), second);
    assert_int_equal(shop.length, 0);
    assert_int_equal(dropped(counted), 1);
    assert_int_equal(dropped(FG_COUNTER_DROP_MAC) + dropped(FG_COUNTER_DROP_UNKNOWN_KEY), 1);
    shop_close(&shop);
}

static void a_key_that_went(void **state)
{
    (void)state;
    let_one_wait();
    shop.ring.keys[0] = (struct fg_key){.id = 0};
    shop.ring.generation++;
    settle(FG_COUNTER_DROP_UNKNOWN_KEY);
}

static void a_key_with_another_secret(void **state)
{
    (void)state;
    let_one_wait();
    shop.ring.keys[0].secret[0] = 1;
    shop.ring.generation++;
    settle(FG_COUNTER_DROP_MAC);
}

/* Another key's going, a new place and other terms are nothing to it. */
static void a_key_that_stays(void **state)
{
    (void)state;
    let_one_wait();
    shop.ring.keys[3] = shop.ring.keys[0];
    shop.ring.keys[0] = (struct fg_key){.id = 9, .ops = 0x7e};
    shop.ring.count = 4;
    shop.ring.generation++;
    shop.catalogue.key_sales[3] = 3;
    shop_flush(&shop);
    shop_poll(&shop);
    shop_poll(&shop);
    assert_ptr_equal(shop_ready(&shop, 1), second);
    assert_verdict(shop_reply(second, 0), SOLD_OUT, 0);
    assert_int_equal(dropped(FG_COUNTER_DROP_MAC) + dropped(FG_COUNTER_DROP_UNKNOWN_KEY), 0);
    shop_close(&shop);
}

static unsigned pongs(unsigned asks)
{
    unsigned pongs = 0;
    for (unsigned i = 0; i < asks; i++)
        pongs += shop_do(&shop, FG_OP_PING, 1, 0, 0, 0).verdict == FG_VERDICT_PONG;
    return pongs;
}

static void a_rate_and_a_burst_change_live(void **state)
{
    (void)state;
    shop_open(&shop, 1, 10);
    struct fg_key *key = &shop.ring.keys[0];
    const struct fg_rates *rates = fg_admission_rates(shop.admissions[0]);
    assert_int_equal(pongs(50), 50); /* no rate */
    fg_rates_set_key(key, 10, 4);
    assert_int_equal(pongs(50), 4);
    fg_rates_set_key(key, 10, 20); /* what is in it stays, the room grows */
    assert_int_equal(pongs(50), 0);
    shop_pass(&shop, 3000);
    assert_int_equal(pongs(50), 20);
    fg_rates_set_key(key, 10, 2);
    shop_pass(&shop, 3000);
    assert_int_equal(pongs(50), 2);
    fg_rates_set_key(key, 1000, 5);
    assert_int_equal(pongs(1), 0); /* up to here time has paid by the old rate */
    shop_pass(&shop, 10);
    assert_int_equal(pongs(50), 5);
    assert_int_equal(fg_rates_asked(rates, 0, 7), 251);
    /* Another key at the place: a full bucket, and counted anew. */
    key->id = 8;
    assert_int_equal(fg_rates_asked(rates, 0, 8), 0);
    assert_int_equal(pongs(50), 5);
    assert_int_equal(fg_rates_asked(rates, 0, 8), 50);
    assert_int_equal(fg_rates_asked(rates, 0, 7), 0);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_went),
        cmocka_unit_test(a_key_with_another_secret),
        cmocka_unit_test(a_key_that_stays),
        cmocka_unit_test(a_rate_and_a_burst_change_live),
    };
    return cmocka_run_group_tests_name("keys live", tests, NULL, NULL);
}
