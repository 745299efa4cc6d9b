/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control plane over a fake engine: workers that only take up catalogues and answer commands,
 * and a journal that keeps what it is given and is durable when the test says so. What matters is
 * the order of things: what gives is durable before it is in force, what takes is in force first.
 */
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

#include "control/cli.h"
#include "control/internal.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"

#define WORKERS      2
#define EVENTS_MAX   32
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
    log_.events[i].seen = true;
    for (unsigned w = 0; w < WORKERS; w++)
        if (atomic_load(&engine->workers[w]->seen_revision) < engine->catalogue->revision)
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

const struct fg_delivery_stats *fg_delivery_stats(const struct fg_delivery *delivery)
{
    (void)delivery;
    return &delivery_stats;
}

enum fg_stream_state fg_delivery_stream_state(const struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    return sale == 1 ? FG_STREAM_LIVE : FG_STREAM_SEEKING;
}

void fg_delivery_last_error(struct fg_delivery *delivery, char *text, size_t size)
{
    (void)delivery;
    snprintf(text, size, "epoch 9 has it");
}

/* --- its workers --- */

static atomic_bool workers_stop, frozen[WORKERS], shown_empty;
static pthread_t threads[WORKERS];

static void answer_command(struct fg_worker *worker)
{
    struct fg_command *command;
    if (rte_ring_sc_dequeue(worker->commands, (void **)&command) != 0)
        return;
    command->result = command->request == REQUEST_HELD ? 0 : -ENOENT;
    command->order = (struct fg_order_view){
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

/* No sale of these tests ever runs out: an item that a worker finds empty was shown too early. */
static void look_at_stock(const struct fg_catalogue *catalogue)
{
    for (uint32_t id = 7; id <= 8; id++) {
        const struct fg_item *shown = fg_catalogue_item(catalogue, id);
        if (shown && fg_stock_free_units(&engine->stock, shown->slot) == 0)
            atomic_store(&shown_empty, true);
    }
}

static void *work(void *arg)
{
    struct fg_worker *worker = arg;
    rcu_register_thread();
    atomic_store(&worker->state, FG_WORKER_RUNNING);
    while (!atomic_load(&workers_stop)) {
        if (!atomic_load(&frozen[worker->index])) {
            const struct fg_catalogue *catalogue = rcu_dereference(engine->catalogue);
            atomic_store_explicit(&worker->seen_revision, catalogue->revision,
                                  memory_order_release);
            look_at_stock(catalogue);
            answer_command(worker);
        }
        rcu_quiescent_state();
        sched_yield();
    }
    rcu_unregister_thread();
    atomic_store(&worker->state, FG_WORKER_ENDED);
    return NULL;
}

static void *zeroed(size_t size)
{
    void *memory = aligned_alloc(128, (size + 127) / 128 * 128);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static struct rte_ring *ring_create(void)
{
    struct rte_ring *ring = zeroed((size_t)rte_ring_get_memsize(16));
    assert_int_equal(rte_ring_init(ring, "t", 16, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
    return ring;
}

static void start_workers(void)
{
    atomic_store(&workers_stop, false);
    for (unsigned w = 0; w < WORKERS; w++) {
        struct fg_worker *worker = engine->workers[w];
        atomic_store(&frozen[w], false);
        atomic_store(&worker->seen_revision, 0);
        pthread_create(&threads[w], NULL, work, worker);
    }
}

static void stop_workers(void)
{
    atomic_store(&workers_stop, true);
    for (unsigned w = 0; w < WORKERS; w++)
        pthread_join(threads[w], NULL);
}

/* --- the engine --- */

static char directory[32], socket_path[64], message[512];
static struct fg_control *control;

static void create_control(void)
{
    int status;
    control = fg_control_create(engine, &status, message, sizeof(message));
    assert_non_null(control);
    control->limits = (struct fg_control_limits){.durable = 100, .seen = 100, .answer = 100};
}

static void serve(void)
{
    assert_int_equal(fg_control_restored(control, message, sizeof(message)), 0);
    start_workers();
}

static void create_engine(void)
{
    strcpy(directory, "/tmp/fg-control-XXXXXX");
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
        .log_dir = "/a/log",
        .control_socket = socket_path,
    };
    strcpy(engine->steering, "by hand-over");
    assert_int_equal(fg_stock_init(&engine->stock, WORKERS, engine->config.limit_items), 0);
    fg_clock_page_init(&engine->clock, UINT64_C(2000000000));
    for (unsigned w = 0; w < WORKERS; w++) {
        engine->workers[w] = zeroed(sizeof(struct fg_worker));
        *engine->workers[w] = (struct fg_worker){
            .engine = engine, .index = w, .commands = ring_create(), .results = ring_create()};
        engine->workers[w]->counters = zeroed(sizeof(struct fg_counters));
    }
}

static void destroy_engine(void)
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

static int start(void **state)
{
    (void)state;
    memset(&log_, 0, sizeof(log_));
    memset(&delivery_stats, 0, sizeof(delivery_stats));
    create_engine();
    create_control();
    serve();
    return 0;
}

static int stop(void **state)
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

static json_t *ask(const char *line)
{
    static const struct fg_peer peer = {.uid = 1001, .gid = 1002, .pid = 1003};
    char *text = fg_methods_answer(control, &peer, line, strlen(line));
    json_decref(reply);
    reply = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return reply;
}

/* Calls with params (consumed): the result, or NULL. */
static json_t *call(const char *method, json_t *params)
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

static json_t *apply(const char *text)
{
    return call("sale.apply", json_pack("{s:s,s:s}", "text", text, "source", "sale.yaml"));
}

static json_t *of_sale(const char *method, const char *name)
{
    return call(method, json_pack("{s:s}", "name", name));
}

/* The last call failed like this. */
static void assert_error(int code, const char *part)
{
    json_t *error = json_object_get(reply, "error");
    const char *text = json_string_value(json_object_get(error, "message"));
    assert_null(json_object_get(reply, "result"));
    assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static json_int_t number(const json_t *json, const char *key)
{
    assert_true(json_is_integer(json_object_get(json, key)));
    return json_integer_value(json_object_get(json, key));
}

static const struct fg_item *item(uint32_t id)
{
    return fg_catalogue_item(engine->catalogue, id);
}

static void assert_all_seen(void)
{
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(atomic_load(&engine->workers[w]->seen_revision),
                         engine->catalogue->revision);
}

/* --- changes --- */

static void a_new_sale_is_durable_before_it_is_in_force(void **state)
{
    (void)state;
    json_t *result = apply(SPRING SHOE(100) HAT);
    assert_non_null(result);
    assert_true(json_is_true(json_object_get(result, "new")));
    assert_int_equal(number(result, "revision"), 2);
    assert_int_equal(log_.count, 1);
    const struct fg_control_event *event = &log_.events[0].event;
    assert_int_equal(event->kind, FG_EVENT_SALE);
    assert_int_equal(event->revision, 2);
    assert_int_equal(event->sale, 1);
    assert_int_equal(event->uid, 1001);
    assert_int_equal(event->gid, 1002);
    assert_int_equal(event->pid, 1003);
    assert_int_equal(log_.events[0].revision, 1); /* not yet shown when it was journalled */
    assert_all_seen();
    assert_int_equal(engine->catalogue->revision, 2);
    assert_int_equal(item(8)->hold_ms, 60000);
    assert_int_equal(item(7)->state, FG_SALE_SCHEDULED);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 100);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(8)->slot), 50);
}

static void the_same_file_twice_changes_nothing_and_says_so(void **state)
{
    (void)state;
    assert_non_null(apply(SPRING SHOE(100)));
    json_t *result = apply(SPRING SHOE(100));
    assert_true(json_is_false(json_object_get(result, "changed")));
    assert_int_equal(number(result, "revision"), 2);
    assert_int_equal(log_.count, 1);
    assert_int_equal(engine->catalogue->revision, 2);
}

static void open_gives_and_close_takes(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_non_null(of_sale("sale.open", "spring"));
    assert_int_equal(log_.events[1].event.kind, FG_EVENT_SALE_STATE);
    assert_int_equal(log_.events[1].event.value, FG_SALE_OPEN);
    assert_int_equal(log_.events[1].revision, 2);
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_all_seen();
    assert_true(json_is_false(json_object_get(of_sale("sale.open", "spring"), "changed")));

    assert_non_null(of_sale("sale.close", "spring"));
    assert_int_equal(log_.count, 3);
    assert_int_equal(log_.events[2].event.revision, 4);
    assert_int_equal(log_.events[2].revision, 4); /* in force, in every worker, when journalled */
    assert_true(log_.events[2].seen);
    assert_int_equal(item(7)->state, FG_SALE_CLOSED);
    assert_null(of_sale("sale.open", "spring"));
    assert_error(FG_RPC_REFUSED, "final");
    assert_int_equal(log_.count, 3);
}

static void a_raised_stock_is_put_on_sale_once(void **state)
{
    (void)state;
    uint32_t available;
    apply(SPRING SHOE(100));
    assert_int_equal(fg_stock_take(&engine->stock, 0, item(7)->slot, 30, 1, &available), FG_TOOK);
    assert_non_null(apply(SPRING SHOE(120) HAT));
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 90);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(8)->slot), 50);
    of_sale("sale.open", "spring");
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 90);
    const json_t *sale = of_sale("sale.show", "spring");
    const json_t *shoe = json_array_get(json_object_get(sale, "items"), 0);
    assert_int_equal(number(shoe, "stock"), 120);
    assert_int_equal(number(shoe, "available"), 90);
    assert_int_equal(number(shoe, "given"), 30);
}

