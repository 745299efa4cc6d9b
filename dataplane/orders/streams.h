/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where each sale's stream stands in the log: the rules of delivery that need neither Redis nor
 * disk. A pass reads the log from its first segment. A stream whose last id is known is SEEKING
 * until that id has gone by; from then on it is LIVE and its records are to be appended. One that
 * does not fit the log stops (FOREIGN, LOST_BEYOND_LOG).
 *
 * Redis is asked about a live sale in any case, and about an archived one only where the log still
 * has order events of it: what is archived and gone from the log owes nothing any more (DONE).
 *
 * Threads: all of it belongs to the delivery thread, but for the boards.
 */
#ifndef FG_ORDERS_STREAMS_H
#define FG_ORDERS_STREAMS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "dataplane/orders/delivery.h"

struct fg_batch;

/* What other threads see of a stream, and what they ask. Each field is relaxed: they are figures,
 * of which each is true by itself. */
struct fg_stream_board {
    /* delivery: rw, anyone: ro */
    _Atomic uint32_t state;     /* enum fg_stream_state */
    _Atomic bool known;         /* it has a name */
    _Atomic uint64_t logged;    /* see fg_stream_view */
    _Atomic uint64_t delivered; /* 0 while it is not certain */
    _Atomic uint64_t consumed, lag;
    _Atomic uint64_t base; /* sale_seq after which the log begins */

    _Atomic uint64_t told; /* control: rw, delivery: ro; the operator's `consumed` */
    _Atomic bool rebuild;  /* control: sets, delivery: clears */
};

/* Where the epochs of a sale's records begin, for the ids of records long past. Restarts during one
 * sale are few; with more, the oldest are forgotten. */
#define FG_STREAM_RUNS 32
struct fg_stream_runs {
    struct fg_stream_id first[FG_STREAM_RUNS]; /* of each epoch, oldest first */
    unsigned count;
};

struct fg_stream {
    uint32_t sale;
    char name[FG_SALE_NAME_MAX + 1]; /* empty: only its position was met so far */
    enum fg_stream_state state;
    bool archived;
    bool doubted;               /* `archived` only until the base that is being read names it */
    bool asked;                 /* Redis was, on this connection */
    bool met;                   /* an order event of it, in this pass */
    bool odd_told;              /* that its consumer's key is no number */
    uint64_t retry_at_ns;       /* REFUSED: when to ask again */
    struct fg_stream_id last;   /* what it ends with, as far as is known */
    struct fg_stream_id passed; /* the sale's last record in this pass; at first the base's */
    struct fg_batch *batch;     /* delivery: what is gathered to be appended; NULL: nothing */
    struct fg_stream_runs runs;
    uint64_t base;     /* sale_seq after which the log begins */
    uint64_t logged;   /* greatest sale_seq ever read */
    uint64_t there;    /* sale_seq up to which it has the log's events, as last seen */
    uint64_t consumed; /* never moves back, nor beyond what was delivered */
    uint64_t trimmed;  /* sale_seq up to which it has been trimmed since it was claimed */
};

struct fg_streams {
    struct fg_stream **by_sale;     /* FG_SALES_EVER_MAX + 1 */
    struct fg_stream_board *boards; /* of the same */
    uint32_t greatest;              /* sale number known */
    uint64_t lag;                   /* events read from the log and not in their stream */
    bool unsettled;                 /* fg_streams_end() has work to do */
    bool unasked;                   /* fg_streams_unasked() may find one */
    struct fg_stream *stopped;      /* the one that settled badly last; the reader sets it NULL */
};

/* 0 or -ENOMEM. */
int fg_streams_init(struct fg_streams *streams);
void fg_streams_fini(struct fg_streams *streams);

/* NULL if the sale is not known. */
struct fg_stream *fg_streams_lookup(const struct fg_streams *streams, uint32_t sale);
/* The sale's stream, made if it is not known; NULL if the number is out of range or memory short.
 */
struct fg_stream *fg_streams_insert(struct fg_streams *streams, uint32_t sale);

/* Gives the stream its name, of at most FG_SALE_NAME_MAX bytes. */
void fg_stream_name(struct fg_streams *streams, struct fg_stream *stream, const char *name);
/* The sale is archived: no order event of it comes any more. */
void fg_stream_archive(struct fg_streams *streams, struct fg_stream *stream);

/* The log's oldest segments were removed before the pass had read them, and it goes on with the
 * base of the first that is left: sales that this does not name were archived in what is gone. */
void fg_streams_overtaken(struct fg_streams *streams);
/* The sale is defined here: it is live, and to be asked about if it was not yet. */
void fg_stream_defined(struct fg_streams *streams, struct fg_stream *stream);

/* What Redis told is not certain any more: every stream is to be asked again. */
void fg_streams_forget(struct fg_streams *streams);
/* A live sale's stream that was not asked since then, or NULL. */
struct fg_stream *fg_streams_unasked(struct fg_streams *streams);

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

/* The pass has read all there is: whatever is still sought is not in the log, and an archived sale
 * that was not met is done. */
void fg_streams_end(struct fg_streams *streams);

/* The stream now ends with `last`, appended by us. */
void fg_stream_appended(struct fg_streams *streams, struct fg_stream *stream,
                        struct fg_stream_id last);

/* Gives the stream up, for a reason that is a state. */
void fg_stream_stop(struct fg_streams *streams, struct fg_stream *stream,
                    enum fg_stream_state state);

/* Is a stream that was asked again, and now ends with `last`, worth seeking anew? */
bool fg_stream_moved(const struct fg_stream *stream, struct fg_stream_id last);

/* Takes in what the consumer's key and the operator tell. True: *first is the id before which the
 * stream's entries may be trimmed, and there are such. */
bool fg_stream_consumed(struct fg_streams *streams, struct fg_stream *stream, uint64_t key,
                        struct fg_stream_id *first);
/* ... which was done. */
void fg_stream_trimmed(struct fg_stream *stream);

/* What other threads see; NULL for a number out of range. Any thread. */
struct fg_stream_board *fg_streams_board(const struct fg_streams *streams, uint32_t sale);

static inline bool fg_stream_id_equal(struct fg_stream_id a, struct fg_stream_id b)
{
    return a.epoch == b.epoch && a.sale_seq == b.sale_seq;
}

#endif
