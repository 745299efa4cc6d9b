/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock page: how workers know the time without a system call. Control writes it every 10 ms;
 * a worker reads TSC and the page. A sequence lock: an odd count means that it is being written.
 */
#ifndef FG_CLOCK_PAGE_H
#define FG_CLOCK_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

struct fg_clock_page {
    _Atomic uint32_t sequence;
    _Atomic uint64_t tsc;        /* at the instant of the two clocks below */
    _Atomic uint64_t wall_ns;    /* CLOCK_REALTIME */
    _Atomic uint64_t elapsed_ns; /* monotonic, since the engine started */
    uint64_t ns_per_tsc_32;      /* ns per TSC tick, times 2^32; fixed at start */
    uint64_t started_ns;         /* CLOCK_MONOTONIC when the page began; fixed at start */
    _Atomic uint64_t steps;      /* wall clock steps beyond 1 s that were seen */
} __attribute__((aligned(128)));

struct fg_time {
    uint64_t wall_ns;
    uint64_t elapsed_ns;
};

static inline struct fg_time fg_clock_page_read(const struct fg_clock_page *page, uint64_t tsc)
{
    for (;;) {
        /* acquire: pairs with the release that ends a write */
        uint32_t before = atomic_load_explicit(&page->sequence, memory_order_acquire);
        uint64_t at = atomic_load_explicit(&page->tsc, memory_order_relaxed);
        uint64_t wall = atomic_load_explicit(&page->wall_ns, memory_order_relaxed);
        uint64_t elapsed = atomic_load_explicit(&page->elapsed_ns, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if ((before & 1) || atomic_load_explicit(&page->sequence, memory_order_relaxed) != before)
            continue;
        /* A page written after `tsc` was read is ahead of it: no time has passed since. */
        uint64_t ticks = tsc > at ? tsc - at : 0;
        uint64_t ns = (uint64_t)(((unsigned __int128)ticks * page->ns_per_tsc_32) >> 32);
        return (struct fg_time){wall + ns, elapsed + ns};
    }
}

/* Control: begins the page (measures nothing: `tsc_hz` is told), and writes it anew. */
void fg_clock_page_init(struct fg_clock_page *page, uint64_t tsc_hz);
void fg_clock_page_update(struct fg_clock_page *page);

/* What update does, with the clocks told. */
void fg_clock_page_write(struct fg_clock_page *page, uint64_t tsc, uint64_t wall_ns,
                         uint64_t monotonic_ns);

#endif
