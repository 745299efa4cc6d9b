/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the log: frames and records, and which sale they are about. What sales and items are is
 * in log_items.c.
 *
 * The first base tells what came before the first segment that is left; every later one repeats
 * what the log has said, and is only compared with that. (A base that a crash cut short counts for
 * nothing: the next segment has it whole.)
 */
#include "perf/check/log_book.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/orders/segment.h"
#include "perf/check/internal.h"
#include "perf/check/log_internal.h"

int fg_log_book_open(struct fg_log_book *book, const struct fg_disk *disk, const char *dir,
                     struct fg_findings *findings, char *message, size_t size)
{
    int error = -ENOMEM;

    *book = (struct fg_log_book){.findings = findings, .dir = strdup(dir)};
    book->by_number = calloc(FG_SALES_EVER_MAX + 1, sizeof(*book->by_number));
    if (book->dir && book->by_number && fg_index_init(&book->ids, 0) == 0)
        book->reader = fg_log_reader_open(disk, dir, false, &error);
    if (book->reader)
        return 0;
    snprintf(message, size, "%s: cannot be read: %s", dir, strerror(-error));
    fg_log_book_close(book);
    return error;
}

void fg_log_book_close(struct fg_log_book *book)
{
    for (unsigned i = 0; i < book->sales_count; i++)
        fg_sale_stream_free(&book->streams[i]);
    fg_log_reader_close(book->reader);
    fg_index_fini(&book->ids);
    free(book->cancelled);
    free(book->gone);
    free(book->changes);
    free(book->item_streams);
    free(book->now);
    free(book->items);
    free(book->by_number);
    free(book->named);
    free(book->sales);
    free(book->streams);
    free(book->dir);
    *book = (struct fg_log_book){0};
}

/* What was read went with old segments: the book begins anew with the segment that is the first
 * now. Only segments without events of live sales go, so its base is as good. */
static int begin_anew(struct fg_log_book *book)
{
    struct fg_log_book fresh = {.begun = book->begun + 1,
                                .dir = book->dir,
                                .reader = book->reader,
                                .findings = book->findings,
                                .by_number =
                                    calloc(FG_SALES_EVER_MAX + 1, sizeof(*fresh.by_number))};
    if (!fresh.by_number || fg_index_init(&fresh.ids, 0) != 0) {
        free(fresh.by_number);
        return -ENOMEM;
    }
    book->dir = NULL;
    book->reader = NULL;
    fg_log_book_close(book);
    *book = fresh;
    return 0;
}

/* --- sales --- */

bool log_book_widen(void **array, size_t room, size_t size)
{
    void *wider = realloc(*array, room * size);
    if (wider)
        *array = wider;
    return wider;
}

/* Makes room in all arrays that have one element for each sale. */
static bool grow_sales(struct fg_log_book *book)
{
    if (book->sales_count < book->sales_room)
        return true;
    unsigned room = book->sales_room ? 2 * book->sales_room : 8;
    if (!log_book_widen((void **)&book->streams, room, sizeof(*book->streams)) ||
        !log_book_widen((void **)&book->sales, room, sizeof(*book->sales)) ||
        !log_book_widen((void **)&book->named, room, sizeof(*book->named)))
        return false;
    book->sales_room = room;
    return true;
}

int log_book_place(struct fg_log_book *book, uint32_t number)
{
    if (number == 0 || number > FG_SALES_EVER_MAX)
        return -EBADMSG;
    if (book->by_number[number])
        return (int)book->by_number[number] - 1;
    if (!grow_sales(book))
        return -ENOMEM;
    unsigned place = book->sales_count++;
    book->streams[place] = (struct fg_sale_stream){0};
    book->sales[place] = (struct fg_sale_facts){.number = number};
    book->named[place] = (struct fg_log_named){0};
    /* No sale can be called so: until its definition comes, or for good if that is gone. */
    snprintf(book->streams[place].sale, sizeof(book->streams[place].sale), "#%" PRIu32, number);
    book->by_number[number] = place + 1;
    return (int)place;
}

int fg_log_book_sale(const struct fg_log_book *book, const char *name)
{
    for (unsigned i = 0; i < book->sales_count; i++)
        if (strcmp(book->streams[i].sale, name) == 0)
            return (int)i;
    return -1;
}

/* --- records --- */

static int take_order(struct fg_log_book *book, const struct fg_record *record)
{
    int place = log_book_place(book, record->order->sale);
    if (place < 0)
        return place;
    struct fg_sale_stream *stream = &book->streams[place];
    if (!check_grow((void **)&stream->entries, stream->count, &stream->capacity,
                    sizeof(*stream->entries)))
        return -ENOMEM;
    stream->entries[stream->count++] = (struct fg_sale_stream_entry){
        .epoch = record->epoch, .lsn = record->lsn, .event = *record->order};
    book->events++;
    return 0;
}

