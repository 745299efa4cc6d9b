/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a log from outside the engine: what all commands on logs share. Nothing here takes a lock
 * or writes, so an engine may be writing the log meanwhile. One thread.
 */
#ifndef FG_CONTROL_JOURNAL_WALK_H
#define FG_CONTROL_JOURNAL_WALK_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include "dataplane/orders/log.h"

/* A frame and where it stands. Valid during the call that is given it. */
struct fg_journal_frame {
    const struct fg_frame *header;
    uint32_t segment;
    uint64_t offset, span; /* bytes; the span includes its padding */
};

/* Each function returns 0, or another value that ends the walk. Any may be NULL. */
struct fg_journal_visitor {
    void *arg;
    int (*frame)(void *arg, const struct fg_journal_frame *frame);
    int (*record)(void *arg, const struct fg_journal_frame *frame, const struct fg_record *record);
    /* The walk begins again at the oldest segment, because the engine has removed what was to be
     * read next: what was told so far is told again where it is left. */
    int (*again)(void *arg);
};

/* What a walk found, whatever the visitor does. Of an empty log all is 0. */
struct fg_journal_facts {
    uint64_t journal_id;
    uint32_t first_segment, last_segment; /* that hold frames */
    uint64_t frames, records, bytes;      /* bytes: of frames, padding included */
    uint64_t first_sequence, last_sequence;
    uint64_t first_lsn, last_lsn; /* of records; last < first: there are none */
    uint32_t first_epoch, last_epoch;
    uint64_t first_ns, last_ns; /* least and greatest wall time of a record */
    uint64_t durable;           /* greatest sequence that the frames themselves tell as durable */
    uint16_t last_flags;        /* of the last frame */

    enum fg_log_end end;
    int error;           /* negative errno, if end is FG_LOG_ERROR */
    int stopped;         /* what the visitor answered, if it ended the walk (end: FG_LOG_MORE) */
    uint32_t segment;    /* where the log ends, or where the invalid frame stands */
    uint64_t offset;     /* bytes */
    uint64_t torn_bytes; /* FG_LOG_TORN: that are not zero after the end, in whole blocks */
    char reason[160];    /* TORN, CORRUPT, VERSION: what is wrong with the frame there */
    bool unfinished;     /* a copy into the directory was cut short: no log, whatever is there */
    pid_t writer;        /* process that has the log locked; 0: none is seen */
};

/*
 * Walks the log in `dir` from its first segment to its end. A tail or damage that another look
 * shows to be gone was a frame on its way to the disk; the walk then goes on. 0, or a negative
 * errno when it cannot begin; then facts say nothing.
 */
int fg_journal_walk(const struct fg_disk *disk, const char *dir,
                    const struct fg_journal_visitor *visitor, struct fg_journal_facts *facts);

/* The process that holds the log's lock, seen without touching it; 0: none is seen. */
pid_t fg_journal_writer(const char *dir);

/* An exit status for how the walk ended, with a sentence if it is not FG_EXIT_OK. */
int fg_journal_judge(const struct fg_journal_facts *facts, const char *dir, char *message,
                     size_t size);

/* Facts for people and for scripts. */
void fg_journal_print_facts(const struct fg_journal_facts *facts, FILE *out);
json_t *fg_journal_facts_json(const struct fg_journal_facts *facts);
/* "closed", "being written", "torn" ... */
const char *fg_journal_end_text(const struct fg_journal_facts *facts);

/* "2026-11-22T20:00:00.000000000Z" */
#define FG_TIME_TEXT 40
void fg_journal_time(uint64_t wall_ns, char text[FG_TIME_TEXT]);

#endif
