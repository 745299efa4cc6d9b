/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's clock, laid out for people. */
#include <stdbool.h>

#include "control/cli/show.h"

void fg_show_clock(const json_t *result, FILE *out)
{
    double moved = (double)number(result, "moved_ms") / 1000;
    if (json_is_true(json_object_get(result, "changed")))
        fprintf(out, "Clock: %s, moved by %+.1f s, revision %" JSON_INTEGER_FORMAT "\n",
                text(result, "time"), moved, number(result, "revision"));
    else
        fprintf(out, "Clock: %s, as the machine's; nothing was changed\n", text(result, "time"));
}

void fg_show_clock_line(const json_t *clock, FILE *out)
{
    fprintf(out, "Clock     %s", text(clock, "time"));
    if (json_is_true(json_object_get(clock, "held")))
        fprintf(out, ", HELD: the machine's is %+.1f s off",
                (double)number(clock, "machine_ahead_ms") / 1000);
    fprintf(out,
            "; off by %.1f us at most, %.1f p99.9; %" JSON_INTEGER_FORMAT " steps of over 1 s\n",
            json_number_value(json_object_get(clock, "error_us_max")),
            json_number_value(json_object_get(clock, "error_us_p999")), number(clock, "steps"));
}

void fg_show_opening_line(const json_t *opening, FILE *out)
{
    if (json_is_object(opening))
        fprintf(out,
                "Opened by the clock %.3f us after its time (the first loop of the slowest worker, "
                "%" JSON_INTEGER_FORMAT "); last judged closed %.3f us before\n",
                (double)number(opening, "opened_after_ns") / 1000, number(opening, "worker"),
                (double)number(opening, "closed_before_ns") / 1000);
}