static void a_file_that_takes_and_gives_is_two_changes_in_that_order(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_non_null(apply(SPRING "  - id: 7\n    name: Shoe\n    stock: 110\n    limit: 1\n"));
    assert_int_equal(log_.count, 3);
    assert_int_equal(log_.events[1].revision, 3); /* the lower limit: in force first */
    assert_true(log_.events[1].seen);
    assert_int_equal(log_.events[2].revision, 3); /* the stock: durable first */
    assert_non_null(strstr(log_.events[1].body, "100"));
    assert_non_null(strstr(log_.events[2].body, "110"));
    assert_int_equal(engine->catalogue->revision, 4);
    assert_int_equal(item(7)->limit, 1);
}

static void refused_files_leave_everything_as_it_was(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_null(apply(SPRING SHOE(99)));
    assert_error(FG_RPC_REFUSED, "not lowered");
    assert_null(apply("name: summer\nitems:\n" SHOE(100)));
    assert_error(FG_RPC_REFUSED, "belongs to sale spring");
    assert_null(apply(SPRING SHOE(100000)));
    assert_error(FG_RPC_REFUSED, "limits.orders");
    assert_null(apply("name: summer\nitmes:\n" SHOE(100)));
    assert_error(FG_RPC_SALE_FILE, "sale.yaml:2:");
    assert_int_equal(log_.count, 1);
    assert_int_equal(engine->catalogue->revision, 2);
    assert_int_equal(control->model.sales_count, 1);
}

