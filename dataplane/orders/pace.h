/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long the journal's threads rest between two pieces of work. Both share their core with
 * others, and a write and a flush take it for as long as they last on some machines, however little
 * is written: on a virtual one the processor may stand still until its host has done them. At
 * real-time priority a journal that began its next frame at once would leave nothing to anybody,
 * with frames of a few dozen records. So it gathers: longer the more records come, for then each
 * frame saves a flush to more of them, and never so long that a worker could run short of places.
 * What this brought is in docs/performance.md.
 *
 * Pure: durations in, durations out, in ns.
 */
#ifndef FG_ORDERS_PACE_H
#define FG_ORDERS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define FG_GATHER_RECORD_NS 2000   /* for each record of the frame before */
#define FG_GATHER_MAX_NS    750000 /* with a flush some thousand frames a second */

#define FG_ZEROS_REST   4        /* times as long as the piece before took: a fifth of the core */
#define FG_ZEROS_MAX_NS 20000000 /* so that a slow disk is not waited for twice */

/* Journal thread: how long to gather after a frame of so many records that took `took_ns` to write
 * and flush. As long as that at least, which leaves half the core, and at ordinary load nobody
 * notices; not at all when more was there than the frame took, or a lane was filling up
 * (`pressed`). */
static inline uint64_t fg_gather_ns(uint32_t records, uint64_t took_ns, bool pressed)
{
    uint64_t gather_ns = (uint64_t)records * FG_GATHER_RECORD_NS;

    if (pressed)
        return 0;
    if (gather_ns < took_ns)
        gather_ns = took_ns;
    return gather_ns < FG_GATHER_MAX_NS ? gather_ns : FG_GATHER_MAX_NS;
}

/* Storage helper: how long to rest after a piece of a new segment that took `took_ns`. Not at all
 * when the journal may need it before long (`wanted`). */
static inline uint64_t fg_zeros_rest_ns(uint64_t took_ns, bool wanted)
{
    if (wanted)
        return 0;
    return took_ns < FG_ZEROS_MAX_NS / FG_ZEROS_REST ? took_ns * FG_ZEROS_REST : FG_ZEROS_MAX_NS;
}

#endif
