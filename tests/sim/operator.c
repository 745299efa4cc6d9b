/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/operator.h"

#include <stdio.h>

#include "tests/sim/lists.h"

static void name_of(char name[FG_SALE_NAME_MAX + 1], unsigned sale)
{
    snprintf(name, FG_SALE_NAME_MAX + 1, "sale%u", sale + 1);
}

/* The sale as the profile has it. */
static void apply(struct sim_engine *e, unsigned place)
{
    const struct sim_profile *p = &e->world->profile;
    struct fg_sale_item items[SIM_ITEMS_MAX];
    struct fg_sale sale = {.number = fg_model_next_number(&e->engine.control->model),
                           .state = FG_SALE_SCHEDULED,
                           .cancel_final = p->cancel_final[place],
                           .late_confirm = p->reacquire[place] ? FG_LATE_REACQUIRE : FG_LATE_REFUSE,
                           .limit = p->limit[place],
                           .rate = p->rate[place],
                           .burst = p->burst[place],
                           .items = items};

    if (p->opens[place])
        sale.opens_ns = fg_control_clock_ns(e->engine.control) +
                        random_scaled(&e->world->random, SIM_MS, 5 * SIM_S);
    name_of(sale.name, place);
    for (unsigned i = 0; i < p->items; i++) {
        if (p->item[i].sale != place)
            continue;
        struct fg_sale_item *item = &items[sale.items_count++];
        *item = (struct fg_sale_item){.id = i + 1,
                                      .stock = p->item[i].stock,
                                      .limit = p->item[i].limit,
                                      .max_per_order = p->item[i].max_per_order,
                                      .hold_ms = p->item[i].hold_ms};
        snprintf(item->name, sizeof(item->name), "item %u", i + 1);
    }
    if (fg_change_begin_sale(e->engine.control, NULL, &sale, false) != 0)
        world_fail(e->world, "sale %s of %u items cannot be applied", sale.name, sale.items_count);
    operator_note(e, SIM_OP_APPLY, place + 1, 0);
}

/* One more stock, or a lower limit, of an item: a new definition of the sale. */
static void redefine(struct sim_engine *e, const struct fg_sale *known, bool takes)
{
    struct sim_random *random = &e->world->random;
    struct fg_sale *sale = fg_model_sale_copy(known);
    struct fg_sale_item *item = &sale->items[random_below(random, sale->items_count)];
    uint32_t units = (uint32_t)random_between(random, 1, 9);

    if (takes && item->limit > item->max_per_order)
        item->limit--;
    else if (takes)
        item->limit = item->limit ? item->limit : 4;
    else
        item->stock += units;
    operator_note(e, takes ? SIM_OP_LOWER_LIMIT : SIM_OP_RESTOCK, sale->number, item->id);
    if (fg_change_begin_sale(e->engine.control, NULL, sale, takes) != 0)
        world_fail(e->world, "sale %s cannot be changed", sale->name);
    fg_model_sale_free(sale);
}

static void set_state(struct sim_engine *e, const struct fg_sale *sale, enum fg_sale_state state)
{
    operator_note(e,
                  state == FG_SALE_OPEN     ? SIM_OP_OPEN
                  : state == FG_SALE_PAUSED ? SIM_OP_PAUSE
                                            : SIM_OP_CLOSE,
                  sale->number, 0);
    fg_change_begin_state(e->engine.control, NULL, sale->number, state);
}

/* More units, without a new definition. */
static void add_units(struct sim_engine *e, const struct fg_model_item *item)
{
    operator_note(e, SIM_OP_ADD, item->item.sale, item->item.id);
    fg_change_begin_add(e->engine.control, NULL, item,
                        (uint32_t)random_between(&e->world->random, 1, 9));
}

/* Unsold units of an item go off sale. */
static void remove_units(struct sim_engine *e, const struct fg_model_item *item)
{
    uint32_t units = (uint32_t)random_between(&e->world->random, 1, 9);

    if (fg_change_begin_remove(e->engine.control, NULL, item, units) > 0)
        operator_note(e, SIM_OP_REMOVE, item->item.sale, item->item.id);
}

static void set_item(struct sim_engine *e, const struct fg_model_item *item,
                     enum fg_item_state state)
{
    operator_note(e,
                  state == FG_ITEM_PAUSED   ? SIM_OP_PAUSE_ITEM
                  : state == FG_ITEM_CLOSED ? SIM_OP_CLOSE_ITEM
                                            : SIM_OP_RESUME_ITEM,
                  item->item.sale, item->item.id);
    fg_change_begin_item(e->engine.control, NULL, item, state);
}

static void change_item(struct sim_engine *e, const struct fg_model_item *item)
{
    if (item->state == FG_ITEM_CLOSED)
        return; /* for good */
    if (random_below(&e->world->random, 8) == 0)
        set_item(e, item, FG_ITEM_CLOSED);
    else
        set_item(e, item, item->state == FG_ITEM_PAUSED ? FG_ITEM_RUNNING : FG_ITEM_PAUSED);
}

