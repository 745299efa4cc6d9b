/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of things: which part takes a step when, and when engines die and start. */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include "tests/sim/engine.h"

/* Everyone who may act takes a step or not, in random order; then time passes. */
void schedule_round(struct world *world);

/* The engine that serves dies here: of itself, or with the power. */
void schedule_death(struct world *world);

/* Ends what harms: nothing fails from now on. */
void schedule_heal(struct world *world);

#endif
