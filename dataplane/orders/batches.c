/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/batches.h"

#include <errno.h>
#include <stdlib.h>

#define BATCHES FG_SALES_LIVE_MAX /* with more sales at once, all go out when none is left */
#define FLYING  1

int fg_batches_init(struct fg_batches *batches, unsigned size)
{
    assert(size >= 1 && size <= FG_REDIS_APPEND_MAX);
    *batches = (struct fg_batches){.size = size};
    batches->all =
        calloc(BATCHES + FLYING, sizeof(*batches->all)); /* touched only as far as used */
    return batches->all ? 0 : -ENOMEM;
}

void fg_batches_fini(struct fg_batches *batches)
{
    free(batches->all);
    *batches = (struct fg_batches){0};
}

static struct fg_batch *begin(struct fg_batches *batches, struct fg_stream *stream)
{
    struct fg_batch *batch = batches->all;
    while (batch->stream)
        batch++;
    batch->stream = stream;
    batches->used++;
    stream->batch = batch;
    return batch;
}

bool fg_batches_room(const struct fg_batches *batches)
{
    return !batches->full && !batches->flushing;
}

void fg_batches_gather(struct fg_batches *batches, struct fg_stream *stream,
                       const struct fg_record *record)
{
    struct fg_batch *batch = stream->batch ? stream->batch : begin(batches, stream);
    struct fg_order_event *event = &batch->events[batch->count];
    *event = *record->order;
    batch->records[batch->count] = *record;
    batch->records[batch->count].order = event;
    if (++batch->count == batches->size)
        batches->full = batch;
    if (batches->used - (batches->flying != NULL) == BATCHES)
        batches->flushing = true;
}

void fg_batches_flush(struct fg_batches *batches)
{
    batches->flushing = batches->used > 0;
}

struct fg_batch *fg_batches_next(const struct fg_batches *batches)
{
    if (batches->flying)
        return batches->flying;
    if (batches->full || !batches->flushing)
        return batches->full;
    struct fg_batch *batch = batches->all;
    while (!batch->stream)
        batch++;
    return batch;
}

void fg_batches_fly(struct fg_batches *batches, struct fg_batch *batch)
{
    if (batches->flying == batch)
        return;
    assert(!batches->flying && batch->stream->batch == batch);
    batches->flying = batch;
    batch->stream->batch = NULL;
    if (batches->full == batch)
        batches->full = NULL;
}

static void release(struct fg_batches *batches, struct fg_batch *batch)
{
    batch->stream = NULL;
    batch->count = 0;
    batches->used--;
    if (batches->full == batch)
        batches->full = NULL;
    if (batches->used == 0)
        batches->flushing = false;
}

void fg_batches_land(struct fg_batches *batches)
{
    release(batches, batches->flying);
    batches->flying = NULL;
}

void fg_batches_drop(struct fg_batches *batches, struct fg_stream *stream)
{
    if (batches->flying && batches->flying->stream == stream)
        fg_batches_land(batches);
    if (stream->batch)
        release(batches, stream->batch);
    stream->batch = NULL;
}

void fg_batches_clear(struct fg_batches *batches)
{
    for (struct fg_batch *batch = batches->all; batches->used > 0; batch++)
        if (batch->stream)
            fg_batches_drop(batches, batch->stream);
}
