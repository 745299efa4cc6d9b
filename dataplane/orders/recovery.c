/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery: what stands between opening the log and the first new record.
 *
 * All frames are read past the page cache, so what is believed is what the disk has. Their records
 * go to `apply` and into the journal's books. A torn tail is made zero again before anything is
 * written after it: a later crash must not find the remains of two torn frames. Then a frame of the
 * next epoch is written; only when it is durable may an order id be made of that epoch.
 *
 * A torn frame was never acknowledged and never delivered, if the disk kept its word. If a stream
 * holds an event of it all the same, the disk said durable and was not: then orders that the engine
 * acknowledged are gone from this log, and cutting would hide it. So the streams are asked first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include "dataplane/faults.h"
#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

/* Records are decoded so many at a time, so that `expect` can have what they touch fetched side by
 * side: about as many as a core has misses under way. */
#define RECORDS_AHEAD 32

struct recovery {
    struct fg_journal *journal;
    const struct fg_journal_config *config;
    const char *dir;
    struct fg_log_reader *reader;
    int (*apply)(void *arg, const struct fg_record *record);
    void *arg;
    struct fg_recovery *found;
    uint32_t first_segment;
    uint32_t segment; /* of the last frame */
    bool based;       /* a whole base was read */
    char *message;
    size_t size;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct recovery *recovery, int status,
                                                        const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(recovery->message, recovery->size, format, args);
    va_end(args);
    return status;
}

/* Refuses the frame at the reader's position: `advice` says what to do. */
static int refuse_place(const struct recovery *recovery, int status, const char *advice)
{
    struct fg_log_position at = fg_log_reader_position(recovery->reader);
    char name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, at.segment);
    return refuse(recovery, status, "%s/%s: frame %" PRIu64 " at offset %" PRIu64 " %s; %s",
                  recovery->dir, name, fg_log_reader_sequence(recovery->reader) + 1, at.offset,
                  fg_log_reader_reason(recovery->reader), advice);
}

static int refuse_record(const struct recovery *recovery, const struct fg_record *record, int rc)
{
    int status = rc == -ENOMEM ? FG_EXIT_MEMORY : rc == -ENOSPC ? FG_EXIT_CONFIG : FG_EXIT_CORRUPT;

    return refuse(recovery, status,
                  "%s: record %" PRIu64 " (%s) of frame %" PRIu64 " cannot be applied: %s",
                  recovery->dir, record->lsn, fg_event_name(fg_event_kind(record->unit)),
                  fg_log_reader_sequence(recovery->reader),
                  rc == -ENOSPC   ? "the configured limits are too low for this log; raise them"
                  : rc == -ENOMEM ? "memory is short"
                                  : "it does not follow from the records before it");
}

/* An order event into the journal's books. 0 or a negative errno. */
static int note_order(const struct recovery *recovery, const struct fg_record *record)
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
static int note_control(const struct recovery *recovery, const struct fg_record *record)
{
    struct fg_journal *journal = recovery->journal;
    int rc = fg_books_control(&journal->books, record->control, record->body);

    if (rc == 0 && fg_books_archives(record->control))
        fg_uses_archived(&journal->uses, record->control->sale,
                         fg_log_reader_sequence(recovery->reader));
    return rc;
}

/* One record into the books and, if it is news, to `apply`. */
static int take_record(const struct recovery *recovery, const struct fg_record *record, bool news)
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
static unsigned next_records(const struct recovery *recovery,
                             struct fg_record records[RECORDS_AHEAD])
{
    unsigned count = 0;

    while (count < RECORDS_AHEAD && fg_log_reader_record(recovery->reader, &records[count]))
        count++;
    return count;
}

/* A frame's records. A base repeats what earlier segments told, unless there are none; and the
 * first may have been cut short, then the next one is the first whole one. */
static int take_frame(struct recovery *recovery, const struct fg_frame *frame)
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

/* Reads all there is. FG_EXIT_OK: the log ends at the reader's position; *torn tells how. */
static int read_log(struct recovery *recovery, bool *torn)
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
            return refuse(recovery, FG_EXIT_DISK, "%s: reading the log failed: %s", recovery->dir,
                          strerror(-fg_log_reader_error(recovery->reader)));
        }
    }
}

/*
 * Opens the segment to append to, at the place where the log ends. Its last frame may have been
 * written and not flushed when its writer ended, and the next one may belong into another segment:
 * so it is flushed before anything follows it, or a power cut could take it out of the log's
 * middle. 0 or a negative errno.
 */
