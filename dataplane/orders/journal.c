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
 *
 * A log that fills up must not come to that. While there is still room, the lanes are told first
 * that it is short of room for new orders, later for anything, and workers answer BUSY.
 */
#include "dataplane/orders/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/counters.h"
#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/segment.h"

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
    int rc =
        journal->disk->write(journal->disk->context, journal->file, frame, span, journal->offset);
    if (rc == 0 && !journal->flushes)
        rc = journal->disk->flush(journal->disk->context, journal->file);
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

/* --- Segments --- */

/* Makes the next segment if fewer than `ahead` are ready. 1: made one; 0: there were enough. */
static int prepare(struct fg_journal *journal, uint32_t ahead)
{
    int rc = 0;

    pthread_mutex_lock(&journal->preparing);
    uint32_t prepared = atomic_load_explicit(&journal->prepared, memory_order_relaxed);
    if (prepared < atomic_load_explicit(&journal->current, memory_order_relaxed) + ahead) {
        uint64_t bytes = atomic_load_explicit(&journal->stats.log_bytes, memory_order_relaxed);
        bool budget_up = bytes + journal->segment_bytes > journal->budget_bytes;
        rc = budget_up ? -ENOSPC
                       : fg_segment_prepare(journal->disk, journal->dir, prepared + 1,
                                            journal->segment_bytes);
        atomic_store_explicit(&journal->stuck, rc < 0 && !budget_up, memory_order_relaxed);
        if (rc == 0) {
            fg_count_add(&journal->stats.log_bytes, journal->segment_bytes);
            /* release: pairs with the acquire in open_next() */
            atomic_store_explicit(&journal->prepared, prepared + 1, memory_order_release);
            rc = 1;
        }
    }
    pthread_mutex_unlock(&journal->preparing);
    return rc;
}

int fg_journal_prepare(struct fg_journal *journal)
{
    return prepare(journal, FG_SEGMENTS_AHEAD);
}

/* Turns to the segment after the current one, making it here and now if the helper has not. */
static int open_next(struct fg_journal *journal)
{
    const struct fg_disk *disk = journal->disk;
    char name[FG_SEGMENT_NAME_BYTES];
    uint32_t next = atomic_load_explicit(&journal->current, memory_order_relaxed) + 1;

    /* acquire: pairs with the release in prepare() */
    if (atomic_load_explicit(&journal->prepared, memory_order_acquire) < next) {
        int rc = prepare(journal, 1);
        if (rc < 0)
            return rc;
    }
    fg_segment_name(name, next);
    int file = disk->open(disk->context, journal->dir, name, false, &journal->flushes);
    if (file < 0)
        return file;
    int64_t bytes = disk->size(disk->context, file);
    if (bytes < 0) {
        disk->close(disk->context, file);
        return (int)bytes;
    }
    if (journal->file >= 0)
        disk->close(disk->context, journal->file);
    journal->file = file;
    journal->file_bytes = (uint64_t)bytes;
    journal->offset = 0;
    journal->base_unfinished = false;
    atomic_store_explicit(&journal->stats.segment, next, memory_order_relaxed);
    atomic_store_explicit(&journal->stats.flushes_direct, journal->flushes, memory_order_relaxed);
    atomic_store_explicit(&journal->current, next, memory_order_relaxed);
    sem_post(&journal->wanted);
    return 0;
}

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
    int rc = open_next(journal);
    if (rc == 0)
        rc = put_base(journal);
    if (rc == 0 && journal->offset + span > journal->file_bytes)
        rc = -ENOSPC;
    return rc;
}

/* --- A round --- */

