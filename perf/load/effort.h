/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How hard the generator itself had to work: what it could not do must not be told of the engine.
 * The time of every turn of its loop goes to what the turn was like.
 */
#ifndef LOAD_EFFORT_H
#define LOAD_EFFORT_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_EFFORT_SLOT_NS UINT64_C(100000000)

struct load_effort {
    bool flat_out;                     /* set at the start: there is no schedule */
    uint64_t last_ns;                  /* end of the last turn; 0: none yet */
    uint64_t total_ns, busy_ns;        /* of all turns; of those with something to do */
    uint64_t late_ns;                  /* behind the schedule */
    uint64_t own_late_ns;              /* of it: although the wire had room */
    uint64_t held_ns;                  /* flat out or late, and the wire or the window was full */
    uint64_t bursts, full_bursts;      /* handed to the port; of those it did not take whole */
    uint64_t slot_ns, slot_sent, best; /* most requests sent within a slot */
};

/* What a turn of the loop was like. */
struct load_turn {
    bool worked;   /* something came, went or expired */
    bool late;     /* what was due a millisecond ago has not left */
    bool held;     /* the wire had no room, or the window was full */
    uint64_t sent; /* requests, since the start */
};

/* At the end of every turn; the first call only starts the clock. */
void load_effort_turn(struct load_effort *effort, uint64_t now_ns, const struct load_turn *turn);

/* Was the generator, and nothing else, what the rate was limited by? With a schedule: it was late
 * by itself for more than a twentieth of the time. Flat out: whatever takes its datagrams was full
 * for less than that. */
bool load_effort_limited(const struct load_effort *effort);

/* Part of all the time, 0 to 1. */
double load_effort_share(const struct load_effort *effort, uint64_t ns);

/* Requests a second in the best slot. */
uint64_t load_effort_best(const struct load_effort *effort);

#endif
