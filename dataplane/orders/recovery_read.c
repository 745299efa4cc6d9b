/* SPDX-License-Identifier: BSD-3-Clause */
/* Recovery: the log's frames, from the first to where it ends, into the books and to `apply`. */
#include <inttypes.h>
#include <string.h>

#include "dataplane/faults.h"
#include "dataplane/orders/recovery_steps.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

/* Records are decoded so many at a time, so that `expect` can have what they touch fetched side by
 * side: about as many as a core has misses under way. */
#define RECORDS_AHEAD 32

/* Refuses the frame at the reader's position: `advice` says what to do. */
static int refuse_place(const struct fg_recovering *recovery, int status, const char *advice)
{
    struct fg_log_position at = fg_log_reader_position(recovery->reader);
    char name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, at.segment);
    return fg_recovery_refuse(recovery, status,
                              "%s/%s: frame %" PRIu64 " at offset %" PRIu64 " %s; %s",
                              recovery->dir, name, fg_log_reader_sequence(recovery->reader) + 1,
                              at.offset, fg_log_reader_reason(recovery->reader), advice);
}

static int refuse_record(const struct fg_recovering *recovery, const struct fg_record *record,
                         int rc)
{
    int status = rc == -ENOMEM ? FG_EXIT_MEMORY : rc == -ENOSPC ? FG_EXIT_CONFIG : FG_EXIT_CORRUPT;

    return fg_recovery_refuse(
        recovery, status, "%s: record %" PRIu64 " (%s) of frame %" PRIu64 " cannot be applied: %s",
        recovery->dir, record->lsn, fg_event_name(fg_event_kind(record->unit)),
        fg_log_reader_sequence(recovery->reader),
        rc == -ENOSPC   ? "the configured limits are too low for this log; raise them"
        : rc == -ENOMEM ? "memory is short"
                        : "it does not follow from the records before it");
}

/* An order event into the journal's books. 0 or a negative errno. */
static int note_order(const struct fg_recovering *recovery, const struct fg_record *record)
{
    struct fg_journal *journal = recovery->journal;
    const struct fg_order_event *event = record->order;
    int rc = fg_books_order(&journal->books, event, record->epoch);

    if (rc != 0)
        return rc;
    fg_uses_order(&journal->uses, event);
    if (journal->books.positions[event->sale].archived)
        fg_uses_archived(&journal->uses, event->sale, fg_log_reader_sequence(recovery->reader));
    return 0;
}

/* A control event into the journal's books. 0 or a negative errno. */
static int note_control(const struct fg_recovering *recovery, const struct fg_record *record)
{
    struct fg_journal *journal = recovery->journal;
    int rc = fg_books_control(&journal->books, record->control, record->body);

    if (rc == 0 && fg_books_archives(record->control))
        fg_uses_archived(&journal->uses, record->control->sale,
                         fg_log_reader_sequence(recovery->reader));
    return rc;
}

/* One record into the books and, if it is news, to `apply`. */
static int take_record(const struct fg_recovering *recovery, const struct fg_record *record,
                       bool news)
{
    bool control = fg_event_is_control(record->unit);
    uint64_t at_ns = control ? record->control->at_ns : record->order->at_ns;
    int rc = control ? note_control(recovery, record) : note_order(recovery, record);

    if (rc == 0 && news)
        rc = recovery->apply(recovery->arg, record);
    if (at_ns > recovery->found->last_wall_ns)
        recovery->found->last_wall_ns = at_ns;
    recovery->found->records++;
    return rc;
}

/* The next few records of the frame; 0: it has no more. */
static unsigned next_records(const struct fg_recovering *recovery,
                             struct fg_record records[RECORDS_AHEAD])
{
    unsigned count = 0;

    while (count < RECORDS_AHEAD && fg_log_reader_record(recovery->reader, &records[count]))
        count++;
    return count;
}

/* A frame's records. A base repeats what earlier segments told, unless there are none; and the
 * first may have been cut short, then the next one is the first whole one. */
static int take_frame(struct fg_recovering *recovery, const struct fg_frame *frame)
{
    struct fg_journal *journal = recovery->journal;
    uint32_t segment = fg_log_reader_position(recovery->reader).segment;
    bool news = !(frame->flags & FG_FRAME_BASE) || !recovery->based;
    struct fg_record records[RECORDS_AHEAD];
    unsigned count;

    if (segment != recovery->segment) {
        recovery->segment = segment;
        recovery->found->segments++;
        fg_uses_begin(&journal->uses, segment);
    }
    if (frame->flags & FG_FRAME_BASE && !(frame->flags & FG_FRAME_BASE_MORE))
        recovery->based = true;

    while ((count = next_records(recovery, records)) > 0) {
        if (news && recovery->config->expect)
            recovery->config->expect(recovery->arg, records, count);
        for (unsigned i = 0; i < count; i++) {
            int rc = take_record(recovery, &records[i], news);
            if (rc != 0)
                return refuse_record(recovery, &records[i], rc);
        }
    }
    recovery->found->frames++;
    journal->journal_id = frame->journal_id;
    journal->epoch = frame->epoch;
    journal->sequence = frame->sequence;
    journal->next_lsn = frame->first_lsn + frame->count;
    journal->previous_crc = frame->crc;
    journal->base_unfinished = frame->flags & FG_FRAME_BASE_MORE;
    return FG_EXIT_OK;
}

int fg_recovery_read(struct fg_recovering *recovery, bool *torn)
{
    const struct fg_frame *frame;

    for (;;) {
        int status;
        switch (fg_log_reader_next(recovery->reader, UINT64_MAX, &frame)) {
        case FG_LOG_MORE:
            status = take_frame(recovery, frame);
            if (status != FG_EXIT_OK)
                return status;
            break;
        case FG_LOG_END:
            *torn = false;
            return FG_EXIT_OK;
        case FG_LOG_TORN:
            *torn = true;
            return FG_EXIT_OK;
        case FG_LOG_CORRUPT:
            if (FG_PLANTED(CUT_IN_THE_MIDDLE)) {
                *torn = true;
                return FG_EXIT_OK;
            }
            return refuse_place(recovery, FG_EXIT_CORRUPT,
                                "the log is damaged there and goes on after it: restore the "
                                "directory from a copy, or take the log from another disk");
        case FG_LOG_VERSION:
            return refuse_place(recovery, FG_EXIT_CORRUPT, "start the program that wrote it");
        case FG_LOG_ERROR:
            return fg_recovery_refuse(recovery, FG_EXIT_DISK, "%s: reading the log failed: %s",
                                      recovery->dir,
                                      strerror(-fg_log_reader_error(recovery->reader)));
        }
    }
}
