/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches: what delivery has read and not yet appended, gathered by sale, in bounded memory. One
 * thread. The records are copied, for what the log reader gives does not last.
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
    bool flushing; /* all go out */
};

/* `size` is 1..FG_REDIS_APPEND_MAX. 0 or -ENOMEM. */
int fg_batches_init(struct fg_batches *batches, unsigned size);
void fg_batches_fini(struct fg_batches *batches);

/* Adds the stream's next record; only while fg_batches_next() is NULL. */
void fg_batches_gather(struct fg_batches *batches, struct fg_stream *stream,
                       const struct fg_record *record);

/* The log has no more for now: every batch goes out. */
void fg_batches_flush(struct fg_batches *batches);

/* The batch that must go out before more is gathered, or NULL. */
struct fg_batch *fg_batches_next(const struct fg_batches *batches);

/* Forgets what is gathered for one stream, or for all. */
void fg_batches_drop(struct fg_batches *batches, struct fg_stream *stream);
void fg_batches_clear(struct fg_batches *batches);

#endif
