/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strangers who ask for what is sold out are refused a short way, without all checks. Two shops are
 * asked the same: one gets bursts, the other one datagram at a time, and forgets after each what
 * would let the next one go the short way. Every answer, counter and record must be the same.
 */
#define SHOP_ORDERS     65536
#define SHOP_LANE       4096
#define SHOP_PARTITIONS 2 /* so that misrouted entries are common */
#define SHOP_BUCKETS    4096
#define SHOP_PARKED     4096
/* So large that nobody is told BUSY, who may be told SOLD_OUT as well. */
#define SHOP_PENALTY                                                                               \
    {                                                                                              \
        .after = 5, .within_ms = 1000, .first_ms = 100, .most_ms = 200                             \
    }
#include "tests/unit/shop.h"

#include "dataplane/admission/internal.h"
#include "dataplane/random.h"

#define BURSTS     400
#define ENTRIES    3
#define KEYS       4
#define STRANGERS  100000
#define FEW        12
#define BLOCKED    3 /* of the few */
#define ALLOWED    4
#define SHOP_COUNT 2

static struct shop shops[SHOP_COUNT]; /* asked by bursts; one at a time */
static uint8_t payloads[SHOP_COUNT][FG_BURST][FG_REQUEST_BYTES(ENTRIES)];
static uint64_t chance;
static unsigned refused_short; /* times the short way was gone */
static unsigned copies;        /* one datagram in so many */
static uint64_t penalties;     /* how many there have been */

static uint32_t below(uint32_t limit)
{
    return (uint32_t)((fg_random_next(&chance) >> 32) * limit >> 32);
}

static void open_shops(struct fg_lists **lists, uint32_t stock, bool rated)
{
    for (unsigned s = 0; s < SHOP_COUNT; s++) {
        struct shop *shop = &shops[s];
        shop_open(shop, 1, stock);
        shop->ring.count = KEYS;
        for (unsigned k = 1; k < KEYS; k++)
            shop->ring.keys[k] = (struct fg_key){.id = (uint16_t)(7 + k), .ops = 0x7e};
        shop->ring.keys[1].ops = 1 << FG_OP_QUERY;
        shop->catalogue.key_sales[2] = 2; /* the other sale alone */
        shop->catalogue.key_sales[3] = 3;
        if (!rated)
            continue;
        for (uint32_t id = 1; id <= SHOP_ITEMS && stock % 2; id++) /* else the key's alone */
            fg_rates_set_item(shop_item(shop, id), 5, 5);
        fg_rates_set_key(&shop->ring.keys[0], 20000, 100);
        fg_rates_set_key(&shop->ring.keys[3], 1000, 20);
    }
    *lists = below(2) ? shop_lists(&shops[0], BLOCKED, ALLOWED) : NULL;
    shops[0].catalogue.lists = shops[1].catalogue.lists = *lists;
}

/* Mostly a stranger's order of one unit of one item; now and then anything. */
static struct fg_request any_request(void)
{
    bool plain = below(8) != 0;
    uint32_t buyer = below(plain ? 20 : 2) ? FEW + below(STRANGERS) : below(FEW);
    unsigned op = plain ? FG_OP_ORDER : below(FG_OP_MAX + 2);
    uint32_t item = plain ? ITEM_PLAIN : below(SHOP_ITEMS + 2);
    struct fg_request ask =
        shop_request(&shops[0], 0, op, buyer, 1 + below(4), item, (uint16_t)(plain ? 1 : below(6)));

    ask.flags = below(100) == 0;
    return ask;
}

static struct fg_datagram any_datagram(unsigned at)
{
    struct fg_request asks[ENTRIES];
    unsigned count = 1 + below(ENTRIES);
    unsigned key = below(10) ? 0 : below(KEYS);

    for (unsigned i = 0; i < count; i++)
        asks[i] = any_request();
    shop_datagram(&shops[0], payloads[0][at], asks, count);
    if (below(copies) == 0) { /* one that was overtaken, or is a copy */
        uint64_t time_ns = payload_time_ns(payloads[0][at]) - below(2000000);
        memcpy(payloads[0][at] + offsetof(struct fg_header, time_ns), &time_ns, sizeof(time_ns));
    }
    memcpy(payloads[1][at], payloads[0][at], sizeof(payloads[0][at]));
    return (struct fg_datagram){.key_place = (uint16_t)key, .count = (uint8_t)count};
}

