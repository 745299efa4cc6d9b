/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks the records of a log as recovery would, and what recovery takes on trust: that a segment's
 * base agrees with the records before it, and that no prefix gives more units than there were. A
 * visitor of fg_journal_walk. One thread.
 */
#ifndef FG_CONTROL_JOURNAL_CHECK_H
#define FG_CONTROL_JOURNAL_CHECK_H

#include "control/journal/base.h"
#include "control/journal/orders.h"
#include "control/journal/walk.h"
#include "control/sale/model.h"

/* Where something stands. */
struct fg_journal_place {
    uint64_t lsn, sequence, offset; /* of the record (0: of the frame as a whole), and its frame */
    uint32_t segment;
};

struct fg_journal_check {
    struct fg_books books;
    struct fg_model model;
    struct fg_journal_orders orders;
    struct fg_journal_base base;
    uint32_t first_segment; /* of this walk; 0: none yet */
    uint32_t serving;       /* epoch that has begun; 0: none */
    bool in_base;           /* the base of the current segment is being read */
    bool compared;          /* ... and compared: it is of a version that this program writes */
    int64_t units;          /* given by all orders that are not over */

    /* By sale number: its first event of an order that the log does not tell, where the log's first
     * segments are gone. No damage if the sale turns out to be archived. */
    struct fg_journal_place *orphans;

    /* the first thing that is wrong; status FG_EXIT_OK: nothing */
    int status;
    struct fg_journal_place at;
    char problem[512];
};

/* Checks the log in `dir` from its beginning; nothing has to be called before. 0 with the verdict
 * in *check, or a negative errno: the log could not be read. In either case fg_journal_check_fini
 * is called when *check is no longer needed. */
int fg_journal_check_log(struct fg_journal_check *check, const struct fg_disk *disk,
                         const char *dir, struct fg_journal_facts *facts);

/* Its parts, for a walk of another's. 0 or -ENOMEM; freed by fg_journal_check_fini in either case.
 */
int fg_journal_check_init(struct fg_journal_check *check);
void fg_journal_check_fini(struct fg_journal_check *check);

/* After the walk: judges what only the whole log tells. */
void fg_journal_check_end(struct fg_journal_check *check);

/* The functions of struct fg_journal_visitor; `arg` is the check. */
int fg_journal_check_frame(void *arg, const struct fg_journal_frame *frame);
int fg_journal_check_record(void *arg, const struct fg_journal_frame *frame,
                            const struct fg_record *record);
int fg_journal_check_again(void *arg);

#endif
