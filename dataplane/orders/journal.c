/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One round of the journal thread: take what waits in the control queue and in every lane into one
 * frame, number the order events, write and flush it, and only then publish to each lane, to
 * control and to delivery that it is durable. While one frame is being flushed the next one
 * gathers, so under load frames grow and the cost of a flush is shared.
 *
 * The first write or flush that fails ends it: what reached the disk is then unknown, and asking
 * again would report success for data that the kernel has already dropped. The journal remembers
 * the error, publishes nothing any more, and answers every step with it.
 */
#include "dataplane/orders/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/count.h"
#include "dataplane/faults.h"
#include "dataplane/orders/journal_state.h"

#define FRAME_ROOM  (FG_FRAME_MAX - sizeof(struct fg_frame))
#define ORDERS_ROOM (FG_ORDER_FRAME_MAX - sizeof(struct fg_frame))

static_assert(FRAME_ROOM - FG_ORDER_FRAME_MAX > FG_RECORD_BYTES + FG_CONTROL_BODY_MAX,
              "beside the order events the greatest control event fits a frame");

/* --- Writing one frame --- */

/* Completes the header, writes the frame where the log ends, and flushes it. */
static int put_frame(struct fg_journal *journal, struct fg_frame *frame, uint16_t flags)
{
    uint64_t span = fg_frame_span(frame->length);
    uint8_t *end = (uint8_t *)(frame + 1) + frame->length;

    frame->magic = FG_FRAME_MAGIC;
    frame->version = FG_FRAME_VERSION;
    frame->flags = flags;
    frame->journal_id = journal->journal_id;
    frame->sequence = journal->sequence + 1;
    frame->durable = journal->sequence;
    frame->first_lsn = journal->next_lsn;
    frame->epoch = journal->epoch;
    frame->previous_crc = journal->previous_crc;
    frame->segment = atomic_load_explicit(&journal->current, memory_order_relaxed);
    frame->crc = fg_frame_crc(frame);
    memset(end, 0, span - sizeof(*frame) - frame->length);

    uint64_t began = journal->clock->monotonic_ns(journal->clock->context);
    atomic_store_explicit(&journal->stats.flush_began_ns, began, memory_order_relaxed);
    int rc =
        journal->disk->write(journal->disk->context, journal->file, frame, span, journal->offset);
    if (rc == 0 && !journal->flushes)
        rc = journal->disk->flush(journal->disk->context, journal->file);
    atomic_store_explicit(&journal->stats.flush_began_ns, 0, memory_order_relaxed);
    if (rc != 0)
        return rc;

    journal->wrote_ns = journal->clock->monotonic_ns(journal->clock->context);
    journal->sequence++;
    journal->next_lsn += frame->count;
    journal->previous_crc = frame->crc;
    journal->offset += span;
    journal->unclosed = !(flags & FG_FRAME_CLOSING);

    struct fg_journal_stats *stats = &journal->stats;
    uint64_t took = journal->wrote_ns - began;
    fg_count_add(&stats->frames, 1);
    fg_count_add(&stats->records, frame->count);
    fg_count_add(&stats->bytes, span);
    fg_count_add(&stats->flush_ns_total, took);
    fg_histogram_record(&stats->flush, took, 1);
    atomic_store_explicit(&stats->flush_ns_last, took, memory_order_relaxed);
    if (took > atomic_load_explicit(&stats->flush_ns_max, memory_order_relaxed))
        atomic_store_explicit(&stats->flush_ns_max, took, memory_order_relaxed);
    return 0;
}

static void empty_frame(struct fg_frame *frame)
{
    frame->count = frame->length = 0;
}

/* Appends a control event to a frame that has room for it. */
static void append_control(struct fg_frame *frame, const struct fg_control_event *event,
                           const char *body)
{
    uint8_t *at = (uint8_t *)(frame + 1) + frame->length;
    size_t bytes = fg_record_bytes(event);

    memcpy(at, event, sizeof(*event));
    if (event->body_length > 0)
        memcpy(at + sizeof(*event), body, event->body_length);
    memset(at + sizeof(*event) + event->body_length, 0,
           bytes - sizeof(*event) - event->body_length);
    frame->length += bytes;
    frame->count++;
}

/* --- Bases --- */

