/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalogue: what is on sale, as one immutable snapshot.
 *
 * Control builds the next snapshot aside, publishes it with one pointer (rcu_assign_pointer), waits
 * until every worker has seen its revision, and frees the old one after a grace period. Workers
 * only read. Keys and lists are objects of their own, shared by successive snapshots.
 */
#ifndef FG_ADMISSION_CATALOGUE_H
#define FG_ADMISSION_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ip.h"
#include "flashgate/limits.h"
#include "flashgate/protocol.h"

/* X(NAME, text) */
#define FG_SALE_STATES(X)                                                                          \
    X(SCHEDULED, "scheduled")                                                                      \
    X(OPEN, "open")                                                                                \
    X(PAUSED, "paused")                                                                            \
    X(CLOSED, "closed")                                                                            \
    X(ARCHIVED, "archived")

enum fg_sale_state {
#define X(name, text) FG_SALE_##name,
    FG_SALE_STATES(X)
#undef X
        FG_SALE_STATE_COUNT
};

/* X(NAME, text): one item, whatever its sale's state is. Closed is for good. */
#define FG_ITEM_STATES(X)                                                                          \
    X(RUNNING, "running")                                                                          \
    X(PAUSED, "paused")                                                                            \
    X(CLOSED, "closed")

enum fg_item_state {
#define X(name, text) FG_ITEM_##name,
    FG_ITEM_STATES(X)
#undef X
        FG_ITEM_STATE_COUNT
};

/* X(NAME, text, help): what the whole engine does, by an operator's word. */
#define FG_ENGINE_MODES(X)                                                                         \
    X(RUNNING, "running", "sells")                                                                 \
    X(PAUSED, "paused", "ORDER is answered PAUSED; CONFIRM, CANCEL and expiry go on")              \
    X(DRAINING, "draining", "ORDER is answered BUSY; what is under way comes to its end")          \
    X(KILLED, "killed", "everything is answered BUSY")

enum fg_engine_mode {
#define X(name, text, help) FG_ENGINE_##name,
    FG_ENGINE_MODES(X)
#undef X
        FG_ENGINE_MODE_COUNT
};

enum fg_late_confirm { FG_LATE_REFUSE, FG_LATE_REACQUIRE };

/* One item on sale, with what a decision needs of its sale: one cache line. */
struct fg_item {
    uint32_t id;      /* 0: this place of the table is empty */
    uint32_t slot;    /* of its stock */
    uint32_t sale;    /* sale number */
    uint32_t hold_ms; /* 0: orders are final at once */
    uint32_t limit;   /* units a buyer may have of it; 0: no limit */
    uint16_t max_per_order;
    uint8_t sale_index;   /* bit in key rights: 0..FG_SALES_LIVE_MAX-1 */
    uint8_t state;        /* enum fg_sale_state; CLOSED, too, when the item alone is */
    uint8_t cancel_final; /* CANCEL may withdraw a final order */
    uint8_t late_confirm; /* enum fg_late_confirm */
    uint8_t paused;       /* this item alone, whatever its sale's state is */
    uint8_t reserved[5];
    uint64_t opens_ns;   /* wall clock; 0: opened by hand */
    uint64_t closes_ns;  /* wall clock; 0: closed by hand */
    uint32_t sale_limit; /* units a buyer may have over all items of the sale; 0: no limit */
    uint32_t rate_cost;  /* a buyer's rate in the sale, for rates.c: time a request; 0: none */
    uint32_t rate_depth; /* ... and time of a burst */
    uint32_t rate_salt;  /* of the hash of this rate's buckets */
} __attribute__((aligned(64)));
static_assert(sizeof(struct fg_item) == 64, "an item is one cache line");

struct fg_key {
    uint16_t id;            /* 1..65535; 0: says what unsigned datagrams may do */
    uint8_t ops;            /* bit (1 << op) for each op it may use */
    uint8_t prefixes_count; /* 0: any source */
    uint8_t secret[FG_SECRET_BYTES];
    struct fg_prefix prefixes[FG_KEY_PREFIXES_MAX];
    uint64_t rate_cost;  /* its rate, for rates.c: time a request; 0: none */
    uint64_t rate_depth; /* ... and time of a burst */
};

/* A key keeps its place from ring to ring, so what is counted by place goes on when keys change;
 * a place whose key has gone is empty: it has no ops. */
struct fg_keyring {
    uint16_t count;      /* of places, empty ones among them */
    uint32_t generation; /* of rings: 0, 1, 2 ... */
    struct fg_key keys[FG_KEYS_MAX];
};

struct fg_lists; /* lists.h */

struct fg_catalogue {
    uint64_t revision;         /* 1, 2, 3 ... */
    uint64_t issue;            /* 1, 2, 3 ...: of what was ever published, new revision or not */
    uint64_t serving_since_ns; /* wall clock: requests named before it are silence */
    uint64_t freshness_ns;
    uint64_t next_opens_ns; /* of scheduled sales the first that time will open; 0: none */
    uint64_t archives;      /* when it has grown, orders of items that are gone are forgotten */
    bool leaving; /* ... but not yet: the last sale's archiving is not durable, and a crash could
                   * undo it. What follows from its being gone is answered BUSY. */
    uint32_t item_mask;    /* places in `items`, a power of two, less one */
    uint8_t mode;          /* enum fg_engine_mode */
    struct fg_item *items; /* open addressing by fg_item_hash, linear, at most half full */
    const struct fg_keyring *keys;
    const struct fg_lists *lists;    /* of buyers and sources; NULL: nobody is listed */
    uint64_t key_sales[FG_KEYS_MAX]; /* by key's place in the ring: bit per sale_index */
};

/* Multiplicative (Knuth, TAOCP 6.4): ids follow each other, their places do not. */
static inline uint32_t fg_item_hash(uint32_t id)
{
    return (uint32_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

/* The item, or NULL. Bounded: the table is at most half full. Any thread inside its read side. */
static inline const struct fg_item *fg_catalogue_item(const struct fg_catalogue *cat, uint32_t id)
{
    if (id == 0)
        return NULL;
    for (uint32_t at = fg_item_hash(id);; at++) {
        const struct fg_item *item = &cat->items[at & cat->item_mask];
        if (item->id == id)
            return item;
        if (item->id == 0)
            return NULL;
    }
}

/* Place of a key in the ring, or -1. A site has a handful of keys. */
static inline int fg_keyring_find(const struct fg_keyring *ring, uint16_t id)
{
    for (int i = 0; i < ring->count; i++)
        if (ring->keys[i].id == id && ring->keys[i].ops != 0)
            return i;
    return -1;
}

/* In words, as JSON and the metrics have them; "?" for what is none. */
const char *fg_sale_state_name(unsigned state);
const char *fg_item_state_name(unsigned state);
const char *fg_engine_mode_name(unsigned mode);

#endif
