/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sales: from the operator's YAML, and to and from the log's JSON.
 *
 * Both ways in end in the same check of what the fields say about each other, so that a record of a
 * damaged log is refused by the rules that a sale file is refused by.
 */
#include "control/sale/sale.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- Item ids: an open-addressing set, at most half full --- */

#define IDS_PLACES 32768
static_assert(IDS_PLACES >= 2 * FG_ITEMS_PER_SALE_MAX, "probing ends at an empty place");

struct ids {
    uint32_t places[IDS_PLACES]; /* 0: empty; no item has id 0 */
};

/* False if it is there already. */
static bool ids_add(struct ids *ids, uint32_t id)
{
    for (uint32_t at = fg_item_hash(id);; at++) {
        uint32_t *place = &ids->places[at % IDS_PLACES];
        if (*place == id)
            return false;
        if (*place == 0) {
            *place = id;
            return true;
        }
    }
}

/* --- Rules between fields: NULL, or a field's name with *wrong the sentence --- */

static const char *item_fault(const struct fg_sale_item *item, struct ids *ids, const char **wrong)
{
    *wrong = "stands above limit: no buyer could have an order so large";
    if (item->limit && item->max_per_order > item->limit)
        return "max_per_order";
    *wrong = "another item of this sale has this id, wanted one for each";
    return ids_add(ids, item->id) ? NULL : "id";
}

static const char *sale_fault(const struct fg_sale *sale, const char **wrong)
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
    const char *wrong, *field = item_fault(item, fg_option_input(scope)->context, &wrong);
    return field ? fg_option_refuse(scope, field, "%s", wrong) : 0;
}

static int check_sale(const struct fg_option_scope *scope, void *target)
{
    const struct fg_sale *sale = target;
    /* One time from now and one of the calendar: which of them counts is for the plan to say. */
    if (sale->opens_relative != sale->closes_relative && sale->opens_ns)
        return 0;
    const char *wrong, *field = sale_fault(sale, &wrong);
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

static const char *const LATE_NAMES[] = {
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
     .choices = LATE_NAMES,
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
    return LATE_NAMES[late_confirm];
}

int fg_sale_check(const struct fg_sale *sale, char *message, size_t size)
{
    const char *wrong, *field = sale_fault(sale, &wrong);
    struct ids *ids = calloc(1, sizeof(*ids));
    uint32_t i = 0;
    if (!ids) {
        snprintf(message, size, "memory is short");
        return -1;
    }
    for (; !field && i < sale->items_count; i++)
        field = item_fault(&sale->items[i], ids, &wrong);
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
    struct ids *ids = calloc(1, sizeof(*ids));
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

/* --- JSON --- */

static const char *const STATE_NAMES[] = {
#define X(name, text) [FG_SALE_##name] = text,
    FG_SALE_STATES(X)
#undef X
        NULL};

static json_t *item_to_json(const struct fg_sale_item *item)
{
    return json_pack("{s:I, s:s, s:I, s:I, s:i, s:I}", "id", (json_int_t)item->id, "name",
                     item->name, "stock", (json_int_t)item->stock, "limit", (json_int_t)item->limit,
                     "max_per_order", (int)item->max_per_order, "hold_ms",
                     (json_int_t)item->hold_ms);
}

/* What came later is written only where it says something: logs of before have no word of it. */
static json_t *with_marks(json_t *json, const struct fg_sale *sale)
{
    if (json && sale->limit)
        json_object_set_new(json, "limit", json_integer(sale->limit));
    if (json && sale->rate)
        json_object_set_new(json, "rate", json_integer(sale->rate));
    if (json && sale->burst)
        json_object_set_new(json, "burst", json_integer(sale->burst));
    if (json && sale->opened && sale->state != FG_SALE_OPEN)
        json_object_set_new(json, "opened", json_true());
    return json;
}

json_t *fg_sale_to_json(const struct fg_sale *sale)
{
    json_t *items = json_array();
    for (uint32_t i = 0; items && i < sale->items_count; i++)
        if (json_array_append_new(items, item_to_json(&sale->items[i])) != 0) {
            json_decref(items);
            return NULL;
        }
    /* "o" takes the array over, on failure too. */
    json_t *json = json_pack("{s:s, s:I, s:s, s:I, s:I, s:b, s:s, s:o}", "name", sale->name,
                             "number", (json_int_t)sale->number, "state", STATE_NAMES[sale->state],
                             "opens_ns", (json_int_t)sale->opens_ns, "closes_ns",
                             (json_int_t)sale->closes_ns, "cancel_final", (int)sale->cancel_final,
                             "late_confirm", LATE_NAMES[sale->late_confirm], "items", items);
    return with_marks(json, sale);
}

static bool whole(const json_t *json, const char *name, json_int_t min, json_int_t max,
                  json_int_t *value)
{
    const json_t *found = json_object_get(json, name);
    *value = json_integer_value(found);
    return json_is_integer(found) && *value >= min && *value <= max;
}

/* As whole(), or 0 where it is left out. */
static bool whole_or_0(const json_t *json, const char *name, json_int_t max, json_int_t *value)
{
    *value = 0;
    return !json_object_get(json, name) || whole(json, name, 0, max, value);
}

static bool copied(const json_t *json, const char *name, char *to, size_t size)
{
    const json_t *found = json_object_get(json, name);
    size_t length = json_string_length(found);
    if (!json_is_string(found) || length == 0 || length >= size ||
        !fg_printable(json_string_value(found), length))
        return false;
    memcpy(to, json_string_value(found), length + 1);
    return true;
}

static bool chosen(const json_t *json, const char *name, const char *const *choices, uint8_t *value)
{
    const char *found = json_string_value(json_object_get(json, name));
    for (*value = 0; found && choices[*value]; (*value)++)
        if (strcmp(choices[*value], found) == 0)
            return true;
    return false;
}

static bool item_from_json(struct fg_sale_item *item, const json_t *json, struct ids *ids)
{
    json_int_t id, stock, limit, most, hold;
    const char *wrong;
    if (!copied(json, "name", item->name, sizeof(item->name)) ||
        !whole(json, "id", 1, UINT32_MAX, &id) || !whole(json, "stock", 0, FG_STOCK_MAX, &stock) ||
        !whole(json, "limit", 0, FG_STOCK_MAX, &limit) ||
        !whole(json, "max_per_order", 1, FG_QUANTITY_MAX, &most) ||
        !whole(json, "hold_ms", 0, FG_HOLD_MS_MAX, &hold))
        return false;
    item->id = (uint32_t)id;
    item->stock = (uint32_t)stock;
    item->limit = (uint32_t)limit;
    item->max_per_order = (uint16_t)most;
    item->hold_ms = (uint32_t)hold;
    return item_fault(item, ids, &wrong) == NULL;
}

static bool items_from_json(struct fg_sale *sale, const json_t *array)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count < 1 || count > FG_ITEMS_PER_SALE_MAX)
        return false;
    struct ids *ids = calloc(1, sizeof(*ids));
    sale->items = calloc(count, sizeof(*sale->items));
    sale->items_count = sale->items ? (uint32_t)count : 0;
    bool right = ids && sale->items;
    for (size_t i = 0; right && i < count; i++)
        right = item_from_json(&sale->items[i], json_array_get(array, i), ids);
    free(ids);
    return right;
}

