/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal: the durable order log. Group commit: one write and one flush for all that has
 * gathered in the lanes. docs/architecture.md describes the format; log.h has its structs.
 *
 * Threads: open, start, stop, close and fg_journal_submit belong to control; fg_journal_step to the
 * journal thread (or a simulator); fg_journal_prepare to the storage helper; the marks to anyone.
 */
#ifndef FG_ORDERS_JOURNAL_H
#define FG_ORDERS_JOURNAL_H

#include "dataplane/histogram.h"
#include "dataplane/orders/clock.h"
#include "dataplane/orders/lane.h"
#include "dataplane/orders/log.h"

struct fg_journal;

#define FG_SEGMENT_MIN (2 * FG_FRAME_MAX) /* bytes: a base frame and the greatest frame */

struct fg_journal_config {
    const char *dir;        /* must exist */
    uint64_t budget_bytes;  /* all segments together; at least three */
    uint64_t segment_bytes; /* of new segments: a multiple of FG_BLOCK_BYTES, >= FG_SEGMENT_MIN */
    unsigned workers;       /* lanes */
    uint32_t lane_records;  /* power of two */
    const struct fg_disk *disk;
    const struct fg_clock *clock;
    bool ack_memory; /* rehearsal: lanes' marks are published before the write */
    /* Asked before a torn tail is cut, once for each live sale with the id of its last record that
     * is left (0-0: none): does its stream hold a later one? 1, 0, or a negative errno when it
     * cannot be known; then the tail is cut and `tail_unasked` says so. NULL: never asked. */
    int (*tail_known)(void *arg, const char *sale, struct fg_stream_id last);
    void *tail_arg;
    /* Told a few records before they go to `apply` one by one (with the same `arg`): a chance to
     * have fetched into the cache what they will touch. They are not judged yet. NULL: not told. */
    void (*expect)(void *arg, const struct fg_record *records, unsigned count);
};

/* What may be forgotten. The functions are called by the storage helper and must be of use to any
 * thread. */
struct fg_retention {
    void *arg;
    uint64_t (*delivered)(void *arg, uint32_t sale); /* sale_seq up to which the stream has all */
    uint64_t (*consumed)(void *arg, uint32_t sale);  /* ... and its consumer is done with all */
    uint64_t keep_ns; /* a delivered event that is not consumed is kept so long, by its at_ns */
};

/* What recovery found. */
struct fg_recovery {
    uint64_t journal_id;
    uint64_t frames, records;
    uint64_t cut_bytes;    /* torn tail: bytes from the invalid frame on; 0 if none */
    bool tail_unasked;     /* it was cut without an answer from every stream */
    uint32_t segments;     /* that hold frames */
    uint64_t last_wall_ns; /* greatest at_ns of any record; 0 in a new log */
    unsigned epoch;        /* the new one, already durable */
    double seconds;
    struct fg_log_position end;
};

/*
 * Takes the lock, reads the log from its first segment calling `apply` for every record in order
 * (base frames of later segments only update the journal's own books), cuts a torn tail, raises the
 * epoch and makes it durable. `apply` returns 0 or a negative errno, which stops the opening:
 * -ENOMEM, -ENOSPC (a configured limit is too low for the log), or another (the record does not
 * follow from those before). On failure NULL; *status is FG_EXIT_IN_USE, _DISK, _CORRUPT, _MEMORY
 * or _CONFIG and `message` a sentence.
 */
struct fg_journal *fg_journal_open(const struct fg_journal_config *config,
                                   int (*apply)(void *arg, const struct fg_record *record),
                                   void *arg, struct fg_recovery *found, int *status, char *message,
                                   size_t message_size);

/* Starts and stops the journal thread and the storage helper, pinned to these cores (-1: not
 * pinned). Stop drains every lane, writes a closing frame and joins; without threads it does the
 * same in the caller's. A stopped journal is not started again. */