static int open_end(struct fg_journal *journal, struct fg_log_position end)
{
    const struct fg_disk *disk = journal->disk;
    char name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, end.segment);
    journal->file = disk->open(disk->context, journal->dir, name, false, &journal->flushes);
    if (journal->file < 0)
        return journal->file;
    int64_t bytes = disk->size(disk->context, journal->file);
    if (bytes < 0)
        return (int)bytes;
    int rc = disk->flush(disk->context, journal->file);
    if (rc != 0)
        return rc;
    journal->file_bytes = (uint64_t)bytes;
    journal->offset = end.offset;
    atomic_store_explicit(&journal->current, end.segment, memory_order_relaxed);
    atomic_store_explicit(&journal->stats.segment, end.segment, memory_order_relaxed);
    atomic_store_explicit(&journal->stats.flushes_direct, journal->flushes, memory_order_relaxed);
    return 0;
}

/* Asks every live sale's stream whether it holds what is to be cut. An exit status. */
static int ask_streams(const struct recovery *recovery)
{
    const struct fg_journal_config *config = recovery->config;
    const struct fg_books *books = &recovery->journal->books;
    struct fg_log_position at = fg_log_reader_position(recovery->reader);
    char name[FG_SALE_NAME_MAX + 1], segment[FG_SEGMENT_NAME_BYTES];

    for (unsigned i = 0; i < books->sales_count; i++) {
        struct fg_stream_id last = fg_books_last_id(books, books->sales[i]);
        int answer = fg_books_name(books->sales[i], name)
                         ? config->tail_known(config->tail_arg, name, last)
                         : -EINVAL;
        if (answer < 0)
            recovery->found->tail_unasked = true;
        if (answer <= 0)
            continue;
        fg_segment_name(segment, at.segment);
        return refuse(recovery, FG_EXIT_CORRUPT,
                      "%s/%s: frame %" PRIu64 " at offset %" PRIu64 " %s and is the log's last, "
                      "but the stream of sale %s goes on after %" PRIu64 "-%" PRIu64
                      ", the last event left: orders that were acknowledged are missing here. "
                      "Restore the log from a copy that has them; or, to give them up, archive the "
                      "stream (rename its key in Redis) and start again",
                      recovery->dir, segment, fg_log_reader_sequence(recovery->reader) + 1,
                      at.offset, fg_log_reader_reason(recovery->reader), name, last.epoch,
                      last.sale_seq);
    }
    return FG_EXIT_OK;
}

/* Makes everything after the log's end zero. 0 or a negative errno. */
static int cut_tail(const struct recovery *recovery, struct fg_log_position end, uint32_t last)
{
    const struct fg_journal *journal = recovery->journal;
    int rc = 0;

    for (uint32_t number = end.segment; rc == 0 && number <= last; number++)
        rc = fg_segment_cut(journal->disk, journal->dir, number,
                            number == end.segment ? end.offset : 0, &recovery->found->cut_bytes);
    return rc;
}

/* Prepares the journal to append at the reader's position. */
static int settle_end(const struct recovery *recovery, bool torn, uint32_t last)
{
    struct fg_journal *journal = recovery->journal;
    struct fg_log_position end = fg_log_reader_position(recovery->reader);
    uint64_t bytes;

    recovery->found->end = end;
    if (torn && recovery->config->tail_known) {
        int status = ask_streams(recovery);
        if (status != FG_EXIT_OK)
            return status;
    }
    /* A crash may have come between a segment's getting its name and the directory's sync: what is
     * written into it from now on must not be lost with the name. */
    int rc = journal->disk->sync_dir(journal->disk->context, journal->dir);
    if (rc == 0 && torn) {
        rc = cut_tail(recovery, end, last);
        FG_CRASH_POINT(TAIL_CUT);
    }
    if (rc == 0)
        rc = fg_segment_bytes(journal->disk, journal->dir, recovery->first_segment, last, &bytes);
    if (rc == 0) {
        atomic_store_explicit(&journal->stats.log_bytes, bytes, memory_order_relaxed);
        atomic_store_explicit(&journal->stats.oldest_segment, recovery->first_segment,
                              memory_order_relaxed);
        atomic_store_explicit(&journal->prepared, last, memory_order_relaxed);
        if (journal->sequence > 0)
            rc = open_end(journal, end);
    }
    return rc == 0 ? FG_EXIT_OK
                   : refuse(recovery, FG_EXIT_DISK, "%s: the log's end cannot be prepared: %s",
                            recovery->dir, strerror(-rc));
}