static bool head_from_json(struct fg_sale *sale, const json_t *json)
{
    json_int_t number, opens, closes, limit, rate, burst;
    const char *wrong;
    const json_t *cancel = json_object_get(json, "cancel_final");
    if (!copied(json, "name", sale->name, sizeof(sale->name)) ||
        !fg_name_valid(sale->name, strlen(sale->name)) ||
        !whole(json, "number", 0, UINT32_MAX, &number) ||
        !chosen(json, "state", STATE_NAMES, &sale->state) ||
        !whole(json, "opens_ns", 0, INT64_MAX, &opens) ||
        !whole(json, "closes_ns", 0, INT64_MAX, &closes) ||
        !whole_or_0(json, "limit", FG_STOCK_MAX, &limit) ||
        !whole_or_0(json, "rate", FG_BUYER_RATE_MAX, &rate) ||
        !whole_or_0(json, "burst", FG_BUYER_BURST_MAX, &burst) || !json_is_boolean(cancel) ||
        !chosen(json, "late_confirm", LATE_NAMES, &sale->late_confirm))
        return false;
    sale->number = (uint32_t)number;
    sale->opens_ns = (uint64_t)opens;
    sale->closes_ns = (uint64_t)closes;
    sale->limit = (uint32_t)limit;
    sale->rate = (uint32_t)rate;
    sale->burst = (uint32_t)burst;
    sale->cancel_final = json_is_true(cancel);
    sale->opened = sale->state == FG_SALE_OPEN || json_is_true(json_object_get(json, "opened"));
    return sale_fault(sale, &wrong) == NULL;
}

int fg_sale_from_json(struct fg_sale *sale, const json_t *json)
{
    memset(sale, 0, sizeof(*sale));
    if (head_from_json(sale, json) && items_from_json(sale, json_object_get(json, "items")))
        return 0;
    fg_sale_free(sale);
    return -1;
}
