/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal's segments: making the next, turning to it, and how much room there is.
 *
 * A log that fills up must not come to a failed write. While there is still room, the lanes are
 * told first that it is short of room for new orders, later for anything, and workers answer BUSY.
 */
#include <errno.h>

#include "dataplane/counters.h"
#include "dataplane/orders/journal_state.h"
#include "dataplane/orders/segment.h"

/* Makes segment `number`, its name included, durable. Errors of its own become stats.stuck: the log
 * goes on without it, and it is tried again. A directory that cannot be synced is a failed flush:
 * no later success would prove that the name is on the disk. */
static int make_segment(struct fg_journal *journal, uint32_t number, void (*piece)(void *arg),
                        void *arg)
{
    int rc =
        fg_segment_prepare(journal->disk, journal->dir, number, journal->segment_bytes, piece, arg);

    atomic_store_explicit(&journal->stats.stuck, rc < 0 ? (uint64_t)-rc : 0, memory_order_relaxed);
    if (rc != 0)
        return rc;
    rc = journal->disk->sync_dir(journal->disk->context, journal->dir);
    return rc == 0 ? 0 : fg_journal_fail(journal, rc);
}

/* Makes the next segment if fewer than `ahead` are ready. 1: made one; 0: there were enough. */
static int prepare(struct fg_journal *journal, uint32_t ahead, void (*piece)(void *arg), void *arg)
{
    int rc = fg_journal_failed(journal);

    if (rc != 0)
        return rc;
    pthread_mutex_lock(&journal->preparing);
    uint32_t prepared = atomic_load_explicit(&journal->prepared, memory_order_relaxed);
    if (prepared < atomic_load_explicit(&journal->current, memory_order_relaxed) + ahead) {
        uint64_t bytes = atomic_load_explicit(&journal->stats.log_bytes, memory_order_relaxed);
        rc = bytes + journal->segment_bytes > journal->budget_bytes
                 ? -ENOSPC
                 : make_segment(journal, prepared + 1, piece, arg);
        if (rc == 0) {
            fg_count_add(&journal->stats.log_bytes, journal->segment_bytes);
            /* release: pairs with the acquire in fg_journal_open_next() */
            atomic_store_explicit(&journal->prepared, prepared + 1, memory_order_release);
            rc = 1;
        }
    }
    pthread_mutex_unlock(&journal->preparing);
    return rc;
}

int fg_journal_prepare(struct fg_journal *journal)
{
    return prepare(journal, FG_SEGMENTS_AHEAD, NULL, NULL);
}

int fg_journal_prepare_by_pieces(struct fg_journal *journal, void (*piece)(void *arg), void *arg)
{
    return prepare(journal, FG_SEGMENTS_AHEAD, piece, arg);
}

int fg_journal_open_next(struct fg_journal *journal)
{
    const struct fg_disk *disk = journal->disk;
    char name[FG_SEGMENT_NAME_BYTES];
    uint32_t next = atomic_load_explicit(&journal->current, memory_order_relaxed) + 1;

    /* acquire: pairs with the release in prepare() */
    if (atomic_load_explicit(&journal->prepared, memory_order_acquire) < next) {
        int rc = prepare(journal, 1, NULL, NULL);
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
    if (next == 1)
        atomic_store_explicit(&journal->stats.oldest_segment, 1, memory_order_relaxed);
    atomic_store_explicit(&journal->stats.flushes_direct, journal->flushes, memory_order_relaxed);
    atomic_store_explicit(&journal->current, next, memory_order_relaxed);
    sem_post(&journal->wanted);
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

    if (atomic_load_explicit(&journal->stats.stuck, memory_order_relaxed) == 0 &&
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
void fg_journal_tell_room(struct fg_journal *journal)
{
    uint64_t left = bytes_left(journal), budget = journal->budget_bytes, lanes = 0;
    bool stuck = atomic_load_explicit(&journal->stats.stuck, memory_order_relaxed) != 0;

    atomic_store_explicit(&journal->stats.room_bytes, left, memory_order_relaxed);
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
