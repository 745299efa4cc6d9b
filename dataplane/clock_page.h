/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock page: how workers know the time without a system call. Control writes it every 10 ms;
 * a worker reads its TSC and the page.
 *
 * Two slots, of which the count's lowest bit says which is in force: control fills the other one
 * and then raises the count. So a reader never waits for a writer, wherever that is preempted; it
 * reads again only if the count moved while it read.
 *
 * The rate of the TSC is measured against CLOCK_MONOTONIC all the time, over half a second to a
 * second, so that a page goes on being right when control is late: what it then errs by is what NTP
 * has changed the rate by, at most 500 ppm where the kernel slews (5 us in 10 ms, 50 us in 100 ms).
 *
 * The engine's clock follows CLOCK_REALTIME, its slews and its steps up to a second, until it steps
 * by more. From then on it is held: it goes on at the rate of time from what it was, so that the
 * step alone opens and closes nothing. It follows again once the machine's clock is back within a
 * second of it, or when an operator accepts what the machine says.
 */
#ifndef FG_CLOCK_PAGE_H
#define FG_CLOCK_PAGE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FG_CLOCK_SAMPLES 6144 /* updates that are remembered: a minute */

/* control: rw, workers: ro */
struct fg_clock_slot {
    _Atomic uint64_t tsc;           /* at the instant of the two clocks below */
    _Atomic uint64_t wall_ns;       /* the engine's clock */
    _Atomic uint64_t elapsed_ns;    /* monotonic, since the engine began to serve */
    _Atomic uint64_t ns_per_tsc_32; /* ns per TSC tick, times 2^32 */
    _Atomic uint64_t ahead_ns; /* held: how far the machine's clock is before it, 0 if behind */
    _Atomic uint32_t accepted; /* steps that were accepted: only then may the clock go back */
} __attribute__((aligned(64)));

struct fg_clock_instant {
    uint64_t tsc, monotonic_ns;
};

/* What control knows of the clocks. Control only. */
struct fg_clock_keeper {
    bool begun;
    bool held;                   /* the machine's clock has stepped, and is not followed */
    bool rough;                  /* the last reading was none to measure from */
    uint64_t started_ns;         /* CLOCK_MONOTONIC when the engine began to serve */
    int64_t offset_ns;           /* the engine's clock less CLOCK_MONOTONIC */
    int64_t machine_offset_ns;   /* CLOCK_REALTIME less CLOCK_MONOTONIC, when last read */
    uint64_t nominal_rate, rate; /* ns per TSC tick, times 2^32: as told, as measured */
    struct fg_clock_instant base,
        middle;                   /* what the rate is measured from, and what will be next */
    struct fg_clock_instant last; /* of the page in force */
    uint32_t accepted;
    uint64_t steps; /* beyond a second that were seen */
    uint64_t samples;
    struct fg_clock_sample {
        uint32_t error_ns; /* of the page as it was just before it was written anew */
        uint32_t age_us;   /* how old it was then */
    } sample[FG_CLOCK_SAMPLES];
};

struct fg_clock_page {
    alignas(128) _Atomic uint32_t sequence; /* control: rw, workers: ro */
    struct fg_clock_slot slots[2];
    alignas(128) struct fg_clock_keeper keeper;
};

struct fg_time {
    uint64_t wall_ns;
    uint64_t elapsed_ns;
    uint64_t ahead_ns;
    uint32_t accepted;
};

/* Workers and control: the time at `tsc`, which was read a moment ago. */
static inline struct fg_time fg_clock_page_read(const struct fg_clock_page *page, uint64_t tsc)
{
    for (;;) {
        /* acquire: pairs with the release that puts a slot in force */
        uint32_t before = atomic_load_explicit(&page->sequence, memory_order_acquire);
        const struct fg_clock_slot *slot = &page->slots[before & 1];
        uint64_t at = atomic_load_explicit(&slot->tsc, memory_order_relaxed);
        uint64_t rate = atomic_load_explicit(&slot->ns_per_tsc_32, memory_order_relaxed);
        struct fg_time time = {
            .wall_ns = atomic_load_explicit(&slot->wall_ns, memory_order_relaxed),
            .elapsed_ns = atomic_load_explicit(&slot->elapsed_ns, memory_order_relaxed),
            .ahead_ns = atomic_load_explicit(&slot->ahead_ns, memory_order_relaxed),
            .accepted = atomic_load_explicit(&slot->accepted, memory_order_relaxed),
        };
        /* acquire: a slot that is being filled anew shows the count that was raised before it */
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&page->sequence, memory_order_relaxed) != before)
            continue;
        /* A page written after `tsc` was read is ahead of it: no time has passed since. */
        uint64_t ticks = tsc > at ? tsc - at : 0;
        uint64_t ns = (uint64_t)(((unsigned __int128)ticks * rate) >> 32);
        time.wall_ns += ns;
        time.elapsed_ns += ns;
        return time;
    }
}

/* Takes over a time that was read: a clock does not go back, unless that was accepted. True: it was
 * taken over; false: `now_ns` stands still. */
static inline bool fg_clock_moves(const struct fg_time *time, uint64_t now_ns, uint32_t accepted)
{
    return time->wall_ns > now_ns || time->accepted != accepted;
}

/* Control: begins the page (measures nothing yet: `tsc_hz` is told), and writes it anew. */
void fg_clock_page_init(struct fg_clock_page *page, uint64_t tsc_hz);
void fg_clock_page_update(struct fg_clock_page *page);

/* What update does, with the clocks told. */
void fg_clock_page_write(struct fg_clock_page *page, uint64_t tsc, uint64_t wall_ns,
                         uint64_t monotonic_ns);

/* Control: the machine's clock is right, whatever it did. In force at once. */
void fg_clock_page_accept(struct fg_clock_page *page);

/* Control: how far the machine's clock is ahead of the engine's; 0 unless it is held. */
int64_t fg_clock_page_ahead(const struct fg_clock_page *page);

/* Control: the engine's clock at a CLOCK_MONOTONIC; `wall_ns`, the machine's, before the page has
 * begun. */
uint64_t fg_clock_page_wall(const struct fg_clock_page *page, uint64_t monotonic_ns,
                            uint64_t wall_ns);

/* Control: the engine begins to serve, and no worker has read the page yet. Time elapsed counts
 * from here: buffers and ports may have taken many seconds, which holds of before the start must
 * not lose. Forgets the samples so far: the first page is as old as all that. */
void fg_clock_page_serve(struct fg_clock_page *page);

/* How well the pages of the last minute told the time, each judged at its end, when it was oldest.
 */
struct fg_clock_quality {
    unsigned samples;
    uint32_t error_ns_p999, error_ns_max; /* against CLOCK_REALTIME, or what is held in its place */
    uint32_t age_us_max;
};
struct fg_clock_quality fg_clock_page_quality(const struct fg_clock_page *page);

#endif
