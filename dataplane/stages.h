/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker's cycles go to. The loop says which stage begins; the time from one such word to
 * the next is the stage's. A loop that had work adds its stages to the worker's counters, from its
 * beginning to its end without a gap: their sum is busy_cycles.
 *
 * A word costs one reading of the TSC, some 20 to 45 cycles; nine of them a burst. A step that
 * cannot have anything to do says none, and what little it takes is told of the stage before.
 * Nothing is serialised, so a few cycles of a stage may be told of its neighbour.
 *
 * Worker only.
 */
#ifndef FG_STAGES_H
#define FG_STAGES_H

#include "dataplane/counters.h"

struct fg_stage_clock {
    uint64_t since;                  /* TSC when the stage began */
    enum fg_stage stage;             /* that is being done */
    uint64_t cycles[FG_STAGE_COUNT]; /* of this loop */
};

/* A loop began at this TSC, with FG_STAGE_OTHER. */
static inline void fg_stages_begin(struct fg_stage_clock *clock, uint64_t tsc)
{
    *clock = (struct fg_stage_clock){.since = tsc, .stage = FG_STAGE_OTHER};
}

/* From this TSC on another stage is done, or the same. */
static inline void fg_stages_next(struct fg_stage_clock *clock, enum fg_stage stage, uint64_t tsc)
{
    clock->cycles[clock->stage] += tsc - clock->since;
    clock->since = tsc;
    clock->stage = stage;
}

/* The loop ended at this TSC, and had work: what it went to is counted. */
static inline void fg_stages_count(struct fg_stage_clock *clock, struct fg_counters *counters,
                                   uint64_t tsc)
{
    fg_stages_next(clock, FG_STAGE_OTHER, tsc);
    for (unsigned s = 0; s < FG_STAGE_COUNT; s++)
        fg_count_add(&counters->stages[s], clock->cycles[s]);
}

#endif
