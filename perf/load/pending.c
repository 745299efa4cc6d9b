/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/pending.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "perf/load/memory.h"

/* A core sends a datagram every 60 ns at its very best: a place for each such stretch of time. */
#define NAME_SHIFT 6

static inline uint64_t home(const struct load_pending *pending, uint64_t time_ns)
{
    return (time_ns >> NAME_SHIFT) & pending->mask;
}

int load_pending_init(struct load_pending *pending, uint64_t capacity)
{
    uint64_t places = 64;

    while (places / 4 * 3 < capacity)
        places *= 2;
    *pending = (struct load_pending){.mask = places - 1, .limit = places / 4 * 3};
    pending->entries = load_memory_map(places * sizeof(*pending->entries));
    if (!pending->entries)
        return -ENOMEM;
    /* The whole table is walked in a fraction of a second. */
    load_memory_prefault(pending->entries, places * sizeof(*pending->entries));
    return 0;
}

void load_pending_fini(struct load_pending *pending)
{
    load_memory_unmap(pending->entries, (pending->mask + 1) * sizeof(*pending->entries));
    *pending = (struct load_pending){0};
}

void load_pending_insert(struct load_pending *pending, uint64_t time_ns, uint32_t record,
                         uint32_t count)
{
    uint64_t at = home(pending, time_ns);

    assert(time_ns != 0 && !load_pending_full(pending));
    while (pending->entries[at].time_ns != 0)
        at = (at + 1) & pending->mask;
    pending->entries[at] = (struct load_pending_entry){time_ns, record, count};
    pending->count++;
}

struct load_pending_entry *load_pending_find(struct load_pending *pending, uint64_t time_ns)
{
    if (time_ns == 0)
        return NULL;
    for (uint64_t at = home(pending, time_ns);; at = (at + 1) & pending->mask) {
        struct load_pending_entry *entry = &pending->entries[at];
        if (entry->time_ns == time_ns)
            return entry;
        if (entry->time_ns == 0)
            return NULL;
    }
}

void load_pending_remove(struct load_pending *pending, struct load_pending_entry *entry)
{
    uint64_t hole = (uint64_t)(entry - pending->entries);

    for (uint64_t at = (hole + 1) & pending->mask; pending->entries[at].time_ns != 0;
         at = (at + 1) & pending->mask) {
        /* It may fill the hole unless its home lies behind the hole. */
        uint64_t from_home = (at - home(pending, pending->entries[at].time_ns)) & pending->mask;
        uint64_t from_hole = (at - hole) & pending->mask;
        if (from_home >= from_hole) {
            pending->entries[hole] = pending->entries[at];
            hole = at;
        }
    }
    pending->entries[hole].time_ns = 0;
    pending->count--;
}
