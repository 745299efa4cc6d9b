/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>

#include <rte_cycles.h>

#include "dataplane/clock_page.h"
#include "dataplane/orders/clock.h"

#define NS_A_SECOND     UINT64_C(1000000000)
#define READ_NS_MAX     5000 /* three clocks read in so short a time are one instant */
#define READ_TRIES      4
#define STEP_NOTICED_NS NS_A_SECOND

/* The wall clock moved by so much more (or less) than time did. */
static bool stepped(const struct fg_clock_page *page, uint64_t wall_ns, uint64_t elapsed_ns)
{
    uint64_t wall_before = atomic_load_explicit(&page->wall_ns, memory_order_relaxed);
    uint64_t elapsed_before = atomic_load_explicit(&page->elapsed_ns, memory_order_relaxed);
    int64_t step = (int64_t)(wall_ns - wall_before) - (int64_t)(elapsed_ns - elapsed_before);

    return wall_before != 0 &&
           (step > (int64_t)STEP_NOTICED_NS || step < -(int64_t)STEP_NOTICED_NS);
}

void fg_clock_page_write(struct fg_clock_page *page, uint64_t tsc, uint64_t wall_ns,
                         uint64_t monotonic_ns)
{
    uint32_t sequence = atomic_load_explicit(&page->sequence, memory_order_relaxed);
    uint64_t elapsed_ns = monotonic_ns - page->started_ns;

    if (stepped(page, wall_ns, elapsed_ns))
        atomic_fetch_add_explicit(&page->steps, 1, memory_order_relaxed);
    atomic_store_explicit(&page->sequence, sequence + 1, memory_order_relaxed);
    /* release: whoever reads a field written below reads the odd count too */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&page->tsc, tsc, memory_order_relaxed);
    atomic_store_explicit(&page->wall_ns, wall_ns, memory_order_relaxed);
    atomic_store_explicit(&page->elapsed_ns, elapsed_ns, memory_order_relaxed);
    /* release: pairs with the acquire that begins a read */
    atomic_store_explicit(&page->sequence, sequence + 2, memory_order_release);
}

/* Reads the three clocks as one instant: again, if something came between the first and last. */
void fg_clock_page_update(struct fg_clock_page *page)
{
    const struct fg_clock *clock = &fg_clock_system;
    uint64_t tsc, wall_ns, monotonic_ns, took_ns;
    unsigned tries = READ_TRIES;

    do {
        tsc = rte_rdtsc();
        monotonic_ns = clock->monotonic_ns(clock->context);
        wall_ns = clock->wall_ns(clock->context);
        took_ns = clock->monotonic_ns(clock->context) - monotonic_ns;
    } while (took_ns > READ_NS_MAX && --tries > 0);
    fg_clock_page_write(page, tsc, wall_ns, monotonic_ns);
}

void fg_clock_page_init(struct fg_clock_page *page, uint64_t tsc_hz)
{
    *page = (struct fg_clock_page){
        .ns_per_tsc_32 = (uint64_t)(((unsigned __int128)NS_A_SECOND << 32) / tsc_hz),
        .started_ns = fg_clock_system.monotonic_ns(fg_clock_system.context),
    };
    fg_clock_page_update(page);
}
