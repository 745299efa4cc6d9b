/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures as status shows them. */
#include <string.h>

#include "control/figures/figures.h"
#include "control/text.h"

#define NS_PER_US 1000

static json_int_t us(uint64_t ns)
{
    return (json_int_t)(ns / NS_PER_US);
}

static json_t *histogram_json(const struct fg_histogram_view *view)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "count", (json_int_t)view->count, "sum_us",
                     us(view->sum_ns), "mean_us", view->count ? us(view->sum_ns / view->count) : 0,
                     "p50_us", us(fg_histogram_quantile(view, 500)), "p99_us",
                     us(fg_histogram_quantile(view, 990)), "p999_us",
                     us(fg_histogram_quantile(view, 999)), "max_us", us(view->max_ns));
}

static json_t *value_json(const struct fg_figure *figure, uint64_t value)
{
    if (figure->kind == FG_FIGURE_STATE)
        return json_string(value < figure->parts_count ? figure->parts[value].name : "?");
    switch (figure->unit) {
    case FG_UNIT_NS:
        return json_integer(us(value));
    case FG_UNIT_TIME:
        return fg_json_time(value);
    case FG_UNIT_SHARE:
        return json_real((double)value / 1e6);
    case FG_UNIT_MEAN:
        return json_real((double)value / 1e3);
    case FG_UNIT_SKEW:
        return json_integer((json_int_t)((int64_t)value / 1000000));
    case FG_UNIT_NONE:
    case FG_UNIT_BYTES:
    case FG_UNIT_CYCLES:
    case FG_UNIT_MS:
        break;
    }
    return json_integer((json_int_t)value);
}

static void add(json_t *json, const struct fg_figure *figure, const struct fg_figure_at *at,
                const char *name, uint32_t source)
{
    uint64_t value = 0;
    if (figure->gather) {
        struct fg_histogram_view view = {.count = 0};
        if (figure->gather(at, source, &view))
            json_object_set_new(json, name, histogram_json(&view));
    } else if (figure->read(at, source, &value)) {
        json_object_set_new(json, name, value_json(figure, value));
    }
}

json_t *fg_figures_json(const char *path, const struct fg_figure_at *at)
{
    json_t *json = json_object();
    for (unsigned i = 0; json && i < fg_figures_count; i++) {
        const struct fg_figure *figure = &fg_figures[i];
        if (!figure->path || strcmp(figure->path, path) != 0)
            continue;
        if (figure->name)
            add(json, figure, at, figure->name, figure->source);
        for (unsigned p = 0; !figure->name && p < figure->parts_count; p++)
            add(json, figure, at, figure->parts[p].name, figure->parts[p].place);
    }
    return json;
}
