/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0: one table of methods says what each is called and takes; parameters are checked
 * against it before the method runs. A method answers with a result, or with a code and one
 * sentence, and then it has changed nothing (but for FG_RPC_TIME_LIMIT, which says what goes on).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "control/plan.h"
#include "control/text.h"
#include "flashgate/control_api.h"

int fg_call_refuse(struct fg_call *call, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->message, sizeof(call->message), format, args);
    va_end(args);
    return code;
}

/* --- methods --- */

static int status(struct fg_call *call)
{
    call->result = fg_status_json(call->control);
    return 0;
}

static int find_sale(struct fg_call *call, struct fg_sale **sale)
{
    *sale = fg_model_sale(&call->control->model, call->texts[0]);
    if (*sale)
        return 0;
    if (fg_model_name_used(&call->control->model, call->texts[0]))
        return fg_call_refuse(call, FG_RPC_NOT_FOUND, "sale %.64s is archived", call->texts[0]);
    return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                          "there is no sale %.64s; sale list tells which there are",
                          call->texts[0]);
}

static int sale_list(struct fg_call *call)
{
    call->result = json_array();
    for (unsigned i = 0; i < call->control->model.sales_count; i++)
        json_array_append_new(call->result,
                              fg_status_sale(call->control, call->control->model.sales[i], 0));
    return 0;
}

static int sale_show(struct fg_call *call)
{
    struct fg_sale *sale;
    int rc = find_sale(call, &sale);
    if (rc == 0)
        call->result = fg_status_sale(call->control, sale, UINT32_MAX);
    return rc;
}

/* A change waits for the one before it, whoever asked for that. */
static int finish_change(struct fg_call *call)
{
    return fg_change_finish(call->control, call->message, sizeof(call->message));
}

/* A change begins from what is in force: the changes before it are done, and what time has opened
 * or closed is on record, for buyers have it so already. */
static int catch_up(struct fg_call *call)
{
    int rc;
    do {
        rc = finish_change(call);
    } while (rc == 0 && fg_control_run_schedules(call->control));
    return rc;
}

static int put_sale(struct fg_call *call, const struct fg_sale *sale, bool takes)
{
    if (!sale)
        return 0;
    int rc = fg_change_begin_sale(call->control, call->peer, sale, takes);
    if (rc == -ENOMEM)
        return fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short; nothing was changed");
    if (rc != 0)
        return fg_call_refuse(
            call, FG_RPC_REFUSED,
            "sale %s cannot be kept in the log: %s; make it several smaller sales", sale->name,
            rc == -E2BIG ? "its record would be too long" : strerror(-rc));
    return finish_change(call);
}

static int carry_out(struct fg_call *call, const struct fg_plan *plan, const char *name)
{
    int rc = put_sale(call, plan->takes, true);
    if (rc != 0)
        return rc;
    rc = put_sale(call, plan->gives, false);
    if (rc != 0 && plan->takes) {
        char rest[sizeof(call->message)];
        memcpy(rest, call->message, sizeof(rest));
        return fg_call_refuse(call, rc, "what the file takes is in force, the rest not yet: %.400s",
                              rest);
    }
    if (rc == 0)
        call->result = json_pack("{s:s,s:I,s:b,s:b,s:O}", "sale", name, "revision",
                                 (json_int_t)call->control->model.revision, "new", plan->new_sale,
                                 "changed", plan->takes || plan->gives, "changes", plan->changes);
    return rc;
}

static int sale_apply(struct fg_call *call)
{
    struct fg_control *control = call->control;
    struct fg_sale wanted;
    struct fg_plan plan;
    int rc = catch_up(call);
    if (rc != 0)
        return rc;
    if (fg_sale_parse(&wanted, call->texts[1], call->texts[0], call->lengths[0],
                      fg_control_wall_ns(), call->message, sizeof(call->message)) != 0)
        return FG_RPC_SALE_FILE;
    rc = fg_plan_sale(&plan, &control->model, &control->engine->config, &wanted, call->message,
                      sizeof(call->message));
    if (rc == 0)
        rc = carry_out(call, &plan, wanted.name);
    else if (rc == -EPERM)
        rc = FG_RPC_REFUSED;
    else
        rc = fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short; nothing was changed");
    fg_plan_free(&plan);
    fg_sale_free(&wanted);
    return rc;
}

