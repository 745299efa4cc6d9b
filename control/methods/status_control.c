/* SPDX-License-Identifier: BSD-3-Clause */
/* Status of the control thread itself: its socket, and whether its ticks come in time. */
#include "control/internal.h"

json_t *fg_status_control(const struct fg_control *control)
{
    static const struct fg_server_stats none;
    const struct fg_server_stats *stats =
        control->server ? fg_server_stats(control->server) : &none;
    unsigned connections = control->server ? fg_server_connections(control->server) : 0;
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "connections", (json_int_t)connections,
        "accepted", (json_int_t)stats->accepted, "refused", (json_int_t)stats->refused, "displaced",
        (json_int_t)stats->displaced, "expired", (json_int_t)stats->expired, "paused",
        (json_int_t)stats->paused, "ticks", (json_int_t)control->ticks, "ticks_late",
        (json_int_t)control->ticks_late, "tick_late_ms_max", (json_int_t)control->tick_late_ms_max,
        "round_cpu_us_max", (json_int_t)control->round_cpu_us_max, "rounds_long",
        (json_int_t)control->rounds_long);
}
