/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fake engine for units of the control plane: workers that only take up catalogues and answer
 * commands, and a journal that keeps what it is given and is durable when the test says so. Its
 * functions stand in for the library's. Every test starts with start() and ends with stop().
 */
#ifndef TESTS_FAKE_ENGINE_H
#define TESTS_FAKE_ENGINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/internal.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"
#include "tests/unit/fake_delivery.h"
#include "tests/unit/fake_journal.h"
#include "tests/unit/fake_workers.h"

#define SPRING      "name: spring\nitems:\n"
#define SHOE(stock) "  - id: 7\n    name: Shoe\n    stock: " #stock "\n    limit: 2\n"
#define HAT         "  - id: 8\n    name: Hat\n    stock: 50\n    hold: 60s\n"
#define BUYER       "00112233-4455-6677-8899-aabbccddeeff"

/* --- the engine --- */

static char directory[32], socket_path[64], message[512];
static struct fg_control *control;

static inline void create_control(void)
{
    int status;
    control = fg_control_create(engine, &status, message, sizeof(message));
    assert_non_null(control);
    control->limits =
        (struct fg_control_limits){.durable = 100, .seen = 100, .answer = 100, .unheard = 60000};
}

static inline void serve(void)
{
    assert_int_equal(fg_control_restored(control, message, sizeof(message)), 0);
    start_workers();
}

static inline void create_engine(void)
{
    snprintf(directory, sizeof(directory), "/tmp/fg-control-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(socket_path, sizeof(socket_path), "%s/control.sock", directory);
    engine = zeroed(sizeof(*engine));
    engine->config = (struct fg_config){
        .workers = WORKERS,
        .partitions = 64,
        .freshness_ms = 30000,
        .unsigned_allowed = true,
        .limit_items = 10,
        .limit_orders = 1000,
        .log_budget = 1 << 30,
        .log_segment = 64 << 20,
        .log_dir = "/a/log",
        .control_socket = socket_path,
    };
    snprintf(engine->steering, sizeof(engine->steering), "by hand-over");
    assert_int_equal(fg_stock_init(&engine->stock, WORKERS, engine->config.limit_items), 0);
    fg_clock_page_init(&engine->clock, UINT64_C(2000000000));
    for (unsigned w = 0; w < WORKERS; w++) {
        engine->workers[w] = zeroed(sizeof(struct fg_worker));
        *engine->workers[w] = (struct fg_worker){
            .engine = engine, .index = w, .commands = ring_create(), .results = ring_create()};
        engine->workers[w]->counters = zeroed(sizeof(struct fg_counters));
    }
}

static inline void destroy_engine(void)
{
    for (unsigned w = 0; w < WORKERS; w++) {
        free(engine->workers[w]->commands);
        free(engine->workers[w]->results);
        free(engine->workers[w]->counters);
        free(engine->workers[w]);
    }
    fg_stock_fini(&engine->stock);
    free(engine);
    assert_int_equal(rmdir(directory), 0);
}

static inline int start(void **state)
{
    (void)state;
    memset(&log_, 0, sizeof(log_));
    atomic_store(&log_.stats.room_bytes, 1 << 30);
    atomic_store(&may_be_empty, false);
    atomic_store(&admissions_ms, 1);
    memset(&delivery_stats, 0, sizeof(delivery_stats));
    create_engine();
    create_control();
    serve();
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    stop_workers();
    assert_false(atomic_load(&shown_empty));
    fg_control_destroy(control);
    for (unsigned i = 0; i < log_.count; i++)
        free(log_.events[i].body);
    destroy_engine();
    return 0;
}

/* --- calls --- */

static json_t *reply; /* to the last call; owned here */

static struct fg_peer caller = {.uid = 1001, .gid = 1002, .pid = 1003, .rank = FG_ROLE_OWNER};

static inline json_t *ask(const char *line)
{
    char *text = fg_methods_answer(control, &caller, line, strlen(line));
    json_decref(reply);
    reply = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return reply;
}

/* Calls with params (consumed): the result, or NULL. */
static inline json_t *call(const char *method, json_t *params)
{
    json_t *request = json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", 7, "method", method,
                                "params", params);
    char *line = json_dumps(request, JSON_COMPACT);
    ask(line);
    free(line);
    json_decref(request);
    assert_non_null(reply);
    assert_int_equal(json_integer_value(json_object_get(reply, "id")), 7);
    return json_object_get(reply, "result");
}

static inline json_t *apply(const char *text)
{
    return call("sale.apply", json_pack("{s:s,s:s}", "text", text, "source", "sale.yaml"));
}

/* One that asks is confirmed. */
static inline json_t *of_sale(const char *method, const char *name)
{
    json_t *params = json_pack("{s:s}", "name", name);
    if (strcmp(method, "sale.close") == 0 || strcmp(method, "sale.archive") == 0)
        json_object_set_new(params, "confirmed", json_true());
    return call(method, params);
}

/* The last call failed like this. */
static inline void assert_error(int code, const char *part)
{
    json_t *error = json_object_get(reply, "error");
    const char *text = json_string_value(json_object_get(error, "message"));
    assert_null(json_object_get(reply, "result"));
    assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static inline json_int_t number(const json_t *json, const char *key)
{
    assert_true(json_is_integer(json_object_get(json, key)));
    return json_integer_value(json_object_get(json, key));
}

static inline const struct fg_item *item(uint32_t id)
{
    return fg_catalogue_item(engine->catalogue, id);
}

static inline void assert_all_seen(void)
{
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(atomic_load(&engine->workers[w]->seen_revision),
                         engine->catalogue->revision);
}

static inline int release_reply(void **state)
{
    (void)state;
    json_decref(reply);
    return 0;
}

#endif
