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
#include "control/snapshot.h"
#include "dataplane/notify.h"
#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"

#define WAIT_NS 200000 /* between two looks of somebody who waits: a flush takes as long */

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
    fg_control_show_board(control);
    fg_control_show_clock(control, now);
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

int fg_control_check(struct fg_control *control, char *message, size_t size)
{
    check_parts(control);
    if (control->status != FG_EXIT_OK)
        snprintf(message, size, "%s", control->reason);
    return control->status;
}

int fg_control_run(struct fg_control *control, volatile sig_atomic_t *stop, char *message,
                   size_t size)
{
    while (!*stop && fg_control_pulse(control)) {
        (void)fg_control_run_schedules(control);
        fg_change_step(control);
        fg_command_reap(control);
        fg_capture_step(control);
        fg_control_serve(control);
    }
    /* A part may have failed since the last tick: then this is no clean stop. */
    return fg_control_check(control, message, size);
}
