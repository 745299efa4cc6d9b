/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker has seen of each key: how many of its datagrams were authentic, when the last one
 * came, and how many had the right mac and a time outside the freshness window. Of the last of
 * these it keeps how far its time was off and where it came from: one of the two clocks is wrong,
 * and an operator wants to know whose. One cache line for each key and worker, written where the
 * datagram arrives, by its worker alone.
 *
 * Copies of what was sent before the engine began to serve are not counted here: no clock is wrong.
 *
 * Threads: its worker writes; control and metrics read, relaxed, through fg_key_watch_read().
 */
#ifndef FG_ADMISSION_KEY_WATCH_H
#define FG_ADMISSION_KEY_WATCH_H

#include <assert.h>
#include <stdatomic.h>

#include "dataplane/count.h"
#include "dataplane/ip.h"

struct fg_key_watch {
    _Atomic uint64_t id; /* key that the line is of, and one; 0: of none yet */
    _Atomic uint64_t accepted;
    _Atomic uint64_t seen_ns; /* wall clock of the last one accepted; 0: none */
    _Atomic uint64_t stale;
    _Atomic uint64_t stale_ns; /* wall clock of the last one; 0: none, or it is being written */
    _Atomic int64_t skew_ns;   /* its time less the engine's */
    _Atomic uint64_t source_high, source_low;
} __attribute__((aligned(64)));
static_assert(sizeof(struct fg_key_watch) == 64, "a key's line of a worker");

/* A line, or the sum of some: the last ones of all are those that came last. */
struct fg_key_sight {
    uint64_t accepted, seen_ns;
    uint64_t stale, stale_ns;
    int64_t skew_ns;
    struct fg_ip source;
};

/* One for each place of a ring, or NULL; the caller frees it. */
struct fg_key_watch *fg_key_watch_create(void);

/* The worker: a datagram of the key at this line is authentic; it is stale. */
static inline void fg_key_watch_accepted(struct fg_key_watch *line, uint16_t id, uint64_t wall_ns);
void fg_key_watch_stale(struct fg_key_watch *line, uint16_t id, uint64_t time_ns, uint64_t wall_ns,
                        struct fg_ip source);

/* The worker: another key has the place. */
void fg_key_watch_begin(struct fg_key_watch *line, uint16_t id);

static inline void fg_key_watch_accepted(struct fg_key_watch *line, uint16_t id, uint64_t wall_ns)
{
    if (fg_count_read(&line->id) != id + UINT64_C(1))
        fg_key_watch_begin(line, id);
    fg_count_add(&line->accepted, 1);
    atomic_store_explicit(&line->seen_ns, wall_ns, memory_order_relaxed);
}

/* Any thread: adds what the line tells of this key, nothing if it is of another. */
void fg_key_watch_read(const struct fg_key_watch *line, uint16_t id, struct fg_key_sight *sight);

/* Of two times the signed difference, in ns, as far as 63 bits go. */
int64_t fg_key_skew(uint64_t time_ns, uint64_t wall_ns);

#endif
