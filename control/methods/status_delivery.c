/* SPDX-License-Identifier: BSD-3-Clause */
/* What status and delivery status tell of the way to Redis. No thread is asked, none waits. */
#include <stdio.h>
#include <string.h>

#include "control/figures/figures.h"
#include "control/internal.h"
#include "control/text.h"

const char *fg_stream_state_name(enum fg_stream_state state)
{
    static const char *const names[] = {
#define X(name, text) [FG_STREAM_##name] = text,
        FG_STREAM_STATES(X)
#undef X
    };
    return (unsigned)state < sizeof(names) / sizeof(*names) ? names[state] : "?";
}

void fg_status_note_error(struct fg_control *control)
{
    const struct fg_delivery_stats *stats = fg_delivery_stats(control->engine->delivery);
    uint64_t errors = atomic_load_explicit(&stats->errors, memory_order_relaxed);
    if (errors == control->delivery_errors)
        return;
    control->delivery_errors = errors;
    control->delivery_error_ms = fg_control_now_ms();
}

json_t *fg_status_delivery(const struct fg_control *control)
{
    struct fg_delivery *delivery = control->engine->delivery;
    if (!delivery)
        return json_null();
    struct fg_figure_at at = {.engine = control->engine};
    char error[256], aside[256];
    fg_delivery_last_error(delivery, error, sizeof(error));
    fg_delivery_last_aside(delivery, aside, sizeof(aside));
    json_t *json = fg_figures_json("delivery", &at);
    if (json) {
        json_object_set_new(json, "last_error", json_string(error));
        json_object_set_new(json, "last_aside", json_string(aside));
    }
    if (json && control->delivery_error_ms != 0)
        json_object_set_new(
            json, "last_error_age_ms",
            json_integer((json_int_t)(fg_control_now_ms() - control->delivery_error_ms)));
    return json;
}

static json_t *stream_json(const struct fg_control *control, const char *name, uint32_t number,
                           unsigned state)
{
    struct fg_stream_view view = fg_delivery_stream(control->engine->delivery, number);
    return json_pack("{s:s,s:I,s:s,s:s,s:I,s:I,s:I,s:I}", "sale", name, "number",
                     (json_int_t)number, "sale_state", fg_sale_state_name(state), "stream",
                     fg_stream_state_name(view.state), "logged", (json_int_t)view.logged,
                     "delivered", (json_int_t)view.delivered, "consumed", (json_int_t)view.consumed,
                     "lag", (json_int_t)view.lag);
}

/* Live sales, and archived ones of which the log still has order events. */
json_t *fg_status_streams(const struct fg_control *control)
{
    const struct fg_model *model = &control->model;
    json_t *streams = json_array(), *value;
    const char *name;
    for (unsigned i = 0; i < model->sales_count; i++)
        json_array_append_new(streams,
                              stream_json(control, model->sales[i]->name, model->sales[i]->number,
                                          model->sales[i]->state));
    json_object_foreach(model->names, name, value)
    {
        uint32_t number = fg_model_archived_number(model, name);
        if (number == 0)
            continue;
        struct fg_stream_view view = fg_delivery_stream(control->engine->delivery, number);
        if (view.logged > 0 && view.state != FG_STREAM_DONE)
            json_array_append_new(streams, stream_json(control, name, number, FG_SALE_ARCHIVED));
    }
    return json_pack("{s:o,s:o}", "link", fg_status_delivery(control), "sales", streams);
}
