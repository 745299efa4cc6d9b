/* SPDX-License-Identifier: BSD-3-Clause */
/* Item ids and sale names that were ever used in this log, for none is used twice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/sale/model_parts.h"

/* --- ids --- */

struct fg_model_id *fg_model_id_place(const struct fg_model_ids *ids, uint32_t id)
{
    for (uint32_t at = fg_item_hash(id);; at++) {
        struct fg_model_id *place = &ids->places[at & ids->mask];
        if (place->id == id || place->id == 0)
            return place;
    }
}

static int ids_grow(struct fg_model_ids *ids)
{
    struct fg_model_ids grown = {.mask = ids->mask * 2 + 1, .count = ids->count};
    grown.places = calloc((size_t)grown.mask + 1, sizeof(*grown.places));
    if (!grown.places)
        return -ENOMEM;
    for (uint32_t i = 0; i <= ids->mask; i++)
        if (ids->places[i].id != 0)
            *fg_model_id_place(&grown, ids->places[i].id) = ids->places[i];
    free(ids->places);
    *ids = grown;
    return 0;
}

int fg_model_id_add(struct fg_model_ids *ids, uint32_t id, uint32_t slot)
{
    struct fg_model_id *known = fg_model_id_place(ids, id);
    if (known->id == id) {
        known->slot = slot;
        return 0;
    }
    if ((ids->count + 1) * UINT64_C(2) > ids->mask) {
        int rc = ids_grow(ids);
        if (rc != 0)
            return rc;
    }
    *fg_model_id_place(ids, id) = (struct fg_model_id){id, slot};
    ids->count++;
    return 0;
}

bool fg_model_id_used(const struct fg_model *model, uint32_t id)
{
    return id != 0 && fg_model_id_place(&model->ids, id)->id == id;
}

/* --- names --- */

int fg_model_name_add(struct fg_model *model, const char *name, uint32_t number)
{
    return json_object_set_new(model->names, name, json_integer(number)) == 0 ? 0 : -ENOMEM;
}

bool fg_model_name_used(const struct fg_model *model, const char *name)
{
    return json_object_get(model->names, name) != NULL;
}

uint32_t fg_model_next_number(const struct fg_model *model)
{
    uint32_t names = (uint32_t)json_object_size(model->names);
    return (names > model->numbers ? names : model->numbers) + 1;
}

uint32_t fg_model_archived_number(const struct fg_model *model, const char *name)
{
    uint32_t number = (uint32_t)json_integer_value(json_object_get(model->names, name));
    return number != 0 && !fg_model_sale_number(model, number) ? number : 0;
}

/* --- what a log must remember of what is gone --- */

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ids in order; whoever numbers items one after the other makes one run of a whole sale. */
static json_t *ids_json(uint32_t *ids, uint32_t count)
{
    json_t *json = json_array();
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (uint32_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (next < count && ids[next] == ids[next - 1] + 1)
            next++;
        json_t *element = next == i + 1
                              ? json_integer(ids[i])
                              : json_pack("[I,I]", (json_int_t)ids[i], (json_int_t)ids[next - 1]);
        if (json_array_append_new(json, element) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *gone_ids_json(const struct fg_model *model, const struct fg_sale *leaving)
{
    uint32_t *ids = malloc((model->ids.count + UINT64_C(1)) * sizeof(*ids)), count = 0;
    if (!ids)
        return NULL;
    for (uint32_t i = 0; i <= model->ids.mask; i++) {
        const struct fg_model_id *place = &model->ids.places[i];
        if (place->id != 0 &&
            (place->slot == FG_SLOT_GONE || model->items[place->slot].item.sale == leaving->number))
            ids[count++] = place->id;
    }
    json_t *json = ids_json(ids, count);
    free(ids);
    return json;
}

json_t *fg_model_names_json(const struct fg_model *model, const struct fg_sale *leaving)
{
    json_t *names = json_array(), *number;
    const char *name;
    json_object_foreach(model->names, name, number)
    {
        if (names && (strcmp(name, leaving->name) == 0 || !fg_model_sale(model, name)) &&
            json_array_append_new(names, json_string(name)) != 0) {
            json_decref(names);
            names = NULL;
        }
    }
    json_t *ids = gone_ids_json(model, leaving);
    return json_pack("{s:o,s:o}", "sales", names, "items", ids);
}
