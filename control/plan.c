/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two passes over the file: the first refuses what may not be, the second writes down each
 * difference and sorts it into what takes and what gives.
 */
#include "control/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/log.h"

/* A held order's unit may be sold again when the hold runs out: half as many orders once more. */
#define ORDERS_PER_UNITS(units, held) ((held) ? (units) + (units) / 2 : (units))
#define EVENTS_PER_ORDER(held)        ((held) ? 2 : 1) /* ADMIT, then CONFIRM, CANCEL or EXPIRE */
/* What one event takes of the log. A frame is at least FG_BLOCK_BYTES; in the rush in which a sale
 * sells, a frame holds many events: eight a block is reckoned with. */
#define LOG_BYTES_PER_EVENT (FG_BLOCK_BYTES / 8)

__attribute__((format(printf, 3, 4))) static int refuse(char *message, size_t size,
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, size, format, args);
    va_end(args);
    return -EPERM;
}

/* --- items by id --- */

/* A sale's items in the order of their ids: control does nothing else while it plans, and a search
 * of the list for each of 10,000 items takes seconds. */
struct index {
    struct fg_sale_item **items;
    uint32_t count;
};

static int order_of_ids(const void *a, const void *b)
{
    const struct fg_sale_item *x = *(struct fg_sale_item *const *)a;
    const struct fg_sale_item *y = *(struct fg_sale_item *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Of items that stay where they are. 0 or -ENOMEM; freed with free(index->items). */
static int index_init(struct index *index, const struct fg_sale *sale)
{
    index->count = sale->items_count;
    index->items = malloc((sale->items_count + UINT64_C(1)) * sizeof(struct fg_sale_item *));
    if (!index->items)
        return -ENOMEM;
    for (uint32_t i = 0; i < sale->items_count; i++)
        index->items[i] = &sale->items[i];
    qsort(index->items, index->count, sizeof(struct fg_sale_item *), order_of_ids);
    return 0;
}

/* NULL if there is none. */
static struct fg_sale_item *item_of(const struct index *index, uint32_t id)
{
    const struct fg_sale_item sought = {.id = id}, *key = &sought;
    struct fg_sale_item **found =
        bsearch(&key, index->items, index->count, sizeof(struct fg_sale_item *), order_of_ids);
    return found ? *found : NULL;
}

/* --- fit --- */

struct demand {
    uint64_t items, orders, events;
    uint64_t definition_bytes; /* of the log's records that define the sales */
};

/* `live` is the model that the sale is live in: what was added and removed counts. NULL: the
 * definition alone. */
static void add_demand(struct demand *demand, const struct fg_model *live,
                       const struct fg_sale *sale)
{
    json_t *definition = fg_sale_to_json(sale);
    demand->definition_bytes += json_dumpb(definition, NULL, 0, JSON_COMPACT);
    json_decref(definition);
    demand->items += sale->items_count;
    for (uint32_t i = 0; i < sale->items_count; i++) {
        bool held = sale->items[i].hold_ms != 0;
        uint64_t units =
            live ? fg_model_supply(fg_model_item(live, sale->items[i].id)) : sale->items[i].stock;
        uint64_t orders = ORDERS_PER_UNITS(units, held);
        demand->orders += orders;
        demand->events += orders * EVENTS_PER_ORDER(held);
    }
}

/* A base tells every live sale, and all names used, again at the start of each segment. It must
 * leave room for one more frame, and frames of large records may be half empty. */
static int fits_segment(const struct fg_config *config, uint64_t base_bytes, char *message,
                        size_t size)
{
    uint64_t segment = 2 * base_bytes + FG_FRAME_MAX;
    if (segment <= config->log_segment)
        return 0;
    return refuse(message, size,
                  "the live sales' definitions and the names ever used take %" PRIu64
                  " bytes, too much for segments of log.segment %" PRIu64 "; raise it to %" PRIu64
                  " or more and restart",
                  base_bytes, config->log_segment, segment);
}

int fg_plan_fits(const struct fg_model *model, const struct fg_config *config,
                 const struct fg_sale *instead, char *message, size_t size)
{
    struct demand demand = {0};
    for (unsigned i = 0; i < model->sales_count; i++)
        if (!instead || model->sales[i]->number != instead->number)
            add_demand(&demand, model, model->sales[i]);
    if (instead)
        add_demand(&demand, NULL, instead);
    if (demand.items > config->limit_items)
        return refuse(message, size,
                      "the live sales would have %" PRIu64 " items, but limits.items is %" PRIu32
                      "; raise it to %" PRIu64 " or more and restart",
                      demand.items, config->limit_items, demand.items);
    if (demand.orders > config->limit_orders)
        return refuse(message, size,
                      "the live sales may come to %" PRIu64
                      " orders (one a unit, half as many again where units are held), but "
                      "limits.orders is %" PRIu32 "; raise it to %" PRIu64 " or more and restart",
                      demand.orders, config->limit_orders, demand.orders);
    uint64_t bytes = demand.events * LOG_BYTES_PER_EVENT;
    if (bytes > config->log_budget)
        return refuse(message, size,
                      "the live sales' orders may take %" PRIu64
                      " bytes of log, but log.budget is %" PRIu64 "; raise it to %" PRIu64
                      " or more and restart",
                      bytes, config->log_budget, bytes);
    return fits_segment(config, demand.definition_bytes + model->names_bytes, message, size);
}

int fg_plan_fits_names(const struct fg_model *model, const struct fg_config *config,
                       size_t names_bytes, char *message, size_t size)
{
    struct demand demand = {0};
    for (unsigned i = 0; i < model->sales_count; i++)
        add_demand(&demand, model, model->sales[i]);
    return fits_segment(config, demand.definition_bytes + names_bytes, message, size);
}

/* --- refusals --- */

static const char *owner_name(const struct fg_model *model, uint32_t id)
{
    const struct fg_model_item *item = fg_model_item(model, id);
    const struct fg_sale *sale = item ? fg_model_sale_number(model, item->item.sale) : NULL;
    return sale ? sale->name : NULL;
}

static int check_new_item(const struct fg_model *model, uint32_t id, char *message, size_t size)
{
    if (!fg_model_id_used(model, id))
        return 0;
    const char *owner = owner_name(model, id);
    return refuse(message, size,
                  "item %" PRIu32 " %s%s, and no item id is ever used twice; give it another id",
                  id, owner ? "belongs to sale " : "was sold in an archived sale",
                  owner ? owner : "");
}

static int check_new(const struct fg_model *model, const struct fg_sale *wanted, char *message,
                     size_t size)
{
    if (fg_model_name_used(model, wanted->name))
        return refuse(message, size,
                      "sale %s is archived, and no sale name is ever used twice; take another name",
                      wanted->name);
    if (model->sales_count == FG_SALES_LIVE_MAX)
        return refuse(message, size,
                      "there are %d live sales already, which is the most there can be",
                      FG_SALES_LIVE_MAX);
    if (fg_model_next_number(model) > FG_SALES_EVER_MAX)
        return refuse(message, size,
                      "this log has had %d sales, which is the most one log can have; "
                      "start an engine with a new log",
                      FG_SALES_EVER_MAX);
    for (uint32_t i = 0; i < wanted->items_count; i++) {
        int rc = check_new_item(model, wanted->items[i].id, message, size);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check_kept_item(const struct fg_sale_item *old, const struct fg_sale_item *wanted,
                           char *message, size_t size)
{
    if (!wanted)
        return refuse(message, size,
                      "item %" PRIu32 " is on sale and the file leaves it out; an item cannot be "
                      "removed, put it back into the file",
                      old->id);
    if (strcmp(old->name, wanted->name) != 0)
        return refuse(message, size,
                      "item %" PRIu32 " is called \"%s\" and the file calls it \"%s\"; an item's "
                      "name cannot be changed",
                      old->id, old->name, wanted->name);
    if (wanted->stock < old->stock)
        return refuse(message, size,
                      "item %" PRIu32 " has a stock of %" PRIu32 " and the file says %" PRIu32
                      "; stock can be raised, not lowered",
                      old->id, old->stock, wanted->stock);
    return 0;
}

/* Items on sale may not go, and new ones must be new to the log. */
static int check_items(const struct fg_model *model, const struct fg_sale *old,
                       const struct fg_sale *wanted, const struct index *wanted_items,
                       char *message, size_t size)
{
    for (uint32_t i = 0; i < old->items_count; i++) {
        const struct fg_sale_item *item = &old->items[i];
        int rc = check_kept_item(item, item_of(wanted_items, item->id), message, size);
        if (rc != 0)
            return rc;
    }
    for (uint32_t i = 0; i < wanted->items_count; i++) {
        uint32_t id = wanted->items[i].id;
        const struct fg_model_item *live = fg_model_item(model, id);
        int rc =
            live && live->item.sale == old->number ? 0 : check_new_item(model, id, message, size);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check_change(const struct fg_model *model, const struct fg_sale *old,
                        const struct fg_sale *wanted, char *message, size_t size)
{
    if (old->cancel_final != wanted->cancel_final || old->late_confirm != wanted->late_confirm)
        return refuse(message, size,
                      "cancel_final and late_confirm of sale %s cannot be changed once it is "
                      "applied; put them back into the file as they were",
                      old->name);
    struct index items;
    int rc = index_init(&items, wanted);
    if (rc != 0)
        return rc;
    rc = check_items(model, old, wanted, &items, message, size);
    free(items.items);
    return rc;
}

/* --- differences --- */

__attribute__((format(printf, 2, 3))) static void note(struct fg_plan *plan, const char *format,
                                                       ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(plan->changes, json_string(text));
}

/* Records one differing value: `takes` gets it as well if it takes. True if it gives. */
#define DIFFER(field, taking, ...)                                                                 \
    do {                                                                                           \
        if (old->field != wanted->field) {                                                         \
            note(plan, __VA_ARGS__);                                                               \
            if (taking) {                                                                          \
                now->field = wanted->field;                                                        \
                *takes = true;                                                                     \
            } else {                                                                               \
                *gives = true;                                                                     \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static void compare_item(struct fg_plan *plan, const struct fg_sale_item *old,
                         const struct fg_sale_item *wanted, struct fg_sale_item *now, bool *takes,
                         bool *gives)
{
    /* A limit of 0 is none: less one, it is the greatest. */
    DIFFER(limit, wanted->limit - 1 < old->limit - 1,
           "item %" PRIu32 ": limit %" PRIu32 " -> %" PRIu32, old->id, old->limit, wanted->limit);
    DIFFER(max_per_order, wanted->max_per_order < old->max_per_order,
           "item %" PRIu32 ": max_per_order %u -> %u", old->id, old->max_per_order,
           wanted->max_per_order);
    DIFFER(hold_ms, false, "item %" PRIu32 ": hold %" PRIu32 " ms -> %" PRIu32 " ms", old->id,
           old->hold_ms, wanted->hold_ms);
    DIFFER(stock, false, "item %" PRIu32 ": stock %" PRIu32 " -> %" PRIu32, old->id, old->stock,
           wanted->stock);
}

/*
 * Times that overlap with the ones in force can be cut to what both have, as a first step. A whole
 * move has no such middle. To a later time it takes: nothing can be sold by it before it is
 * journalled. To an earlier time it gives: the old one holds until then.
 */
static void compare_times(struct fg_plan *plan, const struct fg_sale *old,
                          const struct fg_sale *wanted, struct fg_sale *now, bool *takes,
                          bool *gives)
{
    bool later = wanted->opens_ns && old->closes_ns && wanted->opens_ns >= old->closes_ns;
    bool earlier = old->opens_ns && wanted->closes_ns && wanted->closes_ns <= old->opens_ns;
    if (later || earlier) {
        note(plan, "opens and closes: moved to %s times", later ? "later" : "earlier");
        *(later ? takes : gives) = true;
        if (later) {
            now->opens_ns = wanted->opens_ns;
            now->closes_ns = wanted->closes_ns;
        }
        return;
    }
    /* A time of 0 is by hand, which is the latest of all: less one, it is the greatest. */
    DIFFER(opens_ns, wanted->opens_ns - 1 > old->opens_ns - 1, "opens changed");
    DIFFER(closes_ns, wanted->closes_ns - 1 < old->closes_ns - 1, "closes changed");
}

/* `now` is a copy of `old`, with its items in the same places. 0 or -ENOMEM. */
static int compare(struct fg_plan *plan, const struct fg_sale *old, const struct fg_sale *wanted,
                   struct fg_sale *now, bool *takes, bool *gives)
{
    struct index items;
    int rc = index_init(&items, now);
    if (rc != 0)
        return rc;
    compare_times(plan, old, wanted, now, takes, gives);
    DIFFER(limit, wanted->limit - 1 < old->limit - 1, "limit %" PRIu32 " -> %" PRIu32, old->limit,
           wanted->limit);
    for (uint32_t i = 0; i < wanted->items_count; i++) {
        const struct fg_sale_item *item = &wanted->items[i];
        struct fg_sale_item *known = item_of(&items, item->id);
        if (known) {
            compare_item(plan, &old->items[known - now->items], item, known, takes, gives);
        } else {
            note(plan, "item %" PRIu32 ": new, stock %" PRIu32, item->id, item->stock);
            *gives = true;
        }
    }
    free(items.items);
    return 0;
}

static int plan_change(struct fg_plan *plan, const struct fg_sale *old,
                       const struct fg_sale *wanted)
{
    bool takes = false, gives = false;
    plan->takes = fg_model_sale_copy(old);
    plan->gives = fg_model_sale_copy(wanted);
    if (!plan->takes || !plan->gives)
        return -ENOMEM;
    plan->gives->number = old->number;
    plan->gives->state = old->state;
    /* An opening that happened is a record: what the file says of it no longer matters. */
    if (old->opened)
        plan->gives->opens_ns = old->opens_ns;
    int rc = compare(plan, old, plan->gives, plan->takes, &takes, &gives);
    if (rc != 0)
        return rc;
    if (!gives) {
        fg_model_sale_free(plan->gives);
        plan->gives = NULL;
    }
    if (!takes) {
        fg_model_sale_free(plan->takes);
        plan->takes = NULL;
    }
    return 0;
}

static int plan_new(struct fg_plan *plan, const struct fg_model *model,
                    const struct fg_sale *wanted)
{
    plan->new_sale = true;
    plan->gives = fg_model_sale_copy(wanted);
    if (!plan->gives)
        return -ENOMEM;
    plan->gives->number = fg_model_next_number(model);
    plan->gives->state = FG_SALE_SCHEDULED;
    note(plan, "new sale");
    return 0;
}

static int check_open_for_change(const struct fg_plan *plan, const struct fg_sale *old,
                                 char *message, size_t size)
{
    if (old->state < FG_SALE_CLOSED || (!plan->takes && !plan->gives))
        return 0;
    return refuse(message, size, "sale %s is %s and can no longer be changed", old->name,
                  fg_sale_state_name(old->state));
}

/* The file was checked, but what is in force of it may be its closing with an opening that was. */
static int check_times(const struct fg_sale *sale, char *message, size_t size)
{
    if (!sale->closes_ns || sale->closes_ns > sale->opens_ns)
        return 0;
    return refuse(message, size,
                  "sale %s has opened, and closes of the file is before that; to end it now: "
                  "flashgatectl sale close %s",
                  sale->name, sale->name);
}

struct fg_sale *fg_plan_in_force(const struct fg_model *model, const struct fg_sale *sale)
{
    struct fg_sale *copy = fg_model_sale_copy(sale);
    for (uint32_t i = 0; copy && i < copy->items_count; i++) {
        const struct fg_model_item *item = fg_model_item(model, copy->items[i].id);
        copy->items[i].stock = fg_model_supply(item);
    }
    return copy;
}

static int plan_live(struct fg_plan *plan, const struct fg_model *model,
                     const struct fg_sale *running, const struct fg_sale *wanted, char *message,
                     size_t size)
{
    struct fg_sale *old = fg_plan_in_force(model, running);
    if (!old)
        return -ENOMEM;
    int rc = check_change(model, old, wanted, message, size);
    if (rc == 0)
        rc = plan_change(plan, old, wanted);
    if (rc == 0)
        rc = check_open_for_change(plan, old, message, size);
    fg_model_sale_free(old);
    return rc;
}

int fg_plan_sale(struct fg_plan *plan, const struct fg_model *model, const struct fg_config *config,
                 const struct fg_sale *wanted, char *message, size_t size)
{
    *plan = (struct fg_plan){.changes = json_array()};
    if (!plan->changes)
        return -ENOMEM;
    const struct fg_sale *old = fg_model_sale(model, wanted->name);
    int rc = old ? plan_live(plan, model, old, wanted, message, size)
                 : check_new(model, wanted, message, size);
    if (rc == 0 && !old)
        rc = plan_new(plan, model, wanted);
    if (rc == 0 && plan->takes)
        rc = check_times(plan->takes, message, size);
    if (rc == 0 && plan->gives)
        rc = check_times(plan->gives, message, size);
    if (rc == 0 && plan->gives)
        rc = fg_plan_fits(model, config, plan->gives, message, size);
    return rc;
}

void fg_plan_free(struct fg_plan *plan)
{
    fg_model_sale_free(plan->takes);
    fg_model_sale_free(plan->gives);
    json_decref(plan->changes);
    *plan = (struct fg_plan){0};
}
