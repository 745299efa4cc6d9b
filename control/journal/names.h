/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the sales of a log, learnt from its SALE records while it is read. One thread. */
#ifndef FG_CONTROL_JOURNAL_NAMES_H
#define FG_CONTROL_JOURNAL_NAMES_H

#include "dataplane/orders/event.h"

struct fg_journal_names {
    char **names; /* by sale number, FG_SALES_EVER_MAX + 1; NULL: not told */
    uint32_t end; /* one above the greatest number with a name */
};

/* 0 or -ENOMEM. */
int fg_journal_names_init(struct fg_journal_names *names);
void fg_journal_names_fini(struct fg_journal_names *names);
void fg_journal_names_clear(struct fg_journal_names *names);

/* Learns from any record. 0, or -ENOMEM. A body that is no sale's teaches nothing. */
int fg_journal_names_learn(struct fg_journal_names *names, const struct fg_record *record);

/* NULL if the log has not told it. */
const char *fg_journal_name(const struct fg_journal_names *names, uint32_t sale);

#endif