static int take_record(struct fg_log_book *book, const struct fg_record *record, bool base)
{
    book->records++;
    book->last_lsn = record->lsn;
    if (!fg_event_is_control(record->unit))
        return take_order(book, record);
    return base && book->based ? log_book_compare(book, record)
                               : log_book_control(book, record, base);
}

/* What is said of a segment's beginning. A base may be several frames, and may have been cut short
 * by a crash: then the next segment has a new one. */
static void begin_frame(struct fg_log_book *book, const struct fg_frame *frame)
{
    uint32_t segment = fg_log_reader_position(book->reader).segment;

    if (book->first_segment == 0)
        book->first_segment = segment;
    if (segment != book->segment)
        book->bases++;
    book->segment = segment;
    if (frame->flags & FG_FRAME_EPOCH) {
        book->starts++;
        if (frame->epoch <= book->epoch)
            fg_found(book->findings, FG_CHECK_EPOCH_REUSED,
                     "frame %" PRIu64 " begins epoch %" PRIu32 ", but epoch %" PRIu32
                     " was used before it",
                     frame->sequence, frame->epoch, book->epoch);
    }
    if ((frame->flags & FG_FRAME_EPOCH) || (!(frame->flags & FG_FRAME_BASE) && frame->count > 0))
        book->epoch = frame->epoch;
}

static int take_frame(struct fg_log_book *book, const struct fg_frame *frame, char *message,
                      size_t size)
{
    bool base = frame->flags & FG_FRAME_BASE;
    struct fg_record record;

    if (book->sequence != 0 && frame->sequence != book->sequence + 1 && begin_anew(book) != 0) {
        snprintf(message, size, "%s: memory is short", book->dir);
        return -ENOMEM;
    }
    book->sequence = frame->sequence;
    begin_frame(book, frame);
    while (fg_log_reader_record(book->reader, &record)) {
        int rc = take_record(book, &record, base);
        if (rc == 0)
            continue;
        snprintf(message, size, "%s: record %" PRIu64 " (%s) of frame %" PRIu64 ": %s", book->dir,
                 record.lsn, fg_event_name(fg_event_kind(record.unit)), frame->sequence,
                 rc == -ENOMEM ? "memory is short" : "it is not what its kind has");
        return rc;
    }
    book->frames++;
    if (base && !(frame->flags & FG_FRAME_BASE_MORE)) {
        if (book->based)
            log_book_base_end(book);
        book->based = true;
    }
    return 0;
}

static void tell_end(const struct fg_log_book *book, enum fg_log_end end, char *message,
                     size_t size)
{
    struct fg_log_position at = fg_log_reader_position(book->reader);
    char name[FG_SEGMENT_NAME_BYTES];

    message[0] = '\0';
    if (end == FG_LOG_END)
        return;
    fg_segment_name(name, at.segment);
    snprintf(message, size, "%s/%s: the frame at offset %" PRIu64 " %s%s", book->dir, name,
             at.offset,
             end == FG_LOG_ERROR ? strerror(-fg_log_reader_error(book->reader))
                                 : fg_log_reader_reason(book->reader),
             end == FG_LOG_TORN      ? ", and nothing follows it: the next start removes it"
             : end == FG_LOG_CORRUPT ? ", and valid ones follow it"
                                     : "");
}

int fg_log_book_read(struct fg_log_book *book, uint64_t limit, char *message, size_t size)
{
    const struct fg_frame *frame;

    for (;;) {
        enum fg_log_end end = fg_log_reader_next(book->reader, limit, &frame);
        if (end != FG_LOG_MORE) {
            tell_end(book, end, message, size);
            return (int)end;
        }
        int rc = take_frame(book, frame, message, size);
        if (rc != 0)
            return rc;
    }
}

/* --- as input of the checks --- */

static int by_place(const void *left, const void *right)
{
    const struct fg_supply_change *a = left, *b = right;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    return (a->lsn > b->lsn) - (a->lsn < b->lsn);
}

static int by_id(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int by_order(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

void fg_log_book_input(struct fg_log_book *book, struct fg_check_input *input)
{
    if (book->changes_count > 0)
        qsort(book->changes, book->changes_count, sizeof(*book->changes), by_place);
    if (book->cancelled_count > 0)
        qsort(book->cancelled, book->cancelled_count, sizeof(*book->cancelled), by_order);
    if (book->gone_count > 0)
        qsort(book->gone, book->gone_count, sizeof(*book->gone), by_id);
    input->items = book->items;
    input->items_count = book->items_count;
    input->item_streams = book->item_streams;
    input->streams = book->streams;
    input->streams_count = book->sales_count;
    input->sales = book->sales;
    input->changes = book->changes;
    input->changes_count = book->changes_count;
    input->settle_ns = FG_CHECK_SETTLE_NS;
    input->gone = book->gone;
    input->gone_count = book->gone_count;
    input->cancelled = book->cancelled;
    input->cancelled_count = book->cancelled_count;
}
