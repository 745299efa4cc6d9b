/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a segment's base say what the records before it say? The base that the journal would have
 * written there is made from the books and compared with the one that stands there. One thread.
 */
#ifndef FG_CONTROL_JOURNAL_BASE_H
#define FG_CONTROL_JOURNAL_BASE_H

#include "dataplane/orders/books.h"

struct fg_journal_base {
    struct fg_book_copy **expected; /* a matched one is NULL */
    unsigned count, room, next;
};

/* A base begins: what it should hold. 0 or -ENOMEM. */
int fg_journal_base_begin(struct fg_journal_base *base, const struct fg_books *books);
/* A record of the base. False: none like it was expected. */
bool fg_journal_base_match(struct fg_journal_base *base, const struct fg_record *record);
/* After its last record: one that is missing, or NULL. */
const struct fg_control_event *fg_journal_base_missing(const struct fg_journal_base *base);
void fg_journal_base_fini(struct fg_journal_base *base);

#endif
