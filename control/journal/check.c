/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control events go through the journal's own books and control's own model, as at a start. Orders
 * go through a second writing of admission's rules (journal/orders.c). A base is held against what
 * the books would write.
 */
#include "control/journal/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "flashgate/exit_status.h"

int fg_journal_check_init(struct fg_journal_check *check)
{
    *check = (struct fg_journal_check){.status = FG_EXIT_OK};
    int rc = fg_books_init(&check->books);
    if (rc == 0)
        rc = fg_model_init(&check->model);
    if (rc == 0)
        rc = fg_journal_orders_init(&check->orders);
    check->orphans = calloc(FG_SALES_EVER_MAX + 1, sizeof(*check->orphans));
    return rc == 0 && !check->orphans ? -ENOMEM : rc;
}

void fg_journal_check_fini(struct fg_journal_check *check)
{
    fg_books_fini(&check->books);
    fg_model_fini(&check->model);
    fg_journal_orders_fini(&check->orders);
    fg_journal_base_fini(&check->base);
    free(check->orphans);
}

int fg_journal_check_again(void *arg)
{
    fg_journal_check_fini(arg);
    return fg_journal_check_init(arg);
}

static struct fg_journal_place place_of(const struct fg_journal_frame *frame, uint64_t lsn)
{
    return (struct fg_journal_place){.lsn = lsn,
                                     .sequence = frame->header->sequence,
                                     .offset = frame->offset,
                                     .segment = frame->segment};
}

/* Notes what is wrong; the walk ends with it. */
__attribute__((format(printf, 5, 6))) static int blame(struct fg_journal_check *check,
                                                       const struct fg_journal_frame *frame,
                                                       int status, uint64_t lsn, const char *format,
                                                       ...)
{
    va_list arguments;

    check->status = status;
    check->at = place_of(frame, lsn);
    va_start(arguments, format);
    vsnprintf(check->problem, sizeof(check->problem), format, arguments);
    va_end(arguments);
    return 1;
}

static int short_of_memory(struct fg_journal_check *check, const struct fg_journal_frame *frame)
{
    return blame(check, frame, FG_EXIT_MEMORY, 0, "memory is short");
}

/* --- frames --- */

static int check_base_end(struct fg_journal_check *check, const struct fg_journal_frame *frame)
{
    const struct fg_control_event *missing = fg_journal_base_missing(&check->base);

    check->in_base = false;
    if (!check->compared || !missing)
        return 0;
    return blame(check, frame, FG_EXIT_CORRUPT, 0,
                 "the base before it lacks what the records before it said: %s of sale %" PRIu32,
                 fg_event_name(missing->kind), missing->sale);
}

static int begin_base(struct fg_journal_check *check, const struct fg_journal_frame *frame)
{
    check->in_base = true;
    check->compared =
        frame->segment != check->first_segment && frame->header->version == FG_FRAME_VERSION;
    if (check->compared && fg_journal_base_begin(&check->base, &check->books) != 0)
        return short_of_memory(check, frame);
    return 0;
}

/* An epoch begins with a frame of its own, and is the one after the last. A log whose first
 * segments are gone may begin in the midst of one. */
static int check_epoch(struct fg_journal_check *check, const struct fg_journal_frame *frame)
{
    const struct fg_frame *header = frame->header;

    if (header->flags & FG_FRAME_EPOCH) {
        if (header->epoch <= check->serving)
            return blame(check, frame, FG_EXIT_CORRUPT, 0,
                         "epoch %" PRIu32 " begins again after epoch %" PRIu32, header->epoch,
                         check->serving);
        check->serving = header->epoch;
    }
    if (header->flags & FG_FRAME_BASE)
        return 0;
    if (check->serving == 0 && check->first_segment > 1)
        check->serving = header->epoch;
    if (header->epoch != check->serving)
        return blame(check, frame, FG_EXIT_CORRUPT, 0,
                     "it is of epoch %" PRIu32 ", which has not begun: the last one is %" PRIu32,
                     header->epoch, check->serving);
    return 0;
}

int fg_journal_check_frame(void *arg, const struct fg_journal_frame *frame)
{
    struct fg_journal_check *check = arg;
    const struct fg_frame *header = frame->header;
    int rc = 0;

    if (check->first_segment == 0)
        check->first_segment = frame->segment;
    /* A base that a crash cut short is followed by the next segment's, and says nothing. */
    if (frame->offset == 0)
        rc = begin_base(check, frame);
    else if (check->in_base && !(header->flags & FG_FRAME_BASE))
        rc = check_base_end(check, frame);
    else if (!check->in_base && header->flags & FG_FRAME_BASE)
        rc = blame(check, frame, FG_EXIT_CORRUPT, 0, "a base in the midst of a segment");
    if (rc == 0 && header->count > 0 && header->flags & (FG_FRAME_EPOCH | FG_FRAME_CLOSING))
        rc = blame(check, frame, FG_EXIT_CORRUPT, 0, "it has records, and its kind has none");
    return rc != 0 ? rc : check_epoch(check, frame);
}

/* --- records --- */

static bool item_lives(void *arg, uint32_t item)
{
    return fg_model_item(arg, item) != NULL;
}

