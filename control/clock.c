/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's clock as control has it: the page's, at the moment. See clock_page.h. */
#include <errno.h>
#include <math.h>

#include "control/internal.h"
#include "control/text.h"

static uint64_t page_ns(const struct fg_control *control)
{
    return fg_clock_page_wall(&control->engine->clock,
                              fg_clock_system.monotonic_ns(fg_clock_system.context),
                              fg_control_wall_ns());
}

uint64_t fg_control_clock_ns(const struct fg_control *control)
{
    uint64_t now_ns = page_ns(control);
    return now_ns > control->clock_floor_ns ? now_ns : control->clock_floor_ns;
}

/* A small step back is followed, but nothing is judged by an earlier time than before: as in
 * workers. */
void fg_control_clock_update(struct fg_control *control)
{
    control->clock_floor_ns = fg_control_clock_ns(control);
    fg_clock_page_update(&control->engine->clock);
}

void fg_control_clock_accept(struct fg_control *control)
{
    struct fg_clock_page *page = &control->engine->clock;
    int64_t ahead_ns = fg_clock_page_ahead(page);
    fg_clock_page_accept(page);
    control->clock_floor_ns = 0;
    if (ahead_ns >= 0)
        return;
    /* The moment since which requests are taken, told by the clock that was ahead: it would be to
     * come, and until then nobody would be answered. */
    control->serving_since_ns += (uint64_t)ahead_ns;
    fg_change_begin_reissue(control);
}

static double us(uint32_t ns)
{
    return round(ns / 100.0) / 10;
}

json_t *fg_status_clock(const struct fg_control *control)
{
    const struct fg_clock_page *page = &control->engine->clock;
    struct fg_clock_quality quality = fg_clock_page_quality(page);
    int64_t ahead_ns = fg_clock_page_ahead(page);
    const struct fg_clock_figures *figures = &control->engine->clock_figures;
    return json_pack("{s:I,s:I,s:o,s:b,s:I,s:I,s:I,s:f,s:f,s:I}", "suspect",
                     (json_int_t)fg_count_read(&figures->suspect), "suspect_skew_ms",
                     (json_int_t)((int64_t)fg_count_read(&figures->suspect_skew_ns) / 1000000),
                     "time", fg_json_time(fg_control_clock_ns(control)), "held", ahead_ns != 0,
                     "machine_ahead_ms", (json_int_t)(ahead_ns / 1000000), "steps",
                     (json_int_t)page->keeper.steps, "samples", (json_int_t)quality.samples,
                     "error_us_p999", us(quality.error_ns_p999), "error_us_max",
                     us(quality.error_ns_max), "page_age_us_max", (json_int_t)quality.age_us_max);
}
