/* SPDX-License-Identifier: BSD-3-Clause */
/* Control events of the log, applied to the model again. */
#include <errno.h>

#include "control/sale/model_parts.h"

#define UNITS_EVER_MAX (UINT64_C(1) << 62) /* added to one item: no sum overflows */

static int replay_sale(struct fg_model *model, const struct fg_control_event *event,
                       const json_t *body)
{
    struct fg_sale sale;
    if (fg_sale_from_json(&sale, body) != 0)
        return -EINVAL;
    sale.number = event->sale;
    int rc = fg_model_put_sale(model, &sale);
    fg_sale_free(&sale);
    return rc;
}

static struct fg_model_item *event_item(const struct fg_model *model,
                                        const struct fg_control_event *event)
{
    return event->value2 <= UINT32_MAX ? fg_model_item(model, (uint32_t)event->value2) : NULL;
}

/* The units added and removed as they are now; the total that the sale's definition tells follows.
 * No supply is negative or above FG_STOCK_MAX. */
static int set_supply(struct fg_model *model, struct fg_model_item *item, uint64_t added,
                      uint64_t removed, uint64_t revision)
{
    if (added > UNITS_EVER_MAX || removed > item->stock + added ||
        item->stock + added - removed > FG_STOCK_MAX)
        return -EINVAL;
    item->added = added;
    item->removed = removed;
    item->supply_revision = revision;
    fg_model_sale_number(model, item->item.sale)->items[item->place].stock = fg_model_supply(item);
    return 0;
}

/* Adding and removing are told as differences: an event seen before must not count again. */
static int replay_units(struct fg_model *model, const struct fg_control_event *event)
{
    struct fg_model_item *item = event_item(model, event);
    if (!item || event->value > FG_STOCK_MAX)
        return -EINVAL;
    if (event->revision <= item->supply_revision)
        return 0;
    bool adds = event->kind == FG_EVENT_STOCK_ADD;
    return set_supply(model, item, item->added + (adds ? event->value : 0),
                      item->removed + (adds ? 0 : event->value), event->revision);
}

static int replay_supply(struct fg_model *model, const struct fg_control_event *event)
{
    struct fg_model_item *item = event_item(model, event);
    if (!item)
        return -EINVAL;
    return set_supply(model, item, event->value, event->value3, event->revision);
}

static int replay_item_state(struct fg_model *model, const struct fg_control_event *event)
{
    struct fg_model_item *item = event_item(model, event);
    if (!item || event->value >= FG_ITEM_STATE_COUNT)
        return -EINVAL;
    item->state = (uint8_t)event->value;
    fg_model_show_state(item, fg_model_sale_number(model, item->item.sale));
    return 0;
}

/* An opening on record; logs of old tell it only by the event that opened. */
static uint64_t opening_of(const struct fg_control_event *event)
{
    return event->value2 == 0 && event->value == FG_SALE_OPEN ? event->at_ns : event->value2;
}

/* An id, or [first, last] of a run of them, is used and gone unless it is live. *left is how many
 * more there may be. */
static int replay_ids(struct fg_model *model, const json_t *value, uint64_t *left)
{
    bool run = json_is_array(value);
    json_int_t first = json_integer_value(run ? json_array_get(value, 0) : value);
    json_int_t last = run ? json_integer_value(json_array_get(value, 1)) : first;
    if (first <= 0 || last < first || last > UINT32_MAX || (uint64_t)(last - first) >= *left)
        return -EINVAL;
    *left -= (uint64_t)(last - first) + 1;
    for (json_int_t id = first; id <= last; id++) {
        int rc = fg_model_id_used(model, (uint32_t)id)
                     ? 0
                     : fg_model_id_add(&model->ids, (uint32_t)id, FG_SLOT_GONE);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int replay_names(struct fg_model *model, const json_t *body)
{
    const json_t *names = json_object_get(body, "sales"), *ids = json_object_get(body, "items");
    size_t i;
    json_t *value;
    if (!json_is_array(names) || !json_is_array(ids) || json_array_size(names) > FG_SALES_EVER_MAX)
        return -EINVAL;
    uint64_t left = fg_names_used_ids_max(json_array_size(names));
    json_array_foreach(names, i, value)
    {
        const char *name = json_string_value(value);
        int rc = !name                             ? -EINVAL
                 : fg_model_name_used(model, name) ? 0
                                                   : fg_model_name_add(model, name, 0);
        if (rc != 0)
            return rc;
    }
    json_array_foreach(ids, i, value)
    {
        int rc = replay_ids(model, value, &left);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int replay_body(struct fg_model *model, const struct fg_record *record)
{
    json_t *body = json_loadb(record->body, record->control->body_length, 0, NULL);
    if (!body)
        return -EINVAL;
    int rc = record->control->kind == FG_EVENT_SALE ? replay_sale(model, record->control, body)
                                                    : replay_names(model, body);
    if (rc == 0 && record->control->kind == FG_EVENT_NAMES_USED)
        model->names_bytes = record->control->body_length;
    json_decref(body);
    return rc;
}

static int replay_event(struct fg_model *model, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    switch (event->kind) {
    case FG_EVENT_SALE:
    case FG_EVENT_NAMES_USED:
        return record->body ? replay_body(model, record) : -EINVAL;
    case FG_EVENT_SALE_STATE:
        if (event->value >= FG_SALE_STATE_COUNT)
            return -EINVAL;
        return fg_model_set_state(model, event->sale, (enum fg_sale_state)event->value,
                                  opening_of(event));
    case FG_EVENT_ITEM_STATE:
        return replay_item_state(model, event);
    case FG_EVENT_ENGINE_STATE:
        if (event->value >= FG_ENGINE_MODE_COUNT)
            return -EINVAL;
        model->mode = (enum fg_engine_mode)event->value;
        return 0;
    case FG_EVENT_STOCK_ADD:
    case FG_EVENT_STOCK_REMOVE:
        return replay_units(model, event);
    case FG_EVENT_ITEM_SUPPLY:
        return replay_supply(model, event);
    case FG_EVENT_ACT: /* for those who read the log */
        return 0;
    case FG_EVENT_SALE_POSITION: /* the journal's and delivery's; here: a number that was given */
        if (event->sale > model->numbers)
            model->numbers = event->sale;
        return 0;
    default:
        return -EINVAL;
    }
}

int fg_model_replay(struct fg_model *model, const struct fg_record *record)
{
    int rc = replay_event(model, record);
    if (rc == 0 && record->control->revision > model->revision)
        model->revision = record->control->revision;
    return rc;
}
