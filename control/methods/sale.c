/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods on sales: what they are, and their states from scheduled to archived. */
#include <stdlib.h>
#include <string.h>

#include "control/aside.h"
#include "control/methods/methods.h"
#include "flashgate/control_api.h"

#define ARCHIVED_MAX 500 /* told at once */

static int order_of_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of archived sales that come after `after` (NULL: all), in their order. Allocated, with
 * *count; NULL when memory is short. */
static const char **archived_names(const struct fg_model *model, const char *after, size_t *count)
{
    const char **names = calloc(json_object_size(model->names) + 1, sizeof(*names)), *name;
    json_t *number;
    *count = 0;
    if (!names)
        return NULL;
    json_object_foreach(model->names, name, number)
    {
        if (!fg_model_sale(model, name) && (!after || strcmp(name, after) > 0))
            names[(*count)++] = name;
    }
    qsort(names, *count, sizeof(*names), order_of_names);
    return names;
}

/* What is left of an archived sale: its name, and its number while the log has something of it. */
static int list_archived(struct fg_call *call, const char *after)
{
    const struct fg_model *model = &call->control->model;
    size_t count;
    const char **names = archived_names(model, after, &count);
    if (!names)
        return fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short for the answer");
    call->result = json_array();
    for (size_t i = 0; i < count && i < ARCHIVED_MAX; i++) {
        uint32_t number = fg_model_archived_number(model, names[i]);
        json_array_append_new(call->result,
                              json_pack("{s:s,s:o,s:s}", "name", names[i], "number",
                                        number ? json_integer(number) : json_null(), "state",
                                        fg_sale_state_name(FG_SALE_ARCHIVED)));
    }
    free(names);
    return 0;
}

int fg_call_sale_list(struct fg_call *call)
{
    bool archived;
    int rc = fg_call_flag(call, 0, "archived", &archived);
    if (rc == 0 && call->texts[1] && !archived)
        rc = fg_call_refuse(call, FG_RPC_PARAMS, "after goes with archived");
    if (rc != 0)
        return rc;
    if (archived)
        return list_archived(call, call->texts[1]);
    call->result = json_array();
    for (unsigned i = 0; i < call->control->model.sales_count; i++)
        json_array_append_new(call->result,
                              fg_status_sale(call->control, call->control->model.sales[i], 0));
    return 0;
}

struct showing {
    const struct fg_control *control;
    const struct fg_sale *sale;
    json_t *json;
};

static void show(void *arg)
{
    struct showing *s = arg;
    s->json = fg_status_sale(s->control, s->sale, UINT32_MAX);
}

int fg_call_sale_show(struct fg_call *call)
{
    struct fg_sale *sale;
    int rc = fg_call_find_sale(call, &sale);
    if (rc != 0)
        return rc;
    struct showing s = {.control = call->control, .sale = sale};
    fg_control_aside(call->control, sale->items_count > FG_ASIDE_ITEMS, show, &s);
    call->result = s.json;
    return 0;
}

static int state_result(struct fg_call *call, const char *name, enum fg_sale_state state,
                        bool changed)
{
    call->result =
        json_pack("{s:s,s:s,s:I,s:b}", "sale", name, "state", fg_sale_state_name(state), "revision",
                  (json_int_t)call->control->model.revision, "changed", changed);
    return 0;
}

/* Moves a sale to a state, if it is not there already. */
static int move(struct fg_call *call, const struct fg_sale *sale, enum fg_sale_state state)
{
    if (sale->state == state)
        return state_result(call, sale->name, state, false);
    if (sale->state >= FG_SALE_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED, "sale %s is %s, and that is final", sale->name,
                              fg_sale_state_name(sale->state));
    int rc = 0;
    if (state == FG_SALE_CLOSED)
        rc = fg_call_confirm(call,
                             "sale %s is %s, and would be closed for good: what is unsold of it "
                             "stays so; to stop it for a while: sale pause %s",
                             sale->name, fg_sale_state_name(sale->state), sale->name);
    if (rc != 0)
        return rc;
    fg_change_begin_state(call->control, call->peer, sale->number, state);
    rc = fg_call_finish_change(call);
    return rc == 0 ? state_result(call, sale->name, sale->state, true) : rc;
}

static int set_state(struct fg_call *call, enum fg_sale_state state)
{
    struct fg_sale *sale;
    int rc = fg_call_begin_sale(call, &sale);
    return rc == 0 ? move(call, sale, state) : rc;
}

int fg_call_sale_open(struct fg_call *call)
{
    return set_state(call, FG_SALE_OPEN);
}

int fg_call_sale_close(struct fg_call *call)
{
    return set_state(call, FG_SALE_CLOSED);
}

int fg_call_sale_pause(struct fg_call *call)
{
    return set_state(call, FG_SALE_PAUSED);
}

int fg_call_sale_resume(struct fg_call *call)
{
    struct fg_sale *sale;
    int rc = fg_call_begin_sale(call, &sale);
    if (rc != 0)
        return rc;
    if (sale->state < FG_SALE_CLOSED && sale->state != FG_SALE_PAUSED)
        return state_result(call, sale->name, sale->state, false);
    /* Back to what it was: its opening has been, or is still to come. */
    bool open = sale->opened ||
                (sale->opens_ns != 0 && sale->opens_ns <= fg_control_clock_ns(call->control));
    return move(call, sale, open ? FG_SALE_OPEN : FG_SALE_SCHEDULED);
}

int fg_call_sale_archive(struct fg_call *call)
{
    struct fg_control *control = call->control;
    const char *name = call->texts[0];
    struct fg_archive archive;
    struct fg_sale *sale;
    int rc = fg_call_catch_up(call);
    if (rc == 0 && !fg_model_sale(&control->model, name) &&
        fg_model_name_used(&control->model, name))
        return state_result(call, name, FG_SALE_ARCHIVED, false);
    if (rc == 0)
        rc = fg_call_find_sale(call, &sale);
    if (rc != 0)
        return rc;
    if (fg_archive_check(control, sale, call->message, sizeof(call->message)) != 0)
        return FG_RPC_REFUSED;
    rc =
        fg_call_confirm(call,
                        "sale %s would be archived for good: its orders are forgotten here, and no "
                        "retry, CONFIRM or QUERY of them is answered any more",
                        name);
    if (rc != 0)
        return rc;
    rc = fg_archive_prepare(control, sale, &archive, call->message, sizeof(call->message));
    if (rc != 0)
        return rc == -ENOMEM ? FG_RPC_INTERNAL : FG_RPC_REFUSED;
    fg_change_begin_archive(control, call->peer, sale->number, &archive);
    rc = fg_call_finish_change(call);
    return rc == 0 ? state_result(call, name, FG_SALE_ARCHIVED, true) : rc;
}
