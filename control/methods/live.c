/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Methods that change what is running: units of an item, the states of item and engine, and single
 * figures of a sale. Each answers when it is in force in every worker and durable. Asked for
 * what is so already it changes nothing and says so ("changed": false).
 */
#include <inttypes.h>
#include <stdio.h>

#include "control/methods/methods.h"
#include "control/sale/plan.h"
#include "control/text.h"
#include "flashgate/control_api.h"

/* --- stock --- */

/* The item that texts[0] names, with its sale. 0, or an rpc error with a sentence. */
static int find_item(struct fg_call *call, struct fg_model_item **item, struct fg_sale **sale)
{
    const struct fg_model *model = &call->control->model;
    uint64_t id;
    if (!fg_u64_parse(call->texts[0], &id) || id == 0 || id > UINT32_MAX)
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "item \"%.64s\" is not an item's id, wanted 1 to %" PRIu32,
                              call->texts[0], UINT32_MAX);
    *item = fg_model_item(model, (uint32_t)id);
    if (*item) {
        *sale = fg_model_sale_number(model, (*item)->item.sale);
        return 0;
    }
    return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                          fg_model_id_used(model, (uint32_t)id)
                              ? "item %" PRIu64 " was sold in a sale that is archived"
                              : "there is no item %" PRIu64 "; sale show tells a sale's items",
                          id);
}

/* What a change begins from is in force, and texts[0] names an item. */
static int begin_item(struct fg_call *call, struct fg_model_item **item, struct fg_sale **sale)
{
    int rc = fg_call_catch_up(call);
    return rc == 0 ? find_item(call, item, sale) : rc;
}

static int read_units(struct fg_call *call, uint32_t *units)
{
    uint64_t value;
    if (!fg_u64_parse(call->texts[1], &value) || value == 0 || value > FG_STOCK_MAX)
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "units \"%.64s\" is not a number of units, wanted 1 to %d",
                              call->texts[1], FG_STOCK_MAX);
    *units = (uint32_t)value;
    return 0;
}

/* `deed`: added or removed. */
static int stock_result(struct fg_call *call, uint32_t id, const char *deed, uint32_t asked,
                        uint32_t moved)
{
    const struct fg_control *control = call->control;
    const struct fg_model_item *item = fg_model_item(&control->model, id);
    call->result = json_pack(
        "{s:I,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:b}", "item", (json_int_t)id, "name", item->name, "sale",
        fg_model_sale_number(&control->model, item->item.sale)->name, "asked", (json_int_t)asked,
        deed, (json_int_t)moved, "stock", (json_int_t)fg_model_supply(item), "available",
        (json_int_t)fg_stock_free_units(&control->engine->stock, item->item.slot), "revision",
        (json_int_t)control->model.revision, "changed", moved > 0);
    return 0;
}

/* Does the item take more units: is it sold at all, and does its supply fit? */
static int check_add(struct fg_call *call, const struct fg_model_item *item,
                     const struct fg_sale *sale, uint32_t units)
{
    const struct fg_control *control = call->control;
    uint32_t supply = fg_model_supply(item);
    if (sale->state >= FG_SALE_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "sale %s is %s, and nothing of it is sold any more", sale->name,
                              fg_sale_state_name(sale->state));
    if (item->state == FG_ITEM_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "item %" PRIu32 " is closed, and nothing of it is sold any more",
                              item->item.id);
    if (units > FG_STOCK_MAX - supply)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "item %" PRIu32 " has a stock of %" PRIu32
                              " and can have %d at most; "
                              "add %" PRIu32 " or less",
                              item->item.id, supply, FG_STOCK_MAX, FG_STOCK_MAX - supply);
    struct fg_sale *wanted = fg_plan_in_force(&control->model, sale);
    if (!wanted)
        return fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short; nothing was changed");
    wanted->items[item->place].stock += units;
    int rc = fg_plan_fits(&control->model, &control->engine->config, wanted, call->message,
                          sizeof(call->message));
    fg_model_sale_free(wanted);
    return rc == 0 ? 0 : FG_RPC_REFUSED;
}

int fg_call_stock_add(struct fg_call *call)
{
    struct fg_model_item *item;
    struct fg_sale *sale;
    uint32_t units;
    int rc = read_units(call, &units);
    if (rc == 0)
        rc = begin_item(call, &item, &sale);
    if (rc == 0)
        rc = check_add(call, item, sale, units);
    if (rc != 0)
        return rc;
    uint32_t id = item->item.id;
    fg_change_begin_add(call->control, call->peer, item, units);
    rc = fg_call_finish_change(call);
    return rc == 0 ? stock_result(call, id, "added", units, units) : rc;
}

int fg_call_stock_remove(struct fg_call *call)
{
    struct fg_model_item *item;
    struct fg_sale *sale;
    uint32_t units;
    int rc = read_units(call, &units);
    if (rc == 0)
        rc = begin_item(call, &item, &sale);
    if (rc != 0)
        return rc;
    uint32_t id = item->item.id;
    uint32_t taken = fg_change_begin_remove(call->control, call->peer, item, units);
    if (taken > 0 && (rc = fg_call_finish_change(call)) != 0) {
        char rest[sizeof(call->message)];
        memcpy(rest, call->message, sizeof(rest));
        return fg_call_refuse(call, rc, "%" PRIu32 " units are off sale, but: %.400s", taken, rest);
    }
    return stock_result(call, id, "removed", units, taken);
}

/* --- the states of an item --- */

