/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods on sales. */
#include <string.h>

#include "control/methods.h"
#include "flashgate/control_api.h"

int fg_call_sale_list(struct fg_call *call)
{
    call->result = json_array();
    for (unsigned i = 0; i < call->control->model.sales_count; i++)
        json_array_append_new(call->result,
                              fg_status_sale(call->control, call->control->model.sales[i], 0));
    return 0;
}

int fg_call_sale_show(struct fg_call *call)
{
    struct fg_sale *sale;
    int rc = fg_call_find_sale(call, &sale);
    if (rc == 0)
        call->result = fg_status_sale(call->control, sale, UINT32_MAX);
    return rc;
}

int fg_call_state_result(struct fg_call *call, const char *name, enum fg_sale_state state,
                         bool changed)
{
    call->result =
        json_pack("{s:s,s:s,s:I,s:b}", "sale", name, "state", fg_sale_state_name(state), "revision",
                  (json_int_t)call->control->model.revision, "changed", changed);
    return 0;
}

static int set_state(struct fg_call *call, enum fg_sale_state state)
{
    struct fg_sale *sale;
    int rc = fg_call_catch_up(call);
    if (rc == 0)
        rc = fg_call_find_sale(call, &sale);
    if (rc != 0)
        return rc;
    bool change = sale->state != state;
    if (change && sale->state >= FG_SALE_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED, "sale %s is %s, and that is final", sale->name,
                              fg_sale_state_name(sale->state));
    if (change && state == FG_SALE_CLOSED)
        rc = fg_call_confirm(call,
                             "sale %s is %s, and would be closed for good: what is unsold of it "
                             "stays so; to stop it for a while: sale pause %s",
                             sale->name, fg_sale_state_name(sale->state), sale->name);
    if (rc != 0)
        return rc;
    if (change) {
        fg_change_begin_state(call->control, call->peer, sale->number, state);
        rc = fg_call_finish_change(call);
    }
    return rc == 0 ? fg_call_state_result(call, sale->name, sale->state, change) : rc;
}

int fg_call_sale_open(struct fg_call *call)
{
    return set_state(call, FG_SALE_OPEN);
}

int fg_call_sale_close(struct fg_call *call)
{
    return set_state(call, FG_SALE_CLOSED);
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
        return fg_call_state_result(call, name, FG_SALE_ARCHIVED, false);
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
    return rc == 0 ? fg_call_state_result(call, name, FG_SALE_ARCHIVED, true) : rc;
}
