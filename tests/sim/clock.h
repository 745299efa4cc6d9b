/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Simulated time. There is one true time, which only moves when the schedule says so; each
 * machine's monotonic clock is that from some moment on, and the engine's wall clock is off by an
 * amount that may change. Clients' clocks are right.
 *
 * clock.c also stands in for fg_clock_system, for parts that ask the machine: they get the clock of
 * the engine that is being stepped.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "dataplane/orders/clock.h"

#define SIM_WALL_NS UINT64_C(1800000000000000000) /* when the true time is 0 */
#define SIM_MS      UINT64_C(1000000)
#define SIM_S       UINT64_C(1000000000)

struct sim_clock {
    const uint64_t *true_ns;
    uint64_t boot_ns;     /* true time at which the monotonic clock was 0 */
    int64_t wall_ns;      /* by how much the wall clock is ahead */
    struct fg_clock seam; /* its context is this struct */
};

void clock_init(struct sim_clock *clock, const uint64_t *true_ns);

/* From now on fg_clock_system tells this clock's time. */
void clock_use(const struct sim_clock *clock);

static inline uint64_t clock_wall_ns(const struct sim_clock *clock)
{
    return SIM_WALL_NS + *clock->true_ns + (uint64_t)clock->wall_ns;
}

#endif
