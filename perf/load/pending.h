/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The datagrams that wait for their answer, found by name (time_ns).
 *
 * Open addressing with linear probing. The place of a name is the name itself without its lowest
 * bits: names are clock readings, so datagrams sent one after the other lie side by side, the
 * table is walked in the order of time, and neither sending nor receiving misses the cache, however
 * large the table is. A removed entry leaves no mark: those behind it move up.
 */
#ifndef LOAD_PENDING_H
#define LOAD_PENDING_H

#include <stdbool.h>
#include <stdint.h>

struct load_pending_entry {
    uint64_t time_ns; /* 0: free */
    uint32_t record;  /* place of its first entry in the history */
    uint32_t count;   /* entries of the datagram */
};

struct load_pending {
    struct load_pending_entry *entries;
    uint64_t mask;
    uint64_t count;
    uint64_t limit; /* most entries: three quarters of the places */
};

/* Room for at least `capacity` names. 0 or -ENOMEM. */
int load_pending_init(struct load_pending *pending, uint64_t capacity);
void load_pending_fini(struct load_pending *pending);

static inline bool load_pending_full(const struct load_pending *pending)
{
    return pending->count >= pending->limit;
}

/* The table is not full, time_ns is not 0 and not in the table. */
void load_pending_insert(struct load_pending *pending, uint64_t time_ns, uint32_t record,
                         uint32_t count);

/* The entry of that name, or NULL. Good until the next insert or remove. */
struct load_pending_entry *load_pending_find(struct load_pending *pending, uint64_t time_ns);
void load_pending_remove(struct load_pending *pending, struct load_pending_entry *entry);

#endif
