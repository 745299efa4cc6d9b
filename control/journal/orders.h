/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The orders of a log as far as checking needs them: which events may follow which, and how many
 * units each changes. A second writing of the rules that recovery applies (admission/restore.c), in
 * a table that grows with the log. One thread.
 */
#ifndef FG_CONTROL_JOURNAL_ORDERS_H
#define FG_CONTROL_JOURNAL_ORDERS_H

#include <stdbool.h>

#include "dataplane/orders/event.h"

struct fg_journal_order;

struct fg_journal_orders {
    struct fg_journal_order *places; /* open addressing, by buyer and request */
    uint64_t mask, count;
};

/* The reason that can be no damage, where the log's first segments are gone. */
extern const char fg_journal_never_admitted[];

/* 0 or -ENOMEM. */
int fg_journal_orders_init(struct fg_journal_orders *orders);
void fg_journal_orders_fini(struct fg_journal_orders *orders);

/*
 * Applies an event. `live` tells whether an item is on sale: an order of one that is not is
 * forgotten. NULL: it follows, and *units is by how much it changed the units given; else the
 * reason why it does not, a static text.
 */
const char *fg_journal_orders_apply(struct fg_journal_orders *orders,
                                    const struct fg_order_event *event,
                                    bool (*live)(void *arg, uint32_t item), void *arg,
                                    int32_t *units);

#endif
