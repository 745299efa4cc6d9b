/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Draining for maintenance: no new orders, and what is under way comes to its end. No method waits
 * for that, as nobody else would be answered meanwhile: engine.drain begins, engine.drain_status
 * tells how far it has come. Held orders are not waited for: they are in the log, and may take as
 * long as the hold.
 */
#include "control/methods/methods.h"
#include "dataplane/faults.h"
#include "flashgate/control_api.h"

struct progress {
    uint64_t parked, undecided; /* replies that wait for the log, datagrams that wait for others' */
    uint64_t records;           /* queued and not settled yet */
    uint64_t holds;
    uint64_t lag; /* order events that Redis has not */
    bool delivers, delivery_runs;
    bool lag_is_known; /* delivery has looked at all that is durable now */
};

static uint64_t read_count(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static struct progress progress_of(const struct fg_engine *engine)
{
    struct progress progress = {.delivers = engine->delivery != NULL};
    for (unsigned w = 0; w < engine->config.workers; w++) {
        const struct fg_worker *worker = engine->workers[w];
        if (!worker || !worker->admission)
            continue;
        const struct fg_admission_gauges *gauges = fg_admission_gauges(worker->admission);
        uint64_t settled = read_count(&gauges->settled); /* before `queued`, which only grows */
        progress.parked += read_count(&gauges->parked);
        progress.undecided += read_count(&gauges->unsettled);
        progress.records += read_count(&gauges->queued) - settled;
        progress.holds += read_count(&gauges->holds);
    }
    if (progress.delivers) {
        const struct fg_delivery_stats *stats = fg_delivery_stats(engine->delivery);
        uint64_t durable = fg_journal_durable(engine->journal);
        /* acquire: pairs with delivery's release; the lag is not from before it */
        progress.lag_is_known =
            atomic_load_explicit(&stats->caught_up, memory_order_acquire) >= durable;
        progress.lag = read_count(&stats->lag);
        progress.delivery_runs =
            atomic_load_explicit(&stats->state, memory_order_relaxed) == FG_DELIVERY_RUNNING;
    }
    return progress;
}

/* Nothing new can come: every worker has taken the mode up, and nothing is under way. */
static bool is_drained(const struct fg_control *control, const struct progress *progress)
{
    uint64_t waits = progress->parked + progress->undecided + progress->records;
    if (FG_PLANTED(DRAINED_EARLY))
        waits = 0;
    return control->model.mode == FG_ENGINE_DRAINING && fg_publish_laggard(control) < 0 &&
           waits + progress->lag == 0 &&
           (!progress->delivers || (progress->delivery_runs && progress->lag_is_known));
}

bool fg_drain_done(const struct fg_control *control)
{
    struct progress progress = progress_of(control->engine);
    return is_drained(control, &progress);
}

static json_t *drain_json(const struct fg_control *control)
{
    bool draining = control->model.mode == FG_ENGINE_DRAINING;
    struct progress progress = progress_of(control->engine);
    bool drained = is_drained(control, &progress);
    return json_pack("{s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:b}", "draining", draining, "drained",
                     drained, "revision", (json_int_t)control->model.revision, "parked",
                     (json_int_t)progress.parked, "undecided", (json_int_t)progress.undecided,
                     "records", (json_int_t)progress.records, "holds", (json_int_t)progress.holds,
                     "lag", (json_int_t)progress.lag, "delivers", progress.delivers, "redis_away",
                     progress.delivers && !progress.delivery_runs);
}

/* Buyers of a sale that is open would notice. */
static int confirm(struct fg_call *call)
{
    const struct fg_model *model = &call->control->model;
    for (unsigned i = 0; i < model->sales_count; i++)
        if (model->sales[i]->state == FG_SALE_OPEN)
            return fg_call_confirm(call,
                                   "sale %s is open: its buyers are answered BUSY until engine "
                                   "resume",
                                   model->sales[i]->name);
    return 0;
}

int fg_call_engine_drain(struct fg_call *call)
{
    struct fg_control *control = call->control;
    int rc = fg_call_catch_up(call);
    if (rc != 0)
        return rc;
    if (control->model.mode == FG_ENGINE_KILLED)
        return fg_call_refuse(
            call, FG_RPC_REFUSED,
            "the engine is killed, and answers everything BUSY: that is more than "
            "to drain it; engine resume comes first");
    if (control->model.mode != FG_ENGINE_DRAINING && (rc = confirm(call)) == 0) {
        fg_change_begin_mode(control, call->peer, FG_ENGINE_DRAINING);
        rc = fg_call_finish_change(call);
    }
    if (rc == 0)
        call->result = drain_json(control);
    return rc;
}

int fg_call_engine_drain_status(struct fg_call *call)
{
    call->result = drain_json(call->control);
    return 0;
}
