/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/admission/rates_buyer.h"

#include <errno.h>

#include "dataplane/memory.h"

#define BUYER_SHIFT 6 /* ticks of a buyer's bucket: 1/64 ms, so they come round after 18 hours */

/* A worker that stood still so long begins with an empty table: stamps must not come round. */
#define STOOD_STILL_MS (60 * 60 * 1000)

#define BUYERS_LEAST 4096  /* 64 KiB */
#define BUYERS_MOST  65536 /* 1 MiB */

#define DEPTHS_MOST 3 /* of debt, a buyer's and a key's: see rates.h */

/* --- A bucket --- */

/* Who is in `debt` asks for one more. True: *value is the debt after it; else how long to wait. */
static inline bool pay(uint64_t debt, uint64_t cost, uint64_t depth, bool settles, uint64_t *value)
{
    *value = debt + cost;
    if (*value <= depth)
        return true;
    if (!settles) {
        *value -= depth;
        return false;
    }
    *value = debt + (cost + (debt < depth ? depth - debt : 0)) / 2;
    if (*value <= depth + depth / 2)
        return true;
    *value -= depth + depth / 2;
    return false;
}

static inline uint32_t whole_ms(uint64_t ticks, unsigned shift)
{
    return (uint32_t)((ticks + (UINT64_C(1) << shift) - 1) >> shift);
}

/* --- Buyers --- */

/* Nobody's, as of now. */
static inline void clear_place(const struct fg_rates *rates, struct fg_buyer_set *set, unsigned way)
{
    set->tag[way] = 0;
    set->all[way] = set->own[way] = rates->ticks;
    set->newest[way] = rates->wall - FG_RATES_LONG_AGO;
}

uint32_t fg_rates_penalty(const struct fg_rates *rates, uint32_t sale, uint64_t hash)
{
    return fg_penalties_left(&rates->penalties, fg_rates_penalty_hash(sale, hash));
}

static inline uint32_t debt_of(const struct fg_rates *rates, const struct fg_item *item,
                               uint32_t full)
{
    int32_t debt = (int32_t)(full - rates->ticks);

    return debt < 0 || (uint32_t)debt > DEPTHS_MOST * item->rate_depth ? 0 : (uint32_t)debt;
}

/* Is it this datagram whose time is the newest of that place? */
bool fg_rates_moved_now(const struct fg_rates *rates, const uint32_t *newest)
{
    for (uint32_t i = 0; i < rates->moved_count && i < FG_ENTRIES_MAX; i++)
        if (rates->moved[i] == newest)
            return true;
    return false;
}

/* It asks too often, and its bucket says when it will not. A new order told so counts towards a
 * penalty, or begins one, unless it may be a copy. */
static bool refuse_buyer(struct fg_rates *rates, uint32_t sale, uint64_t hash, bool counts,
                         uint32_t *wait_ms)
{
    fg_count(rates->counters,
             rates->copy ? FG_COUNTER_THROTTLED_COPIES : FG_COUNTER_THROTTLED_BUYER);
    if (!counts || rates->copy)
        return false;
    uint32_t penalty_ms =
        fg_penalties_refused(&rates->penalties, fg_rates_penalty_hash(sale, hash));
    if (penalty_ms > *wait_ms)
        *wait_ms = penalty_ms;
    return false;
}

bool fg_rates_under_penalty(struct fg_rates *rates, const struct fg_item *item, uint64_t hash,
                            uint32_t *wait_ms)
{
    *wait_ms = fg_rates_penalty(rates, item->sale, hash);
    if (*wait_ms == 0)
        return false;
    fg_count(rates->counters, FG_COUNTER_THROTTLED_PENALTY);
    return true;
}

bool fg_rates_known(struct fg_rates *rates, const struct fg_item *item, uint64_t hash,
                    struct fg_buyer_set *set, unsigned way, bool settles, bool exempt,
                    uint32_t *wait_ms)
{
    uint32_t all = debt_of(rates, item, set->all[way]), own = debt_of(rates, item, set->own[way]);
    bool newer = fg_rates_is_newer(rates, item, &set->newest[way], all > 0);
    uint32_t debt = newer ? own : all;
    uint64_t value;

    rates->copy = !newer;
    if (!pay(debt, item->rate_cost, item->rate_depth, settles, &value)) {
        *wait_ms = whole_ms(value, BUYER_SHIFT);
        return refuse_buyer(rates, item->sale, hash, !settles && !exempt, wait_ms);
    }
    fg_rates_pay_into(rates, set, way, all, own, (uint32_t)value - debt);
    return true;
}

void fg_rates_buyer_back(struct fg_rates *rates)
{
    uint32_t *all = &rates->paid_set->all[rates->paid_way];
    uint32_t *own = &rates->paid_set->own[rates->paid_way];

    *own -= rates->copy ? 0 : rates->paid;
    *all -= rates->paid;
    if ((int32_t)(*all - rates->ticks) < (int32_t)rates->paid)
        *all = rates->ticks + rates->paid; /* is remembered as long as if it had passed */
}

