/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches: what delivery has read and not yet appended, gathered by sale, in bounded memory. One
 * thread. The records are copied, for what the log reader gives does not last.
 *
 * One batch at most is flying: it was sent, or is to be sent again. Meanwhile its sale's next
 * records are gathered in another, which may be sent behind it (delivery_redis.c); whatever else
 * is gathered waits until the flying one has landed.
 */
#ifndef FG_ORDERS_BATCHES_H
#define FG_ORDERS_BATCHES_H

#include "dataplane/orders/streams.h"

/* Consecutive records of one sale. */
struct fg_batch {
    struct fg_stream *stream; /* NULL: free */
    unsigned count;
    struct fg_record records[FG_REDIS_APPEND_MAX];
    struct fg_order_event events[FG_REDIS_APPEND_MAX];
};

struct fg_batches {
    struct fg_batch *all;
    unsigned size; /* records of a full batch */
    unsigned used;
    struct fg_batch *full;
    struct fg_batch *flying;
    bool flushing; /* all go out */
};

/* `size` is 1..FG_REDIS_APPEND_MAX. 0 or -ENOMEM. */
int fg_batches_init(struct fg_batches *batches, unsigned size);
void fg_batches_fini(struct fg_batches *batches);

/* More may be gathered: none is full, and they are not to go out. */
bool fg_batches_room(const struct fg_batches *batches);

/* Adds the stream's next record; only while there is room. */
void fg_batches_gather(struct fg_batches *batches, struct fg_stream *stream,
                       const struct fg_record *record);

/* The log has no more for now: every batch goes out. */
void fg_batches_flush(struct fg_batches *batches);

/* The batch that must go out before more is gathered, or NULL. */
struct fg_batch *fg_batches_next(const struct fg_batches *batches);

/* It goes out now, or again. */
void fg_batches_fly(struct fg_batches *batches, struct fg_batch *batch);
/* The flying one is where it belongs. */
void fg_batches_land(struct fg_batches *batches);

/* Forgets what is flying and gathered for one stream, or for all. */
void fg_batches_drop(struct fg_batches *batches, struct fg_stream *stream);
void fg_batches_clear(struct fg_batches *batches);

#endif
