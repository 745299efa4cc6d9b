/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/clock.h"

static uint64_t wall_ns(void *context)
{
    (void)context;
    return fg_clock_ns(CLOCK_REALTIME);
}

static uint64_t monotonic_ns(void *context)
{
    (void)context;
    return fg_clock_ns(CLOCK_MONOTONIC);
}

const struct fg_clock fg_clock_system = {.wall_ns = wall_ns, .monotonic_ns = monotonic_ns};