static void decide(struct shop *shop, const struct fg_datagram *datagrams, unsigned count)
{
    fg_admission_decide(shop->admissions[0], &shop->now, &shop->catalogue, datagrams, count);
}

/* The same burst to both. */
static void ask_both(void)
{
    struct fg_datagram datagrams[SHOP_COUNT][FG_BURST];
    unsigned count = 1 + below(FG_BURST);

    copies = below(3) ? 20 : 2;
    for (unsigned d = 0; d < count; d++) {
        struct fg_datagram datagram = any_datagram(d);
        for (unsigned s = 0; s < SHOP_COUNT; s++) {
            datagram.packet = datagram.payload = payloads[s][d];
            datagrams[s][d] = datagram;
        }
    }
    decide(&shops[0], datagrams[0], count);
    refused_short += shops[0].admissions[0]->refusal.what != 0;
    for (unsigned d = 0; d < count; d++) {
        shops[1].admissions[0]->refusal.what = 0;
        shops[1].admissions[0]->rates.key_passed = NULL;
        decide(&shops[1], &datagrams[1][d], 1);
    }
}

/* What was answered a datagram of the one shop, and of the other. */
static void assert_same_answers(const struct fg_ready *a, const struct fg_ready *b)
{
    assert_int_equal(a->length, b->length);
    const uint8_t *payload = a->packet, *other = b->packet;
    for (unsigned i = 0; FG_REPLY_BYTES(i) < a->length; i++) {
        struct fg_reply one = shop_reply(payload, i), two = shop_reply(other, i);
        /* who is throttled is told how many there were, or are: both are right */
        if (one.verdict == FG_VERDICT_THROTTLED)
            one.available = two.available;
        assert_memory_equal(&one, &two, sizeof(one));
    }
}

static void assert_same(void)
{
    struct fg_ready ready[SHOP_COUNT][2 * FG_BURST];
    unsigned n[SHOP_COUNT];

    for (unsigned s = 0; s < SHOP_COUNT; s++) {
        shop_flush(&shops[s]);
        shops[s].logged = 0;
        shop_poll(&shops[s]);
        n[s] = fg_admission_ready(shops[s].admissions[0], ready[s], 2 * FG_BURST);
    }
    assert_int_equal(n[0], n[1]);
    /* Those that waited come last, in the same order in both. */
    for (unsigned i = 0; i < n[0]; i++)
        assert_same_answers(&ready[0][i], &ready[1][i]);
    const struct fg_counters *a = &shops[0].counters[0], *b = &shops[1].counters[0];
    assert_memory_equal((const void *)a->count, (const void *)b->count, sizeof(a->count));
    assert_memory_equal((const void *)a->verdicts, (const void *)b->verdicts, sizeof(a->verdicts));
    assert_int_equal(shops[0].lanes[0].queued, shops[1].lanes[0].queued);
    const struct fg_rates *rates = &shops[0].admissions[0]->rates;
    const struct fg_rates *others = &shops[1].admissions[0]->rates;
    for (unsigned k = 0; k < KEYS; k++) { /* what its share is made of */
        uint16_t id = shops[0].ring.keys[k].id;
        assert_int_equal(fg_rates_asked(rates, k, id), fg_rates_asked(others, k, id));
        assert_int_equal(fg_rates_throttled(rates, k, id), fg_rates_throttled(others, k, id));
    }
}

