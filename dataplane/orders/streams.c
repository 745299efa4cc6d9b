/* SPDX-License-Identifier: BSD-3-Clause */
/* Marks such as [pass.3] name steps of tests/models/delivery.pml (docs/models.md). */
#include "dataplane/orders/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/faults.h"

#define STORE(field, value) atomic_store_explicit(&(field), value, memory_order_relaxed)
#define LOAD(field)         atomic_load_explicit(&(field), memory_order_relaxed)

int fg_streams_init(struct fg_streams *streams)
{
    *streams = (struct fg_streams){0};
    /* Both are touched only as far as sales exist. */
    streams->by_sale = calloc(FG_SALES_EVER_MAX + 1, sizeof(*streams->by_sale));
    streams->boards = calloc(FG_SALES_EVER_MAX + 1, sizeof(*streams->boards));
    if (streams->by_sale && streams->boards)
        return 0;
    fg_streams_fini(streams);
    return -ENOMEM;
}

void fg_streams_fini(struct fg_streams *streams)
{
    for (uint32_t sale = 1; sale <= streams->greatest; sale++)
        free(streams->by_sale[sale]);
    free(streams->by_sale);
    free(streams->boards);
    *streams = (struct fg_streams){0};
}

struct fg_stream *fg_streams_lookup(const struct fg_streams *streams, uint32_t sale)
{
    return sale <= streams->greatest ? streams->by_sale[sale] : NULL;
}

struct fg_stream *fg_streams_insert(struct fg_streams *streams, uint32_t sale)
{
    struct fg_stream *stream = fg_streams_lookup(streams, sale);
    if (stream || sale == 0 || sale > FG_SALES_EVER_MAX)
        return stream;
    stream = calloc(1, sizeof(*stream));
    if (!stream)
        return NULL;
    stream->sale = sale;
    stream->state = FG_STREAM_SEEKING;
    streams->by_sale[sale] = stream;
    if (sale > streams->greatest)
        streams->greatest = sale;
    return stream;
}

struct fg_stream_board *fg_streams_board(const struct fg_streams *streams, uint32_t sale)
{
    return sale <= FG_SALES_EVER_MAX ? &streams->boards[sale] : NULL;
}

/* --- what others see --- */

static uint64_t lag(const struct fg_stream *stream)
{
    return stream->logged > stream->there ? stream->logged - stream->there : 0;
}

/* What the stream holds for certain. Before its place is found, and where it is not ours, nothing.
 */
static uint64_t delivered(const struct fg_stream *stream)
{
    return stream->state == FG_STREAM_LIVE ? stream->last.sale_seq : 0;
}

static void show(struct fg_streams *streams, const struct fg_stream *stream)
{
    struct fg_stream_board *board = &streams->boards[stream->sale];
    STORE(board->state, stream->state);
    STORE(board->logged, stream->logged);
    STORE(board->delivered, delivered(stream));
    STORE(board->consumed, stream->consumed);
    STORE(board->lag, lag(stream));
    STORE(board->base, stream->base);
}

static void set_state(struct fg_streams *streams, struct fg_stream *stream,
                      enum fg_stream_state state)
{
    stream->state = state;
    show(streams, stream);
}

static void count(struct fg_streams *streams, struct fg_stream *stream, uint64_t logged,
                  uint64_t there)
{
    streams->lag -= lag(stream);
    stream->logged = logged > stream->logged ? logged : stream->logged;
    stream->there = there;
    streams->lag += lag(stream);
    show(streams, stream);
}

/* --- sales --- */

void fg_stream_name(struct fg_streams *streams, struct fg_stream *stream, const char *name)
{
    memcpy(stream->name, name, strlen(name) + 1);
    streams->unasked = true;
    STORE(streams->boards[stream->sale].known, true);
}

void fg_stream_archive(struct fg_streams *streams, struct fg_stream *stream)
{
    stream->archived = true;
    stream->doubted = false;
    streams->unsettled = true;
}

void fg_streams_overtaken(struct fg_streams *streams)
{
    for (uint32_t sale = 1; sale <= streams->greatest; sale++) {
        struct fg_stream *stream = streams->by_sale[sale];
        if (stream && !stream->archived)
            stream->archived = stream->doubted = true;
    }
    streams->unsettled = true;
}

