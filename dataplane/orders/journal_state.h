/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal's inside, shared by journal*.c, retention.c and recovery*.c. */
#ifndef FG_ORDERS_JOURNAL_STATE_H
#define FG_ORDERS_JOURNAL_STATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>

#include "dataplane/orders/books.h"
#include "dataplane/orders/frame.h"
#include "dataplane/orders/journal.h"
#include "dataplane/orders/retention.h"

#define FG_SEGMENTS_AHEAD 2   /* kept ready, so that one is there while one is made */
#define FG_SUBMIT_QUEUE   256 /* control events that may wait: operators are few */
#ifndef FG_SMALL_FRAMES
#define FG_ORDER_FRAME_MAX (512 << 10) /* order events of one frame: its write stays under 1 ms */
#else
#define FG_ORDER_FRAME_MAX (4 << 10)
#endif
#define FG_CLOSING_IDLE_NS 10000000 /* idle time before a closing frame */

/* A control event on its way from control to the journal thread; its body follows. */
struct fg_message {
    struct fg_control_event event;
    char body[];
};

struct fg_journal {
    /* set when opened, read-only after it */
    const struct fg_disk *disk;
    const struct fg_clock *clock;
    int dir;                       /* holds the log's lock */
    struct fg_retention retention; /* set before the threads start */
    bool ack_memory;
    uint64_t budget_bytes, segment_bytes;
    uint64_t journal_id;
    unsigned epoch;
    unsigned workers;
    struct fg_lane *lanes;

    /* journal thread only (recovery, before it runs) */
    alignas(128) struct fg_books books;
    struct fg_uses uses; /* shared with the storage helper as retention.h says */
    int file;            /* segment being written, or -1 */
    bool flushes;
    uint64_t file_bytes, offset;           /* its size, and where the next frame goes */
    uint64_t sequence, next_lsn;           /* last frame written; LSN of the next record */
    uint32_t previous_crc;                 /* of the last frame */
    bool base_unfinished;                  /* the log found ends within a base: begin a segment */
    bool unclosed;                         /* frames were written since the last closing frame */
    uint64_t wrote_ns;                     /* monotonic, of the last frame */
    bool pressed;                          /* it was full, or a lane was by a quarter */
    struct fg_frame *frame, *base;         /* FG_FRAME_MAX each */
    struct fg_message *held;               /* taken off the queue, but not into a frame yet */
    bool held_back;                        /* it waits until every lane has come to `awaited` */
    unsigned first_lane;                   /* whose turn it is to be drained first */
    uint64_t control_drained;              /* control events put into frames */
    struct fg_journal_stats stats;         /* journal thread: rw, others: ro; but see `preparing` */
    alignas(128) _Atomic uint64_t durable; /* sequence; journal thread: rw, others: ro */
    _Atomic uint64_t control_durable;
    uint64_t control_lsns[FG_SUBMITTED_KEPT]; /* by ticket; read after control_durable */
    _Atomic int failed; /* first failure; journal thread, helper, and whoever fences */

    /* control: produces, journal thread: consumes */
    struct rte_ring *queue;
    uint64_t submitted; /* control only */

    /* journal thread and storage helper, making and removing segments: what is written under
     * `preparing`, with stats.log_bytes and stats.stuck. The helper alone writes
     * stats.oldest_segment and stats.retire_error. */
    alignas(128) pthread_mutex_t preparing;
    _Atomic uint32_t current;  /* segment being written; 0: none. journal thread: rw, helper: ro */
    _Atomic uint32_t prepared; /* greatest segment that is ready; written under `preparing` */
    sem_t wanted;              /* wakes the helper */

    pthread_t journal_thread, storage_thread;
    bool journal_runs, storage_runs;
    _Atomic bool stop;
};

/* journal_marks.c: the first failure, `rc`, is the end. Returns the first one. Any thread. */
int fg_journal_fail(struct fg_journal *journal, int rc);

/* journal_segments.c, journal thread: turns to the segment after the current one, making it here
 * and now if the helper has not. 0 or a negative errno. */
int fg_journal_open_next(struct fg_journal *journal);
/* journal_segments.c, storage helper: fg_journal_prepare() with fg_segment_prepare()'s `piece`. */
int fg_journal_prepare_by_pieces(struct fg_journal *journal, void (*piece)(void *arg), void *arg);
/* journal_segments.c, journal thread: tells lanes and status what the log has room for. */
void fg_journal_tell_room(struct fg_journal *journal);

/* journal.c, for recovery: writes a frame without records; 0 or a negative errno. */
int fg_journal_write_empty(struct fg_journal *journal, uint16_t flags);

/* journal.c: writes until nothing is left in lanes and queue, then a closing frame. */
int fg_journal_finish(struct fg_journal *journal);

/* recovery.c: reads the log and makes it fit to be appended to; then raises the epoch. An exit
 * status, with a sentence if it is not FG_EXIT_OK. */
int fg_journal_recover(struct fg_journal *journal, const struct fg_journal_config *config,
                       int (*apply)(void *arg, const struct fg_record *record), void *arg,
                       struct fg_recovery *found, char *message, size_t size);

#endif
