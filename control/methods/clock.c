/* SPDX-License-Identifier: BSD-3-Clause */
/* The method on the engine's clock. */
#include <inttypes.h>
#include <stdio.h>

#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

/* What the clock would do to sales at once, were it `ahead_ns` on. */
struct leap {
    unsigned opens, closes;
    const char *closes_first; /* name of one that it closes */
};

static struct leap leap_of(const struct fg_control *control, int64_t ahead_ns)
{
    uint64_t then_ns = fg_control_clock_ns(control) + (uint64_t)ahead_ns;
    struct leap leap = {0};
    for (unsigned i = 0; ahead_ns > 0 && i < control->model.sales_count; i++) {
        const struct fg_sale *sale = control->model.sales[i];
        switch (fg_control_state_due(sale, then_ns)) {
        case FG_SALE_CLOSED:
            if (sale->state == FG_SALE_CLOSED)
                break;
            leap.closes_first = leap.closes++ == 0 ? sale->name : leap.closes_first;
            break;
        case FG_SALE_OPEN:
            leap.opens += sale->state == FG_SALE_SCHEDULED;
            break;
        default:
            break;
        }
    }
    return leap;
}

static int confirm(struct fg_call *call, int64_t ahead_ns)
{
    struct leap leap = leap_of(call->control, ahead_ns);
    char others[32] = "";
    if (leap.closes == 0)
        return 0;
    if (leap.closes > 1)
        snprintf(others, sizeof(others), " and %u more", leap.closes - 1);
    return fg_call_confirm(call,
                           "the machine's clock is %.1f s ahead of the engine's: by it sale %s%s "
                           "would close at once, for good",
                           (double)ahead_ns / 1e9, leap.closes_first, others);
}

int fg_call_clock_accept(struct fg_call *call)
{
    struct fg_control *control = call->control;
    const struct fg_clock_page *page = &control->engine->clock;
    int rc = fg_call_catch_up(call);
    int64_t ahead_ns = fg_clock_page_ahead(page);
    if (rc == 0 && ahead_ns != 0)
        rc = confirm(call, ahead_ns);
    if (rc == 0 && ahead_ns != 0) {
        json_t *params = json_pack("{s:I}", "machine_ahead_ms", (json_int_t)(ahead_ns / 1000000));
        rc = fg_act_submit(control, call->peer, "clock.accept", params, call->message,
                           sizeof(call->message));
        json_decref(params);
        if (rc == 0) /* what was due while that was written has happened, whatever comes now */
            rc = fg_call_catch_up(call);
        if (rc == 0) {
            fg_control_clock_accept(control);
            rc = fg_call_catch_up(call);
        }
    }
    if (rc == 0)
        call->result = json_pack("{s:b,s:I,s:o,s:I}", "changed", ahead_ns != 0, "moved_ms",
                                 (json_int_t)(ahead_ns / 1000000), "time",
                                 fg_json_time(fg_control_clock_ns(control)), "revision",
                                 (json_int_t)control->model.revision);
    return rc;
}