int fg_journal_start(struct fg_journal *journal, int journal_core, int storage_core);
void fg_journal_stop(struct fg_journal *journal);
void fg_journal_close(struct fg_journal *journal);

/* One round: gathers, writes, flushes, publishes. 1: wrote; 0: nothing to do; negative errno: the
 * disk failed, nothing is durable any more and the journal is dead (see fg_journal_failed). */
int fg_journal_step(struct fg_journal *journal);

/* Prepares the next segments if they are missing. 1: prepared one; 0: nothing to do; negative
 * errno.
 */
int fg_journal_prepare(struct fg_journal *journal);

/* Control, before the start: from now on old segments may go. Without it none does. *retention is
 * copied. A sale counts as archived when its SALE_STATE event is durable; control submits that only
 * after every worker has stopped queueing order events of the sale. */
void fg_journal_retain(struct fg_journal *journal, const struct fg_retention *retention);

/* Storage helper: removes the oldest segment if nothing needs it any more: every order event in it
 * belongs to an archived sale and is delivered, and consumed or old. 1: removed one; 0: none may
 * go; negative errno. */
int fg_journal_retire(struct fg_journal *journal);

/* Another engine has taken over: nothing is acknowledged any more. fg_journal_failed() is -ESTALE
 * from now on (unless the journal had failed already), no mark moves but one that is being
 * published at this moment, and to workers nothing is durable any more: what they have parked stays
 * parked. Any thread. */
void fg_journal_fence(struct fg_journal *journal);

/* The lane of worker w. */
struct fg_lane *fg_journal_lane(struct fg_journal *journal, unsigned worker);

/* Control: queues a control event with a copy of its body; returns its ticket, or 0 if the queue is
 * full or memory is short. */
uint64_t fg_journal_submit(struct fg_journal *journal, const struct fg_control_event *event,
                           const void *body);
/* The last durable ticket of control events. */
uint64_t fg_journal_submitted_durable(const struct fg_journal *journal);

/* The LSN of a durable ticket, if it is one of the last FG_SUBMITTED_KEPT. Control only. */
#define FG_SUBMITTED_KEPT 256
uint64_t fg_journal_submitted_lsn(const struct fg_journal *journal, uint64_t ticket);

/* Sequence of the last durable frame: how far delivery may read. acquire. */
uint64_t fg_journal_durable(const struct fg_journal *journal);

/* 0, or the negative errno that stopped the journal. Any thread. */
int fg_journal_failed(const struct fg_journal *journal);

/* The epoch that this start serves in. Any thread. */
unsigned fg_journal_epoch(const struct fg_journal *journal);
/* Random, one for each log. */
uint64_t fg_journal_id(const struct fg_journal *journal);

/* Figures for status; written by the journal's threads, read relaxed by anyone. */
struct fg_journal_stats {
    _Atomic uint64_t frames, records, bytes;
    _Atomic uint64_t flush_ns_last, flush_ns_max, flush_ns_total;
    _Atomic uint64_t flush_began_ns; /* monotonic: of the one under way; 0: none is */
    _Atomic uint64_t segment;        /* number of the one being written */
    _Atomic uint64_t log_bytes;      /* all segments on disk */
    _Atomic uint64_t log_room;       /* enum fg_log_room */
    _Atomic uint64_t oldest_segment; /* number of the first one that is left */
    _Atomic uint64_t room_bytes;     /* that frames may still take before the log is full */
    _Atomic uint64_t stuck;          /* the disk gives no further segment: errno, or 0 */
    _Atomic uint64_t retire_error;   /* the oldest segment cannot be removed: errno, or 0 */
    _Atomic uint64_t flushes_direct; /* 1: O_DIRECT|O_DSYNC, 0: fdatasync */
    struct fg_histogram flush;       /* write and flush of each frame */
};
const struct fg_journal_stats *fg_journal_stats(const struct fg_journal *journal);

#endif
