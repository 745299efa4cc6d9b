/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control thread: a tick every 10 ms (clock page, published stock, failures, schedules, the
 * change under way) and, between ticks, the control socket. What has to wait, waits by pulsing
 * (fg_control_wait), so the clock page is kept up even while an operator's change is on its way.
 */
#include "control/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/internal.h"
#include "control/lists/reload.h"
#include "control/sale/plan.h"
#include "control/snapshot.h"
#include "dataplane/notify.h"
#include "dataplane/orders/clock.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"

#define CONNECTIONS_MAX 512 /* far more than callers: a flood takes a while to come around */
#define BUFFERS_MAX     (32 << 20)
#define LONG_LINES      8          /* sale files at once, each in FG_CONTROL_LINE_MAX of memory */
#define LINE_MAX_LOW    (64 << 10) /* of those who may only look */
#define FRESH_MS        20         /* from connecting to calling, on a busy machine */
#define ROUND_US        2000       /* of FG_TICK_MS */
#define LINE_MS         10000      /* a message must be whole, an answer be taken, within it */
#define IDLE_MS         60000
#define QUALITY_MS      10000
#define WAIT_NS         200000 /* between two looks of somebody who waits: a flush takes as long */

/* What is said before a message could be read at all. */
#define REFUSAL(code, text)                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":" code ",\"message\":\"" text "\"}}\n"

uint64_t fg_control_wall_ns(void)
{
    return fg_clock_system.wall_ns(fg_clock_system.context);
}

uint64_t fg_control_now_ms(void)
{
    return fg_clock_system.monotonic_ns(fg_clock_system.context) / 1000000;
}

struct fg_control *fg_control_create(struct fg_engine *engine, int *status, char *message,
                                     size_t size)
{
    struct fg_control *control = calloc(1, sizeof(*control));
    *status = FG_EXIT_MEMORY;
    snprintf(message, size, "control: memory is short");
    if (!control || fg_model_init(&control->model) != 0)
        goto free_control;
    control->events = fg_events_create();
    if (!control->events)
        goto free_model;
    *status = fg_roles_resolve(&control->roles, &engine->config, message, size);
    if (*status != FG_EXIT_OK)
        goto free_events;
    control->engine = engine;
    fg_board_init(&control->desk);
    control->limits = (struct fg_control_limits){
        .durable = 5000, .seen = 2000, .answer = 1000, .unheard = FG_CAPTURE_UNHEARD_MS};
    control->started_ms = fg_control_now_ms();
    control->keys = fg_key_file_load(engine->config.key_file,
                                     fg_config_unsigned_ops(&engine->config), NULL, message, size);
    if (!control->keys) {
        *status = FG_EXIT_CONFIG;
        goto free_roles;
    }
    struct fg_listing *listing = fg_lists_read(control, NULL, message, size);
    if (!listing) {
        *status = FG_EXIT_CONFIG;
        goto free_keys;
    }
    (void)fg_lists_put(control, listing);
    return control;

free_keys:
    fg_key_file_drop(control->keys);
free_roles:
    fg_roles_free(&control->roles);
free_events:
    fg_events_destroy(control->events);
free_model:
    fg_model_fini(&control->model);
free_control:
    free(control);
    return NULL;
}

void fg_control_destroy(struct fg_control *control)
{
    if (!control)
        return;
    fg_control_close(control);
    fg_command_reap(control);
    fg_capture_clear(control);
    fg_change_clear(control);
    fg_snapshot_destroy(control->retired);
    fg_snapshot_destroy(control->engine->catalogue);
    control->engine->catalogue = NULL;
    fg_key_file_drop(control->keys);
    fg_listing_drop(control->listing);
    fg_roles_free(&control->roles);
    fg_events_destroy(control->events);
    fg_model_fini(&control->model);
    fg_board_fini(&control->desk);
    free(control);
}

/* --- the board --- */

/* When the model has changed, and when a change is over: units come on sale at its end. Without
 * memory the board stays as it was, until the next tick. */