static void run(uint64_t seed, uint32_t stock, bool rated)
{
    struct fg_lists *lists;

    chance = seed;
    refused_short = 0;
    open_shops(&lists, stock, rated);
    for (unsigned burst = 0; burst < BURSTS; burst++) {
        ask_both();
        assert_same();
        uint32_t ms = below(20);
        bool more = below(40) == 0;   /* units come on sale again */
        uint32_t rate = below(40000); /* the key's, if it is changed */
        bool change = rated && below(10) == 0;
        for (unsigned s = 0; s < SHOP_COUNT; s++) {
            if (more)
                fg_stock_put_back(&shops[s].stock, ITEM_PLAIN - 1, 1 + ms);
            if (change)
                fg_rates_set_key(&shops[s].ring.keys[0], rate, 100 + rate / 100);
            shop_pass(&shops[s], ms);
            fg_stock_publish(&shops[s].stock, SHOP_ITEMS);
        }
    }
    assert_true(refused_short > BURSTS / 4);
    penalties += fg_count_read(&shops[0].counters[0].count[FG_COUNTER_PENALTIES]);
    for (unsigned s = 0; s < SHOP_COUNT; s++)
        shop_close(&shops[s]);
    fg_lists_destroy(lists);
}

static void without_rates(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        run(seed, (uint32_t)seed * 7, false);
}

static void within_rates(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 16; seed++)
        run(seed, (uint32_t)seed, true);
    assert_true(penalties > 0);
}

/* What waited is told what is so now, though others were refused the same meanwhile. */
static void what_waited_is_judged_anew(void **state)
{
    struct shop *shop = &shops[0];
    uint8_t *taken = payloads[0][0], *waits = payloads[0][1], *refused = payloads[0][2];
    struct fg_request ask;

    (void)state;
    shop_open(shop, 2, 1);
    ask = shop_request(shop, 1, FG_OP_ORDER, 1, 1, ITEM_PLAIN, 1);
    shop_send(shop, 1, taken, &ask, 1);
    ask = shop_request(shop, 0, FG_OP_ORDER, 2, 1, ITEM_PLAIN, 2);
    shop_send(shop, 0, waits, &ask, 1);
    assert_int_equal(fg_admission_waiting(shop->admissions[0]), 1);
    shop_flush(shop);
    fg_admission_poll(shop->admissions[1], &shop->now, &shop->catalogue);
    for (uint16_t quantity = 1; quantity <= 2; quantity++) { /* a loop looks for as many once */
        ask = shop_request(shop, 0, FG_OP_ORDER, 3, quantity, ITEM_PLAIN, quantity);
        shop_send(shop, 0, refused, &ask, 1);
        assert_ptr_equal(shop_ready(shop, 0), refused);
        assert_verdict(shop_reply(refused, 0), SOLD_OUT, 0);
    }
    shop_item(shop, ITEM_PLAIN)->paused = true;
    fg_admission_poll(shop->admissions[0], &shop->now, &shop->catalogue);
    assert_ptr_equal(shop_ready(shop, 0), waits);
    assert_verdict(shop_reply(waits, 0), PAUSED, 0);
    shop_close(shop);
}

/* Item, quantity, op and flags of such an entry are what is kept where nobody was refused. */
static void entries_of_zeros_are_no_repeats(void **state)
{
    struct shop *shop = &shops[0];
    struct fg_datagram datagram = {.packet = payloads[0][0], .payload = payloads[0][0]};
    struct fg_request asks[2];
    struct fg_ready ready;

    (void)state;
    shop_open(shop, 1, 0);
    for (uint32_t buyer = 1; buyer <= 2; buyer++) {
        asks[0] = shop_request(shop, 0, FG_OP_ORDER, buyer, 1, ITEM_PLAIN, 1);
        asks[1] = shop_request(shop, 0, 0, buyer, 2, 0, 0);
        datagram.count = 2;
        for (unsigned first = 0; first < 2; first++) { /* after a refusal, and at the beginning */
            if (first)
                asks[0].op = FG_OP_QUERY;
            shop_datagram(shop, payloads[0][0], asks, datagram.count);
            decide(shop, &datagram, 1);
            assert_int_equal(fg_admission_ready(shop->admissions[0], &ready, 1), 1);
            struct fg_reply reply = shop_reply(ready.packet, 1);
            assert_int_equal(reply.verdict, FG_VERDICT_UNSUPPORTED);
            assert_int_equal(reply.item, 0);
            assert_int_equal(reply.request, asks[1].request);
        }
    }
    shop_close(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rates),
        cmocka_unit_test(within_rates),
        cmocka_unit_test(what_waited_is_judged_anew),
        cmocka_unit_test(entries_of_zeros_are_no_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
