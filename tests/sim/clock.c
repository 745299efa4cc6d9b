/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/clock.h"

#include <stddef.h>

static const struct sim_clock *used;

static uint64_t wall_ns(void *context)
{
    return clock_wall_ns(context);
}

static uint64_t monotonic_ns(void *context)
{
    const struct sim_clock *clock = context;
    return *clock->true_ns - clock->boot_ns;
}

void clock_init(struct sim_clock *clock, const uint64_t *true_ns)
{
    *clock = (struct sim_clock){.true_ns = true_ns};
    clock->seam = (struct fg_clock){clock, wall_ns, monotonic_ns};
}

void clock_use(const struct sim_clock *clock)
{
    used = clock;
}

static uint64_t system_wall_ns(void *context)
{
    (void)context;
    return wall_ns((void *)(uintptr_t)used);
}

static uint64_t system_monotonic_ns(void *context)
{
    (void)context;
    return monotonic_ns((void *)(uintptr_t)used);
}

const struct fg_clock fg_clock_system = {.wall_ns = system_wall_ns,
                                         .monotonic_ns = system_monotonic_ns};
