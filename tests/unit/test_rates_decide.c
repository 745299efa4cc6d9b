/* SPDX-License-Identifier: BSD-3-Clause */
/* Rates as decisions go by them: who pays for what, and when. */
#include "tests/unit/shop.h"

#include "dataplane/admission/internal.h"

static struct shop shop;

static void open_rated(unsigned workers, uint32_t stock, uint32_t buyer_rate, uint32_t key_rate)
{
    shop_open(&shop, workers, stock);
    for (uint32_t id = 1; id <= 3; id++)
        fg_rates_set_item(shop_item(&shop, id), buyer_rate, buyer_rate);
    fg_rates_set_key(&shop.ring.keys[0], key_rate, key_rate);
}

static void test_orders_of_a_buyer(void **state)
{
    (void)state;
    open_rated(1, 1000, 2, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 2, ITEM_HELD, 1), ADMITTED, FG_HELD);
    struct fg_reply reply = shop_do(&shop, FG_OP_ORDER, 1, 3, ITEM_PLAIN, 1);
    assert_verdict(reply, THROTTLED, 0);
    assert_in_range(reply.wait_ms, 500, 625); /* a quarter more, by chance */
    /* what repeats or settles goes on, to twice the rate */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1), ADMITTED, FG_REPLAY);
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, 1, 2, 0, 0), CONFIRMED, 0);
    reply = shop_do(&shop, FG_OP_QUERY, 1, 2, 0, 0);
    assert_verdict(reply, THROTTLED, 0);
    assert_in_range(reply.wait_ms, 250, 312);
    assert_verdict(shop_do(&shop, FG_OP_CANCEL, 1, 2, 0, 0), THROTTLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1), THROTTLED, 0);
    /* not so in another sale, of another buyer, and where no buyer is asked for */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 4, ITEM_OTHER_SALE, 1), ADMITTED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(shop_do(&shop, FG_OP_STOCK, 1, 0, ITEM_PLAIN, 0), STOCK, 0);
    assert_verdict(shop_do(&shop, FG_OP_PING, 1, 0, 0, 0), PONG, 0);
    shop_pass(&shop, 249);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 1, 2, 0, 0), THROTTLED, 0);
    shop_pass(&shop, 1);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 1, 2, 0, 0), CONFIRMED, FG_REPLAY);
    shop_pass(&shop, 1250); /* two of the half price, and then one */
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 3, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_int_equal(fg_count_read(&shop.counters[0].verdicts[FG_VERDICT_THROTTLED]), 5);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_BUYER]), 5);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_KEY]), 0);
    shop_close(&shop);
}

/* What is refused later pays all the same; what was refused before does not. */
static void test_the_order_of_checks(void **state)
{
    (void)state;
    open_rated(1, 1000, 1, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 9), BAD_QUANTITY, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 2, ITEM_PLAIN, 9), THROTTLED, 0);
    shop.catalogue.mode = FG_ENGINE_PAUSED;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, 2, ITEM_PLAIN, 1), PAUSED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, 2, ITEM_PLAIN, 1), THROTTLED, 0);
    shop.catalogue.mode = FG_ENGINE_KILLED;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, 2, ITEM_PLAIN, 1), BUSY, 0);
    shop.catalogue.mode = FG_ENGINE_RUNNING;
    shop.catalogue.key_sales[0] = 2;
    for (uint64_t i = 1; i < 9; i++) {
        assert_verdict(shop_do(&shop, FG_OP_ORDER, 3, i, ITEM_PLAIN, 1), FORBIDDEN, 0);
        assert_verdict(shop_do(&shop, FG_OP_QUERY, 3, i, ITEM_PLAIN, 1), NOT_FOUND, 0);
    }
    shop.catalogue.key_sales[0] = 3;
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 3, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    /* where there is no order, the item tells the sale, if any */
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 4, 1, ITEM_PLAIN, 0), NOT_FOUND, 0);
    assert_verdict(shop_do(&shop, FG_OP_CANCEL, 4, 1, ITEM_PLAIN, 0), CANCELLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 4, 1, ITEM_PLAIN, 0), THROTTLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 4, 1, 99, 1), CANCELLED, FG_REPLAY);
    shop_close(&shop);
}

