/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rates of one worker by themselves, for tests of buyers' and keys' buckets and of penalties: a
 * clock, a table, a rule, and buyers who ask by datagrams of their own.
 */
#ifndef FG_TESTS_RATES_FIXTURE_H
#define FG_TESTS_RATES_FIXTURE_H

#include "tests/unit/shop.h"

#include "dataplane/admission/internal.h"

static struct fg_rates rates;
static struct fg_counters counters;
static uint64_t chance;
static uint64_t start_ns;     /* the wall clock where the engine's is 0 */
static uint64_t last_time_ns; /* of a datagram */
static const struct fg_penalty_rule no_penalties;

static inline uint64_t draw(uint64_t below)
{
    return fg_random_next(&chance) % below;
}

static inline uint64_t count(enum fg_counter which)
{
    return fg_count_read(&counters.count[which]);
}

static inline void begin_under(uint32_t now_ms, uint32_t buyers, unsigned workers,
                               const struct fg_penalty_rule *rule)
{
    chance = 77;
    start_ns = SHOP_NOW_NS;
    last_time_ns = 0;
    memset(&counters, 0, sizeof(counters));
    assert_int_equal(fg_rates_init(&rates, workers, buyers, rule, &counters), 0);
    fg_rates_tick(&rates, now_ms);
}

static inline void begin(uint32_t now_ms, uint32_t buyers, unsigned workers)
{
    begin_under(now_ms, buyers, workers, &no_penalties);
}

static inline void end(void)
{
    fg_rates_fini(&rates);
}

/* Time passes as in a worker: a loop at least every 100 ms. */
static inline void pass(uint32_t ms)
{
    for (; ms > 100; ms -= 100)
        fg_rates_tick(&rates, rates.now_ms + 100);
    fg_rates_tick(&rates, rates.now_ms + ms);
}

static inline uint64_t wall_ns(void)
{
    return start_ns + rates.elapsed_ms * 1000000;
}

/* The entries that ask from now on are of a datagram that was sent just now; returns its time. */
static inline uint64_t datagram(void)
{
    uint64_t next_ns = last_time_ns + SHOP_APART_NS;

    last_time_ns = wall_ns() > next_ns ? wall_ns() : next_ns;
    fg_rates_datagram(&rates, last_time_ns, wall_ns());
    return last_time_ns;
}

static inline struct fg_item item_in(uint32_t sale, uint32_t rate, uint32_t burst)
{
    struct fg_item item = {.id = sale, .sale = sale};

    fg_rates_set_item(&item, rate, burst);
    return item;
}

/* Seeded as the book's hash is: any number will do. */
static inline uint64_t buyer_hash(uint64_t number)
{
    uint64_t state = number + 1;

    return fg_random_next(&state) ^ fg_random_next(&state) << 7;
}

/* One more entry of the datagram that came last. */
static inline bool ask_more(const struct fg_item *item, uint64_t buyer, bool settles,
                            uint32_t *wait_ms)
{
    return fg_rates_buyer(&rates, item, buyer_hash(buyer), settles, false, wait_ms);
}

static inline bool ask(const struct fg_item *item, uint64_t buyer, bool settles, uint32_t *wait_ms)
{
    datagram();
    return ask_more(item, buyer, settles, wait_ms);
}

#endif
