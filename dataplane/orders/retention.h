/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each segment is still needed for: of which sales it holds order events, and up to which
 * sale_seq. Inside orders only.
 *
 * The journal thread (recovery, before it runs) notes what it writes; a segment it has left is
 * handed over, under a lock that is held for a few instructions, to the storage helper, which
 * removes the oldest one when it may go.
 */
#ifndef FG_ORDERS_RETENTION_H
#define FG_ORDERS_RETENTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/orders/event.h"

/* One segment. Written by the journal thread until it is handed over, read-only after it. */
struct fg_use {
    struct fg_use *next; /* the segment after it; under the lock */
    uint32_t segment;
    uint64_t last_at_ns; /* greatest of its order events; 0: it holds none */
    unsigned count, room;
    struct fg_use_sale {
        uint32_t sale;
        uint64_t last_seq; /* sale_seq of the sale's last event in it */
    } * sales;
};

struct fg_uses {
    /* journal thread */
    struct fg_use *current; /* of the segment being written, or NULL */
    uint32_t *place;        /* by sale number: its place in `current`, from 1; 0: not in it */
    /* by sale number: sequence of the frame that archived it, 0: none. journal: w, helper: ro */
    _Atomic uint64_t *archived_at;

    pthread_mutex_t lock;           /* of what follows */
    bool broken;                    /* memory was short: nothing goes before the next start */
    struct fg_use *oldest, *newest; /* handed over; journal thread appends, helper takes */
};

/* 0 or -ENOMEM. */
int fg_uses_init(struct fg_uses *uses);
void fg_uses_fini(struct fg_uses *uses);

/* Journal thread: segment `number` is written from now on, and its base is durable; the one before
 * is handed over. */
void fg_uses_begin(struct fg_uses *uses, uint32_t number);
/* Journal thread: an order event, its sale_seq set and its sale number checked, goes into the
 * current segment. */
void fg_uses_order(struct fg_uses *uses, const struct fg_order_event *event);
/* Journal thread: the frame `sequence` archives a sale, its number checked. */
void fg_uses_archived(struct fg_uses *uses, uint32_t sale, uint64_t sequence);

/* Storage helper: the oldest segment that was handed over, or NULL. It stays until it is dropped.
 */
const struct fg_use *fg_uses_oldest(struct fg_uses *uses);
/* Storage helper: forgets the oldest one. */
void fg_uses_drop(struct fg_uses *uses);

#endif