static int state_result(struct fg_call *call, const char *name, enum fg_sale_state state,
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
    int rc = catch_up(call);
    if (rc == 0)
        rc = find_sale(call, &sale);
    if (rc != 0)
        return rc;
    bool change = sale->state != state;
    if (change && sale->state >= FG_SALE_CLOSED)
        return fg_call_refuse(call, FG_RPC_REFUSED, "sale %s is %s, and that is final", sale->name,
                              fg_sale_state_name(sale->state));
    if (change) {
        fg_change_begin_state(call->control, call->peer, sale->number, state);
        rc = finish_change(call);
    }
    return rc == 0 ? state_result(call, sale->name, sale->state, change) : rc;
}

static int sale_open(struct fg_call *call)
{
    return set_state(call, FG_SALE_OPEN);
}

static int sale_close(struct fg_call *call)
{
    return set_state(call, FG_SALE_CLOSED);
}

static int sale_archive(struct fg_call *call)
{
    struct fg_control *control = call->control;
    const char *name = call->texts[0];
    struct fg_archive archive;
    struct fg_sale *sale;
    int rc = catch_up(call);
    if (rc == 0 && !fg_model_sale(&control->model, name) &&
        fg_model_name_used(&control->model, name))
        return state_result(call, name, FG_SALE_ARCHIVED, false);
    if (rc == 0)
        rc = find_sale(call, &sale);
    if (rc != 0)
        return rc;
    if (fg_archive_check(control, sale, call->message, sizeof(call->message)) != 0)
        return FG_RPC_REFUSED;
    rc = fg_archive_prepare(control, sale, &archive, call->message, sizeof(call->message));
    if (rc != 0)
        return rc == -ENOMEM ? FG_RPC_INTERNAL : FG_RPC_REFUSED;
    fg_change_begin_archive(control, call->peer, sale->number, &archive);
    rc = finish_change(call);
    return rc == 0 ? state_result(call, name, FG_SALE_ARCHIVED, true) : rc;
}

static int order_show(struct fg_call *call)
{
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    struct fg_order_view view;
    if (!fg_buyer_parse(call->texts[0], buyer))
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "buyer \"%.64s\" is not 32 hex digits, with or without dashes",
                              call->texts[0]);
    if (!fg_u64_parse(call->texts[1], &request))
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "request \"%.64s\" is not a number of 64 bits, decimal or 0x hex",
                              call->texts[1]);
    int rc = fg_command_order(call->control, buyer, request, &view, call->message,
                              sizeof(call->message));
    if (rc == 0)
        call->result = fg_status_order(buyer, &view);
    return rc;
}

/* Every parameter is a string, and none may be left out. */
static const struct method {
    const char *name;
    int (*run)(struct fg_call *call);
    const char *params[FG_CALL_PARAMS_MAX];
} methods[] = {
    {"status", status, {NULL}},
    {"sale.apply", sale_apply, {"text", "source"}},
    {"sale.open", sale_open, {"name"}},
    {"sale.close", sale_close, {"name"}},
    {"sale.archive", sale_archive, {"name"}},
    {"sale.show", sale_show, {"name"}},
    {"sale.list", sale_list, {NULL}},
    {"order.show", order_show, {"buyer", "request"}},
    {"delivery.status", fg_call_delivery_status, {NULL}},
    {"delivery.rebuild", fg_call_delivery_rebuild, {"sale"}},
    {"consumed", fg_call_consumed, {"sale", "seq"}},
};