static void a_sale_that_the_log_cannot_hold_is_never_journalled(void **state)
{
    (void)state;
    struct fg_sale sale = {.name = "spring", .number = 1, .opens_ns = 2000, .closes_ns = 1000};
    sale.items = &(struct fg_sale_item){.id = 7, .name = "Shoe", .stock = 5, .max_per_order = 1};
    sale.items_count = 1;
    assert_int_equal(fg_change_begin_sale(control, NULL, &sale, false), -EINVAL);
    struct fg_sale_item *many = calloc(FG_ITEMS_PER_SALE_MAX, sizeof(*many));
    for (unsigned i = 0; i < FG_ITEMS_PER_SALE_MAX; i++) {
        many[i] = (struct fg_sale_item){.id = i + 1, .stock = 1, .max_per_order = 1};
        memset(many[i].name, '\\', FG_ITEM_NAME_MAX); /* JSON doubles each */
        memset(many[i].name, '\x01', 90);             /* ... and writes these as six bytes */
    }
    sale = (struct fg_sale){.name = "big", .number = 1, .items = many};
    sale.items_count = FG_ITEMS_PER_SALE_MAX;
    assert_int_equal(fg_change_begin_sale(control, NULL, &sale, false), -E2BIG);
    free(many);
    assert_int_equal(log_.count, 0);
    assert_non_null(apply(SPRING SHOE(100)));
}

static void a_full_queue_refuses_what_gives(void **state)
{
    (void)state;
    log_.full = true;
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_REFUSED, "full");
    assert_int_equal(engine->catalogue->revision, 1);
    log_.full = false;
    assert_non_null(apply(SPRING SHOE(100)));
}

