/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the operator does with an engine step by step, as the methods of control do it: an order's
 * cancellation, the engine's modes, the clock, streams. What the operator is told is checked when
 * it is told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/admission/internal.h"
#include "tests/sim/checks.h"
#include "tests/sim/lists.h"
#include "tests/sim/operator.h"

void operator_note(struct sim_engine *e, enum sim_operation what, uint64_t a, uint64_t b)
{
    e->world->stats->operations[what]++;
    event(e->world, SIM_EVENT_OPERATOR, what, a, b);
}

/* Puts on record what is about to be done: control/act.c. Returns the ticket; 0: the queue is full.
 */
static uint64_t record_act(struct sim_engine *e, const char *body)
{
    struct fg_control_event act = {.kind = FG_EVENT_ACT,
                                   .body_length = (uint32_t)strlen(body),
                                   .revision = e->engine.control->model.revision,
                                   .at_ns = fg_control_clock_ns(e->engine.control)};

    return fg_journal_submit(e->engine.journal, &act, body);
}

static bool recorded(const struct sim_engine *e, uint64_t ticket)
{
    return fg_journal_submitted_durable(e->engine.journal) >= ticket;
}

/* --- An order's cancellation --- */

void operator_cancel(struct sim_engine *e)
{
    struct sim_random *random = &e->world->random;
    unsigned w = (unsigned)random_below(random, e->engine.config.workers);
    const struct fg_book *book = &e->plan.admissions[w]->book;
    const struct fg_order *order =
        book->touched ? &book->orders[random_below(random, book->touched)] : NULL;
    char body[128];

    if (e->desk.cancel.stage != CANCEL_NONE || !order || order->state == FG_ORDER_FREE ||
        order->state == FG_ORDER_VOID)
        return;
    snprintf(body, sizeof(body), "{\"method\":\"order.cancel\",\"order\":\"%" PRIu64 "\"}",
             order->id);
    e->desk.cancel.ticket = record_act(e, body);
    if (e->desk.cancel.ticket == 0)
        return;
    e->desk.cancel.stage = CANCEL_RECORDED;
    e->desk.cancel.request = order->request;
    memcpy(e->desk.cancel.buyer, order->buyer, sizeof(e->desk.cancel.buyer));
}

/* The record is durable: the worker is told, as by its command ring. */
static void carry_out_cancel(struct sim_engine *e)
{
    struct fg_command command = {.kind = FG_COMMAND_ORDER_CANCEL,
                                 .request = e->desk.cancel.request};
    unsigned w =
        fg_partition(e->desk.cancel.buyer, e->engine.config.partitions) % e->engine.config.workers;
    struct fg_now now = engine_now(e, w);

    memcpy(command.buyer, e->desk.cancel.buyer, sizeof(command.buyer));
    fg_command_run(&command, e->plan.admissions[w], &now, e->engine.catalogue);
    fg_admission_poll(e->plan.admissions[w], &now, e->engine.catalogue); /* as in the same loop */
    e->desk.cancel.stage = CANCEL_NONE;
    if (command.result != 0 && command.result != -EALREADY)
        return;
    if (command.result == 0)
        operator_note(e, SIM_OP_CANCEL, command.orders[0].item, command.orders[0].order);
    e->desk.cancel.stage = CANCEL_SETTLES;
    e->desk.cancel.ticket = command.orders[0].ticket;
    e->desk.cancel.order = command.orders[0].order;
}

static void step_cancel(struct sim_engine *e)
{
    if (e->desk.cancel.stage == CANCEL_RECORDED && recorded(e, e->desk.cancel.ticket))
        carry_out_cancel(e);
    if (e->desk.cancel.stage != CANCEL_SETTLES ||
        !fg_command_settled(e->engine.control, e->desk.cancel.buyer, e->desk.cancel.ticket))
        return;
    e->desk.cancel.stage = CANCEL_NONE;
    operator_note(e, SIM_OP_CANCEL_TOLD, e->desk.cancel.order, 0);
    checks_cancelled(e, e->desk.cancel.order);
}

/* --- The engine's mode --- */

static void set_mode(struct sim_engine *e, enum fg_engine_mode mode)
{
    static const enum sim_operation operations[] = {
        [FG_ENGINE_RUNNING] = SIM_OP_RESUME,
        [FG_ENGINE_PAUSED] = SIM_OP_PAUSE_ENGINE,
        [FG_ENGINE_DRAINING] = SIM_OP_DRAIN,
        [FG_ENGINE_KILLED] = SIM_OP_KILL,
    };
    operator_note(e, operations[mode], 0, 0);
    e->world->mode_asked = mode;
    e->desk.drained = false;
    fg_change_begin_mode(e->engine.control, NULL, mode);
}

