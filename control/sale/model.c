/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model is the sum of the control events so far. Replay and live changes go through the same
 * functions, put_sale and fg_model_replay, so that a restart arrives at what was running.
 */
#include "control/sale/model_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/admission/rates.h"

#define IDS_PLACES_MIN 64

int fg_model_init(struct fg_model *model)
{
    *model = (struct fg_model){0};
    model->names = json_object();
    model->ids.places = calloc(IDS_PLACES_MIN, sizeof(*model->ids.places));
    model->ids.mask = IDS_PLACES_MIN - 1;
    if (model->names && model->ids.places)
        return 0;
    fg_model_fini(model);
    return -ENOMEM;
}

void fg_model_fini(struct fg_model *model)
{
    for (unsigned i = 0; i < model->sales_count; i++)
        fg_model_sale_free(model->sales[i]);
    free(model->items);
    free(model->free_slots);
    free(model->ids.places);
    json_decref(model->names);
    *model = (struct fg_model){0};
}

struct fg_sale *fg_model_sale_copy(const struct fg_sale *sale)
{
    struct fg_sale *copy = malloc(sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *sale;
    copy->items = calloc(sale->items_count ? sale->items_count : 1, sizeof(*copy->items));
    if (!copy->items) {
        free(copy);
        return NULL;
    }
    if (sale->items_count > 0)
        memcpy(copy->items, sale->items, sale->items_count * sizeof(*copy->items));
    return copy;
}

void fg_model_sale_free(struct fg_sale *sale)
{
    if (!sale)
        return;
    free(sale->items);
    free(sale);
}

/* --- look-ups --- */

struct fg_model_item *fg_model_item(const struct fg_model *model, uint32_t id)
{
    if (!fg_model_id_used(model, id))
        return NULL;
    uint32_t slot = fg_model_id_place(&model->ids, id)->slot;
    return slot == FG_SLOT_GONE ? NULL : &model->items[slot];
}

struct fg_sale *fg_model_sale(const struct fg_model *model, const char *name)
{
    for (unsigned i = 0; i < model->sales_count; i++)
        if (strcmp(model->sales[i]->name, name) == 0)
            return model->sales[i];
    return NULL;
}

static int sale_place(const struct fg_model *model, uint32_t number)
{
    for (unsigned i = 0; i < model->sales_count; i++)
        if (model->sales[i]->number == number)
            return (int)i;
    return -1;
}

struct fg_sale *fg_model_sale_number(const struct fg_model *model, uint32_t number)
{
    int place = sale_place(model, number);
    return place < 0 ? NULL : model->sales[place];
}

uint32_t fg_model_supply(const struct fg_model_item *item)
{
    uint64_t in = item->stock + item->added;
    return in > item->removed ? (uint32_t)(in - item->removed) : 0;
}

/* --- a sale's definition --- */

static int items_grow(struct fg_model *model)
{
    uint32_t room = model->items_room ? model->items_room * 2 : 64;
    struct fg_model_item *items = realloc(model->items, room * sizeof(*items));
    if (items)
        model->items = items;
    uint32_t *slots = realloc(model->free_slots, room * sizeof(*slots));
    if (slots)
        model->free_slots = slots;
    if (!items || !slots)
        return -ENOMEM;
    model->items_room = room;
    return 0;
}

/* A new item's place, with nothing in it yet. */
static int item_add(struct fg_model *model, uint32_t id, struct fg_model_item **added)
{
    bool reused = model->free_count > 0;
    if (!reused && model->items_count == model->items_room && items_grow(model) != 0)
        return -ENOMEM;
    uint32_t slot = reused ? model->free_slots[model->free_count - 1] : model->items_count;
    int rc = fg_model_id_add(&model->ids, id, slot);
    if (rc != 0)
        return rc;
    *added = &model->items[slot];
    memset(*added, 0, sizeof(**added));
    (*added)->item.slot = slot;
    if (reused)
        model->free_count--;
    else
        model->items_count++;
    return 0;
}

/* The states of sale and item, into the line that workers will read. */
void fg_model_show_state(struct fg_model_item *entry, const struct fg_sale *sale)
{
    bool closed = entry->state == FG_ITEM_CLOSED && sale->state < FG_SALE_CLOSED;
    entry->item.state = closed ? FG_SALE_CLOSED : sale->state;
    entry->item.paused = entry->state == FG_ITEM_PAUSED;
    entry->item.opens_ns = sale->opens_ns;
}

/* What the sale says, into the line that workers will read. */
static void item_define(struct fg_model_item *entry, const struct fg_sale *sale, unsigned place,
                        const struct fg_sale_item *item)
{
    uint32_t slot = entry->item.slot;
    entry->item = (struct fg_item){
        .id = item->id,
        .slot = slot,
        .sale = sale->number,
        .hold_ms = item->hold_ms,
        .limit = item->limit,
        .max_per_order = item->max_per_order,
        .sale_index = (uint8_t)place,
        .cancel_final = sale->cancel_final,
        .late_confirm = sale->late_confirm,
        .closes_ns = sale->closes_ns,
        .sale_limit = sale->limit,
    };
    fg_rates_set_item(&entry->item, sale->rate, sale->burst);
    fg_model_show_state(entry, sale);
    memcpy(entry->name, item->name, sizeof(entry->name));
    entry->stock = item->stock;
    entry->place = (uint32_t)(item - sale->items);
    entry->added = entry->removed = 0; /* a definition's stock is all there ever was to sell */
}

/*
 * Does the definition go with what is known? Checked before anything is changed. A name or id that
 * is used but not live is no contradiction here: base events tell the names before the sales.
 */
static int check_sale(const struct fg_model *model, const struct fg_sale *sale, int place)
{
    if (sale->number == 0 || sale->state >= FG_SALE_STATE_COUNT)
        return -EINVAL;
    if (place < 0 && fg_model_sale(model, sale->name))
        return -EINVAL;
    if (place >= 0 && strcmp(model->sales[place]->name, sale->name) != 0)
        return -EINVAL;
    if (place < 0 && model->sales_count == FG_SALES_LIVE_MAX)
        return -ENOSPC;
    uint32_t kept = 0; /* a sale's items are never fewer: what a file leaves out is closed */
    for (uint32_t i = 0; i < sale->items_count; i++) {
        const struct fg_model_item *known = fg_model_item(model, sale->items[i].id);
        if (sale->items[i].id == 0 || (known && known->item.sale != sale->number))
            return -EINVAL;
        kept += known != NULL;
    }
    return place >= 0 && kept < model->sales[place]->items_count ? -EINVAL : 0;
}

/* An opening that happened is a record, whatever a definition says of it. */
static void keep_opening(struct fg_sale *sale, const struct fg_sale *old)
{
    if (sale->state == FG_SALE_OPEN)
        sale->opened = true;
    if (!old || !old->opened)
        return;
    sale->opened = true;
    sale->opens_ns = old->opens_ns;
}

int fg_model_put_sale(struct fg_model *model, const struct fg_sale *sale)
{
    int place = sale_place(model, sale->number);
    if (place < 0 && sale->number != 0 &&
        fg_model_archived_number(model, sale->name) == sale->number)
        return 0; /* seen before: it came and went */
    int rc = check_sale(model, sale, place);
    if (rc != 0)
        return rc;
    struct fg_sale *copy = fg_model_sale_copy(sale);
    if (!copy)
        return -ENOMEM;
    keep_opening(copy, place < 0 ? NULL : model->sales[place]);
    if ((rc = fg_model_name_add(model, sale->name, sale->number)) != 0)
        goto free_copy;
    unsigned at = place < 0 ? model->sales_count : (unsigned)place;
    for (uint32_t i = 0; i < sale->items_count; i++) {
        struct fg_model_item *item = fg_model_item(model, sale->items[i].id);
        if (!item && (rc = item_add(model, sale->items[i].id, &item)) != 0)
            goto free_copy;
        item_define(item, copy, at, &copy->items[i]);
    }
    if (place < 0)
        model->sales_count++;
    else
        fg_model_sale_free(model->sales[place]);
    model->sales[at] = copy;
    if (sale->number > model->numbers)
        model->numbers = sale->number;
    return 0;

free_copy:
    fg_model_sale_free(copy);
    return rc;
}

/* Opened by hand before its time, or with none: this was its time. */
static void record_opening(struct fg_sale *sale, uint64_t opened_ns)
{
    if (!sale->opened && (sale->opens_ns == 0 || sale->opens_ns > opened_ns))
        sale->opens_ns = opened_ns;
    sale->opened = true;
}

/* The sale and its items are no more; their slots are free. */
static int archive(struct fg_model *model, uint32_t number)
{
    int place = sale_place(model, number);
    if (place < 0) /* seen before */
        return number != 0 && number <= model->numbers ? 0 : -EINVAL;
    struct fg_sale *sale = model->sales[place];
    for (uint32_t i = 0; i < sale->items_count; i++) {
        struct fg_model_id *id = fg_model_id_place(&model->ids, sale->items[i].id);
        memset(&model->items[id->slot], 0, sizeof(model->items[id->slot]));
        model->free_slots[model->free_count++] = id->slot;
        id->slot = FG_SLOT_GONE;
    }
    fg_model_sale_free(sale);
    model->sales_count--;
    memmove(&model->sales[place], &model->sales[place + 1],
            (model->sales_count - (unsigned)place) * sizeof(struct fg_sale *));
    for (unsigned i = (unsigned)place; i < model->sales_count; i++)
        for (uint32_t j = 0; j < model->sales[i]->items_count; j++)
            fg_model_item(model, model->sales[i]->items[j].id)->item.sale_index = (uint8_t)i;
    model->archives++;
    return 0;
}

int fg_model_set_state(struct fg_model *model, uint32_t number, enum fg_sale_state state,
                       uint64_t opened_ns)
{
    if (state == FG_SALE_ARCHIVED)
        return archive(model, number);
    struct fg_sale *sale = fg_model_sale_number(model, number);
    if (!sale || state >= FG_SALE_STATE_COUNT)
        return -EINVAL;
    if (opened_ns != 0)
        record_opening(sale, opened_ns);
    sale->state = state;
    for (uint32_t i = 0; i < sale->items_count; i++)
        fg_model_show_state(fg_model_item(model, sale->items[i].id), sale);
    return 0;
}

void fg_model_compact(struct fg_model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->items_count; i++) {
        struct fg_model_item *item = &model->items[i];
        if (item->item.id == 0)
            continue;
        fg_model_id_place(&model->ids, item->item.id)->slot = count;
        item->item.slot = count;
        model->items[count++] = *item;
    }
    model->items_count = count;
    model->free_count = 0;
}