/* Stamps that have passed follow the time, so that none ever seems to lie ahead. */
static void sweep_set(struct fg_rates *rates, uint32_t number)
{
    struct fg_buyer_set *set = fg_rates_set(rates, number);

    for (unsigned way = 0; way < FG_BUYER_WAYS; way++)
        if ((int32_t)(set->all[way] - rates->ticks) <= 0)
            clear_place(rates, set, way);
}

/* --- Keys --- */

uint64_t fg_rates_share(const struct fg_rates *rates, const struct fg_key *key, unsigned place)
{
    uint64_t cost = atomic_load_explicit(&rates->costs[place], memory_order_relaxed);

    return cost ? cost : key->rate_cost * rates->workers;
}

static uint64_t count_of(const struct fg_key_bucket *bucket, const _Atomic uint64_t *count,
                         uint16_t id)
{
    /* acquire: pairs with the release in take_up() */
    if (atomic_load_explicit(&bucket->id, memory_order_acquire) != id)
        return 0;
    return fg_count_read(count);
}

uint64_t fg_rates_asked(const struct fg_rates *rates, unsigned place, uint16_t id)
{
    return count_of(&rates->keys[place], &rates->keys[place].asked, id);
}

uint64_t fg_rates_throttled(const struct fg_rates *rates, unsigned place, uint16_t id)
{
    return count_of(&rates->keys[place], &rates->keys[place].throttled, id);
}

void fg_rates_give(struct fg_rates *rates, unsigned place, uint64_t cost)
{
    /* release: what was taken from others before is written before it; a worker needs no more than
     * the word itself */
    atomic_store_explicit(&rates->costs[place], cost, memory_order_release);
}

static inline uint64_t key_debt(uint64_t full, uint64_t now)
{
    return full > now ? full - now : 0;
}

/* What is left of the depth, or lacks, stays that many requests when their cost changes. */
static uint64_t converted(const struct fg_key_bucket *bucket, uint64_t debt, uint64_t cost,
                          uint64_t depth, uint64_t most)
{
    __int128 left = (int64_t)bucket->depth - (int64_t)debt;
    int64_t after = (int64_t)depth - (int64_t)(left * (int64_t)cost / (int64_t)bucket->cost);

    return after < 0 ? 0 : (uint64_t)after > most ? most : (uint64_t)after;
}

/* The share or the burst has changed, or the place has another key. What is in the bucket stays in
 * it; another key begins with a full one, and is counted anew. */
static void take_up(struct fg_key_bucket *bucket, const struct fg_key *key, uint64_t cost,
                    uint64_t depth, uint64_t now)
{
    uint64_t all = 0, own = 0;

    if (bucket->cost != 0 && bucket->id == key->id) {
        all = converted(bucket, key_debt(bucket->all, now), cost, depth, DEPTHS_MOST * depth);
        own = converted(bucket, key_debt(bucket->own, now), cost, depth, depth + depth / 2);
    }
    if (bucket->id != key->id) {
        atomic_store_explicit(&bucket->asked, 0, memory_order_relaxed);
        atomic_store_explicit(&bucket->throttled, 0, memory_order_relaxed);
        /* release: who finds the key here finds nothing of the one before */
        atomic_store_explicit(&bucket->id, key->id, memory_order_release);
    }
    bucket->cost = cost;
    bucket->depth = depth;
    bucket->all = now + all;
    bucket->own = now + own;
}

static bool refuse_key(struct fg_rates *rates, struct fg_key_bucket *bucket, bool newer,
                       uint64_t ticks, uint32_t *wait_ms)
{
    if (newer)
        fg_count_add(&bucket->throttled, 1);
    fg_count(rates->counters, newer ? FG_COUNTER_THROTTLED_KEY : FG_COUNTER_THROTTLED_COPIES);
    *wait_ms = whole_ms(ticks, FG_RATES_KEY_SHIFT);
    return false;
}

bool fg_rates_key(struct fg_rates *rates, const struct fg_key *key, unsigned place, bool settles,
                  bool named, uint32_t *wait_ms)
{
    if (key->rate_cost == 0)
        return true;
    struct fg_key_bucket *bucket = &rates->keys[place];
    uint64_t now = rates->elapsed_ms << FG_RATES_KEY_SHIFT, value;
    uint64_t cost = fg_rates_share(rates, key, place);
    uint64_t depth = key->rate_depth > cost ? key->rate_depth : cost;
    if (cost != bucket->cost || depth != bucket->depth || key->id != bucket->id)
        take_up(bucket, key, cost, depth, now);
    bool newer = fg_rates_key_newer(rates, bucket) | (named & !rates->copy);
    uint64_t all = key_debt(bucket->all, now), own = key_debt(bucket->own, now);
    uint64_t debt = newer ? own : all;
    fg_count_add(&bucket->asked, newer);
    if (!pay(debt, cost, bucket->depth, settles, &value))
        return refuse_key(rates, bucket, newer, value, wait_ms);
    bucket->all = now + all + (value - debt);
    bucket->own = now + own + (newer ? value - debt : 0);
    rates->key_passed = bucket;
    return true;
}