void operator_shut(struct sim_engine *e)
{
    static const enum fg_engine_mode modes[] = {FG_ENGINE_PAUSED, FG_ENGINE_DRAINING,
                                                FG_ENGINE_KILLED};
    struct sim_random *random = &e->world->random;

    if (e->engine.control->model.mode != FG_ENGINE_RUNNING)
        return;
    set_mode(e, modes[random_below(random, 3)]);
    e->desk.shut_until_ns = e->world->now_ns + random_scaled(random, SIM_MS, 5 * SIM_S);
}

/* A change of the mode is over, one way or the other, or an engine has started. */
static void note_mode(struct sim_engine *e)
{
    struct world *world = e->world;
    enum fg_engine_mode mode = e->engine.control->model.mode;

    if (e->engine.control->change.stage != FG_CHANGE_NONE)
        return;
    if (mode != world->mode_told && mode != world->mode_asked)
        world_fail(world, "the engine is %s; the operator was told that it is %s, and asked for %s",
                   fg_engine_mode_name(mode), fg_engine_mode_name(world->mode_told),
                   fg_engine_mode_name(world->mode_asked));
    e->desk.mode = world->mode_told = world->mode_asked = mode;
}

bool operator_mode(struct sim_engine *e)
{
    struct world *world = e->world;
    enum fg_engine_mode mode = e->engine.control->model.mode;

    if (world->to_be_drained && mode == FG_ENGINE_RUNNING && world->healed) {
        world->to_be_drained = false;
        set_mode(e, FG_ENGINE_DRAINING);
        return true;
    }
    if (mode == FG_ENGINE_RUNNING || !(world->healed || world->now_ns >= e->desk.shut_until_ns ||
                                       world->now_ns > e->began_ns + 10 * SIM_S))
        return false;
    /* Healed, it must come to its end (I9), but for what Redis has lost for good. */
    if (mode == FG_ENGINE_DRAINING && world->healed && !e->desk.drained &&
        !engine_lost_beyond_log(e))
        return false;
    set_mode(e, FG_ENGINE_RUNNING);
    return true;
}

/* Asked at every step, whether or not the change is in force yet. */
static void look_at_drain(struct sim_engine *e)
{
    if (e->desk.drained || !fg_drain_done(e->engine.control))
        return;
    e->desk.drained = true;
    /* So the mode is in force, whoever was told what: see checks_mode(). */
    e->desk.mode = FG_ENGINE_DRAINING;
    operator_note(e, SIM_OP_DRAINED, 0, 0);
    checks_drained(e);
}

/* --- The clock --- */

static void step_clock(struct sim_engine *e)
{
    struct world *world = e->world;
    bool held = fg_clock_page_ahead(&e->engine.clock) != 0;

    if (e->desk.accept_ticket == 0 && held &&
        (world->healed || random_below(&world->random, 200) == 0))
        e->desk.accept_ticket = record_act(e, "{\"method\":\"clock.accept\"}");
    if (e->desk.accept_ticket == 0 || !recorded(e, e->desk.accept_ticket) ||
        e->engine.control->change.stage != FG_CHANGE_NONE)
        return;
    e->desk.accept_ticket = 0;
    operator_note(e, SIM_OP_ACCEPT, held, 0);
    if (held)
        fg_control_clock_accept(e->engine.control);
}

/* --- Streams --- */

void operator_stream(struct sim_engine *e, const struct fg_sale *sale)
{
    struct sim_random *random = &e->world->random;
    struct fg_stream_view view = fg_delivery_stream(e->engine.delivery, sale->number);
    uint64_t mark = random_below(random, view.delivered + 2);

    if (random_below(random, 4) == 0) {
        if (fg_delivery_rebuild(e->engine.delivery, sale->number) == 0)
            operator_note(e, SIM_OP_REBUILD, sale->number, 0);
        return;
    }
    int rc = fg_delivery_consumed(e->engine.delivery, sale->number, mark);
    if (rc == 0 && mark > view.logged)
        world_fail(e->world, "%s is consumed up to %" PRIu64 ", beyond its last event", sale->name,
                   mark);
    if (rc != 0 || mark == 0)
        return;
    operator_note(e, SIM_OP_CONSUMED, sale->number, mark);
    redis_consumed(&e->world->redis, sale->name, mark);
}

/* --- --- */

void operator_desk(struct sim_engine *e)
{
    step_cancel(e);
    look_at_drain(e);
    note_mode(e);
    lists_desk(e);
    step_clock(e);
}

bool operator_done(const struct sim_engine *e)
{
    return e->desk.cancel.stage == CANCEL_NONE && e->desk.accept_ticket == 0 && lists_done(e) &&
           e->engine.control->model.mode == FG_ENGINE_RUNNING && !e->world->to_be_drained &&
           fg_clock_page_ahead(&e->engine.clock) == 0;
}
