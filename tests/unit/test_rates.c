/* SPDX-License-Identifier: BSD-3-Clause */
/* The buckets of buyers and keys, by themselves: what passes, what waits, and for how long. */
#include "tests/unit/shop.h"

#include "dataplane/admission/internal.h"

static struct fg_rates rates;
static struct fg_counters counters;
static const struct fg_penalty_rule rule; /* no penalties */
static uint64_t chance;

static uint64_t draw(uint64_t below)
{
    return fg_random_next(&chance) % below;
}

static void begin(uint32_t now_ms, uint32_t buyers, unsigned workers)
{
    chance = 77;
    memset(&counters, 0, sizeof(counters));
    assert_int_equal(fg_rates_init(&rates, workers, buyers, &rule, &counters), 0);
    fg_rates_tick(&rates, now_ms);
}

static void end(void)
{
    fg_rates_fini(&rates);
}

/* Time passes as in a worker: a loop at least every 100 ms. */
static void pass(uint32_t ms)
{
    for (; ms > 100; ms -= 100)
        fg_rates_tick(&rates, rates.now_ms + 100);
    fg_rates_tick(&rates, rates.now_ms + ms);
}

static struct fg_item item_of(uint32_t rate, uint32_t burst)
{
    struct fg_item item = {.id = 1, .sale = 1};
    fg_rates_set_item(&item, rate, burst);
    return item;
}

/* Seeded as the book's hash is: any number will do. */
static uint64_t buyer_hash(uint64_t number)
{
    uint64_t state = number + 1;
    return fg_random_next(&state) ^ fg_random_next(&state) << 7;
}

static bool ask(const struct fg_item *item, uint64_t buyer, bool settles, uint32_t *wait_ms)
{
    return fg_rates_buyer(&rates, item, buyer_hash(buyer), settles, false, wait_ms);
}