static void show_board(struct fg_control *control)
{
    const struct fg_model *model = &control->model;
    if (control->desk.board && control->shown_revision == model->revision &&
        control->shown_stage == control->change.stage &&
        control->desk.board->serving_since_ns == control->serving_since_ns &&
        control->desk.board->keys_generation == control->keys->ring.generation)
        return;
    struct fg_board *board = fg_board_paint(model);
    if (!board)
        return;
    board->started_ms = control->started_ms;
    board->serving_since_ns = control->serving_since_ns;
    fg_board_put_keys(board, &control->keys->ring);
    fg_board_publish(&control->desk, board);
    control->shown_revision = model->revision;
    control->shown_stage = control->change.stage;
}

/* The clock page's own account is control's alone. Its quality is a minute's: now and then will do.
 */
static void show_clock(struct fg_control *control, uint64_t now_ms)
{
    const struct fg_clock_page *page = &control->engine->clock;
    struct fg_clock_figures *figures = &control->engine->clock_figures;
    atomic_store_explicit(&figures->steps, page->keeper.steps, memory_order_relaxed);
    atomic_store_explicit(&figures->held, page->keeper.held, memory_order_relaxed);
    if (now_ms < control->next_quality_ms)
        return;
    control->next_quality_ms = now_ms + QUALITY_MS;
    struct fg_clock_quality quality = fg_clock_page_quality(page);
    atomic_store_explicit(&figures->error_ns_p999, quality.error_ns_p999, memory_order_relaxed);
    atomic_store_explicit(&figures->error_ns_max, quality.error_ns_max, memory_order_relaxed);
    atomic_store_explicit(&figures->age_ns_max, quality.age_us_max * UINT64_C(1000),
                          memory_order_relaxed);
}

const struct fg_board *fg_control_board(struct fg_control *control)
{
    return fg_board_take(&control->desk);
}

void fg_control_board_return(struct fg_control *control, const struct fg_board *board)
{
    fg_board_return(&control->desk, board);
}

/* --- recovery --- */

int fg_control_replay(struct fg_control *control, const struct fg_record *record)
{
    int rc = fg_model_replay(&control->model, record);
    return rc == 0 ? fg_events_replay(control->events, record) : rc;
}

int fg_control_replay_units(struct fg_control *control, uint32_t item, int32_t units)
{
    struct fg_model_item *entry = fg_model_item(&control->model, item);
    if (!entry)
        return -EINVAL;
    entry->given += units;
    return 0;
}

const struct fg_item *fg_control_item(struct fg_control *control, uint32_t id)
{
    const struct fg_model_item *entry = fg_model_item(&control->model, id);
    return entry ? &entry->item : NULL;
}

const char *fg_control_sale_name(struct fg_control *control, uint32_t number)
{
    const struct fg_sale *sale = fg_model_sale_number(&control->model, number);
    return sale ? sale->name : NULL;
}

/* Puts on sale what orders of the log have not taken. */
static int restore_stock(struct fg_control *control, char *message, size_t size)
{
    for (uint32_t i = 0; i < control->model.items_count; i++) {
        struct fg_model_item *entry = &control->model.items[i];
        int64_t units = (int64_t)fg_model_supply(entry) - entry->given;
        if (units < 0 || entry->given < 0) {
            snprintf(message, size,
                     "the log gives %lld units of item %u away, of a supply of %u; it is damaged",
                     (long long)entry->given, entry->item.id, fg_model_supply(entry));
            return -1;
        }
        fg_stock_restore(&control->engine->stock, i, (uint32_t)units);
        entry->pooled = fg_model_supply(entry);
    }
    return 0;
}

int fg_control_restored(struct fg_control *control, char *message, size_t size)
{
    if (fg_plan_fits(&control->model, &control->engine->config, NULL, message, size) != 0)
        return -1;
    fg_model_compact(&control->model);
    if (restore_stock(control, message, size) != 0)
        return -1;
    control->serving_since_ns = fg_control_wall_ns();
    if (control->model.revision == 0)
        control->model.revision = 1;
    fg_stock_publish(&control->engine->stock, control->model.items_count);
    if (fg_publish(control) != 0) {
        snprintf(message, size, "memory is short for a catalogue of %u items",
                 control->model.items_count);
        return -1;
    }
    show_board(control);
    return 0;
}

