/* SPDX-License-Identifier: BSD-3-Clause */
/* Sales to and from the log's JSON: the body of a SALE event. */
#include <stdlib.h>
#include <string.h>

#include "control/sale/sale_parts.h"

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
    json_t *json =
        json_pack("{s:s, s:I, s:s, s:I, s:I, s:b, s:s, s:o}", "name", sale->name, "number",
                  (json_int_t)sale->number, "state", STATE_NAMES[sale->state], "opens_ns",
                  (json_int_t)sale->opens_ns, "closes_ns", (json_int_t)sale->closes_ns,
                  "cancel_final", (int)sale->cancel_final, "late_confirm",
                  fg_sale_late_names[sale->late_confirm], "items", items);
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

static bool item_from_json(struct fg_sale_item *item, const json_t *json, struct fg_sale_ids *ids)
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
    return fg_sale_item_fault(item, ids, &wrong) == NULL;
}

static bool items_from_json(struct fg_sale *sale, const json_t *array)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count < 1 || count > FG_ITEMS_PER_SALE_MAX)
        return false;
    struct fg_sale_ids *ids = calloc(1, sizeof(*ids));
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
        !chosen(json, "late_confirm", fg_sale_late_names, &sale->late_confirm))
        return false;
    sale->number = (uint32_t)number;
    sale->opens_ns = (uint64_t)opens;
    sale->closes_ns = (uint64_t)closes;
    sale->limit = (uint32_t)limit;
    sale->rate = (uint32_t)rate;
    sale->burst = (uint32_t)burst;
    sale->cancel_final = json_is_true(cancel);
    sale->opened = sale->state == FG_SALE_OPEN || json_is_true(json_object_get(json, "opened"));
    return fg_sale_fault(sale, &wrong) == NULL;
}

int fg_sale_from_json(struct fg_sale *sale, const json_t *json)
{
    memset(sale, 0, sizeof(*sale));
    if (head_from_json(sale, json) && items_from_json(sale, json_object_get(json, "items")))
        return 0;
    fg_sale_free(sale);
    return -1;
}