static void archive(struct sim_engine *e, const struct fg_sale *sale)
{
    struct fg_control *control = e->engine.control;
    struct fg_archive archive;

    if (fg_archive_check(control, sale, e->message, sizeof(e->message)) != 0)
        return;
    if (fg_archive_prepare(control, sale, &archive, e->message, sizeof(e->message)) != 0)
        return;
    operator_note(e, SIM_OP_ARCHIVE, sale->number, 0);
    fg_change_begin_archive(control, NULL, sale->number, &archive);
}

static void change_something(struct sim_engine *e, const struct fg_sale *sale)
{
    struct sim_random *random = &e->world->random;

    if (sale->state == FG_SALE_CLOSED) {
        archive(e, sale);
        return;
    }
    const struct fg_model_item *item = fg_model_item(
        &e->engine.control->model, sale->items[random_below(random, sale->items_count)].id);
    switch (random_below(random, 20)) {
    case 0:
        if (sale->state == FG_SALE_OPEN)
            set_state(e, sale, FG_SALE_PAUSED);
        break;
    case 1:
        if (random_below(random, 4) == 0)
            set_state(e, sale, FG_SALE_CLOSED);
        break;
    case 2:
    case 3:
        redefine(e, sale, true);
        break;
    case 4:
        remove_units(e, item);
        break;
    case 5:
    case 6:
        change_item(e, item);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        operator_cancel(e);
        break;
    case 11:
        operator_shut(e);
        break;
    case 12:
    case 13:
        operator_stream(e, sale);
        break;
    case 14:
    case 15:
        if (item->state != FG_ITEM_CLOSED)
            add_units(e, item);
        break;
    default:
        redefine(e, sale, false);
        break;
    }
}

/* In the end nothing stays paused. True: something was begun. */
static bool resume_item(struct sim_engine *e)
{
    const struct fg_model *model = &e->engine.control->model;

    for (uint32_t i = 0; i < model->items_count; i++) {
        if (model->items[i].item.id == 0 || model->items[i].state != FG_ITEM_PAUSED)
            continue;
        set_item(e, &model->items[i], FG_ITEM_RUNNING);
        return true;
    }
    return false;
}

/* What the run needs in any case: every sale there, and opened. True: something was begun. */
static bool set_up(struct sim_engine *e)
{
    const struct fg_model *model = &e->engine.control->model;

    for (unsigned s = 0; s < e->world->profile.sales; s++) {
        char name[FG_SALE_NAME_MAX + 1];
        name_of(name, s);
        const struct fg_sale *sale = fg_model_sale(model, name);
        if (!sale && !fg_model_name_used(model, name)) {
            apply(e, s);
            return true;
        }
        bool resume = sale && sale->state == FG_SALE_PAUSED &&
                      (e->world->healed || random_below(&e->world->random, 2));
        bool waits = sale && sale->state == FG_SALE_SCHEDULED && sale->opens_ns != 0;
        if (sale && !waits && (sale->state == FG_SALE_SCHEDULED || resume)) {
            set_state(e, sale, FG_SALE_OPEN);
            return true;
        }
    }
    return e->world->healed && resume_item(e);
}

void operator_step(struct sim_engine *e)
{
    struct world *world = e->world;
    const struct fg_model *model = &e->engine.control->model;

    clock_use(&e->clock);
    operator_desk(e);
    if (e->engine.control->change.stage != FG_CHANGE_NONE)
        return;
    if (operator_mode(e) || set_up(e) || lists_step(e) || world->healed ||
        world->profile.operator_ns == 0 || world->now_ns < world->operator_at_ns)
        return;
    world->operator_at_ns =
        world->now_ns + random_scaled(&world->random, SIM_MS, 2 * world->profile.operator_ns);
    if (model->sales_count > 0)
        change_something(e, model->sales[random_below(&world->random, model->sales_count)]);
}

bool operator_settled(struct sim_engine *e)
{
    const struct fg_model *model = &e->engine.control->model;

    for (unsigned i = 0; i < model->sales_count; i++)
        if (model->sales[i]->state == FG_SALE_SCHEDULED || model->sales[i]->state == FG_SALE_PAUSED)
            return false;
    for (uint32_t i = 0; i < model->items_count; i++)
        if (model->items[i].item.id != 0 && model->items[i].state == FG_ITEM_PAUSED)
            return false;
    for (unsigned s = 0; s < e->world->profile.sales; s++) {
        char name[FG_SALE_NAME_MAX + 1];
        name_of(name, s);
        if (!fg_model_name_used(model, name))
            return false;
    }
    return e->engine.control->change.stage == FG_CHANGE_NONE && operator_done(e);
}
