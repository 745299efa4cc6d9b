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
#include <pthread.h>
#include <rte_ring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu-qsbr.h>

#include "control/internal.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"

#define WORKERS 2
#ifndef EVENTS_MAX /* a test may want more */
#define EVENTS_MAX 32
#endif
#define SPRING       "name: spring\nitems:\n"
#define SHOE(stock)  "  - id: 7\n    name: Shoe\n    stock: " #stock "\n    limit: 2\n"
#define HAT          "  - id: 8\n    name: Hat\n    stock: 50\n    hold: 60s\n"
#define REQUEST_HELD 42 /* of any buyer: a held order; every other request is unknown */
#define BUYER        "00112233-4455-6677-8899-aabbccddeeff"

static struct fg_engine *engine;

/* --- the journal that the engine has --- */

static struct {
    unsigned count;
    struct {
        struct fg_control_event event;
        char *body;
        uint64_t revision; /* of the catalogue in force when it was submitted */
        bool seen;         /* ... and every worker had taken that up */
        bool leaving;      /* ... and a sale was leaving it */
    } events[EVENTS_MAX];
    uint64_t durable;
    bool holds_back; /* nothing becomes durable */
    bool full;
    int failed;
    volatile sig_atomic_t *stop; /* raised when a sale closes */
    struct fg_journal_stats stats;
} log_;

uint64_t fg_journal_submit(struct fg_journal *journal, const struct fg_control_event *event,
                           const void *body)
{
    (void)journal;
    if (log_.full)
        return 0;
    unsigned i = log_.count++;
    assert_true(i < EVENTS_MAX);
    log_.events[i].event = *event;
    log_.events[i].body = body ? strndup(body, event->body_length) : NULL;
    log_.events[i].revision = engine->catalogue->revision;
    log_.events[i].leaving = engine->catalogue->leaving;
    log_.events[i].seen = true;
    for (unsigned w = 0; w < WORKERS; w++)
        if (atomic_load(&engine->workers[w]->seen_issue) < engine->catalogue->issue)
            log_.events[i].seen = false;
    if (!log_.holds_back)
        log_.durable = log_.count;
    if (log_.stop && event->value == FG_SALE_CLOSED)
        *log_.stop = 1;
    return log_.count;
}

uint64_t fg_journal_submitted_durable(const struct fg_journal *journal)
{
    (void)journal;
    return log_.durable;
}

/* As if 1000 order events went before, and nothing between. */
uint64_t fg_journal_submitted_lsn(const struct fg_journal *journal, uint64_t ticket)
{
    (void)journal;
    return 1000 + ticket;
}

uint64_t fg_journal_durable(const struct fg_journal *journal)
{
    (void)journal;
    return 5;
}

int fg_journal_failed(const struct fg_journal *journal)
{
    (void)journal;
    return log_.failed;
}

uint64_t fg_journal_id(const struct fg_journal *journal)
{
    (void)journal;
    return 0x1234;
}

unsigned fg_journal_epoch(const struct fg_journal *journal)
{
    (void)journal;
    return 3;
}

const struct fg_journal_stats *fg_journal_stats(const struct fg_journal *journal)
{
    (void)journal;
    return &log_.stats;
}

/* --- the delivery that it has --- */

static struct fg_delivery_stats delivery_stats;

const struct fg_circuit_stats *fg_delivery_circuit(const struct fg_delivery *delivery)
{
    static const struct fg_circuit_stats closed;
    (void)delivery;
    return &closed;
}

const struct fg_delivery_stats *fg_delivery_stats(const struct fg_delivery *delivery)
{
    (void)delivery;
    return &delivery_stats;
}

static enum fg_stream_state stream_state = FG_STREAM_LIVE; /* of sale 1 */

enum fg_stream_state fg_delivery_stream_state(const struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    return sale == 1 ? stream_state : FG_STREAM_SEEKING;
}

static struct fg_stream_view stream_view; /* of every sale, but for the state */
static uint64_t consumed_told;            /* the last sale and sale_seq that were told */
static uint32_t consumed_sale, rebuilt;
static int delivery_refuses; /* negative errno */

struct fg_stream_view fg_delivery_stream(const struct fg_delivery *delivery, uint32_t sale)
{
    struct fg_stream_view view = stream_view;
    view.state = fg_delivery_stream_state(delivery, sale);
    return view;
}

int fg_delivery_consumed(struct fg_delivery *delivery, uint32_t sale, uint64_t sale_seq)
{
    (void)delivery;
    consumed_sale = sale;
    consumed_told = sale_seq;
    return delivery_refuses;
}

int fg_delivery_may_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    (void)sale;
    return delivery_refuses;
}

int fg_delivery_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    rebuilt = sale;
    return delivery_refuses;
}