/* Control events, as many as leave room for the order events. */
static void gather_control(struct fg_journal *journal)
{
    struct fg_frame *frame = journal->frame;

    for (;;) {
        if (!journal->held && rte_ring_sc_dequeue(journal->queue, (void **)&journal->held) != 0)
            return;
        struct fg_message *message = journal->held;
        if (frame->length + fg_record_bytes(&message->event) > FRAME_ROOM - FG_ORDER_FRAME_MAX)
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

    for (unsigned i = 0; i < 2 * journal->workers && room > 0; i++) {
        struct fg_lane *lane = &journal->lanes[(journal->first_lane + i) % journal->workers];
        unsigned max = i < journal->workers ? share : room;
        /* [gather.1] */
        unsigned n = fg_lane_drain(lane, (uint8_t *)(frame + 1) + frame->length, max);
        frame->length += n * FG_RECORD_BYTES;
        frame->count += n;
        room -= n;
    }
    journal->first_lane = (journal->first_lane + 1) % journal->workers;
}

/* Numbers the order events of the gathered frame, and enters all its records into the books. */
static int enter_books(struct fg_journal *journal)
{
    uint8_t *at = (uint8_t *)(journal->frame + 1);

    for (uint32_t i = 0; i < journal->frame->count; i++) {
        size_t bytes = fg_record_bytes(at);
        int rc;
        if (fg_event_is_control(at))
            rc = fg_books_control(&journal->books, (const struct fg_control_event *)at,
                                  (const char *)at + FG_RECORD_BYTES);
        else
            rc = fg_books_number(&journal->books, (struct fg_order_event *)at, journal->epoch);
        if (rc != 0)
            return rc;
        at += bytes;
    }
    return 0;
}

/* --- What there is room for --- */

/* Bytes that frames may still take: what is left of the segment being written, the segments that
 * are ready, and those that the budget still allows if the disk does. */
static uint64_t bytes_left(const struct fg_journal *journal)
{
    uint64_t made = atomic_load_explicit(&journal->stats.log_bytes, memory_order_relaxed);
    uint32_t ahead = atomic_load_explicit(&journal->prepared, memory_order_relaxed) -
                     atomic_load_explicit(&journal->current, memory_order_relaxed);
    uint64_t segments = ahead,
             left = journal->file >= 0 ? journal->file_bytes - journal->offset : 0;

    if (!atomic_load_explicit(&journal->stuck, memory_order_relaxed) &&
        made < journal->budget_bytes)
        segments += (journal->budget_bytes - made) / journal->segment_bytes;
    return left + segments * journal->segment_bytes;
}

/*
 * Tells every lane what the log has room for. What the lanes hold may be on its way in any case
 * (a sixteenth of the budget is enough for lanes of any sensible size). Beside it, an eighth of the
 * budget is for what settles orders, or, when no segment can be made, the last one; and a part of
 * that for control events, bases and the frames of later starts.
 */
static void tell_room(struct fg_journal *journal)
{
    uint64_t left = bytes_left(journal), budget = journal->budget_bytes, lanes = 0;
    bool stuck = atomic_load_explicit(&journal->stuck, memory_order_relaxed);

    for (unsigned w = 0; w < journal->workers; w++)
        lanes += (uint64_t)journal->lanes[w].capacity * FG_RECORD_BYTES;
    if (lanes > budget / 16)
        lanes = budget / 16;
    uint64_t settling = budget / FG_SETTLE_SHARE;
    if (stuck && settling > journal->segment_bytes)
        settling = journal->segment_bytes;
    uint64_t last = budget / 32 < settling / 4 ? budget / 32 : settling / 4;
    enum fg_log_room room = left < last + lanes       ? FG_LOG_SHUT
                            : left < settling + lanes ? FG_LOG_SETTLES
                                                      : FG_LOG_OPEN;

    if (atomic_load_explicit(&journal->stats.log_room, memory_order_relaxed) == room)
        return;
    atomic_store_explicit(&journal->stats.log_room, room, memory_order_relaxed);
    for (unsigned w = 0; w < journal->workers; w++)
        atomic_store_explicit(&journal->lanes[w].log_room, room, memory_order_relaxed);
}

static void publish(struct fg_journal *journal)
{
    tell_room(journal);
    for (unsigned w = 0; w < journal->workers; w++)
        fg_lane_publish(&journal->lanes[w]);
    /* release: pairs with the acquires in fg_journal_submitted_durable and fg_journal_durable */
    atomic_store_explicit(&journal->control_durable, journal->control_drained,
                          memory_order_release);
    atomic_store_explicit(&journal->durable, journal->sequence, memory_order_release);
}

/* Writes what is gathered. The base of a new segment comes before the frame's records, so the books
 * take them only when the segment is settled. */
static int commit(struct fg_journal *journal, uint16_t flags)
{
    int rc = make_room(journal, fg_frame_span(journal->frame->length));

    if (rc == 0)
        rc = enter_books(journal);
    if (rc == 0)
        rc = put_frame(journal, journal->frame, flags); /* [commit.1] */
    if (rc != 0) {
        atomic_store_explicit(&journal->failed, rc, memory_order_release);
        return rc;
    }
    publish(journal); /* [commit.2] */
    return 0;
}

int fg_journal_write_empty(struct fg_journal *journal, uint16_t flags)
{
    empty_frame(journal->frame);
    return commit(journal, flags);
}

int fg_journal_step(struct fg_journal *journal)
{
    int rc = atomic_load_explicit(&journal->failed, memory_order_relaxed);

    if (rc != 0)
        return rc;
    tell_room(journal); /* the helper may have made a segment, or failed to */
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

/* --- Control's side, and the marks --- */

struct fg_lane *fg_journal_lane(struct fg_journal *journal, unsigned worker)
{
    assert(worker < journal->workers);
    return &journal->lanes[worker];
}

uint64_t fg_journal_submit(struct fg_journal *journal, const struct fg_control_event *event,
                           const void *body)
{
    assert(fg_event_is_control(event) && event->body_length <= FG_CONTROL_BODY_MAX);
    struct fg_message *message = malloc(sizeof(*message) + event->body_length);

    if (!message)
        return 0;
    message->event = *event;
    if (event->body_length > 0)
        memcpy(message->body, body, event->body_length);
    if (rte_ring_sp_enqueue(journal->queue, message) != 0) {
        free(message);
        return 0;
    }
    return ++journal->submitted;
}

void fg_journal_retain(struct fg_journal *journal, const struct fg_retention *retention)
{
    journal->retention = *retention;
}

int fg_journal_retire(struct fg_journal *journal)
{
    (void)journal;
    return 0;
}

void fg_journal_fence(struct fg_journal *journal)
{
    atomic_store_explicit(&journal->failed, -ESTALE, memory_order_release);
}

uint64_t fg_journal_submitted_durable(const struct fg_journal *journal)
{
    /* acquire: pairs with the release in publish() */
    return atomic_load_explicit(&journal->control_durable, memory_order_acquire);
}

uint64_t fg_journal_durable(const struct fg_journal *journal)
{
    /* acquire: pairs with the release in publish() */
    return atomic_load_explicit(&journal->durable, memory_order_acquire);
}

int fg_journal_failed(const struct fg_journal *journal)
{
    /* acquire: pairs with the release in commit() */
    return atomic_load_explicit(&journal->failed, memory_order_acquire);
}

unsigned fg_journal_epoch(const struct fg_journal *journal)
{
    return journal->epoch;
}

const struct fg_journal_stats *fg_journal_stats(const struct fg_journal *journal)
{
    return &journal->stats;
}
