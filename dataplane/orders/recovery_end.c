/* SPDX-License-Identifier: BSD-3-Clause */
/* Recovery: the log's end is made fit to be appended to, and an epoch begun. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "dataplane/faults.h"
#include "dataplane/orders/recovery_steps.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

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
static int ask_streams(const struct fg_recovering *recovery)
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
        return fg_recovery_refuse(
            recovery, FG_EXIT_CORRUPT,
            "%s/%s: frame %" PRIu64 " at offset %" PRIu64 " %s and is the log's last, "
            "but the stream of sale %s goes on after %" PRIu64 "-%" PRIu64
            ", the last event left: orders that were acknowledged are missing here. "
            "Restore the log from a copy that has them; or, to give them up, archive the "
            "stream (rename its key in Redis) and start again",
            recovery->dir, segment, fg_log_reader_sequence(recovery->reader) + 1, at.offset,
            fg_log_reader_reason(recovery->reader), name, last.epoch, last.sale_seq);
    }
    return FG_EXIT_OK;
}

/* Makes everything after the log's end zero. 0 or a negative errno. */
static int cut_tail(const struct fg_recovering *recovery, struct fg_log_position end, uint32_t last)
{
    const struct fg_journal *journal = recovery->journal;
    int rc = 0;

    for (uint32_t number = end.segment; rc == 0 && number <= last; number++)
        rc = fg_segment_cut(journal->disk, journal->dir, number,
                            number == end.segment ? end.offset : 0, &recovery->found->cut_bytes);
    return rc;
}

int fg_recovery_settle(const struct fg_recovering *recovery, bool torn, uint32_t last)
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
                   : fg_recovery_refuse(recovery, FG_EXIT_DISK,
                                        "%s: the log's end cannot be prepared: %s", recovery->dir,
                                        strerror(-rc));
}

int fg_recovery_raise_epoch(const struct fg_recovering *recovery)
{
    struct fg_journal *journal = recovery->journal;

    if (journal->sequence == 0) {
        journal->next_lsn = 1;
        if (getrandom(&journal->journal_id, sizeof(journal->journal_id), 0) !=
            sizeof(journal->journal_id))
            return fg_recovery_refuse(recovery, FG_EXIT_DISK, "no random number for a new log: %s",
                                      strerror(errno));
    }
    if (journal->epoch >= FG_EPOCH_MAX)
        return fg_recovery_refuse(
            recovery, FG_EXIT_CORRUPT,
            "%s: the log has used up its %d epochs (starts): begin a new log directory",
            recovery->dir, FG_EPOCH_MAX);
    if (!FG_PLANTED(FORGET_EPOCH) || journal->epoch == 0)
        journal->epoch++;
    int rc = fg_journal_write_empty(journal, FG_FRAME_EPOCH);
    if (rc == -ENOSPC)
        return fg_recovery_refuse(recovery, FG_EXIT_DISK,
                                  "%s: no room for another segment of %" PRIu64
                                  " bytes: raise the log's "
                                  "budget (%" PRIu64 " bytes), or free the disk",
                                  recovery->dir, journal->segment_bytes, journal->budget_bytes);
    if (rc != 0)
        return fg_recovery_refuse(recovery, FG_EXIT_DISK, "%s: writing the log failed: %s",
                                  recovery->dir, strerror(-rc));
    FG_CRASH_POINT(EPOCH_RAISED);
    return FG_EXIT_OK;
}
