/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/operator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/admission/internal.h"

static void name_of(char name[FG_SALE_NAME_MAX + 1], unsigned sale)
{
    snprintf(name, FG_SALE_NAME_MAX + 1, "sale%u", sale + 1);
}

static void note(struct sim_engine *e, enum sim_operation what, uint64_t sale, uint64_t item)
{
    e->world->stats->operations[what]++;
    event(e->world, SIM_EVENT_OPERATOR, what, sale, item);
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
                           .items = items};

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
    note(e, SIM_OP_APPLY, place + 1, 0);
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
    note(e, takes ? SIM_OP_LOWER_LIMIT : SIM_OP_RESTOCK, sale->number, item->id);
    if (fg_change_begin_sale(e->engine.control, NULL, sale, takes) != 0)
        world_fail(e->world, "sale %s cannot be changed", sale->name);
    fg_model_sale_free(sale);
}

static void set_state(struct sim_engine *e, const struct fg_sale *sale, enum fg_sale_state state)
{
    note(e,
         state == FG_SALE_OPEN     ? SIM_OP_OPEN
         : state == FG_SALE_PAUSED ? SIM_OP_PAUSE
                                   : SIM_OP_CLOSE,
         sale->number, 0);
    fg_change_begin_state(e->engine.control, NULL, sale->number, state);
}

/* Unsold units of an item go off sale. */
static void remove_units(struct sim_engine *e, const struct fg_model_item *item)
{
    uint32_t units = (uint32_t)random_between(&e->world->random, 1, 9);

    if (fg_change_begin_remove(e->engine.control, NULL, item, units) > 0)
        note(e, SIM_OP_REMOVE, item->item.sale, item->item.id);
}

static void set_item(struct sim_engine *e, const struct fg_model_item *item,
                     enum fg_item_state state)
{
    note(e, state == FG_ITEM_PAUSED ? SIM_OP_PAUSE_ITEM : SIM_OP_RESUME_ITEM, item->item.sale,
         item->item.id);
    fg_change_begin_item(e->engine.control, NULL, item, state);
}

/* Some order is to be cancelled, whatever state it is in: that is put on record first. */
static void begin_cancel(struct sim_engine *e)
{
    struct sim_random *random = &e->world->random;
    unsigned w = (unsigned)random_below(random, e->engine.config.workers);
    const struct fg_book *book = &e->plan.admissions[w]->book;
    const struct fg_order *order =
        book->touched ? &book->orders[random_below(random, book->touched)] : NULL;
    char body[128];

    if (!order || order->state == FG_ORDER_FREE || order->state == FG_ORDER_VOID)
        return;
    int length = snprintf(body, sizeof(body),
                          "{\"method\":\"order.cancel\",\"order\":\"%" PRIu64 "\"}", order->id);
    struct fg_control_event act = {.kind = FG_EVENT_ACT,
                                   .body_length = (uint32_t)length,
                                   .revision = e->engine.control->model.revision,
                                   .at_ns = fg_control_wall_ns()};
    e->cancel.ticket = fg_journal_submit(e->engine.journal, &act, body);
    e->cancel.worker = w;
    e->cancel.request = order->request;
    memcpy(e->cancel.buyer, order->buyer, sizeof(e->cancel.buyer));
}

/* The record is durable: the worker is told, as by its command ring. */
static void carry_out_cancel(struct sim_engine *e)
{
    struct fg_command command = {.kind = FG_COMMAND_ORDER_CANCEL, .request = e->cancel.request};

    memcpy(command.buyer, e->cancel.buyer, sizeof(command.buyer));
    e->cancel.ticket = 0;
    struct fg_now now = engine_now(e);
    fg_command_run(&command, e->plan.admissions[e->cancel.worker], &now, e->engine.catalogue);
    if (command.result == 0)
        note(e, SIM_OP_CANCEL, command.orders[0].item, command.orders[0].order);
}

static void archive(struct sim_engine *e, const struct fg_sale *sale)
{
    struct fg_control *control = e->engine.control;
    struct fg_archive archive;

    if (fg_archive_check(control, sale, e->message, sizeof(e->message)) != 0)
        return;
    if (fg_archive_prepare(control, sale, &archive, e->message, sizeof(e->message)) != 0)
        return;
    note(e, SIM_OP_ARCHIVE, sale->number, 0);
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
    switch (random_below(random, 16)) {
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
        set_item(e, item, item->state == FG_ITEM_PAUSED ? FG_ITEM_RUNNING : FG_ITEM_PAUSED);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        begin_cancel(e);
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
        if (sale && (sale->state == FG_SALE_SCHEDULED || resume)) {
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
    if (e->cancel.ticket != 0 &&
        fg_journal_submitted_durable(e->engine.journal) >= e->cancel.ticket)
        carry_out_cancel(e);
    if (e->engine.control->change.stage != FG_CHANGE_NONE)
        return;
    if (set_up(e) || world->healed || world->profile.operator_ns == 0 ||
        world->now_ns < world->operator_at_ns)
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
    return e->engine.control->change.stage == FG_CHANGE_NONE;
}