/* Adds a record to the base being written; a frame that is full goes out first. */
static int emit_base(void *arg, const struct fg_control_event *event, const char *body)
{
    struct fg_journal *journal = arg;

    if (journal->base->length + fg_record_bytes(event) > FRAME_ROOM) {
        if (journal->offset + 2 * (uint64_t)FG_FRAME_MAX > journal->file_bytes)
            return -ENOSPC;
        int rc = put_frame(journal, journal->base, FG_FRAME_BASE | FG_FRAME_BASE_MORE);
        if (rc != 0)
            return rc;
        empty_frame(journal->base);
    }
    append_control(journal->base, event, body);
    return 0;
}

static int put_base(struct fg_journal *journal)
{
    empty_frame(journal->base);
    int rc = fg_books_base(&journal->books, journal->clock->wall_ns(journal->clock->context),
                           emit_base, journal);
    return rc != 0 ? rc : put_frame(journal, journal->base, FG_FRAME_BASE);
}

/* Sees to it that a frame of `span` bytes fits the segment being written. */
static int make_room(struct fg_journal *journal, uint64_t span)
{
    if (journal->file >= 0 && !journal->base_unfinished &&
        journal->offset + span <= journal->file_bytes)
        return 0;
    int rc = fg_journal_open_next(journal);
    if (rc != 0)
        return rc;
    FG_CRASH_POINT(SEGMENT_OPENED);
    rc = put_base(journal);
    if (rc != 0)
        return rc;
    FG_CRASH_POINT(BASE_WRITTEN);
    fg_uses_begin(&journal->uses, atomic_load_explicit(&journal->current, memory_order_relaxed));
    return journal->offset + span <= journal->file_bytes ? 0 : -ENOSPC;
}

/* --- A round --- */

/* Whether an event has to wait for order events that are in the lanes already. One that archives a
 * sale does: no order event of the sale stands after it in the log, so whoever has read it knows
 * that the sale is complete. Control submits it only when no worker queues such events any more. */
static bool must_wait(struct fg_journal *journal, const struct fg_control_event *event)
{
    bool wait = false;

    if (!fg_books_archives(event))
        return false;
    for (unsigned w = 0; w < journal->workers; w++) {
        struct fg_lane *lane = &journal->lanes[w];
        if (!journal->held_back)
            lane->awaited = lane->drained + fg_lane_count(lane);
        wait = wait || lane->drained < lane->awaited;
    }
    journal->held_back = wait;
    return wait;
}

/* Control events, as many as leave room for the order events. */
static void gather_control(struct fg_journal *journal)
{
    struct fg_frame *frame = journal->frame;

    for (;;) {
        if (!journal->held && rte_ring_sc_dequeue(journal->queue, (void **)&journal->held) != 0)
            return;
        struct fg_message *message = journal->held;
        if (frame->length + fg_record_bytes(&message->event) > FRAME_ROOM - FG_ORDER_FRAME_MAX ||
            must_wait(journal, &message->event))
            return;
        append_control(frame, &message->event, message->body);
        journal->control_drained++;
        free(message);
        journal->held = NULL;
    }
}

/* Order events: first an equal share for every lane, then what room is left, beginning with another
 * lane each time. */
static void gather_orders(struct fg_journal *journal)
{
    struct fg_frame *frame = journal->frame;
    unsigned room = ORDERS_ROOM / FG_RECORD_BYTES, share = room / journal->workers;

    journal->pressed = false;
    for (unsigned i = 0; i < 2 * journal->workers && room > 0; i++) {
        struct fg_lane *lane = &journal->lanes[(journal->first_lane + i) % journal->workers];
        unsigned max = i < journal->workers ? share : room;
        if (i < journal->workers && fg_lane_count(lane) >= lane->capacity / 4)
            journal->pressed = true;
        /* [gather.1] */
        unsigned n = fg_lane_drain(lane, (uint8_t *)(frame + 1) + frame->length, max);
        frame->length += n * FG_RECORD_BYTES;
        frame->count += n;
        room -= n;
    }
    journal->pressed = journal->pressed || room == 0;
    journal->first_lane = (journal->first_lane + 1) % journal->workers;
}