static void what_is_not_durable_in_time_comes_in_force_later_and_nothing_before_it(void **state)
{
    (void)state;
    log_.holds_back = true;
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_TIME_LIMIT, "durable");
    assert_int_equal(engine->catalogue->revision, 1);
    assert_null(apply("name: summer\nitems:\n" HAT));
    assert_error(FG_RPC_TIME_LIMIT, "revision 2");
    assert_int_equal(log_.count, 1);
    log_.holds_back = false;
    log_.durable = 1;
    assert_non_null(apply("name: summer\nitems:\n" HAT));
    assert_int_equal(engine->catalogue->revision, 3);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 100);
}

static void a_worker_that_lags_is_named(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    atomic_store(&frozen[1], true);
    assert_null(of_sale("sale.open", "spring"));
    assert_error(FG_RPC_TIME_LIMIT, "worker 1");
    assert_null(of_sale("sale.close", "spring")); /* what takes is not journalled before it too */
    assert_error(FG_RPC_TIME_LIMIT, "worker 1");
    assert_int_equal(log_.count, 2);
    assert_int_equal(json_array_size(json_object_get(call("status", json_object()), "warnings")),
                     2);
    atomic_store(&frozen[1], false);
    assert_non_null(of_sale("sale.close", "spring"));
    assert_int_equal(log_.count, 3);
    assert_all_seen();
}

static void a_failing_disk_ends_the_wait_and_the_engine(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 0;
    log_.holds_back = true;
    log_.failed = -EIO;
    control->limits.durable = 60000;
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_STOPPING, "/a/log");
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_DISK);
    assert_non_null(strstr(message, strerror(EIO)));
}

static void being_fenced_ends_the_engine(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 0;
    engine->delivery = (struct fg_delivery *)&delivery_stats; /* never looked into */
    atomic_store(&delivery_stats.state, FG_DELIVERY_FENCED);
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_FENCED);
    assert_non_null(strstr(message, "epoch 9"));
    engine->delivery = NULL;
}

static void schedules_become_records(void **state)
{
    (void)state;
    volatile sig_atomic_t stopped = 0;
    struct fg_sale sale = {.name = "spring", .number = 1};
    sale.items = &(struct fg_sale_item){.id = 7, .name = "Shoe", .stock = 5, .max_per_order = 1};
    sale.items_count = 1;
    sale.opens_ns = fg_control_wall_ns() + 30000000;
    sale.closes_ns = sale.opens_ns + 60000000;
    assert_int_equal(fg_change_begin_sale(control, NULL, &sale, false), 0);
    assert_int_equal(fg_control_listen(control, message, sizeof(message)), 0);
    log_.stop = &stopped;
    assert_int_equal(fg_control_run(control, &stopped, message, sizeof(message)), FG_EXIT_OK);
    fg_control_close(control);
    assert_int_equal(log_.count, 3);
    assert_int_equal(log_.events[1].event.value, FG_SALE_OPEN);
    assert_in_range(log_.events[1].event.at_ns, sale.opens_ns, UINT64_MAX);
    assert_int_equal(log_.events[2].event.value, FG_SALE_CLOSED);
    assert_in_range(log_.events[2].event.at_ns, sale.closes_ns, UINT64_MAX);
    assert_true(log_.events[2].seen);
    assert_int_equal(log_.events[2].event.uid, UINT32_MAX);
}

/* --- restart --- */

static void a_restart_arrives_at_what_was_running(void **state)
{
    (void)state;
    uint32_t available;
    apply(SPRING SHOE(100) HAT);
    of_sale("sale.open", "spring");
    fg_stock_take(&engine->stock, 0, item(7)->slot, 30, 1, &available);
    stop_workers();
    fg_control_destroy(control);
    fg_stock_fini(&engine->stock);
    assert_int_equal(fg_stock_init(&engine->stock, WORKERS, 10), 0);

    create_control();
    for (unsigned i = 0; i < log_.count; i++) {
        struct fg_record record = {.control = &log_.events[i].event, .body = log_.events[i].body};
        assert_int_equal(fg_control_replay(control, &record), 0);
    }
    assert_int_equal(fg_control_item(control, 8)->hold_ms, 60000);
    assert_null(fg_control_item(control, 9));
    assert_int_equal(fg_control_replay_units(control, 7, 31), 0);
    assert_int_equal(fg_control_replay_units(control, 7, -1), 0);
    assert_int_equal(fg_control_replay_units(control, 9, 1), -EINVAL);
    serve();
    assert_int_equal(engine->catalogue->revision, 3);
    assert_int_equal(item(7)->state, FG_SALE_OPEN);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 70);
    assert_int_equal(fg_stock_free_units(&engine->stock, item(8)->slot), 50);
    assert_non_null(apply(SPRING SHOE(101) HAT)); /* opens: unchanged; the stock: one more */
    assert_int_equal(fg_stock_free_units(&engine->stock, item(7)->slot), 71);
}