void fg_delivery_last_aside(struct fg_delivery *delivery, char *text, size_t size)
{
    (void)delivery;
    snprintf(text, size, "aside-1");
}

void fg_delivery_last_error(struct fg_delivery *delivery, char *text, size_t size)
{
    (void)delivery;
    snprintf(text, size, "epoch 9 has it");
}

/* --- its workers --- */

static atomic_bool workers_stop, frozen[WORKERS], shown_empty;
static atomic_bool may_be_empty; /* the test takes units off sale */
static pthread_t threads[WORKERS];

static atomic_bool admissions_run; /* workers that have an admission poll it and let it answer */
static _Atomic uint32_t admissions_ms = 1; /* ... at this time */

static _Atomic(struct fg_capture *) captures[WORKERS]; /* what each keeps frames in */

static inline void answer_command(struct fg_worker *worker, const struct fg_catalogue *catalogue)
{
    const struct fg_now now = {.wall_ns = 1, .ms = atomic_load(&admissions_ms)};
    struct fg_command *command;
    bool runs = worker->admission && atomic_load(&admissions_run);
    if (runs)
        fg_admission_poll(worker->admission, &now, catalogue);
    if (rte_ring_sc_dequeue(worker->commands, (void **)&command) != 0)
        return;
    if (command->kind == FG_COMMAND_CAPTURE) {
        atomic_store(&captures[worker->index], command->withdrawn ? NULL : command->capture);
        atomic_store_explicit(&command->capture->hands[worker->index],
                              command->withdrawn ? FG_CAPTURE_RETURNED : FG_CAPTURE_TAKEN,
                              memory_order_release);
        assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
        return;
    }
    if (runs) {
        fg_command_run(command, worker->admission, &now, catalogue);
        assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
        return;
    }
    if (command->kind == FG_COMMAND_SUSPECTS) { /* it has none */
        assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
        return;
    }
    command->result = command->request == REQUEST_HELD ? 0 : -ENOENT;
    command->orders[0] = (struct fg_order_view){
        .order = UINT64_MAX,
        .request = command->request,
        .item = 8,
        .quantity = 1,
        .verdict = FG_VERDICT_ADMITTED,
        .held = 1,
        .durable = 1,
        .left_ms = worker->index,
    };
    assert_int_equal(rte_ring_sp_enqueue(worker->results, command), 0);
}

/* Hardly a sale of these tests runs out: an item that a worker finds empty was shown too early. */
static inline void look_at_stock(const struct fg_catalogue *catalogue)
{
    if (atomic_load(&may_be_empty))
        return;
    for (uint32_t id = 7; id <= 8; id++) {
        const struct fg_item *shown = fg_catalogue_item(catalogue, id);
        if (shown && fg_stock_free_units(&engine->stock, shown->slot) == 0)
            atomic_store(&shown_empty, true);
    }
}

static inline void *work(void *arg)
{
    struct fg_worker *worker = arg;
    rcu_register_thread();
    atomic_store(&worker->state, FG_WORKER_RUNNING);
    while (!atomic_load(&workers_stop)) {
        if (!atomic_load(&frozen[worker->index])) {
            const struct fg_catalogue *catalogue = rcu_dereference(engine->catalogue);
            atomic_store(&worker->seen_revision, catalogue->revision);
            atomic_store_explicit(&worker->seen_issue, catalogue->issue, memory_order_release);
            look_at_stock(catalogue);
            (void)fg_keyring_find(catalogue->keys, UINT16_MAX); /* what had gone would be a fault */
            answer_command(worker, catalogue);
        }
        rcu_quiescent_state();
        sched_yield();
    }
    rcu_unregister_thread();
    atomic_store(&worker->state, FG_WORKER_ENDED);
    return NULL;
}

static inline void *zeroed(size_t size)
{
    void *memory = aligned_alloc(128, (size + 127) / 128 * 128);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static inline struct rte_ring *ring_create(void)
{
    struct rte_ring *ring = zeroed((size_t)rte_ring_get_memsize(16));
    assert_int_equal(rte_ring_init(ring, "t", 16, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
    return ring;
}

static inline void start_workers(void)
{
    atomic_store(&workers_stop, false);
    for (unsigned w = 0; w < WORKERS; w++) {
        struct fg_worker *worker = engine->workers[w];
        atomic_store(&frozen[w], false);
        atomic_store(&worker->seen_revision, 0);
        atomic_store(&worker->seen_issue, 0);
        pthread_create(&threads[w], NULL, work, worker);
    }
}

static inline void stop_workers(void)
{
    atomic_store(&workers_stop, true);
    for (unsigned w = 0; w < WORKERS; w++)
        pthread_join(threads[w], NULL);
}

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