static const char *wrong_fields(const struct fg_order_event *event)
{
    if (strcmp(fg_event_name(event->kind), "?") == 0)
        return "its kind is not known";
    if (event->flags != 0)
        return "it has flags, and none are known";
    if (event->quantity == 0)
        return "its quantity is 0";
    if (event->order == 0 || event->item == 0)
        return "it has no order id or no item";
    if (event->hold_ms != 0 && event->kind != FG_EVENT_ADMIT)
        return "it has a hold, and only ADMIT may";
    return event->hold_ms > FG_HOLD_MS_MAX ? "its hold is longer than a hold may be" : NULL;
}

/* Units of the item, once the event has changed them. */
static int check_units(struct fg_journal_check *check, const struct fg_journal_frame *frame,
                       const struct fg_record *record, struct fg_model_item *item, int32_t units)
{
    item->given += units;
    check->units += units;
    if (item->given >= 0 && (units <= 0 || item->given <= (int64_t)fg_model_supply(item)))
        return 0;
    return blame(check, frame, FG_EXIT_CORRUPT, record->lsn,
                 "with it the log gives %" PRId64 " units of item %" PRIu32
                 ", of a supply of %" PRIu32,
                 item->given, item->item.id, fg_model_supply(item));
}

static int check_order(struct fg_journal_check *check, const struct fg_journal_frame *frame,
                       const struct fg_record *record)
{
    const struct fg_order_event *event = record->order;
    uint64_t expected = event->sale <= FG_SALES_EVER_MAX && event->sale < check->books.sales_end
                            ? check->books.positions[event->sale].last_seq + 1
                            : 1;
    const char *problem = wrong_fields(event);
    int32_t units = 0;

    if (problem)
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn, "%s", problem);
    if (fg_books_order(&check->books, event, record->epoch) != 0)
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn,
                     "it has sale_seq %" PRIu64 " of sale %" PRIu32 ", and %" PRIu64 " comes next",
                     event->sale_seq, event->sale, expected);
    struct fg_model_item *item = fg_model_item(&check->model, event->item);
    if (!item && check->first_segment == 1) /* a start refuses it */
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn,
                     "its item %" PRIu32 " is of no sale that the log has told of", event->item);
    if (!item) /* of a sale whose beginning is gone with the log's first segments */
        return 0;
    if (item->item.sale != event->sale)
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn,
                     "its item %" PRIu32 " is of sale %" PRIu32 ", not %" PRIu32, event->item,
                     item->item.sale, event->sale);
    problem = fg_journal_orders_apply(&check->orders, event, item_lives, &check->model, &units);
    if (problem == fg_journal_never_admitted && check->first_segment > 1) {
        struct fg_journal_place *orphan = &check->orphans[event->sale];
        if (orphan->lsn == 0)
            *orphan = place_of(frame, record->lsn);
        return 0;
    }
    if (problem)
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn, "%s", problem);
    return check_units(check, frame, record, item, units);
}

void fg_journal_check_end(struct fg_journal_check *check)
{
    for (unsigned i = 0; i < check->model.sales_count && check->status == FG_EXIT_OK; i++) {
        const struct fg_sale *sale = check->model.sales[i];
        if (sale->state == FG_SALE_ARCHIVED || check->orphans[sale->number].lsn == 0)
            continue;
        check->status = FG_EXIT_CORRUPT;
        check->at = check->orphans[sale->number];
        snprintf(check->problem, sizeof(check->problem),
                 "%s, and its sale %s is not archived: a segment that is needed is gone",
                 fg_journal_never_admitted, sale->name);
    }
}

static int check_control(struct fg_journal_check *check, const struct fg_journal_frame *frame,
                         const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    bool news = !(frame->header->flags & FG_FRAME_BASE) || frame->segment == check->first_segment;

    if (strcmp(fg_event_name(event->kind), "?") == 0)
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn, "its kind is not known");
    if (check->in_base && check->compared && !fg_journal_base_match(&check->base, record))
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn,
                     "this base record says what the records before it did not");
    int rc = fg_books_control(&check->books, event, record->body);
    if (rc == 0 && news)
        rc = fg_model_replay(&check->model, record);
    if (rc == -ENOMEM)
        return short_of_memory(check, frame);
    if (rc != 0)
        return blame(check, frame, FG_EXIT_CORRUPT, record->lsn,
                     rc == -ENOSPC ? "it makes more live sales than there may be"
                                   : "it does not follow from the records before it");
    return 0;
}

int fg_journal_check_record(void *arg, const struct fg_journal_frame *frame,
                            const struct fg_record *record)
{
    return fg_event_is_control(record->unit) ? check_control(arg, frame, record)
                                             : check_order(arg, frame, record);
}

int fg_journal_check_log(struct fg_journal_check *check, const struct fg_disk *disk,
                         const char *dir, struct fg_journal_facts *facts)
{
    const struct fg_journal_visitor visitor = {.arg = check,
                                               .frame = fg_journal_check_frame,
                                               .record = fg_journal_check_record,
                                               .again = fg_journal_check_again};

    int rc = fg_journal_check_init(check);
    if (rc == 0)
        rc = fg_journal_walk(disk, dir, &visitor, facts);
    if (rc == 0)
        fg_journal_check_end(check);
    return rc;
}
