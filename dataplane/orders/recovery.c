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
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/orders/recovery_steps.h"
#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

int fg_recovery_refuse(const struct fg_recovering *recovery, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(recovery->message, recovery->size, format, args);
    va_end(args);
    return status;
}

/* A segment has its name only when it is zeroed to its full size, and keeps that: a shorter one has
 * lost what it held. */
static int check_sizes(const struct fg_recovering *recovery, uint32_t last)
{
    const struct fg_journal *journal = recovery->journal;

    for (uint32_t number = recovery->first_segment; number != 0 && number <= last; number++) {
        char name[FG_SEGMENT_NAME_BYTES];
        uint64_t bytes;
        int rc = fg_segment_bytes(journal->disk, journal->dir, number, number, &bytes);
        fg_segment_name(name, number);
        if (rc != 0)
            return fg_recovery_refuse(recovery, FG_EXIT_DISK, "%s/%s: cannot be read: %s",
                                      recovery->dir, name, strerror(-rc));
        /* 0: there is none, or it is empty; the reader misses one that is not there */
        bool there = bytes > 0 || fg_segment_exists(journal->disk, journal->dir, number);
        if (there && (bytes < FG_SEGMENT_MIN || bytes % FG_BLOCK_BYTES != 0))
            return fg_recovery_refuse(
                recovery, FG_EXIT_CORRUPT,
                "%s/%s: is %" PRIu64 " bytes long, and no engine makes such a segment: "
                "it was cut short, or is something else; restore it from a copy",
                recovery->dir, name, bytes);
    }
    return FG_EXIT_OK;
}

static int recover(struct fg_recovering *recovery)
{
    struct fg_journal *journal = recovery->journal;
    uint32_t last;
    bool torn;

    int rc = fg_segment_range(journal->disk, journal->dir, &recovery->first_segment, &last);
    if (rc != 0)
        return fg_recovery_refuse(recovery, FG_EXIT_DISK, "%s: cannot be listed: %s", recovery->dir,
                                  strerror(-rc));
    journal->books.shortened = recovery->first_segment > 1;
    int status = check_sizes(recovery, last);
    if (status == FG_EXIT_OK)
        status = fg_recovery_read(recovery, &torn);
    if (status != FG_EXIT_OK)
        return status;
    if (journal->sequence == 0 && recovery->first_segment > 1)
        return fg_recovery_refuse(recovery, FG_EXIT_CORRUPT,
                                  "%s: the first segment there is number %" PRIu32
                                  ", and it is empty: older ones are missing; restore them",
                                  recovery->dir, recovery->first_segment);
    status = fg_recovery_settle(recovery, torn, last);
    return status == FG_EXIT_OK ? fg_recovery_raise_epoch(recovery) : status;
}

int fg_journal_recover(struct fg_journal *journal, const struct fg_journal_config *config,
                       int (*apply)(void *arg, const struct fg_record *record), void *arg,
                       struct fg_recovery *found, char *message, size_t size)
{
    struct fg_recovering recovery = {
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
        return fg_recovery_refuse(&recovery, rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_DISK,
                                  "%s: cannot be read: %s", config->dir, strerror(-rc));
    int status = recover(&recovery);
    fg_log_reader_close(recovery.reader);
    found->journal_id = journal->journal_id;
    found->epoch = journal->epoch;
    found->seconds = (double)(journal->clock->monotonic_ns(journal->clock->context) - began) / 1e9;
    return status;
}