void fg_stream_defined(struct fg_streams *streams, struct fg_stream *stream)
{
    if (!stream->doubted)
        return;
    stream->archived = stream->doubted = false;
    /* A link that was lost between a rewind and this has left it out of the claims. */
    streams->unasked |= !stream->asked;
}

void fg_streams_forget(struct fg_streams *streams)
{
    for (uint32_t sale = 1; sale <= streams->greatest; sale++) {
        struct fg_stream *stream = streams->by_sale[sale];
        if (!stream)
            continue;
        stream->asked = false;
        /* A stream that has stopped stays an alarm until Redis has been asked again. */
        if (stream->state == FG_STREAM_LIVE)
            set_state(streams, stream, FG_STREAM_SEEKING);
    }
    streams->unasked = true;
}

struct fg_stream *fg_streams_unasked(struct fg_streams *streams)
{
    for (uint32_t sale = 1; streams->unasked && sale <= streams->greatest; sale++) {
        struct fg_stream *stream = streams->by_sale[sale];
        if (stream && stream->name[0] != '\0' && !stream->archived && !stream->asked)
            return stream;
    }
    streams->unasked = false;
    return NULL;
}

void fg_streams_rewind(struct fg_streams *streams)
{
    fg_streams_overtaken(streams); /* what was not read before may be gone by now */
    for (uint32_t sale = 1; sale <= streams->greatest; sale++)
        if (streams->by_sale[sale]) {
            streams->by_sale[sale]->passed = (struct fg_stream_id){0};
            streams->by_sale[sale]->met = false;
        }
    streams->unsettled = true;
}

/* --- a pass --- */

void fg_stream_claimed(struct fg_streams *streams, struct fg_stream *stream,
                       struct fg_stream_id last)
{
    stream->last = last;
    stream->trimmed = 0; /* it may have been refilled */
    stream->state = FG_STREAM_SEEKING;
    streams->unsettled = true;
    count(streams, stream, 0, last.sale_seq);
}

static void note_run(struct fg_stream_runs *runs, struct fg_stream_id id)
{
    if (runs->count > 0 && id.epoch <= runs->first[runs->count - 1].epoch)
        return; /* of an epoch that is known, or read again */
    if (runs->count == FG_STREAM_RUNS)
        memmove(runs->first, runs->first + 1, --runs->count * sizeof(runs->first[0]));
    runs->first[runs->count++] = id;
}

void fg_stream_based(struct fg_streams *streams, struct fg_stream *stream,
                     struct fg_stream_id passed)
{
    /* A later segment's base repeats what the records before it have told. If it did not, the next
     * record would be BROKEN. */
    fg_stream_defined(streams, stream);
    stream->passed = passed;
    if (!stream->met && passed.sale_seq > stream->base)
        stream->base = passed.sale_seq;
    if (passed.sale_seq > 0)
        note_run(&stream->runs, passed);
    streams->unsettled = true;
    count(streams, stream, passed.sale_seq, stream->there);
}

/* Every record up to the last id's number has gone by, or there are no more. */
static void settle(struct fg_streams *streams, struct fg_stream *stream)
{
    struct fg_stream_id last = stream->last, passed = stream->passed;
    if (fg_stream_id_equal(last, passed) || FG_PLANTED(ADOPT_STREAM)) { /* [settle.1] */
        set_state(streams, stream, FG_STREAM_LIVE);
        return;
    }
    streams->stopped = stream;
    fg_stream_stop(streams, stream,
                   last.sale_seq < passed.sale_seq && last.epoch <= passed.epoch
                       ? FG_STREAM_LOST_BEYOND_LOG
                       : FG_STREAM_FOREIGN); /* [settle.2] */
}

