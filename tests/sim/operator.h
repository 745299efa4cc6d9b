/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator: applies the run's sales, opens them, and then changes this and that. Asks the real
 * control plane, one change at a time, and asks again what a crash may have lost. */
#ifndef SIM_OPERATOR_H
#define SIM_OPERATOR_H

#include "tests/sim/engine.h"

void operator_step(struct sim_engine *engine);

/* Before the last orders: every sale that is paused is resumed. True when all is in force. */
bool operator_settled(struct sim_engine *engine);

/* What the operator's files share. */
void operator_note(struct sim_engine *engine, enum sim_operation what, uint64_t a, uint64_t b);

/* operator_desk.c: what takes the operator several steps. Each is carried on by operator_desk(). */
void operator_desk(struct sim_engine *engine);
/* Some order is to be cancelled, whatever state it is in. */
void operator_cancel(struct sim_engine *engine);
/* The engine is paused, drained or killed; operator_mode() resumes it. True: it has begun to. */
void operator_shut(struct sim_engine *engine);
bool operator_mode(struct sim_engine *engine);
/* A stream is rebuilt, or told to be consumed. */
void operator_stream(struct sim_engine *engine, const struct fg_sale *sale);
/* Nothing is under way on the desk, and the engine runs. */
bool operator_done(const struct sim_engine *engine);

#endif
