/* SPDX-License-Identifier: BSD-3-Clause */
/* The rate of the TSC, for tests that run without EAL. */
#ifndef FG_TESTS_TSC_H
#define FG_TESTS_TSC_H

#include <rte_cycles.h>

#include "dataplane/orders/clock.h"

/* Ticks a second, as DPDK finds them out, more or less: measured over so many ms (below 1000). */
static inline uint64_t tsc_hz(unsigned ms)
{
    uint64_t ns = fg_clock_ns(CLOCK_MONOTONIC), tsc = rte_rdtsc();
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
    return (uint64_t)((unsigned __int128)(rte_rdtsc() - tsc) * 1000000000 /
                      (fg_clock_ns(CLOCK_MONOTONIC) - ns));
}

#endif