static void test_without_a_rate_all_pass(void **state)
{
    (void)state;
    struct fg_item item = item_of(0, 0);
    uint32_t wait_ms;
    begin(5, 1024, 1);
    for (int i = 0; i < 100000; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    end();
}

static void test_burst_then_rate(void **state)
{
    (void)state;
    struct fg_item item = item_of(4, 3);
    uint32_t wait_ms = 0;
    begin(5, 1024, 1);
    for (int i = 0; i < 3; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    assert_int_equal(wait_ms, 250);
    assert_true(ask(&item, 2, false, &wait_ms)); /* another has its own */
    pass(249);
    assert_false(ask(&item, 1, false, &wait_ms));
    assert_int_equal(wait_ms, 1);
    pass(1);
    assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    pass(1000000); /* never more than a burst */
    for (int i = 0; i < 3; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    item = item_of(4, 0); /* changed: begins anew, and as many as rate */
    for (int i = 0; i < 4; i++)
        assert_true(ask(&item, 1, false, &wait_ms));
    assert_false(ask(&item, 1, false, &wait_ms));
    assert_int_equal(fg_count_read(&counters.count[FG_COUNTER_THROTTLED_BUYER]), 5);
    end();
}

static void test_sales_are_apart(void **state)
{
    (void)state;
    struct fg_item one = item_of(1, 1), two = {.id = 2, .sale = 2};
    uint32_t wait_ms;
    fg_rates_set_item(&two, 1, 1);
    begin(5, 1024, 1);
    assert_true(ask(&one, 1, false, &wait_ms));
    assert_true(ask(&two, 1, false, &wait_ms));
    assert_false(ask(&one, 1, false, &wait_ms));
    assert_false(ask(&two, 1, false, &wait_ms));
    end();
}

/* Whatever the rate, and whatever was asked before: refused at one millisecond less, passes then.
 */
static void test_wait_is_right(void **state)
{
    (void)state;
    begin(UINT32_MAX - 100000, 1024, 1); /* the clock comes round on the way */
    for (int run = 0; run < 2000; run++) {
        struct fg_item item = item_of(1 + (uint32_t)draw(FG_BUYER_RATE_MAX), (uint32_t)draw(20));
        uint64_t buyer = draw(UINT64_MAX);
        for (int i = 0; i < 200; i++) {
            bool settles = draw(3) == 0;
            uint32_t wait_ms, again_ms;
            if (draw(3) == 0)
                pass((uint32_t)draw(20));
            if (ask(&item, buyer, settles, &wait_ms))
                continue;
            assert_in_range(wait_ms, 1, 11000); /* half a burst of 20 at most, and one more */
            pass(wait_ms - 1);
            if (wait_ms > 1) {
                assert_false(ask(&item, buyer, settles, &again_ms));
                assert_int_equal(again_ms, 1);
            }
            pass(1);
            assert_true(ask(&item, buyer, settles, &wait_ms));
        }
    }
    end();
}

/* Requests that pass of one who asks `times` as often as its rate allows, for a minute. */
static uint64_t hammer(uint32_t rate, uint32_t burst, unsigned times, bool settles)
{
    struct fg_item item = item_of(rate, burst);
    uint64_t passed = 0, asked = 0, asks = (uint64_t)rate * times * 60;
    uint32_t wait_ms;
    begin(UINT32_MAX - 30000, 1024, 1);
    for (uint32_t ms = 0; ms < 60000; ms++) {
        for (; asked * 60000 < asks * (ms + UINT64_C(1)); asked++)
            passed += ask(&item, 7, settles, &wait_ms);
        pass(1);
    }
    end();
    return passed;
}

static void test_who_hammers_gets_its_rate(void **state)
{
    (void)state;
    for (uint32_t rate = 1; rate <= 100; rate = rate * 3 + 1) {
        uint64_t fair = rate * 60, burst = 5, slack = fair / 64 + 1; /* of rounding */
        assert_in_range(hammer(rate, 5, 10, false), fair + burst - 1, fair + burst + slack);
        assert_in_range(hammer(rate, 5, 10, true), 2 * fair + 2 * burst - 2,
                        2 * (fair + burst + slack));
        assert_int_equal(hammer(rate, 5, 2, true),
                         2 * fair); /* refused above twice the rate only */
        assert_int_equal(hammer(rate, 5, 1, false), fair);
    }
}

/* However many others ask, and however often, one who keeps to the rate always passes. */
static void test_the_honest_are_never_throttled(void **state)
{
    (void)state;
    enum { HONEST = 500, OTHERS = 200000, SECONDS = 100 };
    static uint32_t next_ms[HONEST];
    const uint32_t rate = 2, burst = 4, start_ms = UINT32_MAX - 40000;
    struct fg_item item = item_of(rate, burst);
    uint64_t caught = 0;
    uint32_t wait_ms;
    begin(start_ms, 8192, 1);
    for (int i = 0; i < HONEST; i++)
        next_ms[i] = start_ms + (uint32_t)draw(1000);
    for (uint32_t ms = 0; ms < SECONDS * 1000; ms++) {
        for (int i = 0; i < HONEST; i++) {
            if (next_ms[i] != rates.now_ms)
                continue;
            /* a burst, and then silence until it is earned again */
            uint32_t some = 1 + (uint32_t)draw(burst);
            for (uint32_t n = 0; n < some; n++)
                assert_true(ask(&item, (uint64_t)i, n > 0 && draw(2), &wait_ms));
            next_ms[i] += some * 1000 / rate + (uint32_t)draw(3) * 1000;
        }
        for (int i = 0; i < 20; i++)
            caught += !ask(&item, HONEST + draw(i < 10 ? 50 : OTHERS), false, &wait_ms);
        pass(1);
    }
    assert_true(caught > SECONDS * 1000 * 5); /* of those 50, most are */
    assert_true(fg_count_read(&counters.count[FG_COUNTER_BUYERS_FORGOTTEN]) > 0);
    end();
}

/* In a full table the place that is needed least is given away: who asks often keeps its own. */
static void test_who_owes_most_stays(void **state)
{
    (void)state;
    struct fg_item item = item_of(1, 4);
    uint64_t passed = 0, stranger = 1000;
    uint32_t wait_ms;
    begin(5, 64, 1); /* eight sets */
    for (int i = 0; i < 10000; i++) {
        passed += ask(&item, 7, false, &wait_ms);
        for (int n = 0; n < 64; n++)
            assert_true(ask(&item, stranger++, false, &wait_ms));
        passed += ask(&item, 7, false, &wait_ms);
        pass(1);
    }
    assert_in_range(passed, 10, 20); /* 10 s at 1 a second, and a burst; of 20000 */
    end();
}

/* Stamps come round after 18 hours: nobody is taken for one in debt because of that. */
static void test_old_stamps_never_lie_ahead(void **state)
{
    (void)state;
    enum { BUYERS = 64 }; /* most places are never used */
    struct fg_item item = item_of(1, 1000);
    uint32_t wait_ms;
    begin(0, 8192, 1);
    for (uint32_t ms = 0; ms < 80 * 3600 * 1000u; ms += 900) {
        uint64_t buyer = draw(BUYERS);
        /* who waits for longer than a bucket's depth has a full one */
        assert_true(ask(&item, buyer, false, &wait_ms));
        if (ms < 30 * 3600 * 1000u && draw(10000) == 0)
            fg_rates_tick(&rates, rates.now_ms + 20u * 3600 * 1000); /* it stood still */
        fg_rates_tick(&rates, rates.now_ms + 900);
    }
    for (uint32_t i = 0; i <= rates.set_mask; i++)
        for (unsigned way = 0; way < FG_BUYER_WAYS; way++)
            assert_in_range(rates.buyers[i * FG_BUYER_WAYS + way].full - rates.ticks +
                                (UINT32_C(1) << 30),
                            0, (UINT32_C(1) << 30) + 3 * 1000 * 64 * 1000 / 2);
    end();
}

static void test_the_table_goes_by_the_cache(void **state)
{
    (void)state;
    assert_int_equal(fg_rates_buyers(0), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(-1), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(1 << 20), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(1280 << 10), FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(2 << 20), 2 * FG_BUYER_BUCKETS);
    assert_int_equal(fg_rates_buyers(1), 8192);
    assert_int_equal(fg_rates_buyers(1L << 40), 131072);
}

/* --- keys --- */

static struct fg_key key_of(uint32_t rate, uint32_t burst)
{
    struct fg_key key = {.id = 7};
    fg_rates_set_key(&key, rate, burst);
    return key;
}

static uint64_t use_key(const struct fg_key *key, uint64_t asks, bool settles)
{
    uint64_t passed = 0;
    uint32_t wait_ms;
    while (asks-- > 0)
        passed += fg_rates_key(&rates, key, 3, settles, &wait_ms);
    return passed;
}

/* Of one worker of four: an even part, until control says something else. */
static void test_a_key_has_an_even_part(void **state)
{
    (void)state;
    struct fg_key key = key_of(4000000, 400000);
    uint32_t wait_ms;
    begin(UINT32_MAX - 500, 1024, 4);
    assert_int_equal(use_key(&key, 300000, false), 100000);
    for (int ms = 0; ms < 1000; ms++) {
        pass(1);
        assert_in_range(use_key(&key, 5000, false), 998, 1001);
    }
    assert_false(fg_rates_key(&rates, &key, 3, false, &wait_ms));
    assert_int_equal(wait_ms, 1);
    assert_int_equal(use_key(&key, 300000, true), 100000); /* half a depth more, at half the cost */
    assert_int_equal(fg_count_read(&rates.keys[3].asked), 300000 + 5000 * 1000 + 1 + 300000);
    assert_int_equal(fg_count_read(&counters.count[FG_COUNTER_THROTTLED_KEY]),
                     fg_count_read(&rates.keys[3].throttled));
    key = key_of(0, 0);
    assert_int_equal(use_key(&key, 300000, false), 300000);
    end();
}

static void test_a_share_has_room_for_one(void **state)
{
    (void)state;
    struct fg_key key = key_of(1, 1);
    uint32_t wait_ms;
    begin(5, 1024, 4);
    assert_true(fg_rates_key(&rates, &key, 3, false, &wait_ms));
    assert_false(fg_rates_key(&rates, &key, 3, false, &wait_ms));
    assert_int_equal(wait_ms, 4000);
    pass(3999);
    assert_false(fg_rates_key(&rates, &key, 3, false, &wait_ms));
    pass(1);
    assert_true(fg_rates_key(&rates, &key, 3, false, &wait_ms));
    end();
}

/* Shares that move to and fro make nothing; what is in the bucket stays. */
static void test_changed_shares_make_nothing(void **state)
{
    (void)state;
    struct fg_key key = key_of(100000, 10000);
    uint64_t passed = 0, fair;
    begin(5, 1024, 1);
    for (int turn = 0; turn < 4000; turn++) {
        uint64_t part = 1 + (uint64_t)(turn & 1) * 9; /* a tenth of the rate, and all */
        atomic_store(&rates.costs[3], key.rate_cost * part);
        passed += use_key(&key, draw(300), false);
        pass(1);
    }
    fair = 4 * 100000 * 55 / 100;
    assert_in_range(passed, fair - fair / 50, fair + 10000 + fair / 50);
    /* ... and of another key in that place nothing is known */
    key.id = 8;
    atomic_store(&rates.costs[3], key.rate_cost);
    assert_int_equal(use_key(&key, 20000, false), 10000);
    atomic_store(&rates.costs[3], key.rate_cost * 2);
    assert_int_equal(use_key(&key, 20000, false), 0);
    atomic_store(&rates.costs[3], key.rate_cost);
    assert_int_equal(use_key(&key, 20000, false), 0);
    end();
}

/* --- decisions --- */

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
        cmocka_unit_test(test_without_a_rate_all_pass),
        cmocka_unit_test(test_burst_then_rate),
        cmocka_unit_test(test_sales_are_apart),
        cmocka_unit_test(test_wait_is_right),
        cmocka_unit_test(test_who_hammers_gets_its_rate),
        cmocka_unit_test(test_the_honest_are_never_throttled),
        cmocka_unit_test(test_who_owes_most_stays),
        cmocka_unit_test(test_old_stamps_never_lie_ahead),
        cmocka_unit_test(test_the_table_goes_by_the_cache),
        cmocka_unit_test(test_a_key_has_an_even_part),
        cmocka_unit_test(test_a_share_has_room_for_one),
        cmocka_unit_test(test_changed_shares_make_nothing),
        cmocka_unit_test(test_orders_of_a_buyer),
        cmocka_unit_test(test_the_order_of_checks),
        cmocka_unit_test(test_what_a_key_pays),
        cmocka_unit_test(test_every_wait_has_up_to_a_quarter_more),
        cmocka_unit_test(test_what_waits_has_paid),
        cmocka_unit_test(test_a_buyer_that_hammers_leaves_the_key_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
