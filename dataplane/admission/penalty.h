/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Penalties: who is refused for its rate again and again is not asked about its bucket for a while.
 *
 * A buyer has a place here from its first refused new order in a sale on. Its place counts refusals
 * for a window of time, from the first of them; when there are as many as the rule says, a penalty
 * begins, and every new order of the buyer in that sale is refused until it ends, with the whole
 * rest of it told. What is refused meanwhile counts for nothing: who waits as told is not punished
 * again. The next penalty lasts twice as long, up to the most; after a time of the most without one
 * it begins anew.
 *
 * The table is small, and looked at only by new orders, and only while anybody is under a penalty;
 * it is written to only by refusals: sets of four 16-byte places, one cache line, found by a seeded
 * hash of buyer and sale. A buyer under a penalty never gives its place away. Of the others, the
 * one with the least on record does. So nobody is rid of a penalty before its time by having others
 * ask; what refused orders without a penalty came to, four others in the same set with more of them
 * can make forgotten, and where all four are under penalties a fifth is not counted. A tag is 32
 * bits of the hash behind those that choose the set: that a buyer is taken for one under a penalty
 * is a matter of 1 in 10^9, with all places taken.
 *
 * Time is the worker's, in ms. Threads: the owning worker.
 */
#ifndef FG_ADMISSION_PENALTY_H
#define FG_ADMISSION_PENALTY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/counters.h"

#define FG_PENALTY_WAYS 4

/* What an operator has configured. */
struct fg_penalty_rule {
    uint32_t after;     /* refused new orders of a buyer in a sale; 0: there are no penalties */
    uint32_t within_ms; /* ... from the first of them on */
    uint32_t first_ms;  /* how long the first penalty lasts */
    uint32_t most_ms;   /* ... and any, at most */
};

struct fg_penalty {
    uint32_t tag;
    uint32_t until_ms;  /* the last penalty's end, where `penalties` is not 0 */
    uint32_t since_ms;  /* of the first of `refused` */
    uint16_t refused;   /* new orders, in this window */
    uint16_t penalties; /* in a row; it and `refused` 0: the place is free */
};
static_assert(FG_PENALTY_WAYS * sizeof(struct fg_penalty) == 64, "a set is one cache line");

struct fg_penalties {
    struct fg_penalty_rule rule;
    struct fg_penalty *places;
    uint32_t set_mask;
    uint32_t swept;     /* the set that was looked through last */
    uint32_t now_ms;    /* as last told */
    uint32_t latest_ms; /* no penalty ends later, while `any` */
    bool any;           /* somebody may be under a penalty */
    struct fg_counters *counters;
};

/* 0 or -ENOMEM. */
int fg_penalties_init(struct fg_penalties *penalties, const struct fg_penalty_rule *rule,
                      struct fg_counters *counters);
void fg_penalties_fini(struct fg_penalties *penalties);

/* The time that a loop decides by, when it has moved on. */
void fg_penalties_tick(struct fg_penalties *penalties, uint32_t now_ms);

/* How long a buyer's penalty has still to go, ms; 0: it is under none. `hash`: seeded, of buyer and
 * sale. */
uint32_t fg_penalties_left(const struct fg_penalties *penalties, uint64_t hash);

/* A new order was refused for the buyer's rate. Does that begin a penalty? Then it is how long, ms;
 * else 0. */
uint32_t fg_penalties_refused(struct fg_penalties *penalties, uint64_t hash);

/* The four places of which one may be a buyer's. */
static inline struct fg_penalty *fg_penalties_set(const struct fg_penalties *penalties,
                                                  uint64_t hash)
{
    return &penalties->places[(size_t)FG_PENALTY_WAYS * (hash & penalties->set_mask)];
}

#endif