static void a_log_that_does_not_fit_or_gives_too_much_is_told(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    stop_workers();
    fg_control_destroy(control);
    create_control();
    struct fg_record record = {.control = &log_.events[0].event, .body = log_.events[0].body};
    assert_int_equal(fg_control_replay(control, &record), 0);
    engine->config.limit_orders = 99;
    assert_int_equal(fg_control_restored(control, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "limits.orders is 99"));
    engine->config.limit_orders = 1000;
    fg_control_replay_units(control, 7, 101);
    assert_int_equal(fg_control_restored(control, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "item 7"));
    fg_control_replay_units(control, 7, -1);
    serve();
}

/* --- orders, status --- */

static json_t *show_order(const char *buyer, const char *request)
{
    return call("order.show", json_pack("{s:s,s:s}", "buyer", buyer, "request", request));
}

static void an_order_is_asked_of_the_worker_that_owns_the_buyer(void **state)
{
    (void)state;
    uint8_t bytes[FG_BUYER_BYTES];
    char buyer[2 * FG_BUYER_BYTES + 1];
    bool asked[WORKERS] = {false};
    for (unsigned i = 0; i < 8; i++) {
        snprintf(buyer, sizeof(buyer), "000102030405060708090a0b0c0d0e%02X", i);
        for (unsigned b = 0; b < FG_BUYER_BYTES; b++)
            bytes[b] = (uint8_t)(b < 15 ? b : i);
        const json_t *order = show_order(buyer, "0x2A");
        unsigned owner = fg_partition(bytes, 64) % WORKERS;
        assert_int_equal(number(order, "left_ms"), owner); /* the fake tells who it is */
        asked[owner] = true;
    }
    assert_true(asked[0] && asked[1]);
    const json_t *order = show_order(BUYER, "42");
    assert_string_equal(json_string_value(json_object_get(order, "order")), "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(order, "state")), "ADMITTED");
    assert_null(show_order(BUYER, "43"));
    assert_error(FG_RPC_NOT_FOUND, "no order");
}

static void wrong_buyers_and_requests_are_told(void **state)
{
    (void)state;
    static const char *const buyers[] = {"", "00112233", BUYER "0",
                                         "0011223344556677889900aabbccddeg",
                                         "-0112233445566778899aabbccddeeff0"};
    static const char *const requests[] = {"", "x", "-1", " 1", "1 ", "0x", "18446744073709551616"};
    for (size_t i = 0; i < sizeof(buyers) / sizeof(*buyers); i++) {
        assert_null(show_order(buyers[i], "42"));
        assert_error(FG_RPC_PARAMS, "buyer");
    }
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        assert_null(show_order(BUYER, requests[i]));
        assert_error(FG_RPC_PARAMS, "request");
    }
}

static void a_late_answer_of_a_worker_harms_nobody(void **state)
{
    (void)state;
    atomic_store(&frozen[0], true);
    atomic_store(&frozen[1], true);
    assert_null(show_order(BUYER, "42"));
    assert_error(FG_RPC_TIME_LIMIT, "has not answered");
    assert_int_equal(control->commands_late, 1);
    atomic_store(&frozen[0], false);
    atomic_store(&frozen[1], false);
    assert_non_null(show_order(BUYER, "42")); /* its own answer, not the late one */
    assert_int_equal(control->commands_late, 0);
}

