/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First what may not be is refused, then plan_compare.c writes down each difference and sorts it
 * into what takes and what gives, then the outcome is held against the rules and the limits.
 */
#include "control/sale/plan_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fg_plan_refuse(char *message, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, size, format, args);
    va_end(args);
    return -EPERM;
}

/* --- items by id --- */

static int order_of_ids(const void *a, const void *b)
{
    const struct fg_sale_item *x = *(struct fg_sale_item *const *)a;
    const struct fg_sale_item *y = *(struct fg_sale_item *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

int fg_plan_index_init(struct fg_plan_index *index, const struct fg_sale *sale)
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

struct fg_sale_item *fg_plan_item(const struct fg_plan_index *index, uint32_t id)
{
    const struct fg_sale_item sought = {.id = id}, *key = &sought;
    struct fg_sale_item **found =
        bsearch(&key, index->items, index->count, sizeof(struct fg_sale_item *), order_of_ids);
    return found ? *found : NULL;
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
    return fg_plan_refuse(
        message, size,
        "item %" PRIu32 " %s%s, and no item id is ever used twice; give it another id", id,
        owner ? "belongs to sale " : "was sold in an archived sale", owner ? owner : "");
}

static int check_new(const struct fg_model *model, const struct fg_sale *wanted, char *message,
                     size_t size)
{
    if (fg_model_name_used(model, wanted->name))
        return fg_plan_refuse(message, size,
                              "sale %s is archived, and no sale name is ever used twice; take "
                              "another name",
                              wanted->name);
    if (model->sales_count == FG_SALES_LIVE_MAX)
        return fg_plan_refuse(message, size,
                              "there are %d live sales already, which is the most there can be; "
                              "archive one that is closed",
                              FG_SALES_LIVE_MAX);
    if (fg_model_next_number(model) > FG_SALES_EVER_MAX)
        return fg_plan_refuse(message, size,
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

/* New ones must be new to the log; ones that are on sale must be what they were. */
static int check_items(const struct fg_model *model, const struct fg_sale *old,
                       const struct fg_sale *wanted, char *message, size_t size)
{
    for (uint32_t i = 0; i < wanted->items_count; i++) {
        const struct fg_sale_item *item = &wanted->items[i];
        const struct fg_model_item *live = fg_model_item(model, item->id);
        if (!live || live->item.sale != old->number) {
            int rc = check_new_item(model, item->id, message, size);
            if (rc != 0)
                return rc;
        } else if (old->opened && strcmp(live->name, item->name) != 0) {
            return fg_plan_refuse(message, size,
                                  "item %" PRIu32 " is called \"%s\" and the file calls it \"%s\"; "
                                  "an item's name cannot be changed once its sale has opened",
                                  item->id, live->name, item->name);
        }
    }
    return 0;
}

/* Rules that buyers of orders were promised stay. */
static int check_change(const struct fg_model *model, const struct fg_sale *old,
                        const struct fg_sale *wanted, char *message, size_t size)
{
    if (old->state != FG_SALE_SCHEDULED &&
        (old->cancel_final != wanted->cancel_final || old->late_confirm != wanted->late_confirm))
        return fg_plan_refuse(message, size,
                              "cancel_final and late_confirm of sale %s cannot be changed once it "
                              "has opened; put them back into the file as they were",
                              old->name);
    return check_items(model, old, wanted, message, size);
}

/* --- the outcome --- */

static int check_state(const struct fg_plan *plan, const struct fg_sale *old, char *message,
                       size_t size)
{
    if (old->state < FG_SALE_CLOSED || (!plan->takes && !plan->gives && plan->removals_count == 0))
        return 0;
    return fg_plan_refuse(message, size, "sale %s is %s and can no longer be changed", old->name,
                          fg_sale_state_name(old->state));
}

/* A closing that is new must be to come. `old` is NULL for a new sale. */
static int check_closing(const struct fg_sale *sale, const struct fg_sale *old, uint64_t now_ns,
                         char *message, size_t size)
{
    if (sale->closes_ns == 0 || (old && old->closes_ns == sale->closes_ns))
        return 0;
    bool opened = old && old->opened;
    if (opened && sale->closes_ns <= sale->opens_ns)
        return fg_plan_refuse(message, size,
                              "sale %s has opened, and closes of the file is before that; to end "
                              "it now: flashgatectl sale close %s",
                              sale->name, sale->name);
    char time[64];
    if (sale->closes_ns > now_ns)
        return 0;
    return fg_plan_refuse(
        message, size, "closes of sale %s, %s, has passed already%s%s", sale->name,
        fg_option_yaml(fg_sale_option(&fg_sale_options, "closes"), sale, time, sizeof(time)),
        opened ? "; to end it now: flashgatectl sale close " : ", so the sale could never open",
        opened ? sale->name : "");
}

static int check_outcome(const struct fg_sale *sale, const struct fg_sale *old, uint64_t now_ns,
                         char *message, size_t size)
{
    if (!sale)
        return 0;
    if (sale->items_count > FG_ITEMS_PER_SALE_MAX)
        return fg_plan_refuse(
            message, size,
            "sale %s would have %" PRIu32
            " items, with those that the file leaves out; at most %d are possible",
            sale->name, sale->items_count, FG_ITEMS_PER_SALE_MAX);
    int rc = check_closing(sale, old, now_ns, message, size);
    return rc == 0 && fg_sale_check(sale, message, size) != 0 ? -EPERM : rc;
}

/* --- plans --- */

static int plan_new(struct fg_plan *plan, const struct fg_plan_world *world,
                    const struct fg_sale *wanted, char *message, size_t size)
{
    int rc = check_new(world->model, wanted, message, size);
    if (rc != 0)
        return rc;
    plan->new_sale = true;
    plan->gives = fg_model_sale_copy(wanted);
    if (!plan->gives)
        return -ENOMEM;
    plan->gives->number = fg_model_next_number(world->model);
    plan->gives->state = FG_SALE_SCHEDULED;
    plan->gives->opens_relative = plan->gives->closes_relative = false;
    rc = check_outcome(plan->gives, NULL, world->now_ns, message, size);
    return rc == 0 ? fg_plan_describe(plan) : rc;
}

__attribute__((format(printf, 2, 3))) static void notice(struct fg_plan *plan, const char *format,
                                                         ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(plan->notices, json_string(text));
}

/* A time from now is for a sale that has none yet: it would move at every run of the same file. And
 * an opening that happened is a record: what the file says of it no longer matters. */
static void settle_times(struct fg_plan *plan, const struct fg_sale *old)
{
    struct fg_sale *sale = plan->gives;
    char time[64];
    const struct fg_option *opens = fg_sale_option(&fg_sale_options, "opens");
    const struct fg_option *closes = fg_sale_option(&fg_sale_options, "closes");
    if (sale->opens_relative && old->opens_ns)
        notice(plan, "opens stays %s: a time from now counts from when it was first applied",
               fg_option_yaml(opens, old, time, sizeof(time)));
    else if (old->opened && sale->opens_ns != old->opens_ns && sale->opens_ns != 0)
        notice(plan, "opens stays %s: the sale has opened, and that is on record",
               fg_option_yaml(opens, old, time, sizeof(time)));
    if (sale->closes_relative && old->closes_ns)
        notice(plan, "closes stays %s: a time from now counts from when it was first applied",
               fg_option_yaml(closes, old, time, sizeof(time)));
    if (old->opened || (sale->opens_relative && old->opens_ns))
        sale->opens_ns = old->opens_ns;
    if (sale->closes_relative && old->closes_ns)
        sale->closes_ns = old->closes_ns;
    sale->opens_relative = sale->closes_relative = false;
}

/* `old` is the sale as it is in force. */
static int plan_change(struct fg_plan *plan, const struct fg_plan_world *world,
                       const struct fg_sale *old, const struct fg_sale *wanted, char *message,
                       size_t size)
{
    int rc = check_change(world->model, old, wanted, message, size);
    if (rc != 0)
        return rc;
    plan->takes = fg_model_sale_copy(old);
    plan->gives = fg_model_sale_copy(wanted);
    if (!plan->takes || !plan->gives)
        return -ENOMEM;
    plan->gives->number = old->number;
    plan->gives->state = old->state;
    plan->gives->opened = old->opened;
    settle_times(plan, old);
    rc = fg_plan_compare(plan, world, old);
    if (rc == 0)
        rc = check_state(plan, old, message, size);
    if (rc == 0)
        rc = check_outcome(plan->takes, old, world->now_ns, message, size);
    return rc == 0 ? check_outcome(plan->gives, old, world->now_ns, message, size) : rc;
}

struct fg_sale *fg_plan_in_force(const struct fg_model *model, const struct fg_sale *sale)
{
    struct fg_sale *copy = fg_model_sale_copy(sale);
    for (uint32_t i = 0; copy && i < copy->items_count; i++)
        copy->items[i].stock = fg_model_supply(fg_model_item(model, copy->items[i].id));
    return copy;
}

static int plan_live(struct fg_plan *plan, const struct fg_plan_world *world,
                     const struct fg_sale *running, const struct fg_sale *wanted, char *message,
                     size_t size)
{
    struct fg_sale *old = fg_plan_in_force(world->model, running);
    int rc = old ? plan_change(plan, world, old, wanted, message, size) : -ENOMEM;
    fg_model_sale_free(old);
    return rc;
}

int fg_plan_sale(struct fg_plan *plan, const struct fg_plan_world *world,
                 const struct fg_sale *wanted, char *message, size_t size)
{
    *plan =
        (struct fg_plan){.changes = json_array(), .losses = json_array(), .notices = json_array()};
    if (!plan->changes || !plan->losses || !plan->notices)
        return -ENOMEM;
    const struct fg_sale *running = fg_model_sale(world->model, wanted->name);
    int rc = running ? plan_live(plan, world, running, wanted, message, size)
                     : plan_new(plan, world, wanted, message, size);
    if (rc == 0 && plan->gives)
        rc = fg_plan_fits(world->model, world->config, plan->gives, message, size);
    return rc;
}

void fg_plan_free(struct fg_plan *plan)
{
    fg_model_sale_free(plan->takes);
    fg_model_sale_free(plan->gives);
    free(plan->removals);
    json_decref(plan->changes);
    json_decref(plan->losses);
    json_decref(plan->notices);
    *plan = (struct fg_plan){0};
}