static int item_result(struct fg_call *call, const struct fg_model_item *item, bool changed)
{
    const struct fg_model *model = &call->control->model;
    call->result = json_pack("{s:I,s:s,s:s,s:s,s:I,s:b}", "item", (json_int_t)item->item.id, "name",
                             item->name, "sale", fg_model_sale_number(model, item->item.sale)->name,
                             "state", fg_item_state_name(item->state), "revision",
                             (json_int_t)model->revision, "changed", changed);
    return 0;
}

static int set_item_state(struct fg_call *call, enum fg_item_state state)
{
    struct fg_model_item *item;
    struct fg_sale *sale;
    int rc = begin_item(call, &item, &sale);
    if (rc != 0)
        return rc;
    if (item->state == state)
        return item_result(call, item, false);
    if (item->state == FG_ITEM_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED, "item %" PRIu32 " is closed, and that is final",
                              item->item.id);
    if (sale->state >= FG_SALE_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED, "sale %s is %s, and so are its items",
                              sale->name, fg_sale_state_name(sale->state));
    uint32_t id = item->item.id;
    if (state == FG_ITEM_CLOSED)
        rc = fg_call_confirm(call,
                             "item %" PRIu32 " (%s) of sale %s would be closed for good: what is "
                             "unsold of it stays so; to stop it for a while: item pause %" PRIu32,
                             id, item->name, sale->name, id);
    if (rc != 0)
        return rc;
    fg_change_begin_item(call->control, call->peer, item, state);
    rc = fg_call_finish_change(call);
    return rc == 0 ? item_result(call, fg_model_item(&call->control->model, id), true) : rc;
}

int fg_call_item_pause(struct fg_call *call)
{
    return set_item_state(call, FG_ITEM_PAUSED);
}

int fg_call_item_resume(struct fg_call *call)
{
    return set_item_state(call, FG_ITEM_RUNNING);
}

int fg_call_item_close(struct fg_call *call)
{
    return set_item_state(call, FG_ITEM_CLOSED);
}

/* --- the engine --- */

static int mode_result(struct fg_call *call, bool changed)
{
    const struct fg_model *model = &call->control->model;
    call->result = json_pack("{s:s,s:I,s:b}", "mode", fg_engine_mode_name(model->mode), "revision",
                             (json_int_t)model->revision, "changed", changed);
    return 0;
}

/* What an owner has stopped, nobody less sets going again. */
static int check_leaving(struct fg_call *call, enum fg_engine_mode mode)
{
    char deed[64];
    if (mode != FG_ENGINE_KILLED && mode != FG_ENGINE_DRAINING)
        return 0;
    snprintf(deed, sizeof(deed), "to bring back an engine that is %s", fg_engine_mode_name(mode));
    return fg_call_need_role(call, FG_ROLE_OWNER, deed);
}

int fg_call_set_mode(struct fg_call *call, enum fg_engine_mode mode)
{
    const struct fg_model *model = &call->control->model;
    int rc = fg_call_catch_up(call);
    if (rc != 0)
        return rc;
    if (model->mode == mode)
        return mode_result(call, false);
    rc = check_leaving(call, model->mode);
    if (rc != 0)
        return rc;
    if (model->mode == FG_ENGINE_KILLED && mode != FG_ENGINE_RUNNING)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "the engine is killed and answers nobody; bring it back first: "
                              "flashgatectl engine resume");
    if (mode == FG_ENGINE_KILLED)
        rc =
            fg_call_confirm(call,
                            "the kill switch answers every ORDER, CONFIRM, CANCEL and QUERY of "
                            "every sale BUSY, in all %u workers, until: flashgatectl engine resume",
                            call->control->engine->config.workers);
    if (rc != 0)
        return rc;
    fg_change_begin_mode(call->control, call->peer, mode);
    rc = fg_call_finish_change(call);
    return rc == 0 ? mode_result(call, true) : rc;
}

int fg_call_engine_pause(struct fg_call *call)
{
    return fg_call_set_mode(call, FG_ENGINE_PAUSED);
}

int fg_call_engine_resume(struct fg_call *call)
{
    return fg_call_set_mode(call, FG_ENGINE_RUNNING);
}

int fg_call_engine_kill(struct fg_call *call)
{
    return fg_call_set_mode(call, FG_ENGINE_KILLED);
}

/* --- figures --- */

/* texts[1] and [2] are a field and its value; `item` NULL: the sale's own. */
static int set_field(struct fg_call *call, const struct fg_sale *sale,
                     const struct fg_model_item *item)
{
    const char *field = call->texts[1];
    struct fg_sale *wanted = fg_plan_in_force(&call->control->model, sale);
    if (!wanted)
        return fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short; nothing was changed");
    int rc = fg_sale_set(wanted, item ? &wanted->items[item->place] : NULL, field, call->texts[2],
                         fg_control_clock_ns(call->control), call->message, sizeof(call->message));
    if (rc != 0)
        rc = FG_RPC_PARAMS;
    else if (sale->opened && wanted->opens_ns != sale->opens_ns)
        rc = fg_call_refuse(call, FG_RPC_REFUSED,
                            "sale %s has opened, which is on record; to stop it for a while: "
                            "flashgatectl sale pause %s",
                            sale->name, sale->name);
    else
        rc = fg_call_carry_out(call, wanted);
    fg_model_sale_free(wanted);
    return rc;
}

int fg_call_sale_set(struct fg_call *call)
{
    struct fg_sale *sale;
    int rc = fg_call_begin_sale(call, &sale);
    return rc == 0 ? set_field(call, sale, NULL) : rc;
}

int fg_call_item_set(struct fg_call *call)
{
    struct fg_model_item *item;
    struct fg_sale *sale;
    int rc = begin_item(call, &item, &sale);
    return rc == 0 ? set_field(call, sale, item) : rc;
}