static void status_sums_what_workers_count(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    for (unsigned w = 0; w < WORKERS; w++) {
        fg_count_add(&engine->workers[w]->counters->count[FG_COUNTER_DROP_MAC], 2 + w);
        fg_count_add(&engine->workers[w]->counters->verdicts[FG_VERDICT_SOLD_OUT], 10);
    }
    const json_t *status = call("status", json_object());
    const json_t *totals = json_object_get(status, "totals");
    assert_int_equal(number(json_object_get(totals, "counters"), "drop_mac"), 5);
    assert_int_equal(number(json_object_get(totals, "verdicts"), "SOLD_OUT"), 20);
    const json_t *second = json_array_get(json_object_get(status, "workers"), 1);
    assert_int_equal(number(json_object_get(second, "counters"), "drop_mac"), 3);
    assert_int_equal(number(status, "epoch"), 3);
    assert_int_equal(number(json_array_get(json_object_get(status, "sales"), 0), "available"), 100);
    const json_t *warnings = json_object_get(status, "warnings");
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "UNSIGNED"));
}

/* --- messages --- */

static void wrong_messages_get_their_codes(void **state)
{
    (void)state;
#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,"
    static const struct {
        const char *line;
        int code;
        const char *part;
    } wrong[] = {
        {"", FG_RPC_PARSE, "not JSON"},
        {"{", FG_RPC_PARSE, "not JSON"},
        {"{\"a\":1,\"a\":2}", FG_RPC_PARSE, "uplicate"},
        {"7", FG_RPC_PARSE, "not JSON"},
        {"[]", FG_RPC_INVALID, "batches"},
        {"{}", FG_RPC_INVALID, "JSON-RPC 2.0"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", FG_RPC_INVALID, "2.0"},
        {"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"status\"}", FG_RPC_INVALID, "id"},
        {HEAD "\"method\":7}", FG_RPC_INVALID, "method"},
        {HEAD "\"method\":\"sale.burn\"}", FG_RPC_NO_METHOD, "sale.burn"},
        {HEAD "\"method\":\"status\",\"params\":[]}", FG_RPC_PARAMS, "object"},
        {HEAD "\"method\":\"status\",\"params\":{\"x\":1}}", FG_RPC_PARAMS, "\"x\""},
        {HEAD "\"method\":\"sale.open\"}", FG_RPC_PARAMS, "\"name\""},
        {HEAD "\"method\":\"sale.open\",\"params\":{\"name\":7}}", FG_RPC_PARAMS, "\"name\""},
        {HEAD "\"method\":\"sale.open\",\"params\":{\"name\":\"x\"}}", FG_RPC_NOT_FOUND, "x"},
        {HEAD "\"method\":\"sale.show\",\"params\":{\"name\":\"x\"}}", FG_RPC_NOT_FOUND, "x"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ask(wrong[i].line);
        assert_error(wrong[i].code, wrong[i].part);
    }
    assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"status\"}")); /* wants no answer */
    assert_int_equal(log_.count, 0);
    assert_int_equal(engine->catalogue->revision, 1);
}

/* --- flashgatectl, over the socket --- */

struct cli {
    int argc;
    char *argv[8];
    const char *input;
    int status;
    char *out, *err;
    volatile sig_atomic_t done;
};

