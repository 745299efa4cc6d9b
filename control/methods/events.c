/* SPDX-License-Identifier: BSD-3-Clause */
/* What was done, and what can be asked. */
#include <inttypes.h>
#include <stdio.h>

#include "control/events.h"
#include "control/methods/methods.h"
#include "flashgate/control_api.h"

int fg_call_events(struct fg_call *call)
{
    struct fg_control *control = call->control;
    const char *sale = call->texts[2];
    uint64_t since = 0, limit = FG_EVENTS_LIMIT_MAX;
    char log[17];
    int rc = fg_call_number(call, 0, "since", 0, INT64_MAX, &since);
    if (rc == 0)
        rc = fg_call_number(call, 1, "limit", 1, FG_EVENTS_LIMIT_MAX, &limit);
    if (rc != 0)
        return rc;
    if (sale && !fg_model_name_used(&control->model, sale) &&
        !fg_events_has_sale(control->events, sale))
        return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                              "there never was a sale %.64s; sale list tells which there are",
                              sale);
    fg_events_collect(control->events, control->engine->journal);
    call->result = fg_events_json(control->events, &control->roles, since, (unsigned)limit, sale);
    snprintf(log, sizeof(log), "%016" PRIx64, fg_journal_id(control->engine->journal));
    if (call->result)
        json_object_set_new(call->result, "log", json_string(log));
    return 0;
}

static json_t *params_json(const struct fg_method *method)
{
    json_t *params = json_array();
    for (unsigned i = 0; i < FG_CALL_PARAMS_MAX && method->params[i].name; i++) {
        const struct fg_method_param *param = &method->params[i];
        json_array_append_new(params, json_pack("{s:s,s:b,s:s?}", "name", param->name, "optional",
                                                param->optional, "help", param->help));
    }
    return params;
}

int fg_call_methods(struct fg_call *call)
{
    call->result = json_array();
    for (unsigned i = 0; i < fg_methods_count; i++) {
        const struct fg_method *method = &fg_methods[i];
        json_array_append_new(call->result,
                              json_pack("{s:s,s:s,s:b,s:o,s:s}", "name", method->name, "role",
                                        fg_role_name(method->role), "asks", method->asks, "params",
                                        params_json(method), "help", method->help));
    }
    return 0;
}