/* --- the loop --- */

void fg_control_fail(struct fg_control *control, int status, const char *format, ...)
{
    if (control->status != FG_EXIT_OK)
        return;
    control->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(control->reason, sizeof(control->reason), format, args);
    va_end(args);
}

static void check_delivery(struct fg_control *control)
{
    const struct fg_engine *engine = control->engine;
    if (!engine->delivery)
        return;
    fg_status_note_error(control);
    uint32_t state =
        atomic_load_explicit(&fg_delivery_stats(engine->delivery)->state, memory_order_relaxed);
    if (state != FG_DELIVERY_FENCED && state != FG_DELIVERY_FAILED)
        return;
    char error[256];
    fg_delivery_last_error(engine->delivery, error, sizeof(error));
    if (state == FG_DELIVERY_FENCED)
        fg_control_fail(control, FG_EXIT_FENCED,
                        "another engine has taken over the streams in Redis (%s); this one stops",
                        error);
    else
        fg_control_fail(control, FG_EXIT_DISK, "the log in %s could not be read for delivery: %s",
                        engine->config.log_dir, error);
}

/* Delivery first: when it is fenced it stops the journal, and only it knows why. */
static void check_parts(struct fg_control *control)
{
    const struct fg_engine *engine = control->engine;
    check_delivery(control);
    int failed = fg_journal_failed(engine->journal);
    if (failed == -ESTALE)
        fg_control_fail(control, FG_EXIT_FENCED,
                        "another engine has taken over the streams in Redis; this one stops");
    else if (failed != 0)
        fg_control_fail(control, FG_EXIT_DISK,
                        "the log in %s could not be written: %s; nothing was acknowledged after "
                        "it, see to the disk and start again",
                        engine->config.log_dir, strerror(-failed));
}

static void note_tick(struct fg_control *control, uint64_t late_ms)
{
    control->ticks++;
    control->ticks_late += late_ms >= FG_TICK_MS;
    if (late_ms > control->tick_late_ms_max)
        control->tick_late_ms_max = late_ms;
}

/* The service manager's watchdog goes by the loops that workers have done. */
static void ping_manager(const struct fg_control *control, uint64_t now_ms)
{
    const struct fg_engine *engine = control->engine;
    uint64_t loops[FG_WORKERS_MAX];
    if (!engine->notify)
        return;
    for (unsigned w = 0; w < engine->config.workers; w++)
        loops[w] = atomic_load_explicit(&engine->workers[w]->counters->loops, memory_order_relaxed);
    fg_notify_tick(engine->notify, now_ms, loops, engine->config.workers);
}

bool fg_control_pulse(struct fg_control *control)
{
    uint64_t now = fg_control_now_ms();
    if (now < control->next_tick_ms)
        return control->status == FG_EXIT_OK;
    note_tick(control, control->next_tick_ms != 0 ? now - control->next_tick_ms : 0);
    control->next_tick_ms = now + FG_TICK_MS;
    fg_control_clock_update(control);
    fg_openings_note(control);
    fg_stock_publish(&control->engine->stock, control->model.items_count);
    fg_key_shares_step(&control->key_shares, &control->keys->ring, control->engine, now);
    fg_skew_look(&control->skew, &control->keys->ring, control->engine, now);
    fg_ports_look(&control->ports_seen, control->engine, now);
    fg_events_collect(control->events, control->engine->journal);
    show_board(control);
    show_clock(control, now);
    check_parts(control);
    ping_manager(control, now);
    return control->status == FG_EXIT_OK;
}

bool fg_control_wait(struct fg_control *control)
{
    nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    return fg_control_pulse(control);
}

