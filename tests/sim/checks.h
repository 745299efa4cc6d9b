/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is checked, and when: SOLD_OUT the moment it is said, the log each time it has become
 * durable, all the rest when a run has ended, was healed and has drained. The invariants are those
 * of docs/architecture.md; most of the work is done by the library of perf/check.
 */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include "tests/sim/engine.h"

/* A worker of the engine is about to be stepped. */
void checks_before_worker(struct sim_engine *engine);

/* Its worker was stepped, which had queued so many records before: none may be of a kind that the
 * engine's mode forbids, once the operator was told that this is in force. */
void checks_mode(struct sim_engine *engine, unsigned w, uint64_t queued);

/* The engine says that it has drained. */
void checks_drained(struct sim_engine *engine);

/* The operator is told that an order is cancelled. */
void checks_cancelled(struct sim_engine *engine, uint64_t order);

/* An engine gives out a finished reply. */
void checks_reply(struct sim_engine *engine, const uint8_t *payload);

/* The engine that serves has made more of its log durable. */
void checks_durable(struct sim_engine *engine);

/* An engine has started: the log is followed from its beginning. */
void checks_follow(struct sim_engine *engine);
/* It has ended, one way or the other. */
void checks_leave(struct world *world);

/* The engine is quiet: its stock is what the log says. */
void checks_stock(struct sim_engine *engine);

/* At the end, drained: everything. */
void checks_end(struct sim_engine *engine);

/* I1, between any two steps: what is free and what durable orders have is no more than was put on
 * sale. */
void checks_supply(struct sim_engine *engine);

/* Units of the item that the log gives away, as far as it was followed. */
int64_t checks_given(const struct world *world, uint32_t item);

#endif
