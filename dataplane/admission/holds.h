/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The holds of each item, in the order in which they run out: what ALL_HELD tells as the earliest
 * moment at which a unit may come back.
 *
 * One list an item, linked through an array beside the book's orders. Holds of one hold time come
 * in the order of their deadlines, so each goes to the list's end; a few that are a little late
 * among others (restored ones) are put in their place by looking back a bounded number of steps. A
 * hold much shorter than those before it, after an operator shortened the hold time, is not worth
 * a search: the item's list is then unsorted until it has run empty, and what is told is the least
 * deadline known, too early rather than too late.
 *
 * Owned by one worker; each change publishes the item's earliest return in the worker's stock line.
 */
#ifndef FG_ADMISSION_HOLDS_H
#define FG_ADMISSION_HOLDS_H

#include "dataplane/admission/stock.h"

struct fg_hold {
    uint32_t next, previous; /* numbers of orders, or FG_ORDER_NONE */
    uint32_t deadline_ms;    /* as it was granted; a later respite does not move it */
};

struct fg_hold_queue {
    uint32_t first, last;
    uint32_t returning; /* cancelled or run out, their record not durable yet */
    uint32_t unsorted;  /* some hold stands behind one that ends later */
    uint32_t least_ms;  /* unsorted: no hold out of place ends before it */
};

struct fg_holds {
    struct fg_stock *stock;
    unsigned worker;
    struct fg_hold *holds;        /* by order's number in the book */
    struct fg_hold_queue *queues; /* by the item's slot */
};

/* 0 or -ENOMEM. */
int fg_holds_init(struct fg_holds *holds, struct fg_stock *stock, unsigned worker, uint32_t orders);
void fg_holds_fini(struct fg_holds *holds);

/* An order is held until deadline_ms. */
void fg_holds_add(struct fg_holds *holds, uint32_t slot, uint32_t order, uint32_t deadline_ms);
/* Its hold has ended: it is confirmed, or its units come back with the next flush. */
void fg_holds_confirmed(struct fg_holds *holds, uint32_t slot, uint32_t order, uint32_t now_ms);
void fg_holds_returning(struct fg_holds *holds, uint32_t slot, uint32_t order, uint32_t now_ms);
/* A returning one's record is durable. */
void fg_holds_returned(struct fg_holds *holds, uint32_t slot);

#endif