/* --- Time --- */

void fg_rates_tick(struct fg_rates *rates, uint32_t now_ms)
{
    uint32_t passed = now_ms - rates->now_ms;

    rates->key_passed = NULL;
    if (passed == 0)
        return;
    rates->now_ms = now_ms;
    rates->elapsed_ms += passed;
    rates->ticks = now_ms << BUYER_SHIFT;
    if (passed >= STOOD_STILL_MS)
        for (uint32_t i = 0; i <= rates->set_mask; i++)
            for (unsigned way = 0; way < FG_BUYER_WAYS; way++)
                clear_place(rates, fg_rates_set(rates, i), way);
    rates->swept = (rates->swept + 1) & rates->set_mask;
    sweep_set(rates, rates->swept);
    fg_penalties_tick(&rates->penalties, now_ms);
}

/* --- Making --- */

uint32_t fg_rates_buyers(long cache_bytes)
{
    uint32_t buyers = BUYERS_LEAST;

    if (cache_bytes <= 0)
        return FG_BUYER_BUCKETS;
    while (buyers < BUYERS_MOST && 2 * buyers / FG_BUYER_WAYS * sizeof(struct fg_buyer_set) <=
                                       (unsigned long)cache_bytes / 4)
        buyers *= 2;
    return buyers;
}

int fg_rates_init(struct fg_rates *rates, unsigned workers, uint32_t buyers,
                  const struct fg_penalty_rule *rule, struct fg_counters *counters)
{
    buyers = buyers ? buyers : FG_BUYER_BUCKETS;
    *rates = (struct fg_rates){
        .workers = workers, .set_mask = buyers / FG_BUYER_WAYS - 1, .counters = counters};
    rates->buyers = fg_memory_zeroed(buyers / FG_BUYER_WAYS, sizeof(*rates->buyers));
    rates->keys = fg_memory_zeroed(FG_KEYS_MAX, sizeof(*rates->keys));
    rates->costs = fg_memory_zeroed(FG_KEYS_MAX, sizeof(*rates->costs));
    bool penalties = fg_penalties_init(&rates->penalties, rule, counters) == 0;
    return rates->buyers && rates->keys && rates->costs && penalties ? 0 : -ENOMEM;
}

void fg_rates_fini(struct fg_rates *rates)
{
    free(rates->buyers);
    free(rates->keys);
    free((void *)rates->costs);
    fg_penalties_fini(&rates->penalties);
}

/* --- Control --- */

/* Rounded in the buyer's favour. */
void fg_rates_set_item(struct fg_item *item, uint32_t rate, uint32_t burst)
{
    item->rate_cost = rate ? (UINT32_C(1000) << BUYER_SHIFT) / rate : 0;
    item->rate_depth = item->rate_cost * (burst ? burst : rate);
    item->rate_salt = (item->sale * UINT32_C(0x9E3779B1)) ^ (item->rate_depth << 7) ^
                      item->rate_cost * UINT32_C(0x85EBCA6B);
}
static_assert((UINT64_C(1000) << BUYER_SHIFT) * FG_BUYER_BURST_MAX * DEPTHS_MOST < INT32_MAX,
              "debts are compared by difference");
static_assert((UINT64_C(1000) * FG_BUYER_BURST_MAX * DEPTHS_MOST + 2 * FG_FRESHNESS_MS_MAX +
               BUYERS_MOST / FG_BUYER_WAYS) *
                      1000000 >>
                  FG_RATES_STAMP_SHIFT < INT32_MAX,
              "times of datagrams, too: a place lasts as long as it owes, and until it is swept");
static_assert((UINT64_C(1) << FG_RATES_STAMP_SHIFT) * FG_RATES_STAMPS_A_TICK < 1000000 >>
                  BUYER_SHIFT,
              "a cost in stamps is not longer than one in ticks");
static_assert((UINT64_C(1000) << BUYER_SHIFT) / FG_BUYER_RATE_MAX >= 64,
              "rounding makes a rate greater by one in 64 at most");

/* Rounded down: shares never come to more than the rate. */
void fg_rates_set_key(struct fg_key *key, uint32_t rate, uint32_t burst)
{
    key->rate_cost = rate ? ((UINT64_C(1000) << FG_RATES_KEY_SHIFT) + rate - 1) / rate : 0;
    key->rate_depth = key->rate_cost * (burst ? burst : rate);
}
