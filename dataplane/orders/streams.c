/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/streams.h"

#include <errno.h>
#include <stdlib.h>

int fg_streams_init(struct fg_streams *streams)
{
    *streams = (struct fg_streams){0};
    /* Both are touched only as far as sales exist. */
    streams->by_sale = calloc(FG_SALES_EVER_MAX + 1, sizeof(*streams->by_sale));
    streams->states = calloc(FG_SALES_EVER_MAX + 1, sizeof(*streams->states));
    if (streams->by_sale && streams->states)
        return 0;
    fg_streams_fini(streams);
    return -ENOMEM;
}

void fg_streams_fini(struct fg_streams *streams)
{
    for (uint32_t sale = 1; sale <= streams->greatest; sale++)
        free(streams->by_sale[sale]);
    free(streams->by_sale);
    free((void *)streams->states);
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
    streams->seeking++;
    if (sale > streams->greatest)
        streams->greatest = sale;
    return stream;
}

static void set_state(struct fg_streams *streams, struct fg_stream *stream,
                      enum fg_stream_state state)
{
    streams->seeking -= stream->state == FG_STREAM_SEEKING;
    streams->seeking += state == FG_STREAM_SEEKING;
    stream->state = state;
    atomic_store_explicit(&streams->states[stream->sale], state, memory_order_relaxed);
}

static uint64_t lag(const struct fg_stream *stream)
{
    return stream->logged > stream->delivered ? stream->logged - stream->delivered : 0;
}

static void count(struct fg_streams *streams, struct fg_stream *stream, uint64_t logged,
                  uint64_t delivered)
{
    streams->lag -= lag(stream);
    stream->logged = logged > stream->logged ? logged : stream->logged;
    stream->delivered = delivered;
    streams->lag += lag(stream);
}

void fg_streams_rewind(struct fg_streams *streams)
{
    for (uint32_t sale = 1; sale <= streams->greatest; sale++)
        if (streams->by_sale[sale])
            streams->by_sale[sale]->passed = (struct fg_stream_id){0};
}

void fg_stream_claimed(struct fg_streams *streams, struct fg_stream *stream,
                       struct fg_stream_id last)
{
    stream->last = last;
    stream->claimed = true;
    count(streams, stream, 0, last.sale_seq);
    set_state(streams, stream, FG_STREAM_SEEKING);
}

void fg_stream_based(struct fg_streams *streams, struct fg_stream *stream,
                     struct fg_stream_id passed)
{
    /* A later segment's base repeats what the records before it have told. If it did not, the next
     * record would be BROKEN. */
    stream->passed = passed;
    count(streams, stream, passed.sale_seq, stream->delivered);
}

/* Every record up to the last id's number has gone by, or there are no more. */
static void settle(struct fg_streams *streams, struct fg_stream *stream)
{
    struct fg_stream_id last = stream->last, passed = stream->passed;
    if (fg_stream_id_equal(last, passed))
        set_state(streams, stream, FG_STREAM_LIVE);
    else if (last.sale_seq < passed.sale_seq && last.epoch <= passed.epoch)
        fg_stream_stop(streams, stream, FG_STREAM_LOST_BEYOND_LOG);
    else
        fg_stream_stop(streams, stream, FG_STREAM_FOREIGN);
}

enum fg_stream_verdict fg_stream_pass(struct fg_streams *streams, struct fg_stream *stream,
                                      struct fg_stream_id id, bool place)
{
    if (id.sale_seq != stream->passed.sale_seq + 1 || id.epoch < stream->passed.epoch)
        return FG_STREAM_BROKEN;
    /* Beyond the last id's number it cannot come any more, so the place is judged before. */
    if (place && stream->state == FG_STREAM_SEEKING && id.sale_seq > stream->last.sale_seq)
        settle(streams, stream);
    stream->passed = id;
    count(streams, stream, id.sale_seq, stream->delivered);
    if (place && stream->state == FG_STREAM_LIVE)
        return FG_STREAM_TAKE;
    if (place && stream->state == FG_STREAM_SEEKING && id.sale_seq == stream->last.sale_seq)
        settle(streams, stream);
    return FG_STREAM_SKIP;
}

void fg_streams_end(struct fg_streams *streams)
{
    for (uint32_t sale = 1; streams->seeking > 0 && sale <= streams->greatest; sale++) {
        struct fg_stream *stream = streams->by_sale[sale];
        if (stream && stream->state == FG_STREAM_SEEKING && stream->claimed)
            settle(streams, stream);
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
    if (state != FG_STREAM_LOST_BEYOND_LOG)
        count(streams, stream, 0, 0);
}

bool fg_stream_moved(const struct fg_stream *stream, struct fg_stream_id last)
{
    switch (stream->state) {
    case FG_STREAM_BAD_KEY:
        return true; /* it answered: the key is of the right type now */
    case FG_STREAM_FOREIGN:
    case FG_STREAM_LOST_BEYOND_LOG:
        /* An operator has moved it away. That it goes on growing is no reason to read the whole
         * log again. */
        return last.sale_seq == 0 && last.epoch == 0 && !fg_stream_id_equal(last, stream->last);
    default:
        return !fg_stream_id_equal(last, stream->last);
    }
}

enum fg_stream_state fg_streams_state(const struct fg_streams *streams, uint32_t sale)
{
    return sale <= FG_SALES_EVER_MAX
               ? atomic_load_explicit(&streams->states[sale], memory_order_relaxed)
               : FG_STREAM_SEEKING;
}
