/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0: one table of methods says what each is called, takes and needs; parameters are
 * checked against it before the method runs. A method answers with a result, or with a code and one
 * sentence, and then it has changed nothing (but for FG_RPC_TIME_LIMIT, which says what goes on).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/aside.h"
#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

#define PARTS_MAX   100  /* a request has two for each of its 4 members and 9 parameters */
#define LARGE_PARTS 2000 /* of an answer: it takes about a millisecond to write them */

int fg_call_refuse(struct fg_call *call, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->message, sizeof(call->message), format, args);
    va_end(args);
    return code;
}

int fg_call_number(struct fg_call *call, unsigned place, const char *name, uint64_t least,
                   uint64_t most, uint64_t *value)
{
    const char *text = call->texts[place];
    if (!text || (fg_u64_parse(text, value) && *value >= least && *value <= most))
        return 0;
    return fg_call_refuse(call, FG_RPC_PARAMS,
                          "%s \"%.32s\" is not a number from %" PRIu64 " to %" PRIu64, name, text,
                          least, most);
}

int fg_call_refuse_file(struct fg_call *call, const char *what)
{
    size_t length = strlen(call->message);
    snprintf(call->message + length, sizeof(call->message) - length, "; %s in force stay", what);
    return FG_RPC_REFUSED;
}

int fg_call_confirm(struct fg_call *call, const char *format, ...)
{
    if (call->confirmed)
        return 0;
    va_list args;
    va_start(args, format);
    vsnprintf(call->message, sizeof(call->message), format, args);
    va_end(args);
    return FG_RPC_CONFIRM;
}

int fg_call_flag(struct fg_call *call, unsigned place, const char *name, bool *flag)
{
    const char *text = call->texts[place];
    *flag = text && strcmp(text, "true") == 0;
    if (!text || *flag || strcmp(text, "false") == 0)
        return 0;
    return fg_call_refuse(call, FG_RPC_PARAMS, "%s is \"true\" or \"false\"", name);
}

int fg_call_find_sale(struct fg_call *call, struct fg_sale **sale)
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

int fg_call_finish_change(struct fg_call *call)
{
    return fg_change_finish(call->control, call->message, sizeof(call->message));
}

int fg_call_catch_up(struct fg_call *call)
{
    int rc;
    do {
        rc = fg_call_finish_change(call);
    } while (rc == 0 && fg_control_run_schedules(call->control));
    return rc;
}

int fg_call_begin_sale(struct fg_call *call, struct fg_sale **sale)
{
    int rc = fg_call_catch_up(call);
    return rc == 0 ? fg_call_find_sale(call, sale) : rc;
}

/* --- messages --- */

static const struct fg_method *find_method(const char *name)
{
    for (unsigned i = 0; i < fg_methods_count; i++)
        if (strcmp(fg_methods[i].name, name) == 0)
            return &fg_methods[i];
    return NULL;
}

/* Place of a parameter in the method's row, or -1. */
static int param_place(const struct fg_method *method, const char *name)
{
    for (int i = 0; i < FG_CALL_PARAMS_MAX && method->params[i].name; i++)
        if (strcmp(method->params[i].name, name) == 0)
            return i;
    return -1;
}

static int read_param(struct fg_call *call, const struct fg_method *method, const char *name,
                      const json_t *value)
{
    int place = param_place(method, name);
    if (method->asks && strcmp(name, "confirmed") == 0) {
        call->confirmed = json_is_true(value);
        return json_is_boolean(value)
                   ? 0
                   : fg_call_refuse(call, FG_RPC_PARAMS, "\"confirmed\" is true or false");
    }
    if (place < 0)
        return fg_call_refuse(call, FG_RPC_PARAMS, "%s has no parameter \"%.64s\"", method->name,
                              name);
    if (!json_is_string(value))
        return fg_call_refuse(call, FG_RPC_PARAMS, "the parameter \"%s\" of %s is a string", name,
                              method->name);
    call->texts[place] = json_string_value(value);
    call->lengths[place] = json_string_length(value);
    return 0;
}

static int read_params(struct fg_call *call, const struct fg_method *method, json_t *params)
{
    const char *name;
    json_t *value;
    if (params && !json_is_object(params))
        return fg_call_refuse(call, FG_RPC_PARAMS, "params of %s must be an object", method->name);
    json_object_foreach(params, name, value)
    {
        int rc = read_param(call, method, name, value);
        if (rc != 0)
            return rc;
    }
    for (unsigned i = 0; i < FG_CALL_PARAMS_MAX && method->params[i].name; i++)
        if (!call->texts[i] && !method->params[i].optional)
            return fg_call_refuse(call, FG_RPC_PARAMS, "%s needs the parameter \"%s\", a string",
                                  method->name, method->params[i].name);
    return 0;
}

static bool id_is_valid(const json_t *id)
{
    return !id || json_is_string(id) || json_is_number(id) || json_is_null(id);
}

