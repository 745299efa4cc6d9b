/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How exactly sales open by the clock. Each worker keeps, of the last opening that its time has
 * passed, the beginnings of the loops before and after the instant; here they are gathered from all
 * workers when the last of them is past it. A sale that opens within the hundredth of a second that
 * it takes to put another's opening on record is not seen, nor is one whose worker had another
 * opening since.
 */
#include "control/internal.h"

#define LOOK_FOR_NS UINT64_C(10000000000) /* a worker that is so late is stuck */

static const struct fg_opening_seen *find(const struct fg_control *control, uint32_t sale)
{
    for (unsigned i = 0; i < FG_SALES_LIVE_MAX; i++)
        if (control->openings[i].sale == sale)
            return &control->openings[i];
    return NULL;
}

/* A place that is free, or whose sale is gone: there is one, as sales that live have no more. */
static struct fg_opening_seen *free_place(struct fg_control *control)
{
    for (unsigned i = 0; i < FG_SALES_LIVE_MAX; i++)
        if (!fg_model_sale_number(&control->model, control->openings[i].sale))
            return &control->openings[i];
    return NULL;
}

/* False: a worker has not come to the instant yet. */
static bool gather(const struct fg_control *control, uint64_t opens_ns,
                   struct fg_opening_seen *seen)
{
    const struct fg_engine *engine = control->engine;
    seen->closed_before_ns = UINT64_MAX;
    for (unsigned w = 0; w < engine->config.workers; w++) {
        uint64_t closed_ns, open_ns;
        if (!engine->workers[w] ||
            !fg_worker_opening(engine->workers[w], opens_ns, &closed_ns, &open_ns))
            return false;
        if (open_ns - opens_ns >= seen->opened_after_ns) {
            seen->opened_after_ns = open_ns - opens_ns;
            seen->worker = w;
        }
        if (opens_ns - closed_ns < seen->closed_before_ns)
            seen->closed_before_ns = opens_ns - closed_ns;
    }
    return engine->config.workers > 0;
}

void fg_openings_note(struct fg_control *control)
{
    uint64_t now_ns = fg_control_clock_ns(control);
    for (unsigned i = 0; i < control->model.sales_count; i++) {
        const struct fg_sale *sale = control->model.sales[i];
        struct fg_opening_seen seen = {.sale = sale->number};
        if (sale->opens_ns == 0 || now_ns < sale->opens_ns ||
            now_ns - sale->opens_ns > LOOK_FOR_NS || find(control, sale->number))
            continue;
        struct fg_opening_seen *place = free_place(control);
        if (place && gather(control, sale->opens_ns, &seen))
            *place = seen;
    }
}

json_t *fg_openings_json(const struct fg_control *control, uint32_t sale)
{
    const struct fg_opening_seen *seen = find(control, sale);
    return seen ? json_pack("{s:I,s:i,s:I}", "opened_after_ns", (json_int_t)seen->opened_after_ns,
                            "worker", (int)seen->worker, "closed_before_ns",
                            (json_int_t)seen->closed_before_ns)
                : json_null();
}
