/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sales from the operator's YAML; sale_json.c has them to and from the log's JSON.
 *
 * Both ways in end in the same check of what the fields say about each other, so that a record of a
 * damaged log is refused by the rules that a sale file is refused by.
 */
#include "control/sale/sale_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- Item ids: an open-addressing set, at most half full --- */

/* False if it is there already. */
static bool ids_add(struct fg_sale_ids *ids, uint32_t id)
{
    for (uint32_t at = fg_item_hash(id);; at++) {
        uint32_t *place = &ids->places[at % FG_SALE_IDS_PLACES];
        if (*place == id)
            return false;
        if (*place == 0) {
            *place = id;
            return true;
        }
    }
}

/* --- Rules between fields --- */

const char *fg_sale_item_fault(const struct fg_sale_item *item, struct fg_sale_ids *ids,
                               const char **wrong)
{
    *wrong = "stands above limit: no buyer could have an order so large";
    if (item->limit && item->max_per_order > item->limit)
        return "max_per_order";
    *wrong = "another item of this sale has this id, wanted one for each";
    return ids_add(ids, item->id) ? NULL : "id";
}

const char *fg_sale_fault(const struct fg_sale *sale, const char **wrong)
{
    *wrong = "is not after opens";
    return sale->closes_ns && sale->closes_ns <= sale->opens_ns ? "closes" : NULL;
}

/* --- YAML --- */

static int check_item(const struct fg_option_scope *scope, void *target)
{
    struct fg_sale_item *item = target;
    if (!fg_option_given(scope, "max_per_order") && item->limit)
        item->max_per_order =
            (uint16_t)(item->limit < FG_QUANTITY_MAX ? item->limit : FG_QUANTITY_MAX);
    const char *wrong, *field = fg_sale_item_fault(item, fg_option_input(scope)->context, &wrong);
    return field ? fg_option_refuse(scope, field, "%s", wrong) : 0;
}

static int check_sale(const struct fg_option_scope *scope, void *target)
{
    const struct fg_sale *sale = target;
    /* One time from now and one of the calendar: which of them counts is for the plan to say. */
    if (sale->opens_relative != sale->closes_relative && sale->opens_ns)
        return 0;
    const char *wrong, *field = fg_sale_fault(sale, &wrong);
    return field ? fg_option_refuse(scope, field, "%s", wrong) : 0;
}

#define ITEM(field) FG_OPTION_FIELD(struct fg_sale_item, field)
#define SALE(field) FG_OPTION_FIELD(struct fg_sale, field)

static const struct fg_option ITEM_OPTIONS[] = {
    {.name = "id",
     .kind = FG_OPTION_INTEGER,
     ITEM(id),
     .min = 1,
     .max = UINT32_MAX,
     .required = true,
     .help = "Number of the item on the wire; never used twice in one log."},
    {.name = "name",
     .kind = FG_OPTION_LABEL,
     ITEM(name),
     .required = true,
     .help = "Its name, for people."},
    {.name = "stock",
     .kind = FG_OPTION_INTEGER,
     ITEM(stock),
     .unit = "units",
     .max = FG_STOCK_MAX,
     .required = true,
     .help = "Units ever to be sold of it, what is sold already included."},
    {.name = "limit",
     .kind = FG_OPTION_INTEGER,
     ITEM(limit),
     .live = true,
     .unit = "units",
     .max = FG_STOCK_MAX,
     .standard = "0",
     .zero = "none",
     .help = "Units one buyer may have; 0: no limit."},
    {.name = "max_per_order",
     .kind = FG_OPTION_INTEGER,
     ITEM(max_per_order),
     .live = true,
     .unit = "units",
     .min = 1,
     .max = FG_QUANTITY_MAX,
     .standard = "1",
     .help = "Units in one order; if it is not given, as many as limit, or 1 without a limit."},
    {.name = "hold",
     .kind = FG_OPTION_DURATION,
     ITEM(hold_ms),
     .live = true,
     .max = FG_HOLD_MS_MAX,
     .standard = "0",
     .zero = "none",
     .help = "How long an order waits for its CONFIRM; 0: it is final at once."},
};
const struct fg_option_table fg_sale_item_options = {ITEM_OPTIONS, COUNT(ITEM_OPTIONS),
                                                     "a table of id, name and stock", check_item};
static const struct fg_option ITEM_ELEMENT = {.kind = FG_OPTION_SECTION,
                                              .table = &fg_sale_item_options};

const char *const fg_sale_late_names[] = {
    [FG_LATE_REFUSE] = "refuse", [FG_LATE_REACQUIRE] = "reacquire", NULL};

