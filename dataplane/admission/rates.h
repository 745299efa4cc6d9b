/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates: how often a key, and a buyer in one sale, may ask.
 *
 * A bucket is one stamp: when it will be full again. What is left until then is its debt; a request
 * adds its cost to it, the time that earns one request, and time pays it off. (That is the virtual
 * scheduling form of the leaky bucket: GCRA, ITU-T I.371.) A new order passes while the debt stays
 * within the bucket's depth, the time that earns a burst. What repeats or settles an order may go
 * half a depth further, and costs half as much there: it is refused at twice the rate only. What is
 * refused pays nothing. So nothing is ever divided, and what is told to wait for is exact.
 *
 * Buyers. A small table that forgets: sets of four 16-byte places, one cache line, found by a
 * seeded hash of buyer and sale. Who has no place has a full bucket; the newcomer takes the place
 * that is needed least, the one with the least debt. So it catches who asks often, and whom it
 * forgets has only gained by it. A bucket's tag is 32 bits of the hash behind those that choose the
 * set: that two buyers share one is a matter of 1 in 10^9, with all places taken. Changed rates are
 * another hash: everybody begins anew. Who is refused again and again comes under a penalty
 * (penalty.h), which no changed rate ends, but that there is none any more.
 *
 * Copies. Whoever sees a buyer's datagrams can send them again, and must not use up the buyer's
 * bucket by that. So a bucket keeps the newest time_ns that has asked, whatever became of it, and
 * two debts: `all` and `own`. What is newer is judged by `own`, and pays into both. What is not (a
 * copy; one that was overtaken; one by a gateway whose clock is behind another's) is judged by
 * `all`, and pays into that alone; its refusals count towards no penalty. So copies leave a buyer
 * all of his burst and rate, however many they are. Who sends what is newer and what is not gets
 * two bursts and one rate: own - all only shrinks but by what is not newer, and that passes while
 * `all` is within the limits; so `all` is never above two limits, three depths.
 *   Entries of one datagram are no copies of each other: a time that is as new as the newest is
 * newer, too, where this very datagram has made it so.
 *   Of whom nothing is owed and nothing known, the newest time is taken to be one cost ago: what
 * was paid for later is still owed. So who was forgotten is not charged for old copies. Where
 * a place gives way that owes, nothing is known of who was forgotten before: the newest time is the
 * newest of the whole set then, but what lies ahead. Else their copies would seem new.
 *   One key holder's clock that is ahead, or means to be, makes what others ask for the same buyer
 * not newer for as long, a freshness window at most: that is judged by `all`, as strictly as if
 * there were no `own`.
 *   Times are compared by difference, in units of 2 us: what comes within one is not newer.
 *
 * Keys. A key's bucket has two debts as well, so that copies leave a key all of its burst and rate:
 * a buyer whose own bucket nobody can empty would else be refused for his key's. A request is no
 * copy if it is newer than what its buyer asked before, or than all that the key asked this worker;
 * the second counts alone where no buyer's bucket is asked (PING, STOCK, no sale, one without a
 * rate). What came later than FG_KEY_LATE_NS after its time is never newer than the key's: a worker
 * that a key asks seldom has seen little of it. Either may take a request for a copy that is none,
 * and then it passes as long as nobody floods; it takes no copy for new, but on a worker that has
 * not seen the original, and PING and STOCK alone are decided on any.
 *   Buyers are asked first. Who is refused for the key's rate has his back; `all` keeps one
 * request's worth at least, for places that owe nothing are given away.
 *
 * Each worker has a share of a key's rate. Control moves the shares to where the key's
 * traffic is, a few times a second, by one word for each (control/key_shares.c); until it has, all
 * shares are the same. Traffic is what is no copy: else copies to one worker would take the others'
 * shares away. What a bucket has in it when its share changes it keeps, as far as it has
 * room, so that moving shares to and fro makes nothing. A share has room for one request at least.
 *
 * Time is the worker's: milliseconds of its TSC since the engine started, which never go back.
 *
 * Threads: the owning worker; control where it says so.
 */
#ifndef FG_ADMISSION_RATES_H
#define FG_ADMISSION_RATES_H

#include <stdatomic.h>

#include "dataplane/admission/catalogue.h"
#include "dataplane/admission/penalty.h"
#include "dataplane/counters.h"

#define FG_BUYER_WAYS 4

/* Four buyers' buckets, each in one sale; what is searched lies together. */
struct fg_buyer_set {
    uint32_t tag[FG_BUYER_WAYS];
    uint32_t all[FG_BUYER_WAYS];    /* when all is paid off: ticks, compared by difference */
    uint32_t own[FG_BUYER_WAYS];    /* ... and what was newer: never later than `all` */
    uint32_t newest[FG_BUYER_WAYS]; /* of the times that have asked: stamp */
} __attribute__((aligned(64)));
static_assert(sizeof(struct fg_buyer_set) == 64, "a set is one cache line");

#define FG_RATES_KEY_SHIFT   24 /* ticks of a key's bucket: 1/2^24 ms; 10^9 a second have 16 each */
#define FG_RATES_STAMP_SHIFT 11 /* of a time in ns; they come round after 2.4 hours */

/* What came later than this after its time may be a copy, if nobody but the key tells. */
#define FG_KEY_LATE_NS UINT64_C(1000000000)