enum fg_sale_state fg_control_state_due(const struct fg_sale *sale, uint64_t wall_ns)
{
    if (sale->state < FG_SALE_CLOSED && sale->closes_ns != 0 && wall_ns >= sale->closes_ns)
        return FG_SALE_CLOSED;
    if (sale->state == FG_SALE_SCHEDULED && sale->opens_ns != 0 && wall_ns >= sale->opens_ns)
        return FG_SALE_OPEN;
    return sale->state;
}

/* Workers open and close by the clock on their own; this makes a record of what has happened. */
bool fg_control_run_schedules(struct fg_control *control)
{
    if (control->change.stage != FG_CHANGE_NONE)
        return false;
    uint64_t wall_ns = fg_control_clock_ns(control);
    for (unsigned i = 0; i < control->model.sales_count; i++) {
        const struct fg_sale *sale = control->model.sales[i];
        enum fg_sale_state due = fg_control_state_due(sale, wall_ns);
        if (due != sale->state) {
            fg_change_begin_state(control, NULL, sale->number, due);
            return true;
        }
    }
    return false;
}

static unsigned rank_of(void *arg, const struct fg_peer *peer, const gid_t *groups, size_t count)
{
    const struct fg_control *control = arg;
    return fg_role_of(&control->roles, peer->uid, peer->gid, groups, count);
}

int fg_control_listen(struct fg_control *control, char *message, size_t size)
{
    struct fg_server_config config = {
        .path = control->engine->config.control_socket,
        .group = control->roles.socket_group,
        .line_max = FG_CONTROL_LINE_MAX,
        .line_max_low = LINE_MAX_LOW,
        .high_rank = FG_ROLE_OPERATOR,
        .connections_max = CONNECTIONS_MAX,
        .buffers_max = BUFFERS_MAX,
        .long_lines = LONG_LINES,
        .line_ms = LINE_MS,
        .idle_ms = IDLE_MS,
        .fresh_ms = FRESH_MS,
        .round_us = ROUND_US,
        .refused_long = REFUSAL("-32600", "the message is longer than 8 MiB, or than the 64 KiB "
                                          "that those may send who have no role to change things"),
        .refused_full = REFUSAL("-32000", "too many connections or half messages, and this one was "
                                          "the first that could go; try again"),
        .clock = &fg_clock_system,
        .rank = rank_of,
        .answer = fg_methods_answer,
        .arg = control,
    };
    static_assert(FG_CONTROL_LINE_MAX == 8 << 20 && LINE_MAX_LOW == 64 << 10, "as it says");
    control->next_tick_ms = 0; /* it does not tick before fg_control_run() */
    return fg_server_open(&control->server, &config, message, size);
}

int fg_control_check(struct fg_control *control, char *message, size_t size)
{
    check_parts(control);
    if (control->status != FG_EXIT_OK)
        snprintf(message, size, "%s", control->reason);
    return control->status;
}

/* How long this thread has computed. */
static uint64_t cpu_us(void)
{
    return fg_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
}

/* Until the next tick, or as long as a round may take. */
static void serve_socket(struct fg_control *control)
{
    uint64_t now = fg_control_now_ms(), began = cpu_us();
    fg_server_poll(control->server,
                   now < control->next_tick_ms ? (int)(control->next_tick_ms - now) : 0);
    uint64_t took = cpu_us() - began;
    control->rounds_long += took >= FG_TICK_MS * 1000;
    if (took > control->round_cpu_us_max)
        control->round_cpu_us_max = took;
}

int fg_control_run(struct fg_control *control, volatile sig_atomic_t *stop, char *message,
                   size_t size)
{
    while (!*stop && fg_control_pulse(control)) {
        (void)fg_control_run_schedules(control);
        fg_change_step(control);
        fg_command_reap(control);
        fg_capture_step(control);
        serve_socket(control);
    }
    /* A part may have failed since the last tick: then this is no clean stop. */
    return fg_control_check(control, message, size);
}

void fg_control_close(struct fg_control *control)
{
    fg_server_close(control->server);
    control->server = NULL;
}
