/* SPDX-License-Identifier: BSD-3-Clause */
/* Holds at scale, on a clock of the test's: a million of them, each in its millisecond, a bounded
 * number in each loop. */
#define SHOP_LANE       4096
#define SHOP_PARTITIONS 1 /* a datagram may hold any buyers */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHOP_ORDERS 100000
#else
#define SHOP_ORDERS 1000000
#endif
#define HOLDS     SHOP_ORDERS
#define PER_MS    64 /* as many as one loop may run out */
#define HOLD_MS   60000
#define LOOPS_MAX 64 /* bound of what a loop may run out, as admission.c has it */

#include "tests/unit/shop.h"

static struct shop shop;
static struct fg_order_event events[SHOP_LANE];
static uint64_t gone, wrong; /* EXPIRE records seen; not in the millisecond of their deadline */

static int open_shop(void **state)
{
    (void)state;
    shop_open(&shop, 1, HOLDS);
    shop_item(&shop, ITEM_HELD)->hold_ms = HOLD_MS;
    gone = wrong = 0;
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    shop_close(&shop);
    return 0;
}

static uint64_t holds(void)
{
    return fg_admission_gauges(shop.admissions[0])->holds;
}

static uint32_t at_ms(uint64_t at_ns)
{
    return (uint32_t)((at_ns - SHOP_NOW_NS) / 1000000);
}

/* A flush; each EXPIRE is held against its order's deadline: `request` is when it was admitted. A
 * hold lasts through the millisecond of its deadline. */
static void flush(uint32_t late_ms)
{
    unsigned n = fg_lane_drain(&shop.lanes[0], events, SHOP_LANE);
    for (unsigned i = 0; i < n; i++) {
        if (events[i].kind != FG_EVENT_EXPIRE)
            continue;
        uint32_t due = (uint32_t)events[i].request + HOLD_MS + 1, at = at_ms(events[i].at_ns);
        gone++;
        wrong += at < due || at > due + late_ms;
    }
    fg_lane_publish(&shop.lanes[0]);
}

/* One loop. No more than the bound runs out in it. */
static void loop(uint32_t late_ms)
{
    uint64_t before = holds();
    shop_poll(&shop);
    assert_true(before - holds() <= LOOPS_MAX);
    flush(late_ms);
}

static void tick(void)
{
    shop.now.ms++;
    shop.now.wall_ns += 1000000;
}

/* `count` orders of as many buyers, admitted now. */
static void admit(uint32_t first, uint32_t count)
{
    uint8_t payload[2048];
    struct fg_request asks[FG_ENTRIES_MAX];
    for (uint32_t done = 0; done < count;) {
        unsigned n = 0;
        for (; n < FG_ENTRIES_MAX && done < count; n++, done++)
            asks[n] = shop_request(&shop, 0, FG_OP_ORDER, first + done, at_ms(shop.now.wall_ns),
                                   ITEM_HELD, 1);
        shop_send(&shop, 0, payload, asks, n);
        flush(0);
        shop_poll(&shop);
        assert_ptr_equal(shop_ready(&shop, 0), payload);
        for (unsigned i = 0; i < n; i++)
            assert_verdict(shop_reply(payload, i), ADMITTED, FG_HELD);
    }
}

/* As many come in each millisecond as one loop may run out: with two loops a millisecond, each hold
 * ends in its own millisecond, over all levels of the wheel. */
static void a_million_holds_end_in_their_millisecond(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < HOLDS; first += PER_MS) {
        admit(first, HOLDS - first < PER_MS ? HOLDS - first : PER_MS);
        loop(0);
        tick();
    }
    assert_int_equal(holds(), HOLDS);
    assert_int_equal(gone, 0);
    assert_int_equal(fg_stock_free_units(&shop.stock, ITEM_HELD - 1), 0);
    for (uint32_t ms = 0; ms <= HOLD_MS + 1; ms++, tick()) {
        loop(0);
        loop(0);
    }
    flush(0);
    assert_int_equal(gone, HOLDS);
    assert_int_equal(wrong, 0);
    assert_int_equal(holds(), 0);
    shop_poll(&shop);
    assert_int_equal(fg_stock_free_units(&shop.stock, ITEM_HELD - 1), HOLDS);
}

/* All at once: each is moved in the wheel once and ended once, so it takes its loops; nobody's hold
 * ends early, and none is forgotten. */
static void a_million_holds_of_one_millisecond(void **state)
{
    (void)state;
    admit(0, HOLDS);
    assert_int_equal(holds(), HOLDS);
    for (uint32_t ms = 0; ms <= HOLD_MS; ms++, tick())
        loop(0);
    assert_int_equal(holds(), HOLDS);
    unsigned loops = 0;
    for (; holds() > 0; loops++)
        loop(0); /* time stands still: each in its millisecond */
    assert_in_range(loops, HOLDS / LOOPS_MAX, 2 * HOLDS / LOOPS_MAX + 1);
    flush(0);
    assert_int_equal(gone, HOLDS);
    assert_int_equal(wrong, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
    const struct CMUnitTest tests[] = {
        TEST(a_million_holds_end_in_their_millisecond),
        TEST(a_million_holds_of_one_millisecond),
    };
    return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
