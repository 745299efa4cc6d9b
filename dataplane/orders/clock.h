/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock seam: journal, delivery, control and the clock page read time only through it. */
#ifndef FG_ORDERS_CLOCK_H
#define FG_ORDERS_CLOCK_H

#include <stdint.h>
#include <time.h>

struct fg_clock {
    void *context;
    uint64_t (*wall_ns)(void *context);      /* CLOCK_REALTIME */
    uint64_t (*monotonic_ns)(void *context); /* CLOCK_MONOTONIC */
};

/* The machine's clock. Any thread. */
extern const struct fg_clock fg_clock_system;

/* What one of the machine's clocks says now, in ns. For what has no seam: tools, tests, figures of
 * the process. Any thread but a worker: a system call on some machines. */
static inline uint64_t fg_clock_ns(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
