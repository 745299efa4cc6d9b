/* SPDX-License-Identifier: BSD-3-Clause */
/* Control events of a later base, held against what the book has of the log before it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/sale/sale.h"
#include "perf/check/internal.h"
#include "perf/check/log_internal.h"

#define BASE_FORMAT                    "the base of segment %" PRIu32 " (LSN %" PRIu64 "): sale %s"
#define BASE_ARGS(book, record, place) (book)->segment, (record)->lsn, (book)->streams[place].sale

static int compare_sale(struct fg_log_book *book, int place, const struct fg_record *record)
{
    struct fg_sale sale;
    int rc = log_book_read_sale(&sale, record);
    if (rc != 0)
        return rc;
    if (book->named[place].limit != sale.limit)
        fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                 BASE_FORMAT " has limit %" PRIu32 "; the log before it says %" PRIu32,
                 BASE_ARGS(book, record, place), sale.limit, book->named[place].limit);
    for (uint32_t i = 0; i < sale.items_count; i++) {
        const struct fg_sale_item *item = &sale.items[i];
        uint32_t at = fg_log_book_item(book, item->id);
        if (at == FG_INDEX_NONE)
            fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                     BASE_FORMAT " has item %" PRIu32 ", which the log has not defined",
                     BASE_ARGS(book, record, place), item->id);
        else if (book->now[at].defined != item->stock || book->now[at].limit != item->limit)
            fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                     BASE_FORMAT ", item %" PRIu32 " has stock %" PRIu32 " and limit %" PRIu32
                                 "; the log before it says %" PRIu32 " and %" PRIu32,
                     BASE_ARGS(book, record, place), item->id, item->stock, item->limit,
                     book->now[at].defined, book->now[at].limit);
    }
    fg_sale_free(&sale);
    return 0;
}

static void compare_supply(const struct fg_log_book *book, int place,
                           const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    uint32_t at = event->value2 <= UINT32_MAX ? fg_log_book_item(book, (uint32_t)event->value2)
                                              : FG_INDEX_NONE;
    uint64_t added = at != FG_INDEX_NONE ? book->now[at].added : 0;
    uint64_t removed = at != FG_INDEX_NONE ? book->now[at].removed : 0;

    if (event->value != added || event->value3 != removed)
        fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                 BASE_FORMAT ", item %" PRIu64 " has %" PRIu64 " units added and %" PRIu64
                             " removed; the log before it has %" PRIu64 " and %" PRIu64,
                 BASE_ARGS(book, record, place), event->value2, event->value, event->value3, added,
                 removed);
}

/* The id of the sale's last order event so far. */
static struct fg_stream_id position_of(const struct fg_sale_stream *stream)
{
    if (stream->count == 0)
        return stream->passed;
    const struct fg_sale_stream_entry *last = &stream->entries[stream->count - 1];
    return (struct fg_stream_id){last->epoch, last->event.sale_seq};
}

static void compare_position(const struct fg_log_book *book, int place,
                             const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    struct fg_stream_id position = position_of(&book->streams[place]);

    if (event->value != position.sale_seq + 1 || event->value2 != position.epoch)
        fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                 BASE_FORMAT " goes on with sale_seq %" PRIu64 " after epoch %" PRIu64
                             "; the log before it ends with %" PRIu64 "-%" PRIu64,
                 BASE_ARGS(book, record, place), event->value, event->value2, position.epoch,
                 position.sale_seq);
}

int log_book_compare(struct fg_log_book *book, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;

    if (event->kind == FG_EVENT_NAMES_USED || event->sale == 0)
        return 0;
    int place = log_book_place(book, event->sale);
    if (place < 0)
        return place;
    switch (event->kind) {
    case FG_EVENT_SALE:
        book->named[place].definition = book->bases;
        return compare_sale(book, place, record);
    case FG_EVENT_SALE_POSITION:
        book->named[place].position = book->bases;
        compare_position(book, place, record);
        return 0;
    case FG_EVENT_ITEM_SUPPLY:
        compare_supply(book, place, record);
        return 0;
    default:
        return 0;
    }
}

void log_book_base_end(struct fg_log_book *book)
{
    for (unsigned i = 0; i < book->sales_count; i++) {
        if (book->sales[i].archived_lsn != 0)
            continue;
        if (book->sales[i].defined && book->named[i].definition != book->bases)
            fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                     "the base of segment %" PRIu32 ": sale %s is left out", book->segment,
                     book->streams[i].sale);
        if (position_of(&book->streams[i]).sale_seq > 0 && book->named[i].position != book->bases)
            fg_found(book->findings, FG_CHECK_BASE_DIFFERS,
                     "the base of segment %" PRIu32 ": the position of sale %s is left out",
                     book->segment, book->streams[i].sale);
    }
}
