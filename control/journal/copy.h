/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A copy of a log, of one that is being written too. One thread.
 *
 * Every sound frame is copied, also the last one, of which the log does not tell whether it was
 * durable: what may have been acknowledged is then in the copy, and a start makes it durable there.
 *
 * A copy that is not complete is never taken for a log. A file of the name FG_COPY_UNFINISHED
 * stands beside its segments: an engine refuses to start on them, and a later copy knows that they
 * may go. And the first block of each segment, with it the segment's first frame, is written last,
 * after all else is on disk: whoever does not know that file sees no log, or a damaged one.
 */
#ifndef FG_CONTROL_JOURNAL_COPY_H
#define FG_CONTROL_JOURNAL_COPY_H

#include "control/journal/walk.h"

struct fg_journal_copy {
    const struct fg_disk *disk; /* of both */
    const char *from;           /* a log's directory; only read, no lock is taken on it */
    const char *to;             /* made if it is missing; else it must be empty */
    const char *keep;           /* name of a file that may be in `to` and stays, or NULL */
    /* Asked, with `to` locked, when there are segments in it: may they go? NULL: they may not. */
    bool (*replace)(void *arg);
    /* Called for every record that is copied; `again` when it begins anew. Either may be NULL. */
    int (*record)(void *arg, const struct fg_record *record);
    void (*again)(void *arg);
    void *arg;
};

struct fg_journal_copied {
    struct fg_journal_facts facts; /* of what was copied */
    uint64_t bytes;                /* of the segments made */
    unsigned rounds;               /* 1: at the first go */
};

/* Could `to` be copied to now? Changes nothing. FG_EXIT_OK, or as fg_journal_copy. */
int fg_journal_copy_check(const struct fg_journal_copy *copy, char *message, size_t size);

/* Locks `to`, copies, reads the copy back. FG_EXIT_OK, or another exit status with a sentence; then
 * `to` is as it was. */
int fg_journal_copy(const struct fg_journal_copy *copy, struct fg_journal_copied *copied,
                    char *message, size_t size);

#endif