/* Numbers the order events of the gathered frame, and enters all its records into the books. */
static int enter_books(struct fg_journal *journal)
{
    uint8_t *at = (uint8_t *)(journal->frame + 1);
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < journal->frame->count; i++) {
        size_t bytes = fg_record_bytes(at);
        if (fg_event_is_control(at)) {
            const struct fg_control_event *event = (const struct fg_control_event *)at;
            rc = fg_books_control(&journal->books, event, (const char *)at + FG_RECORD_BYTES);
            if (rc == 0 && fg_books_archives(event))
                fg_uses_archived(&journal->uses, event->sale, journal->sequence + 1);
        } else {
            rc = fg_books_number(&journal->books, (struct fg_order_event *)at, journal->epoch);
            if (rc == 0)
                fg_uses_order(&journal->uses, (const struct fg_order_event *)at);
        }
        at += bytes;
    }
    return rc;
}

/* --- Committing --- */

static void publish_lanes(struct fg_journal *journal)
{
    for (unsigned w = 0; w < journal->workers; w++)
        fg_lane_publish(&journal->lanes[w]);
}

/* Control events come first in a frame. */
static void note_lsns(struct fg_journal *journal)
{
    uint64_t ticket = atomic_load_explicit(&journal->control_durable, memory_order_relaxed);

    for (uint64_t lsn = journal->frame->first_lsn; ticket < journal->control_drained; lsn++)
        journal->control_lsns[++ticket % FG_SUBMITTED_KEPT] = lsn;
}

/* The frame just written is durable: tells all who wait for it, unless the journal is dead. */
static int publish(struct fg_journal *journal)
{
    int rc = fg_journal_failed(journal);

    if (rc != 0)
        return rc;
    fg_journal_tell_room(journal);
    publish_lanes(journal);
    note_lsns(journal);
    /* release: pairs with the acquires in fg_journal_submitted_durable and fg_journal_durable */
    atomic_store_explicit(&journal->control_durable, journal->control_drained,
                          memory_order_release);
    atomic_store_explicit(&journal->durable, journal->sequence, memory_order_release);
    FG_CRASH_POINT(MARKS_PUBLISHED);
    return 0;
}

/* Writes what is gathered. The base of a new segment comes before the frame's records, so the books
 * take them only when the segment is settled. */
static int commit(struct fg_journal *journal, uint16_t flags)
{
    FG_CRASH_POINT(FRAME_GATHERED);
    if (journal->ack_memory ||
        FG_PLANTED(
            ACK_BEFORE_FLUSH)) /* answered before it is written: delivery and control still wait */
        publish_lanes(journal);
    uint64_t segment = atomic_load_explicit(&journal->stats.segment, memory_order_relaxed);
    int rc = make_room(journal, fg_frame_span(journal->frame->length));
    if (FG_PLANTED(LOSE_ON_ROTATION) && journal->frame->count > 1 && segment != 0 &&
        segment != atomic_load_explicit(&journal->stats.segment, memory_order_relaxed)) {
        journal->frame->count--;
        journal->frame->length -= FG_RECORD_BYTES; /* its last one: an order's */
    }
    if (rc == 0)
        rc = enter_books(journal);
    if (rc == 0)
        rc = put_frame(journal, journal->frame, flags); /* [commit.1] */
    if (rc != 0)
        return fg_journal_fail(journal, rc);
    FG_CRASH_POINT(FRAME_WRITTEN);
    return publish(journal); /* [commit.2] */
}

int fg_journal_write_empty(struct fg_journal *journal, uint16_t flags)
{
    empty_frame(journal->frame);
    return commit(journal, flags);
}

int fg_journal_step(struct fg_journal *journal)
{
    int rc = fg_journal_failed(journal);

    if (rc != 0)
        return rc;
    fg_journal_tell_room(journal); /* the helper may have made a segment, or failed to */
    empty_frame(journal->frame);
    gather_control(journal);
    gather_orders(journal);
    if (journal->frame->count > 0) {
        rc = commit(journal, 0);
        return rc != 0 ? rc : 1;
    }
    if (!journal->unclosed || journal->clock->monotonic_ns(journal->clock->context) <
                                  journal->wrote_ns + FG_CLOSING_IDLE_NS)
        return 0;
    rc = commit(journal, FG_FRAME_CLOSING);
    return rc != 0 ? rc : 1;
}

int fg_journal_finish(struct fg_journal *journal)
{
    int rc;

    while ((rc = fg_journal_step(journal)) > 0)
        ;
    if (rc == 0 && journal->unclosed)
        rc = fg_journal_write_empty(journal, FG_FRAME_CLOSING);
    return rc;
}
