/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where each sale's stream stands in the log: the rules of delivery that need neither Redis nor
 * disk. A pass reads the log from its first segment. A stream whose last id is known is SEEKING
 * until that id has gone by; from then on it is LIVE and its records are to be appended. One that
 * does not fit the log stops (FOREIGN, LOST_BEYOND_LOG).
 *
 * Threads: all of it belongs to the delivery thread, but for fg_streams_state().
 */
#ifndef FG_ORDERS_STREAMS_H
#define FG_ORDERS_STREAMS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "dataplane/orders/delivery.h"

struct fg_batch;

struct fg_stream {
    uint32_t sale;
    char name[FG_SALE_NAME_MAX + 1]; /* empty: only its position was met so far */
    enum fg_stream_state state;
    struct fg_stream_id last;   /* what it ends with, as far as is known */
    struct fg_stream_id passed; /* the sale's last record in this pass; at first the base's */
    bool claimed;               /* `last` was read from it at least once */
    struct fg_batch *batch;     /* delivery: what waits to be appended; NULL: nothing */
    uint64_t logged;            /* greatest sale_seq ever read */
    uint64_t delivered;         /* sale_seq up to which the stream has the log's events */
};

struct fg_streams {
    struct fg_stream **by_sale; /* FG_SALES_EVER_MAX + 1 */
    _Atomic uint8_t *states;    /* of the same, for other threads */
    uint32_t greatest;          /* sale number known */
    uint32_t seeking;           /* streams in SEEKING */
    uint64_t lag;               /* events read from the log and not in their stream */
};

/* 0 or -ENOMEM. */
int fg_streams_init(struct fg_streams *streams);
void fg_streams_fini(struct fg_streams *streams);

/* NULL if the sale is not known. */
struct fg_stream *fg_streams_lookup(const struct fg_streams *streams, uint32_t sale);
/* The sale's stream, made if it is not known; NULL if the number is out of range or memory short.
 */
struct fg_stream *fg_streams_insert(struct fg_streams *streams, uint32_t sale);

/* A new pass begins at the start of the log. */
void fg_streams_rewind(struct fg_streams *streams);

/* The stream ends with `last` and is sought from now on. */
void fg_stream_claimed(struct fg_streams *streams, struct fg_stream *stream,
                       struct fg_stream_id last);

/* A base record of the log: the sale's last record before its segment. */
void fg_stream_based(struct fg_streams *streams, struct fg_stream *stream,
                     struct fg_stream_id passed);

enum fg_stream_verdict {
    FG_STREAM_SKIP,   /* it has the record, or has stopped */
    FG_STREAM_TAKE,   /* the record is the next one to append */
    FG_STREAM_BROKEN, /* the log's records of this sale are not consecutive */
};

/* The pass has come to the sale's record `id`. `place` false: only counts it. */
enum fg_stream_verdict fg_stream_pass(struct fg_streams *streams, struct fg_stream *stream,
                                      struct fg_stream_id id, bool place);

/* The pass has read all there is: whatever is still sought is not in the log. */
void fg_streams_end(struct fg_streams *streams);

/* The stream now ends with `last`, appended by us. */
void fg_stream_appended(struct fg_streams *streams, struct fg_stream *stream,
                        struct fg_stream_id last);

/* Gives the stream up, for a reason that is a state. */
void fg_stream_stop(struct fg_streams *streams, struct fg_stream *stream,
                    enum fg_stream_state state);

/* Is a stream that was asked again, and now ends with `last`, worth seeking anew? */
bool fg_stream_moved(const struct fg_stream *stream, struct fg_stream_id last);

/* Any thread. */
enum fg_stream_state fg_streams_state(const struct fg_streams *streams, uint32_t sale);

static inline bool fg_stream_id_equal(struct fg_stream_id a, struct fg_stream_id b)
{
    return a.epoch == b.epoch && a.sale_seq == b.sale_seq;
}

#endif
