/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal's books: what it has to know of the records it wrote, to number order events within
 * their sale and to write a base. Inside orders only; journal thread, or recovery before it runs.
 */
#ifndef FG_ORDERS_BOOKS_H
#define FG_ORDERS_BOOKS_H

#include <stdbool.h>

#include "dataplane/orders/event.h"

struct fg_book_sale;

/* A kept control event with its body. */
struct fg_book_copy {
    struct fg_control_event event;
    char body[];
};

/* Freed with free(). NULL when memory is short. */
struct fg_book_copy *fg_book_copy_create(const struct fg_control_event *event, const char *body);

struct fg_book_position {
    uint64_t last_seq; /* sale_seq of the sale's last order event; 0: none */
    uint32_t epoch;    /* it was written under */
    bool archived;
};

struct fg_books {
    bool shortened;                     /* the log's first segments are gone */
    struct fg_book_position *positions; /* by sale number, FG_SALES_EVER_MAX + 1 */
    uint32_t sales_end;                 /* one above the greatest number seen */
    struct fg_book_sale **sales;        /* live ones, in the order of their first definition */
    unsigned sales_count, sales_room;
    struct fg_book_copy *engine_state, *block_list, *names_used; /* the last one, or NULL */
};

/* 0 or -ENOMEM. */
int fg_books_init(struct fg_books *books);
void fg_books_fini(struct fg_books *books);

/* Gives an order event that is about to be written its sale_seq. 0, or -EINVAL for a sale number
 * that cannot be. */
int fg_books_number(struct fg_books *books, struct fg_order_event *event, uint32_t epoch);

/* Recovery: notes an order event as it was written. 0, or -EINVAL when its sale_seq does not follow
 * the sale's last one. Of a log whose beginning is gone, a sale that no base names was archived
 * there: what is left of it is taken as it comes. */
int fg_books_order(struct fg_books *books, const struct fg_order_event *event, uint32_t epoch);

/* Whether a control event archives its sale. */
bool fg_books_archives(const struct fg_control_event *event);

/* Name of a live sale, from its definition; false if that has none of a proper length. */
bool fg_books_name(const struct fg_book_sale *sale, char name[FG_SALE_NAME_MAX + 1]);
/* The id that the sale's stream ends with when it has all that the books know of. */
struct fg_stream_id fg_books_last_id(const struct fg_books *books, const struct fg_book_sale *sale);

/* Notes a control event, one of a base included. 0, -ENOMEM, or -EINVAL for a sale number that
 * cannot be. */
int fg_books_control(struct fg_books *books, const struct fg_control_event *event,
                     const char *body);

/*
 * Calls `emit` for every record of a base. What the journal makes itself bears `at_ns`. Stops at,
 * and returns, the first answer of `emit` that is not 0.
 */
int fg_books_base(const struct fg_books *books, uint64_t at_ns,
                  int (*emit)(void *arg, const struct fg_control_event *event, const char *body),
                  void *arg);

#endif