static const struct fg_option SALE_OPTIONS[] = {
    {.name = "name",
     .kind = FG_OPTION_NAME,
     SALE(name),
     .required = true,
     .help = "The sale's name; never used twice in one log."},
    {.name = "opens",
     .kind = FG_OPTION_TIME,
     SALE(opens_ns),
     .live = true,
     .second = offsetof(struct fg_sale, opens_relative),
     .zero = "by hand",
     .example = "2027-03-21T20:00:00+01:00",
     .help = "When it opens; if it is not given, by hand. A time from now counts from when the "
             "file is first applied, and does not move one that is in force."},
    {.name = "closes",
     .kind = FG_OPTION_TIME,
     SALE(closes_ns),
     .live = true,
     .second = offsetof(struct fg_sale, closes_relative),
     .zero = "by hand",
     .example = "2027-03-21T22:00:00+01:00",
     .help = "When it closes for good; if it is not given, by hand."},
    {.name = "limit",
     .kind = FG_OPTION_INTEGER,
     SALE(limit),
     .live = true,
     .unit = "units",
     .max = FG_STOCK_MAX,
     .standard = "0",
     .zero = "none",
     .help = "Units one buyer may have over all items of the sale; 0: no limit."},
    {.name = "rate",
     .kind = FG_OPTION_INTEGER,
     SALE(rate),
     .live = true,
     .unit = "requests/s",
     .max = FG_BUYER_RATE_MAX,
     .standard = "0",
     .zero = "none",
     .help = "How often one buyer may ask in this sale, and is told THROTTLED above it; what "
             "repeats or settles an order, at twice that; 0: no rate."},
    {.name = "burst",
     .kind = FG_OPTION_INTEGER,
     SALE(burst),
     .live = true,
     .unit = "requests",
     .max = FG_BUYER_BURST_MAX,
     .standard = "0",
     .zero = "as many as rate",
     .help = "How often at once, after a while of silence; 0: as many as rate."},
    {.name = "cancel_final",
     .kind = FG_OPTION_BOOL,
     SALE(cancel_final),
     .standard = "false",
     .help = "May CANCEL withdraw a final order?"},
    {.name = "late_confirm",
     .kind = FG_OPTION_CHOICE,
     SALE(late_confirm),
     .choices = fg_sale_late_names,
     .standard = "refuse",
     .help = "A CONFIRM after its hold ran out: refuse it, or reacquire units if they are free."},
    {.name = "items",
     .kind = FG_OPTION_LIST,
     .offset = offsetof(struct fg_sale, items),
     .second = offsetof(struct fg_sale, items_count),
     .size = sizeof(struct fg_sale_item),
     .allocated = true,
     .min = 1,
     .max = FG_ITEMS_PER_SALE_MAX,
     .required = true,
     .element = &ITEM_ELEMENT,
     .help = "What is on sale."},
};
const struct fg_option_table fg_sale_options = {
    SALE_OPTIONS, COUNT(SALE_OPTIONS), "a table with the sale's name and its items", check_sale};

const struct fg_option *fg_sale_option(const struct fg_option_table *table, const char *name)
{
    const struct fg_option *option = table->options;
    while (strcmp(option->name, name) != 0)
        option++;
    return option;
}

const char *fg_sale_late_confirm_name(unsigned late_confirm)
{
    return fg_sale_late_names[late_confirm];
}

int fg_sale_check(const struct fg_sale *sale, char *message, size_t size)
{
    const char *wrong, *field = fg_sale_fault(sale, &wrong);
    struct fg_sale_ids *ids = calloc(1, sizeof(*ids));
    uint32_t i = 0;
    if (!ids) {
        snprintf(message, size, "memory is short");
        return -1;
    }
    for (; !field && i < sale->items_count; i++)
        field = fg_sale_item_fault(&sale->items[i], ids, &wrong);
    free(ids);
    if (field && i > 0)
        snprintf(message, size, "item %" PRIu32 ": %s %s", sale->items[i - 1].id, field, wrong);
    else if (field)
        snprintf(message, size, "sale %s: %s %s", sale->name, field, wrong);
    return field ? -1 : 0;
}

int fg_sale_parse(struct fg_sale *sale, const char *source, const char *text, size_t length,
                  uint64_t now_ns, char *message, size_t size)
{
    memset(sale, 0, sizeof(*sale));
    struct fg_sale_ids *ids = calloc(1, sizeof(*ids));
    if (!ids) {
        snprintf(message, size, "%s:1:1: could not be read: out of memory", source);
        return -1;
    }
    struct fg_options_input input = {
        .source = source,
        .text = text,
        .length = length,
        .now_ns = now_ns,
        .context = ids,
        .message = message,
        .size = size,
    };
    int result = fg_options_read(&fg_sale_options, sale, &input);
    free(ids);
    if (result != 0)
        fg_sale_free(sale);
    return result;
}

void fg_sale_free(struct fg_sale *sale)
{
    fg_options_free(&fg_sale_options, sale);
}