static void *run_cli(void *arg)
{
    struct cli *cli = arg;
    size_t out_size, err_size;
    FILE *in = fmemopen((void *)(uintptr_t)cli->input, strlen(cli->input), "r");
    FILE *out = open_memstream(&cli->out, &out_size), *err = open_memstream(&cli->err, &err_size);
    cli->status = fg_cli_run(cli->argc, cli->argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    cli->done = 1;
    return NULL;
}

/* One command line beside the running loop: its exit status, and what it printed must say. */
static int ctl(const char *words, const char *input, const char *out_part, const char *err_part)
{
    char line[256];
    pthread_t thread;
    struct cli cli = {.argc = 1, .argv = {(char *)(uintptr_t) "flashgatectl"}, .input = input};
    snprintf(line, sizeof(line), "%s", words);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        cli.argv[cli.argc++] = word;
    pthread_create(&thread, NULL, run_cli, &cli);
    fg_control_run(control, &cli.done, message, sizeof(message));
    pthread_join(thread, NULL);
    if (!strstr(cli.out, out_part) || !strstr(cli.err, err_part))
        fail_msg("%s: \"%s\" and \"%s\"", words, cli.out, cli.err);
    free(cli.out);
    free(cli.err);
    return cli.status;
}

static void flashgatectl_steers_a_whole_sale(void **state)
{
    (void)state;
    const char *file = SPRING SHOE(100) HAT;
    setenv(FG_CONTROL_SOCKET_ENV, socket_path, 1);
    assert_int_equal(fg_control_listen(control, message, sizeof(message)), 0);
    assert_int_equal(ctl("sale list", "-", "no sale yet", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale apply -", file, "in force", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale apply -", file, "unchanged", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale open spring", "-", "spring: open", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale open spring", "-", "already open", ""), FG_EXIT_OK);
    assert_int_equal(ctl("--json sale show spring", "-", "\"available\": 150", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale show spring", "-", "Hat", ""), FG_EXIT_OK);
    assert_int_equal(ctl("status", "-", "WARNING   UNSIGNED", ""), FG_EXIT_OK);
    assert_int_equal(ctl("status --json", "-", "\"steering\": \"by hand-over\"", ""), FG_EXIT_OK);
    assert_int_equal(ctl("order show " BUYER " 42", "-", "18446744073709551615", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale close spring", "-", "spring: closed", ""), FG_EXIT_OK);
    fg_control_close(control);
}

static void flashgatectl_tells_failures_by_status_and_sentence(void **state)
{
    (void)state;
    setenv(FG_CONTROL_SOCKET_ENV, socket_path, 1);
    assert_int_equal(fg_control_listen(control, message, sizeof(message)), 0);
    static const struct {
        const char *words, *input, *err;
        int status;
    } wrong[] = {
        {"", "-", "--help", FG_EXIT_USAGE},
        {"sale", "-", "unknown command sale", FG_EXIT_USAGE},
        {"burn", "-", "unknown command burn", FG_EXIT_USAGE},
        {"sale open", "-", "sale open NAME", FG_EXIT_USAGE},
        {"status now", "-", "usage: flashgatectl status", FG_EXIT_USAGE},
        {"--fast status", "-", "--fast", FG_EXIT_USAGE},
        {"status --socket", "-", "--socket needs a value", FG_EXIT_USAGE},
        {"order show 12 42", "-", "32 hex digits", FG_EXIT_USAGE},
        {"sale apply /nowhere/x.yaml", "-", "/nowhere/x.yaml", FG_EXIT_USAGE},
        {"sale apply -", "name: [", "standard input:", FG_EXIT_CONFIG},
        {"sale open spring", "-", "no sale spring", FG_EXIT_REFUSED},
        {"order show " BUYER " 43", "-", "no order", FG_EXIT_REFUSED},
        {"--socket /nowhere/s status", "-", "no engine answers", FG_EXIT_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(ctl(wrong[i].words, wrong[i].input, "", wrong[i].err), wrong[i].status);
    assert_int_equal(ctl("--help", "-", "order show BUYER REQUEST", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale --help", "-", "sale close NAME", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale close --help", "-", "closes a sale for good", ""), FG_EXIT_OK);
    assert_int_equal(ctl("--version", "-", "flashgatectl ", ""), FG_EXIT_OK);
    fg_control_close(control);
}

static int release_reply(void **state)
{
    (void)state;
    json_decref(reply);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_new_sale_is_durable_before_it_is_in_force),
        TEST(the_same_file_twice_changes_nothing_and_says_so),
        TEST(open_gives_and_close_takes),
        TEST(a_raised_stock_is_put_on_sale_once),
        TEST(a_file_that_takes_and_gives_is_two_changes_in_that_order),
        TEST(refused_files_leave_everything_as_it_was),
        TEST(a_sale_that_the_log_cannot_hold_is_never_journalled),
        TEST(a_full_queue_refuses_what_gives),
        TEST(what_is_not_durable_in_time_comes_in_force_later_and_nothing_before_it),
        TEST(a_worker_that_lags_is_named),
        TEST(a_failing_disk_ends_the_wait_and_the_engine),
        TEST(being_fenced_ends_the_engine),
        TEST(schedules_become_records),
        TEST(a_restart_arrives_at_what_was_running),
        TEST(a_log_that_does_not_fit_or_gives_too_much_is_told),
        TEST(an_order_is_asked_of_the_worker_that_owns_the_buyer),
        TEST(wrong_buyers_and_requests_are_told),
        TEST(a_late_answer_of_a_worker_harms_nobody),
        TEST(status_sums_what_workers_count),
        TEST(wrong_messages_get_their_codes),
        TEST(flashgatectl_steers_a_whole_sale),
        TEST(flashgatectl_tells_failures_by_status_and_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