static void test_what_a_key_pays(void **state)
{
    (void)state;
    open_rated(1, 1000, 0, 3);
    assert_verdict(shop_do(&shop, FG_OP_PING, 1, 0, 0, 0), PONG, 0);
    assert_verdict(shop_do(&shop, FG_OP_STOCK, 1, 0, 99, 0), UNKNOWN_ITEM, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_HELD);
    assert_verdict(shop_do(&shop, FG_OP_PING, 1, 0, 0, 0), THROTTLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_STOCK, 1, 0, ITEM_PLAIN, 0), THROTTLED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 2, 99, 1), THROTTLED, 0);
    struct fg_reply reply = shop_do(&shop, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 1);
    assert_verdict(reply, THROTTLED, 0);
    assert_in_range(reply.wait_ms, 334, 417);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 1, 1, ITEM_HELD, 1), ADMITTED, FG_REPLAY | FG_HELD);
    assert_verdict(shop_do(&shop, FG_OP_CONFIRM, 1, 1, ITEM_HELD, 1), CONFIRMED, 0);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 1, 1, ITEM_HELD, 1), CONFIRMED, FG_REPLAY);
    assert_verdict(shop_do(&shop, FG_OP_QUERY, 1, 1, ITEM_HELD, 1), THROTTLED, 0);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_KEY]), 5);
    shop_close(&shop);
}

/* Whoever is refused for a rate, whichever it is: the least wait, and up to a quarter at random. */
static void test_every_wait_has_up_to_a_quarter_more(void **state)
{
    (void)state;
    static const struct {
        uint32_t buyer_rate, key_rate;
        uint8_t op;
        uint32_t least_ms;
    } ways[] = {{1, 0, FG_OP_ORDER, 1000},  {1, 0, FG_OP_QUERY, 500},  {1, 0, FG_OP_CANCEL, 500},
                {1, 0, FG_OP_CONFIRM, 500}, {0, 1, FG_OP_ORDER, 1000}, {0, 1, FG_OP_STOCK, 1000},
                {0, 1, FG_OP_PING, 1000},   {0, 1, FG_OP_QUERY, 500},  {0, 1, FG_OP_CONFIRM, 500}};
    for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        uint32_t least = UINT32_MAX, most = 0;
        open_rated(1, 1000, ways[i].buyer_rate, ways[i].key_rate);
        for (unsigned n = 0; n < 1003; n++) {
            struct fg_reply reply = shop_do(&shop, ways[i].op, 1, n + 1, ITEM_PLAIN, 9);
            if (reply.verdict != FG_VERDICT_THROTTLED)
                continue;
            least = reply.wait_ms < least ? reply.wait_ms : least;
            most = reply.wait_ms > most ? reply.wait_ms : most;
        }
        assert_in_range(least, ways[i].least_ms, ways[i].least_ms + 10);
        assert_in_range(most, ways[i].least_ms * 5 / 4 - 10, ways[i].least_ms * 5 / 4);
        shop_close(&shop);
    }
}

/* Who is refused as a buyer takes nothing from the others behind the key. */
static void test_a_buyer_that_hammers_leaves_the_key_alone(void **state)
{
    (void)state;
    open_rated(1, 1000, 2, 4);
    for (uint64_t i = 1; i <= 50; i++) {
        struct fg_reply reply = shop_do(&shop, FG_OP_ORDER, 1, i, ITEM_PLAIN, 1);
        if (i <= 2)
            assert_verdict(reply, ADMITTED, 0);
        else
            assert_verdict(reply, THROTTLED, 0);
    }
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 3, 1, ITEM_PLAIN, 1), ADMITTED, 0);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_KEY]), 0);
    assert_verdict(shop_do(&shop, FG_OP_ORDER, 4, 1, ITEM_PLAIN, 1), THROTTLED, 0);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_KEY]), 1);
    assert_int_equal(fg_count_read(&shop.counters[0].count[FG_COUNTER_THROTTLED_BUYER]), 48);
    shop_close(&shop);
}

/* An order that waits for another worker's to settle is judged again and again, and pays once. */
static void test_what_waits_has_paid(void **state)
{
    (void)state;
    uint8_t first[256], second[256];
    open_rated(2, 1, 1, 2);
    struct fg_request one = shop_request(&shop, 0, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1);
    struct fg_request two = shop_request(&shop, 1, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 1);
    shop_send(&shop, 0, first, &one, 1);
    shop_send(&shop, 1, second, &two, 1);
    shop_pass(&shop, 3);
    assert_null(shop_ready(&shop, 1));
    shop_flush(&shop);
    shop_pass(&shop, 1);
    assert_ptr_equal(shop_ready(&shop, 1), second);
    assert_verdict(shop_reply(second, 0), SOLD_OUT, 0);
    assert_ptr_equal(shop_ready(&shop, 0), first);
    assert_int_equal(fg_count_read(&fg_admission_rates(shop.admissions[1])->keys[0].asked), 1);
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders_of_a_buyer),
        cmocka_unit_test(test_the_order_of_checks),
        cmocka_unit_test(test_what_a_key_pays),
        cmocka_unit_test(test_every_wait_has_up_to_a_quarter_more),
        cmocka_unit_test(test_a_buyer_that_hammers_leaves_the_key_alone),
        cmocka_unit_test(test_what_waits_has_paid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
