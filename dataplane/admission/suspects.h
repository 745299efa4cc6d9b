/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Suspects: who is refused for its rate most, for an operator to see.
 *
 * A sketch of the heavy hitters of a stream: Space-Saving (A. Metwally, D. Agrawal, A. El Abbadi,
 * "Efficient computation of frequent and top-k elements in data streams", ICDT 2005), in sets, so
 * that what one refusal costs is bounded. A sketch has eight sets of sixteen places; a seeded hash
 * chooses the set. Who has a place counts there. Who has none takes the place of the one that
 * counts least in the set, with its count, and one more: that count is by how much it may be too
 * high. So whoever has more than a sixteenth of what its set has been told of is in it, and no
 * count is too low. A set is three lines for what is searched and the place that is found.
 *
 * It forgets: every FG_SUSPECT_HALVED_MS all counts are halved, a set after the other; who counts
 * less than one is gone.
 *
 * There is one of buyers in a sale and one of keys. Noted to on refusals only. Time is the
 * worker's, in ms. Threads: the owning worker.
 */
#ifndef FG_ADMISSION_SUSPECTS_H
#define FG_ADMISSION_SUSPECTS_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ip.h"
#include "flashgate/protocol.h"

#define FG_SUSPECT_SETS      8
#define FG_SUSPECT_WAYS      16
#define FG_SUSPECTS_MAX      (FG_SUSPECT_SETS * FG_SUSPECT_WAYS)
#define FG_SUSPECT_HALVED_MS 60000

struct fg_suspect {
    uint8_t buyer[FG_BUYER_BYTES]; /* zero: a key */
    struct fg_ip source;           /* of the last one; zero: not told */
    uint32_t sale;                 /* number; 0: a key */
    uint16_t key;                  /* id; of a buyer: that of the last one */
    uint16_t reserved;
    uint32_t count; /* refused, halved each while */
    uint32_t error; /* ... by how much that may be too high */
    uint32_t first_ms, last_ms;
    uint32_t penalty_ms; /* has still to go; filled in for an answer */
};
static_assert(sizeof(struct fg_suspect) == 64, "a suspect is one cache line");

struct fg_suspects {
    uint32_t tags[FG_SUSPECT_SETS][FG_SUSPECT_WAYS];
    uint32_t counts[FG_SUSPECT_SETS][FG_SUSPECT_WAYS]; /* 0: the place is free */
    struct fg_suspect places[FG_SUSPECT_SETS][FG_SUSPECT_WAYS];
    uint32_t halved_ms; /* when a set was, last */
    uint32_t next_set;
} __attribute__((aligned(64)));

/* One was refused: buyer, sale, key and source of `who`. `hash`: of what it is known by, seeded. */
void fg_suspects_note(struct fg_suspects *suspects, uint64_t hash, const struct fg_suspect *who,
                      uint32_t now_ms);

/* Forgets what time has made old: a set at most. */
void fg_suspects_tick(struct fg_suspects *suspects, uint32_t now_ms);

/* Copies all of them, in no order; returns how many. */
unsigned fg_suspects_list(const struct fg_suspects *suspects,
                          struct fg_suspect list[FG_SUSPECTS_MAX]);

#endif
