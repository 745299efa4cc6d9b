/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery's reading of the log: what each record means to its sale's stream. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "dataplane/admission/catalogue.h"
#include "dataplane/orders/delivery_internal.h"

/* What is read during one append, at most: Redis takes some milliseconds for it. */
#define AHEAD_RECORDS (8 * FG_REDIS_APPEND_MAX)
#define AHEAD_FRAMES  FG_REDIS_APPEND_MAX

/* The log cannot be what it is: says what is wrong where, and stops for good. */
static void fail(struct fg_delivery *delivery, const char *what)
{
    struct fg_log_position at = fg_log_reader_position(delivery->reader);
    fg_delivery_set_error(delivery, "the log at segment %u before offset %" PRIu64 ": %s",
                          at.segment, at.offset, what);
    fg_delivery_set_state(delivery, FG_DELIVERY_FAILED);
}

static void learn_name(struct fg_delivery *delivery, struct fg_stream *stream,
                       const struct fg_record *record)
{
    json_t *sale = json_loadb(record->body, record->control->body_length, 0, NULL);
    const char *name = json_string_value(json_object_get(sale, "name"));
    size_t length = name ? strlen(name) : 0;
    if (length > 0 && length <= FG_SALE_NAME_MAX)
        fg_stream_name(&delivery->streams, stream, name);
    else
        fail(delivery, "a SALE event has no name, or one that is too long");
    json_decref(sale);
}

static void take_control(struct fg_delivery *delivery, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    bool archives = event->kind == FG_EVENT_SALE_STATE && event->value == FG_SALE_ARCHIVED;
    if (event->kind != FG_EVENT_SALE && event->kind != FG_EVENT_SALE_POSITION && !archives)
        return;
    struct fg_stream *stream = fg_streams_insert(&delivery->streams, event->sale);
    if (!stream)
        fail(delivery, "an event's sale number is out of range, or memory is short");
    else if (event->kind == FG_EVENT_SALE && stream->name[0] != '\0')
        fg_stream_defined(&delivery->streams, stream);
    else if (event->kind == FG_EVENT_SALE)
        learn_name(delivery, stream, record);
    else if (event->kind == FG_EVENT_SALE_POSITION && event->value > 0)
        fg_stream_based(&delivery->streams, stream,
                        (struct fg_stream_id){event->value2, event->value - 1});
    else if (archives)
        fg_stream_archive(&delivery->streams, stream);
}

static void take_order(struct fg_delivery *delivery, const struct fg_record *record)
{
    const struct fg_order_event *event = record->order;
    struct fg_stream *stream = fg_streams_lookup(&delivery->streams, event->sale);
    if (!stream || stream->name[0] == '\0') {
        fail(delivery, "an order event comes before its sale's definition");
        return;
    }
    /* A new sale, or an archived one that the log still has events of. */
    if (delivery->phase == FG_PHASE_READ && !stream->asked)
        fg_delivery_claim(delivery, stream);
    struct fg_stream_id id = {record->epoch, event->sale_seq};
    switch (fg_stream_pass(&delivery->streams, stream, id, delivery->phase == FG_PHASE_READ)) {
    case FG_STREAM_SKIP:
        break;
    case FG_STREAM_TAKE:
        fg_batches_gather(&delivery->batches, stream, record); /* [order.1] */
        break;
    case FG_STREAM_BROKEN:
        fail(delivery, "a sale's order events are not numbered one after another");
        break;
    }
}

/* May it be taken only when no call is under way? An order event whose sale is to be claimed first;
 * and what would make the call's answer wait for too long. */
static bool must_wait(struct fg_delivery *delivery, const struct fg_record *record)
{
    if (!delivery->calling)
        return false;
    if (delivery->ahead == 0)
        return true;
    delivery->ahead--;
    if (fg_event_is_control(record->unit))
        return false;
    const struct fg_stream *stream = fg_streams_lookup(&delivery->streams, record->order->sale);
    return stream && !stream->asked;
}

/* Takes records of the frame at hand until it ends or something must be done first. False: the next
 * one must wait. */
static bool take_records(struct fg_delivery *delivery)
{
    enum fg_delivery_phase phase = delivery->phase;
    while (fg_batches_room(&delivery->batches) && delivery->phase == phase &&
           !fg_delivery_stopped(delivery)) {
        struct fg_record record;
        if (!fg_log_reader_record(delivery->reader, &record)) {
            delivery->in_frame = false;
            return true;
        }
        if (must_wait(delivery, &record)) {
            fg_log_reader_put_back(delivery->reader, &record);
            return false;
        }
        if (fg_event_is_control(record.unit))
            take_control(delivery, &record);
        else
            take_order(delivery, &record);
    }
    return true;
}

int fg_delivery_read_on(struct fg_delivery *delivery)
{
    if (!delivery->in_frame) {
        const struct fg_frame *frame;
        uint64_t limit = delivery->config.durable(delivery->config.durable_arg);
        uint64_t last = fg_log_reader_sequence(delivery->reader);
        switch (fg_log_reader_next(delivery->reader, limit, &frame)) {
        case FG_LOG_MORE:
            break;
        case FG_LOG_END:
            return 0;
        case FG_LOG_TORN:
        case FG_LOG_CORRUPT:
            fail(delivery, "a frame that was durable is damaged");
            return 1;
        case FG_LOG_VERSION:
            fail(delivery, "a frame of a format version that this engine does not know");
            return 1;
        case FG_LOG_ERROR:
            fail(delivery, strerror(-fg_log_reader_error(delivery->reader)));
            return 1;
        }
        delivery->in_frame = true;
        if (last != 0 && frame->sequence != last + 1)
            fg_streams_overtaken(&delivery->streams);
        if (delivery->pass_first == 0)
            delivery->pass_first = fg_log_reader_position(delivery->reader).segment;
    }
    return take_records(delivery);
}

void fg_delivery_read_ahead(struct fg_delivery *delivery)
{
    delivery->calling = true;
    delivery->ahead = AHEAD_RECORDS;
    for (unsigned frames = 0; frames < AHEAD_FRAMES; frames++)
        if (!fg_batches_room(&delivery->batches) || fg_delivery_stopped(delivery) ||
            !fg_delivery_read_on(delivery))
            break;
    delivery->calling = false;
}