int fg_call_need_role(struct fg_call *call, enum fg_role needed, const char *deed)
{
    enum fg_role role = (enum fg_role)call->peer->rank;
    const char *user = fg_roles_user(&call->control->roles, call->peer->uid);
    if (role >= needed)
        return 0;
    return fg_call_refuse(
        call, FG_RPC_FORBIDDEN,
        "%s needs the role %s; uid %" PRIu32 "%s%s%s has %s; nothing was changed: ask somebody who "
        "has it, or add the user or a group of theirs to control.roles in the engine's "
        "configuration and restart it",
        deed, fg_role_name(needed), call->peer->uid, user ? " (" : "", user ? user : "",
        user ? ")" : "", role == FG_ROLE_NONE ? "no role" : fg_role_name(role));
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
    const struct fg_method *method = find_method(name);
    if (!method)
        return fg_call_refuse(call, FG_RPC_NO_METHOD, "there is no method \"%.64s\"", name);
    int rc = fg_call_need_role(call, method->role, method->name); /* before anything is looked at */
    if (rc == 0)
        rc = read_params(call, method, json_object_get(message, "params"));
    if (rc == 0 && method->role > FG_ROLE_OBSERVER && !method->vital &&
        fg_room_check(call->control, 0, call->message, sizeof(call->message)) != 0)
        rc = FG_RPC_REFUSED;
    if (rc == 0)
        rc = method->run(call);
    if (rc == 0 && !call->result)
        rc = fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short for the answer");
    return rc;
}

static json_t *error_of(int code, char *message, json_t *data)
{
    fg_utf8_mend(message); /* it may quote what was sent, and be cut anywhere */
    return json_pack("{s:i,s:s,s:O*}", "code", code, "message", message, "data", data);
}

/* Is it more than a screen or two? Looks at no more than that. */
static bool is_large(const json_t *json, unsigned *parts)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_string_length(json) > FG_ASIDE_BYTES || ++*parts > LARGE_PARTS)
        return true;
    json_array_foreach(json, i, value)
    {
        if (is_large(value, parts))
            return true;
    }
    json_object_foreach((json_t *)json, key, value)
    {
        if (is_large(value, parts))
            return true;
    }
    return false;
}

struct writing {
    json_t *reply; /* consumed */
    char *line;
};

static void write_reply(void *arg)
{
    struct writing *writing = arg;
    char *text = writing->reply ? json_dumps(writing->reply, JSON_COMPACT) : NULL;
    json_decref(writing->reply);
    if (text && asprintf(&writing->line, "%s\n", text) < 0)
        writing->line = NULL;
    free(text);
}

/* The reply's line; `part` is the result or the error, and is consumed. */
static char *reply_line(struct fg_control *control, json_t *id, const char *key, json_t *part)
{
    unsigned parts = 0;
    bool large = is_large(part, &parts);
    struct writing writing = {
        .reply = json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id, key, part),
    };
    fg_control_aside(control, large, write_reply, &writing);
    return writing.line;
}

/* Has it more parts than any request? Parsing them takes a tick's time, and forty times the bytes.
 */
static bool is_intricate(const char *line, size_t length)
{
    unsigned parts = 0;
    bool quoted = false;
    for (size_t i = 0; i < length && parts <= PARTS_MAX; i++) {
        if (line[i] == '"')
            quoted = !quoted;
        else if (quoted && line[i] == '\\')
            i++;
        else if (!quoted && (line[i] == '{' || line[i] == '[' || line[i] == ',' || line[i] == ':'))
            parts++;
    }
    return parts > PARTS_MAX;
}

/* Its ownership: what is large is also freed aside. */
static json_t *take(json_t **json)
{
    json_t *taken = *json;
    *json = NULL;
    return taken;
}

struct reading {
    const char *line;
    size_t length;
    json_t *message; /* NULL: it cannot be read */
    bool intricate;
    json_error_t error;
};

static void read_line(void *arg)
{
    struct reading *reading = arg;
    reading->intricate = is_intricate(reading->line, reading->length);
    if (!reading->intricate)
        reading->message =
            json_loadb(reading->line, reading->length, JSON_REJECT_DUPLICATES, &reading->error);
}

/* The answer to a line that is no message. */
static char *refuse_line(struct fg_call *call, const struct reading *reading)
{
    int code = reading->intricate ? FG_RPC_INVALID : FG_RPC_PARSE;
    if (reading->intricate)
        fg_call_refuse(call, code,
                       "not a request: it has more than %d parts; parameters are strings",
                       PARTS_MAX);
    else
        fg_call_refuse(call, code, "not JSON: %s (column %d)", reading->error.text,
                       reading->error.column);
    return reply_line(call->control, json_null(), "error", error_of(code, call->message, NULL));
}

char *fg_methods_answer(void *arg, const struct fg_peer *peer, const char *line, size_t length)
{
    struct fg_call call = {.control = arg, .peer = peer};
    struct reading reading = {.line = line, .length = length};
    char *reply;
    fg_control_aside(call.control, length > FG_ASIDE_BYTES, read_line, &reading);
    if (!reading.message)
        return refuse_line(&call, &reading);
    json_t *id = json_object_get(reading.message, "id");
    int rc = run_message(&call, reading.message);
    bool answered = id || rc == FG_RPC_INVALID; /* a request without an id wants no answer */
    if (!answered)
        reply = NULL;
    else if (rc == 0)
        reply = reply_line(call.control, id, "result", take(&call.result));
    else
        reply = reply_line(call.control, id && id_is_valid(id) ? id : json_null(), "error",
                           error_of(rc, call.message, call.data));
    json_decref(call.result);
    json_decref(call.data);
    json_decref(reading.message);
    return reply;
}
