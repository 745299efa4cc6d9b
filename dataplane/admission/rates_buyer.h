/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The part of rates.h that nearly every order goes through, to be inlined: the buyer's set is
 * found, he has no place in it, and gets one. Threads: the owning worker.
 */
#ifndef FG_ADMISSION_RATES_BUYER_H
#define FG_ADMISSION_RATES_BUYER_H

#include <rte_prefetch.h>
#include <smmintrin.h>

#include "dataplane/admission/rates.h"

#define FG_RATES_STAMPS_A_TICK 7 /* a tick of a buyer's bucket has a little more */
#define FG_RATES_LONG_AGO      (UINT32_C(1) << 30) /* stamps: longer than a cost */

/* Where a buyer's bucket is: the set, and in the upper half the tag. */
static inline uint64_t fg_rates_mixed(const struct fg_item *item, uint64_t hash)
{
    hash = (hash ^ item->rate_salt) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static inline struct fg_buyer_set *fg_rates_set(const struct fg_rates *rates, uint64_t hash)
{
    return &rates->buyers[hash & rates->set_mask];
}

/* Of a sale, whatever its rate. */
static inline uint64_t fg_rates_penalty_hash(uint32_t sale, uint64_t hash)
{
    hash = (hash ^ sale * UINT64_C(0xC2B2AE3D27D4EB4F)) * UINT64_C(0x165667B19E3779F9);
    return hash ^ hash >> 32;
}

/* Fetches what fg_rates_buyer() will look at into the cache. */
static inline void fg_rates_prefetch(const struct fg_rates *rates, const struct fg_item *item,
                                     uint64_t hash)
{
    if (item->rate_cost == 0)
        return;
    rte_prefetch0(fg_rates_set(rates, fg_rates_mixed(item, hash)));
    if (rates->penalties.any)
        rte_prefetch0(fg_penalties_set(&rates->penalties, fg_rates_penalty_hash(item->sale, hash)));
}

/* The least of four numbers. */
static inline int fg_rates_least_of(__m128i numbers)
{
    numbers = _mm_min_epi32(numbers, _mm_shuffle_epi32(numbers, _MM_SHUFFLE(1, 0, 3, 2)));
    numbers = _mm_min_epi32(numbers, _mm_shuffle_epi32(numbers, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtsi128_si32(numbers);
}

/* The place with the least debt, for who has none; *owes: there is some. Which it is nobody can
 * foretell, so it is found without a branch: by debts that end, instead of in their last bits, in
 * the place's number. */
static inline unsigned fg_rates_least(const struct fg_rates *rates, const struct fg_buyer_set *set,
                                      bool *owes)
{
    __m128i debts =
        _mm_sub_epi32(_mm_load_si128((const __m128i *)set->all), _mm_set1_epi32((int)rates->ticks));
    __m128i numbered = _mm_or_si128(_mm_andnot_si128(_mm_set1_epi32(FG_BUYER_WAYS - 1), debts),
                                    _mm_set_epi32(3, 2, 1, 0));
    int least = fg_rates_least_of(numbered);

    *owes = least >= FG_BUYER_WAYS;
    return (unsigned)least % FG_BUYER_WAYS;
}
static_assert(FG_BUYER_WAYS == 4, "a set's debts are one vector");

/* The newest time that anybody of a set has asked with, and that does not lie ahead; long ago, if
 * nobody `owes`. Without a branch: where the table is nearly full, some sets owe and some do not,
 * and nobody can foretell which. */
static inline uint32_t fg_rates_newest(const struct fg_rates *rates, const struct fg_buyer_set *set,
                                       bool owes)
{
    __m128i ages = _mm_sub_epi32(_mm_set1_epi32((int)rates->wall),
                                 _mm_load_si128((const __m128i *)set->newest));
    __m128i ahead = _mm_cmplt_epi32(ages, _mm_setzero_si128());
    __m128i nobody = _mm_set1_epi32((int)owes - 1); /* all ones, or none */
    __m128i unknown = _mm_or_si128(ahead, nobody);

    ages = _mm_blendv_epi8(ages, _mm_set1_epi32((int)FG_RATES_LONG_AGO), unknown);
    return rates->wall - (uint32_t)fg_rates_least_of(ages);
}

/* The buyer's place, or FG_BUYER_WAYS: it has none. */
static inline unsigned fg_rates_way(const struct fg_buyer_set *set, uint32_t tag)
{
    __m128i tags = _mm_load_si128((const __m128i *)set->tag);
    unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi32(tags, _mm_set1_epi32((int)tag)));

    return found ? (unsigned)__builtin_ctz(found) / sizeof(tag) : FG_BUYER_WAYS;
}

/* Is it this datagram whose time is the newest of that place? */
bool fg_rates_moved_now(const struct fg_rates *rates, const uint32_t *newest);

/* Is the datagram newer than what has asked before? Then its time is the newest, whatever becomes
 * of it. Of a buyer who `owes` nothing, what is older than a cost may have been paid for. */
static inline bool fg_rates_is_newer(struct fg_rates *rates, const struct fg_item *item,
                                     uint32_t *newest, bool owes)
{
    uint32_t floor = rates->wall - item->rate_cost * FG_RATES_STAMPS_A_TICK;

    if (!owes && (int32_t)(floor - *newest) > 0)
        *newest = floor;
    int32_t by = (int32_t)(rates->name - *newest);
    if (by <= 0)
        return by == 0 && fg_rates_moved_now(rates, newest);
    *newest = rates->name;
    rates->moved[rates->moved_count++ % FG_ENTRIES_MAX] = newest;
    return true;
}

/* Pays into the debts of a place, which are `all` and `own` before. */
static inline void fg_rates_pay_into(struct fg_rates *rates, struct fg_buyer_set *set, unsigned way,
                                     uint32_t all, uint32_t own, uint32_t paid)
{
    set->all[way] = rates->ticks + all + paid;
    set->own[way] = rates->ticks + own + (rates->copy ? 0 : paid);
    rates->paid_set = set;
    rates->paid_way = way;
    rates->paid = paid;
}

/* Who has no place, as nearly everybody, has a full bucket, and pays out of that. */
static inline void fg_rates_newcomer(struct fg_rates *rates, const struct fg_item *item,
                                     struct fg_buyer_set *set, uint32_t tag)
{
    bool owes;
    unsigned way = fg_rates_least(rates, set, &owes);

    fg_count_add(&rates->counters->count[FG_COUNTER_BUYERS_FORGOTTEN], owes);
    set->newest[way] = fg_rates_newest(rates, set, owes);
    set->tag[way] = tag;
    rates->copy = !fg_rates_is_newer(rates, item, &set->newest[way], false);
    fg_rates_pay_into(rates, set, way, 0, 0, item->rate_cost);
}

/* rates.c: the rest of fg_rates_buyer(), for who has a place in his set, or is under a penalty. */
bool fg_rates_known(struct fg_rates *rates, const struct fg_item *item, uint64_t hash,
                    struct fg_buyer_set *set, unsigned way, bool settles, bool exempt,
                    uint32_t *wait_ms);
bool fg_rates_under_penalty(struct fg_rates *rates, const struct fg_item *item, uint64_t hash,
                            uint32_t *wait_ms);

/* A buyer (his seeded hash) asks for one more request in the sale of an item, and pays for it:
 * `settles`, `exempt` and *wait_ms as in rates.h. */
static inline bool fg_rates_buyer(struct fg_rates *rates, const struct fg_item *item, uint64_t hash,
                                  bool settles, bool exempt, uint32_t *wait_ms)
{
    rates->copy = false;
    if (item->rate_cost == 0)
        return true;
    if (rates->penalties.any && !settles && !exempt &&
        fg_rates_under_penalty(rates, item, hash, wait_ms))
        return false;
    uint64_t place = fg_rates_mixed(item, hash);
    struct fg_buyer_set *set = fg_rates_set(rates, place);
    unsigned way = fg_rates_way(set, (uint32_t)(place >> 32));
    if (way != FG_BUYER_WAYS)
        return fg_rates_known(rates, item, hash, set, way, settles, exempt, wait_ms);
    fg_rates_newcomer(rates, item, set, (uint32_t)(place >> 32));
    return true;
}

/* Is it newer than all that its key has asked here? Then it is the newest, whatever becomes of it;
 * so are all entries of its datagram. */
static inline bool fg_rates_key_newer(struct fg_rates *rates, struct fg_key_bucket *bucket)
{
    if (rates->time_ns > bucket->newest) {
        bucket->newest = rates->time_ns;
        rates->key_newer = true;
    }
    return rates->key_newer;
}

/* fg_rates_key(), short for the key that was let pass last in this loop: what it paid then is still
 * owed, and its share is in force already. */
static inline bool fg_rates_key_again(struct fg_rates *rates, const struct fg_key *key,
                                      unsigned place, bool settles, bool named, uint32_t *wait_ms)
{
    struct fg_key_bucket *bucket = &rates->keys[place];
    if (bucket != rates->key_passed)
        return fg_rates_key(rates, key, place, settles, named, wait_ms);
    bool newer = fg_rates_key_newer(rates, bucket) | (named & !rates->copy);
    uint64_t full = (newer ? bucket->own : bucket->all) + bucket->cost;
    if (full - (rates->elapsed_ms << FG_RATES_KEY_SHIFT) > bucket->depth)
        return fg_rates_key(rates, key, place, settles, named, wait_ms);
    fg_count_add(&bucket->asked, newer);
    bucket->all += bucket->cost;
    bucket->own += newer ? bucket->cost : 0;
    return true;
}

#endif
