/* SPDX-License-Identifier: BSD-3-Clause */
/* What all that is live takes of the engine's limits, at worst. */
#include <inttypes.h>

#include "control/sale/plan_parts.h"
#include "dataplane/orders/log.h"

/* A held order's unit may be sold again when the hold runs out: half as many orders once more. */
#define ORDERS_PER_UNITS(units, held) ((held) ? (units) + (units) / 2 : (units))
#define EVENTS_PER_ORDER(held)        ((held) ? 2 : 1) /* ADMIT, then CONFIRM, CANCEL or EXPIRE */
/* What one event takes of the log. A frame is at least FG_BLOCK_BYTES; in the rush in which a sale
 * sells, a frame holds many events: eight a block is reckoned with. */
#define LOG_BYTES_PER_EVENT (FG_BLOCK_BYTES / 8)

struct demand {
    uint64_t items, orders, events;
    uint64_t definition_bytes; /* of the log's records that define the sales */
};

static uint64_t definition_bytes(const struct fg_sale *sale)
{
    json_t *definition = fg_sale_to_json(sale);
    uint64_t bytes = json_dumpb(definition, NULL, 0, JSON_COMPACT);
    json_decref(definition);
    return bytes;
}

/* `units`: the item's supply. */
static void add_item(struct demand *demand, const struct fg_sale_item *item, uint64_t units)
{
    bool held = item->hold_ms != 0;
    uint64_t orders = ORDERS_PER_UNITS(units, held);
    demand->items++;
    demand->orders += orders;
    demand->events += orders * EVENTS_PER_ORDER(held);
}

/* A base tells every live sale, and all names used, again at the start of each segment. It must
 * leave room for one more frame, and frames of large records may be half empty. */
static int fits_segment(const struct fg_config *config, uint64_t base_bytes, char *message,
                        size_t size)
{
    uint64_t segment = 2 * base_bytes + FG_FRAME_MAX;
    if (segment <= config->log_segment)
        return 0;
    return fg_plan_refuse(message, size,
                          "the live sales' definitions and the names ever used take %" PRIu64
                          " bytes, too much for segments of log.segment %" PRIu64
                          "; raise it to %" PRIu64 " or more and restart",
                          base_bytes, config->log_segment, segment);
}

int fg_plan_fits(const struct fg_model *model, const struct fg_config *config,
                 const struct fg_sale *instead, char *message, size_t size)
{
    struct demand demand = {0};
    for (unsigned i = 0; i < model->sales_count; i++) {
        const struct fg_sale *sale = model->sales[i];
        if (instead && sale->number == instead->number)
            continue;
        demand.definition_bytes += definition_bytes(sale);
        for (uint32_t place = 0; place < sale->items_count; place++)
            add_item(&demand, &sale->items[place],
                     fg_model_supply(fg_model_item(model, sale->items[place].id)));
    }
    if (instead) {
        demand.definition_bytes += definition_bytes(instead);
        for (uint32_t place = 0; place < instead->items_count; place++)
            add_item(&demand, &instead->items[place], instead->items[place].stock);
    }
    if (demand.items > config->limit_items)
        return fg_plan_refuse(message, size,
                              "the live sales would have %" PRIu64
                              " items, but limits.items is %" PRIu32 "; raise it to %" PRIu64
                              " or more and restart",
                              demand.items, config->limit_items, demand.items);
    if (demand.orders > config->limit_orders)
        return fg_plan_refuse(message, size,
                              "the live sales may come to %" PRIu64
                              " orders (one a unit, half as many again where units are held), but "
                              "limits.orders is %" PRIu32 "; raise it to %" PRIu64
                              " or more and restart",
                              demand.orders, config->limit_orders, demand.orders);
    uint64_t bytes = demand.events * LOG_BYTES_PER_EVENT;
    if (bytes > config->log_budget)
        return fg_plan_refuse(message, size,
                              "the live sales' orders may take %" PRIu64
                              " bytes of log, but log.budget is %" PRIu64 "; raise it to %" PRIu64
                              " or more and restart",
                              bytes, config->log_budget, bytes);
    return fits_segment(config, demand.definition_bytes + model->names_bytes, message, size);
}

int fg_plan_fits_names(const struct fg_model *model, const struct fg_config *config,
                       size_t names_bytes, char *message, size_t size)
{
    size_t base_bytes = names_bytes;
    for (unsigned i = 0; i < model->sales_count; i++)
        base_bytes += definition_bytes(model->sales[i]);
    return fits_segment(config, base_bytes, message, size);
}