/* A worker's share of a key's rate: one cache line. */
struct fg_key_bucket {
    uint64_t all, own;   /* debts, as when they are paid off: ticks; worker only, like the next */
    uint64_t newest;     /* of the times that have asked, ns, whichever key had this place */
    uint64_t cost;       /* of the share as it is in force; 0: not used yet */
    uint64_t depth;      /* ... for one request at least */
    _Atomic uint16_t id; /* of the key that these are of; worker: rw, control: ro, like the next */
    _Atomic uint64_t asked, throttled; /* without copies; worker: rw, control: ro (relaxed) */
} __attribute__((aligned(64)));
static_assert(sizeof(struct fg_key_bucket) == 64, "a key's bucket is one cache line");

struct fg_rates {
    struct fg_buyer_set *buyers;
    uint32_t set_mask;
    uint32_t swept;       /* the set that was looked through last */
    uint32_t ticks;       /* now, of the buyers' buckets */
    uint32_t wall;        /* now, of datagrams' times: stamp */
    uint32_t name;        /* the time of the datagram whose entries ask: stamp */
    uint32_t moved_count; /* ... that has become the newest of so many places: `moved` */
    uint32_t now_ms;      /* as last told */
    bool copy;            /* the buyer asked last was asked for by what may be a copy */
    bool key_newer;       /* the datagram is newer than what its key has asked */
    unsigned paid_way;    /* where the buyer asked last has paid */
    uint32_t paid;        /* ... and so much */
    struct fg_buyer_set *paid_set;
    uint64_t time_ns; /* of the datagram; 0: it comes late */
    uint64_t elapsed_ms;
    unsigned workers;
    struct fg_counters *counters;
    struct fg_penalties penalties;
    struct fg_key_bucket *keys;
    struct fg_key_bucket *key_passed; /* of the key let pass last in this loop; NULL: none */
    _Atomic uint64_t *costs; /* by a key's place: what control gives this worker; 0: an even part */
    const uint32_t *moved[FG_ENTRIES_MAX];
};

/* `buyers`: how many the table has room for; a power of two, 0: FG_BUYER_BUCKETS. 0 or -ENOMEM. */
int fg_rates_init(struct fg_rates *rates, unsigned workers, uint32_t buyers,
                  const struct fg_penalty_rule *rule, struct fg_counters *counters);
void fg_rates_fini(struct fg_rates *rates);

/* How many buyers' buckets take a quarter of a second-level cache of so many bytes, within reason;
 * 0: its size is not known. */
uint32_t fg_rates_buyers(long cache_bytes);

/* The time that a loop decides by. */
void fg_rates_tick(struct fg_rates *rates, uint32_t now_ms);

/* The entries that ask from now on are of a datagram with this time, by the sender's clock. */
static inline void fg_rates_datagram(struct fg_rates *rates, uint64_t time_ns, uint64_t wall_ns)
{
    rates->name = (uint32_t)(time_ns >> FG_RATES_STAMP_SHIFT);
    rates->wall = (uint32_t)(wall_ns >> FG_RATES_STAMP_SHIFT);
    rates->moved_count = 0;
    rates->time_ns = time_ns + FG_KEY_LATE_NS > wall_ns ? time_ns : 0;
    rates->key_newer = false;
}

/* Asks for one more request of a key, after that of a buyer (fg_rates_buyer(), in rates_buyer.h),
 * and pays for it. `settles`: it repeats or settles an order, and no penalty bears on it. `exempt`:
 * the buyer never comes under one. `named`: the buyer asked last is who asks with this key; else it
 * is nobody, or in a sale without a rate. False: it asks too often, and will not in *wait_ms. */
bool fg_rates_key(struct fg_rates *rates, const struct fg_key *key, unsigned place, bool settles,
                  bool named, uint32_t *wait_ms);
/* The buyer asked last, in a sale with a rate, was refused for the key's: gets back what it paid.
 */
void fg_rates_buyer_back(struct fg_rates *rates);
/* Was the buyer that was asked last asked for by what may be a copy, so that nothing is to be held
 * against him? */
static inline bool fg_rates_copy(const struct fg_rates *rates)
{
    return rates->copy;
}
/* How long a buyer's penalty in the sale with this number has still to go, ms; 0: it is under none.
 */
uint32_t fg_rates_penalty(const struct fg_rates *rates, uint32_t sale, uint64_t hash);

/* --- Control --- */

/* Puts a buyer's rate into an item, requests a second, 0: none; and a key's rate into a key. */
void fg_rates_set_item(struct fg_item *item, uint32_t rate, uint32_t burst);
void fg_rates_set_key(struct fg_key *key, uint32_t rate, uint32_t burst);

/* A worker's share of a key's rate, as the cost of a request; how often it was asked for one by the
 * key with this id, and refused it, without what may be copies: 0 if the place is another's yet.
 * Any thread. */
uint64_t fg_rates_share(const struct fg_rates *rates, const struct fg_key *key, unsigned place);
uint64_t fg_rates_asked(const struct fg_rates *rates, unsigned place, uint16_t id);
uint64_t fg_rates_throttled(const struct fg_rates *rates, unsigned place, uint16_t id);
/* In the order in which it is called: take from the ones before giving to the others. 0: an even
 * part of whatever the rate is. */
void fg_rates_give(struct fg_rates *rates, unsigned place, uint64_t cost);

#endif
