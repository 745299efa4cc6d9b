/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery: what the log holds becomes the engine's state again. Control events go to control's
 * model, order events to the worker that owns the buyer's partition (the number of workers may have
 * changed), and what they give or take back to the item's books.
 *
 * A hold goes on by the wall clock while the engine is away, but its buyer could not confirm then:
 * so no hold ends before some time of serving, the restart grace.
 *
 * Threads: control, before any other runs.
 */
#ifndef FG_RECOVERY_H
#define FG_RECOVERY_H

#include <stdio.h>

#include "dataplane/engine.h"

/* Workers' admissions, not yet attached to lanes. */
struct fg_recovery_plan {
    struct fg_engine *engine;
    struct fg_admission *admissions[FG_WORKERS_MAX];
};

/*
 * Opens the engine's log (engine->config says which) and applies all of it; sets engine->journal
 * and engine->recovered, attaches every admission to its lane, makes the first catalogue and arms
 * the holds. FG_EXIT_OK, or another exit status with a sentence.
 */
int fg_recovery_run(struct fg_recovery_plan *plan, const struct fg_disk *disk,
                    const struct fg_clock *clock, char *message, size_t size);

/* For people: what the log was found to be, and how the engine goes on from it. */
void fg_recovery_tell(const struct fg_engine *engine, FILE *out);

/*
 * When a held order's hold ends, in ms of the new engine. `last_ns` is the wall time of the log's
 * last record, `now_ns` of the restart; grace_ms 0 is the rule: the down time, at most the hold, at
 * least a minute.
 */
uint32_t fg_recovery_held_until_ms(const struct fg_order_event *admit, uint64_t last_ns,
                                   uint64_t now_ns, uint32_t grace_ms);

#endif
