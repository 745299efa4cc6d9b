/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control in recovery: the log's records become the model of all sales and, when all of them were
 * read, the first catalogue with the stock that no order of the log has taken.
 */
#include <errno.h>
#include <stdio.h>

#include "control/internal.h"
#include "control/sale/plan.h"

int fg_control_replay(struct fg_control *control, const struct fg_record *record)
{
    int rc = fg_model_replay(&control->model, record);
    return rc == 0 ? fg_events_replay(control->events, record) : rc;
}

int fg_control_replay_units(struct fg_control *control, uint32_t item, int32_t units)
{
    struct fg_model_item *entry = fg_model_item(&control->model, item);
    if (!entry)
        return -EINVAL;
    entry->given += units;
    return 0;
}

const struct fg_item *fg_control_item(struct fg_control *control, uint32_t id)
{
    const struct fg_model_item *entry = fg_model_item(&control->model, id);
    return entry ? &entry->item : NULL;
}

const char *fg_control_sale_name(struct fg_control *control, uint32_t number)
{
    const struct fg_sale *sale = fg_model_sale_number(&control->model, number);
    return sale ? sale->name : NULL;
}

/* Puts on sale what orders of the log have not taken. */
static int restore_stock(struct fg_control *control, char *message, size_t size)
{
    for (uint32_t i = 0; i < control->model.items_count; i++) {
        struct fg_model_item *entry = &control->model.items[i];
        int64_t units = (int64_t)fg_model_supply(entry) - entry->given;
        if (units < 0 || entry->given < 0) {
            snprintf(message, size,
                     "the log gives %lld units of item %u away, of a supply of %u; it is damaged",
                     (long long)entry->given, entry->item.id, fg_model_supply(entry));
            return -1;
        }
        fg_stock_restore(&control->engine->stock, i, (uint32_t)units);
        entry->pooled = fg_model_supply(entry);
    }
    return 0;
}

int fg_control_restored(struct fg_control *control, char *message, size_t size)
{
    if (fg_plan_fits(&control->model, &control->engine->config, NULL, message, size) != 0)
        return -1;
    fg_model_compact(&control->model);
    if (restore_stock(control, message, size) != 0)
        return -1;
    control->serving_since_ns = fg_control_wall_ns();
    if (control->model.revision == 0)
        control->model.revision = 1;
    fg_stock_publish(&control->engine->stock, control->model.items_count);
    if (fg_publish(control) != 0) {
        snprintf(message, size, "memory is short for a catalogue of %u items",
                 control->model.items_count);
        return -1;
    }
    fg_control_show_board(control);
    return 0;
}
