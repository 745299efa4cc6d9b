/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The circuit breaker before a Redis: whether it may be called now. Whoever calls tells how each
 * call ended.
 *
 *   closed     calls go through. A failure holds the next one back for 10 ms; after
 *              FG_CIRCUIT_FAILURES in a row the circuit opens.
 *   open       no call, for a time that doubles with every failure up to the limit, less up to a
 *              quarter by chance, so that many engines do not come back to a Redis all at once.
 *   half-open  that time is over: one caller tries, the probe. What it does until it works, or
 * fails, is one attempt (connecting, claiming fences). If it works the circuit is closed, else it
 * is open again, for longer.
 *
 * Nothing here waits. Threads: one thread's; `stats` is anyone's to read.
 */
#ifndef FG_ORDERS_CIRCUIT_H
#define FG_ORDERS_CIRCUIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FG_CIRCUIT_FAILURES 3 /* in a row open it: one may be a failover's, two a slow one's */
#define FG_CIRCUIT_MIN_NS   UINT64_C(10000000)
#define FG_CIRCUIT_MAX_NS   UINT64_C(1000000000) /* where none is given */

/* X(NAME, text, help) */
#define FG_CIRCUIT_STATES(X)                                                                       \
    X(CLOSED, "closed", "calls go through")                                                        \
    X(OPEN, "open", "Redis failed several times in a row, and is not called for a while")          \
    X(HALF_OPEN, "half-open", "one attempt is under way")

enum fg_circuit_state {
#define X(name, text, help) FG_CIRCUIT_##name,
    FG_CIRCUIT_STATES(X)
#undef X
};

struct fg_circuit_stats {
    _Atomic uint64_t state;    /* enum fg_circuit_state */
    _Atomic uint64_t openings; /* from closed to open */
    _Atomic uint64_t until_ns; /* monotonic: no call before it; 0 at first */
};

struct fg_circuit {
    uint64_t max_ns; /* of an opening */
    uint64_t random;
    unsigned failures; /* since something worked */
    struct fg_circuit_stats stats;
};

/* Closed. max_ns 0: FG_CIRCUIT_MAX_NS. `seed` may be any number. */
void fg_circuit_init(struct fg_circuit *circuit, uint64_t max_ns, uint64_t seed);

/* May Redis be called now? */
bool fg_circuit_may_call(struct fg_circuit *circuit, uint64_t now_ns);
/* The attempt failed: in time, or by an answer that says "not now". */
void fg_circuit_failed(struct fg_circuit *circuit, uint64_t now_ns);
/* It was refused, and will be until a person acts: open for so long, whatever the limit. */
void fg_circuit_refused(struct fg_circuit *circuit, uint64_t now_ns, uint64_t wait_ns);
/* What was asked for was done. */
void fg_circuit_worked(struct fg_circuit *circuit);

/* Time until the next call may be made, 0: now. Any thread. */
uint64_t fg_circuit_left_ns(const struct fg_circuit_stats *stats, uint64_t now_ns);

#endif
