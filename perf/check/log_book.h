/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log, read into memory as the checks want it: each sale's order events in log order, its
 * items' supply and limits and every change of them with its place, its state.
 *
 * What an old segment took with it (sales that are archived) is known to be gone: the base of the
 * first segment that is left tells. Bases of later segments are held against what was read before.
 *
 * 80 bytes for each order event; more for nothing that there is much of. One thread.
 */
#ifndef FG_CHECK_LOG_BOOK_H
#define FG_CHECK_LOG_BOOK_H

#include "dataplane/orders/log.h"
#include "perf/check/check.h"
#include "perf/check/index.h"

/* An item as it is at the place that was read last. */
struct fg_log_item {
    uint32_t stream;         /* place of its sale */
    uint32_t defined;        /* stock of the sale's definition */
    uint64_t added, removed; /* units, since the definition */
    uint64_t revision;       /* of the last event that added or removed */
    uint32_t stock, limit;   /* the supply that this makes; units per buyer, 0: no limit */
};

/* In which base a sale was last named, and in which its position was told; 0: in none. */
struct fg_log_named {
    uint64_t definition, position;
    uint32_t limit; /* of the sale, units per buyer, as last defined */
};

struct fg_log_book {
    char *dir;
    struct fg_log_reader *reader;
    struct fg_findings *findings;

    /* sales, in the order of their first record: one element each */
    struct fg_sale_stream *streams;
    struct fg_sale_facts *sales;
    struct fg_log_named *named;
    unsigned sales_count, sales_room;
    uint32_t *by_number; /* place + 1 by sale number, FG_SALES_EVER_MAX + 1 */

    /* items, in the order of their first definition: one element each */
    struct fg_history_item *items; /* as first defined */
    struct fg_log_item *now;
    uint32_t *item_streams;
    uint32_t items_count, items_room;
    struct fg_index ids; /* item id -> place */

    struct fg_supply_change *changes;
    uint64_t changes_count, changes_room;
    uint64_t *cancelled; /* ids of orders that an operator cancelled */
    uint64_t cancelled_count, cancelled_room;
    uint32_t *gone; /* ids of items that no live sale has any more */
    uint64_t gone_count, gone_room;

    /* what was read; begins anew when segments that were read are removed meanwhile */
    unsigned begun;                  /* times it has begun anew */
    uint32_t first_segment, segment; /* numbers, of the first and the last frame; 0: none */
    uint64_t frames, records, events, bases;
    uint64_t sequence; /* of the last frame */
    uint64_t last_lsn;
    uint32_t epoch;  /* of the last frame that holds orders or begins an epoch; 0: none */
    uint32_t starts; /* frames that begin an epoch */
    bool based;      /* a whole base was read: later ones tell nothing new */
};

/* Opens the log in `dir`. 0 or a negative errno with a sentence. What is wrong in the log itself is
 * told to `findings`, which must outlive the book. */
int fg_log_book_open(struct fg_log_book *book, const struct fg_disk *disk, const char *dir,
                     struct fg_findings *findings, char *message, size_t size);
void fg_log_book_close(struct fg_log_book *book);

/*
 * Reads on to the sequence `limit` (UINT64_MAX: all there is), as fg_log_reader_next() does; may be
 * called again when the log has grown. FG_LOG_END, or what else stopped it, with a sentence in
 * `message`; a negative errno with a sentence when memory is short (-ENOMEM) or a record is not
 * what its kind has (-EBADMSG). The book then holds what was read before.
 */
int fg_log_book_read(struct fg_log_book *book, uint64_t limit, char *message, size_t size);

/* Fills items, streams, changes, sales and `gone` of an input from the book; they stay the book's,
 * and are valid until it is read on. */
void fg_log_book_input(struct fg_log_book *book, struct fg_check_input *input);

/* Units of each item that orders have by the log: given[place in items], of book->items_count. */
void fg_log_book_given(const struct fg_log_book *book, int64_t *given);

/* Place of an item in `items` by id; UINT32_MAX: the log does not know it. */
uint32_t fg_log_book_item(const struct fg_log_book *book, uint32_t id);

/* Place of a sale in `streams` and `sales` by name; -1: the log does not know it. */
int fg_log_book_sale(const struct fg_log_book *book, const char *name);

#endif