static int raise_epoch(const struct recovery *recovery)
{
    struct fg_journal *journal = recovery->journal;

    if (journal->sequence == 0) {
        journal->next_lsn = 1;
        if (getrandom(&journal->journal_id, sizeof(journal->journal_id), 0) !=
            sizeof(journal->journal_id))
            return refuse(recovery, FG_EXIT_DISK, "no random number for a new log: %s",
                          strerror(errno));
    }
    if (journal->epoch >= FG_EPOCH_MAX)
        return refuse(recovery, FG_EXIT_CORRUPT,
                      "%s: the log has used up its %d epochs (starts): begin a new log directory",
                      recovery->dir, FG_EPOCH_MAX);
    if (!FG_PLANTED(FORGET_EPOCH) || journal->epoch == 0)
        journal->epoch++;
    int rc = fg_journal_write_empty(journal, FG_FRAME_EPOCH);
    if (rc == -ENOSPC)
        return refuse(recovery, FG_EXIT_DISK,
                      "%s: no room for another segment of %" PRIu64 " bytes: raise the log's "
                      "budget (%" PRIu64 " bytes), or free the disk",
                      recovery->dir, journal->segment_bytes, journal->budget_bytes);
    if (rc != 0)
        return refuse(recovery, FG_EXIT_DISK, "%s: writing the log failed: %s", recovery->dir,
                      strerror(-rc));
    FG_CRASH_POINT(EPOCH_RAISED);
    return FG_EXIT_OK;
}

/* A segment has its name only when it is zeroed to its full size, and keeps that: a shorter one has
 * lost what it held. */
static int check_sizes(const struct recovery *recovery, uint32_t last)
{
    const struct fg_journal *journal = recovery->journal;

    for (uint32_t number = recovery->first_segment; number != 0 && number <= last; number++) {
        char name[FG_SEGMENT_NAME_BYTES];
        uint64_t bytes;
        int rc = fg_segment_bytes(journal->disk, journal->dir, number, number, &bytes);
        fg_segment_name(name, number);
        if (rc != 0)
            return refuse(recovery, FG_EXIT_DISK, "%s/%s: cannot be read: %s", recovery->dir, name,
                          strerror(-rc));
        /* 0: there is none, or it is empty; the reader misses one that is not there */
        bool there = bytes > 0 || fg_segment_exists(journal->disk, journal->dir, number);
        if (there && (bytes < FG_SEGMENT_MIN || bytes % FG_BLOCK_BYTES != 0))
            return refuse(recovery, FG_EXIT_CORRUPT,
                          "%s/%s: is %" PRIu64 " bytes long, and no engine makes such a segment: "
                          "it was cut short, or is something else; restore it from a copy",
                          recovery->dir, name, bytes);
    }
    return FG_EXIT_OK;
}

static int recover(struct recovery *recovery)
{
    struct fg_journal *journal = recovery->journal;
    uint32_t last;
    bool torn;

    int rc = fg_segment_range(journal->disk, journal->dir, &recovery->first_segment, &last);
    if (rc != 0)
        return refuse(recovery, FG_EXIT_DISK, "%s: cannot be listed: %s", recovery->dir,
                      strerror(-rc));
    journal->books.shortened = recovery->first_segment > 1;
    int status = check_sizes(recovery, last);
    if (status == FG_EXIT_OK)
        status = read_log(recovery, &torn);
    if (status != FG_EXIT_OK)
        return status;
    if (journal->sequence == 0 && recovery->first_segment > 1)
        return refuse(recovery, FG_EXIT_CORRUPT,
                      "%s: the first segment there is number %" PRIu32
                      ", and it is empty: older ones are missing; restore them",
                      recovery->dir, recovery->first_segment);
    status = settle_end(recovery, torn, last);
    return status == FG_EXIT_OK ? raise_epoch(recovery) : status;
}

int fg_journal_recover(struct fg_journal *journal, const struct fg_journal_config *config,
                       int (*apply)(void *arg, const struct fg_record *record), void *arg,
                       struct fg_recovery *found, char *message, size_t size)
{
    struct recovery recovery = {
        .journal = journal,
        .config = config,
        .dir = config->dir,
        .apply = apply,
        .arg = arg,
        .found = found,
        .message = message,
        .size = size,
    };
    uint64_t began = journal->clock->monotonic_ns(journal->clock->context);
    int rc;

    *found = (struct fg_recovery){0};
    recovery.reader = fg_log_reader_open(journal->disk, config->dir, true, &rc);
    if (!recovery.reader)
        return refuse(&recovery, rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_DISK,
                      "%s: cannot be read: %s", config->dir, strerror(-rc));
    int status = recover(&recovery);
    fg_log_reader_close(recovery.reader);
    found->journal_id = journal->journal_id;
    found->epoch = journal->epoch;
    found->seconds = (double)(journal->clock->monotonic_ns(journal->clock->context) - began) / 1e9;
    return status;
}