/* --- messages --- */

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static bool takes_param(const struct method *method, const char *name)
{
    for (unsigned i = 0; i < FG_CALL_PARAMS_MAX && method->params[i]; i++)
        if (strcmp(method->params[i], name) == 0)
            return true;
    return false;
}

static int read_params(struct fg_call *call, const struct method *method, json_t *params)
{
    const char *name;
    json_t *value;
    if (params && !json_is_object(params))
        return fg_call_refuse(call, FG_RPC_PARAMS, "params of %s must be an object", method->name);
    json_object_foreach(params, name, value)
    {
        if (!takes_param(method, name))
            return fg_call_refuse(call, FG_RPC_PARAMS, "%s has no parameter \"%.64s\"",
                                  method->name, name);
    }
    for (unsigned i = 0; i < FG_CALL_PARAMS_MAX && method->params[i]; i++) {
        value = json_object_get(params, method->params[i]);
        if (!json_is_string(value))
            return fg_call_refuse(call, FG_RPC_PARAMS, "%s needs the parameter \"%s\", a string",
                                  method->name, method->params[i]);
        call->texts[i] = json_string_value(value);
        call->lengths[i] = json_string_length(value);
    }
    return 0;
}

static bool id_is_valid(const json_t *id)
{
    return !id || json_is_string(id) || json_is_number(id) || json_is_null(id);
}

/* 0 with call->result, or an error's code with call->message. */
static int run_message(struct fg_call *call, json_t *message)
{
    if (json_is_array(message))
        return fg_call_refuse(call, FG_RPC_INVALID,
                              "batches are not taken; send one request a line");
    const char *version = json_string_value(json_object_get(message, "jsonrpc"));
    const char *name = json_string_value(json_object_get(message, "method"));
    if (!version || strcmp(version, "2.0") != 0 || !name ||
        !id_is_valid(json_object_get(message, "id")))
        return fg_call_refuse(
            call, FG_RPC_INVALID,
            "not a JSON-RPC 2.0 request: it needs \"jsonrpc\": \"2.0\", a \"method\" and "
            "an \"id\"");
    const struct method *method = find_method(name);
    if (!method)
        return fg_call_refuse(call, FG_RPC_NO_METHOD, "there is no method \"%.64s\"", name);
    int rc = read_params(call, method, json_object_get(message, "params"));
    if (rc == 0)
        rc = method->run(call);
    if (rc == 0 && !call->result)
        rc = fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short for the answer");
    return rc;
}

static json_t *error_of(int code, char *message)
{
    fg_utf8_mend(message); /* it may quote what was sent, and be cut anywhere */
    return json_pack("{s:i,s:s}", "code", code, "message", message);
}

/* The reply's line; `part` is the result or the error, and is consumed. */
static char *reply_line(json_t *id, const char *key, json_t *part)
{
    json_t *reply = json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id, key, part);
    char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    json_decref(reply);
    char *line = NULL;
    if (text && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    return line;
}

char *fg_methods_answer(void *arg, const struct fg_peer *peer, const char *line, size_t length)
{
    struct fg_call call = {.control = arg, .peer = peer};
    json_error_t error;
    char *reply;
    json_t *message = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!message) {
        snprintf(call.message, sizeof(call.message), "not JSON: %s (column %d)", error.text,
                 error.column);
        return reply_line(json_null(), "error", error_of(FG_RPC_PARSE, call.message));
    }
    json_t *id = json_object_get(message, "id");
    int rc = run_message(&call, message);
    bool answered = id || rc == FG_RPC_INVALID; /* a request without an id wants no answer */
    if (!answered)
        reply = NULL;
    else if (rc == 0)
        reply = reply_line(id, "result", json_incref(call.result));
    else
        reply = reply_line(id && id_is_valid(id) ? id : json_null(), "error",
                           error_of(rc, call.message));
    json_decref(call.result);
    json_decref(message);
    return reply;
}