enum fg_stream_verdict fg_stream_pass(struct fg_streams *streams, struct fg_stream *stream,
                                      struct fg_stream_id id, bool place)
{
    if (id.sale_seq != stream->passed.sale_seq + 1 || id.epoch < stream->passed.epoch)
        return FG_STREAM_BROKEN; /* [pass.1] */
    place &= stream->asked;
    /* Beyond the last id's number it cannot come any more, so the place is judged before. */
    if (place && stream->state == FG_STREAM_SEEKING && id.sale_seq > stream->last.sale_seq)
        settle(streams, stream); /* [pass.2] */
    stream->passed = id;         /* [pass.3] */
    stream->met = true;
    note_run(&stream->runs, id);
    count(streams, stream, id.sale_seq, stream->there);
    if (place && stream->state == FG_STREAM_LIVE)
        return FG_STREAM_TAKE; /* [pass.4] */
    if (place && stream->state == FG_STREAM_SEEKING && id.sale_seq == stream->last.sale_seq)
        settle(streams, stream); /* [pass.5] */
    return FG_STREAM_SKIP;
}

void fg_streams_end(struct fg_streams *streams)
{
    if (!streams->unsettled)
        return;
    streams->unsettled = false;
    for (uint32_t sale = 1; sale <= streams->greatest; sale++) {
        struct fg_stream *stream = streams->by_sale[sale];
        if (!stream)
            continue;
        if (stream->archived && !stream->met) {
            stream->state = FG_STREAM_DONE;
            count(streams, stream, 0, stream->logged);
        } else if (stream->state == FG_STREAM_SEEKING && stream->asked) {
            settle(streams, stream); /* [over.1] */
        }
    }
}

void fg_stream_appended(struct fg_streams *streams, struct fg_stream *stream,
                        struct fg_stream_id last)
{
    stream->last = last;
    count(streams, stream, 0, last.sale_seq);
}

void fg_stream_stop(struct fg_streams *streams, struct fg_stream *stream,
                    enum fg_stream_state state)
{
    set_state(streams, stream, state);
    /* What lies in a stream that is not ours counts for nothing. */
    if (state == FG_STREAM_FOREIGN || state == FG_STREAM_BAD_KEY)
        count(streams, stream, 0, 0);
}

static bool id_before(struct fg_stream_id a, struct fg_stream_id b)
{
    return a.epoch < b.epoch || (a.epoch == b.epoch && a.sale_seq < b.sale_seq);
}

bool fg_stream_moved(const struct fg_stream *stream, struct fg_stream_id last)
{
    switch (stream->state) {
    case FG_STREAM_BAD_KEY:
    case FG_STREAM_REFUSED:
        return true; /* it answered: the key is of the right type, or Redis no longer refuses */
    case FG_STREAM_FOREIGN:
        /* An operator has moved it away, or restored it. That it goes on growing is no reason to
         * read the whole log again. */
        return id_before(last, stream->last);
    case FG_STREAM_LOST_BEYOND_LOG:
        /* It was restored, as far as the log can continue it. */
        return last.sale_seq >= stream->base && !fg_stream_id_equal(last, stream->last);
    default:
        return !fg_stream_id_equal(last, stream->last); /* [moved.1] */
    }
}

/* --- what the consumer is done with --- */

/* The epoch of the sale's record `sale_seq`, or 0 if it is not known any more. */
static uint64_t epoch_of(const struct fg_stream_runs *runs, uint64_t sale_seq)
{
    unsigned i = runs->count;
    while (i > 0 && runs->first[i - 1].sale_seq > sale_seq)
        i--;
    return i > 0 ? runs->first[i - 1].epoch : 0;
}

bool fg_stream_consumed(struct fg_streams *streams, struct fg_stream *stream, uint64_t key,
                        struct fg_stream_id *first)
{
    uint64_t told = LOAD(streams->boards[stream->sale].told), there = delivered(stream);
    uint64_t mark = told > key ? told : key;
    if (mark > there || (FG_PLANTED(TRIM_ALL) && mark > 0))
        mark = there;
    if (mark > stream->consumed)
        stream->consumed = mark;
    show(streams, stream);
    /* After a lost tail `consumed` may be ahead of what is there. */
    mark = stream->consumed < there ? stream->consumed : there;
    /* The record after the mark has this epoch or a later one. */
    *first = (struct fg_stream_id){epoch_of(&stream->runs, mark), mark + 1};
    return mark > stream->trimmed && first->epoch > 0;
}

void fg_stream_trimmed(struct fg_stream *stream)
{
    stream->trimmed = stream->consumed < delivered(stream) ? stream->consumed : delivered(stream);
}
