/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Block and allow lists of buyers: the operator edits their files, and sometimes has them reloaded;
 * a start reads them as they are. What a worker then says to new orders is checked at the step in
 * which it decides: BLOCKED to whom the lists in force block, and to nobody else.
 *
 * While a reload is under way either lists may be gone by; from the moment that the operator is
 * told that it is done, only the new ones. Lists have their own source of chance, so that a run
 * without them goes as if there were none.
 */
#ifndef SIM_LISTS_H
#define SIM_LISTS_H

#include "tests/sim/engine.h"

/* An engine is made, and has not published yet: it reads the files. */
void lists_start(struct sim_engine *engine);

/* The operator's turn, with no change under way. True: a reload has begun. */
bool lists_step(struct sim_engine *engine);
/* The operator looks whether a reload is done. */
void lists_desk(struct sim_engine *engine);
bool lists_done(const struct sim_engine *engine);

/* A worker of the engine that serves was stepped, which had queued so many records before. */
void lists_check_records(const struct sim_engine *engine, unsigned w, uint64_t queued);
/* It gives out a reply, the only one of its datagram. */
void lists_check_reply(const struct sim_engine *engine, const struct fg_header *header,
                       const struct fg_reply *reply);

#endif
