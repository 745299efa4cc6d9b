/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator: applies the run's sales, opens them, and then changes this and that. Asks the real
 * control plane, one change at a time, and asks again what a crash may have lost. */
#ifndef SIM_OPERATOR_H
#define SIM_OPERATOR_H

#include "tests/sim/engine.h"

void operator_step(struct sim_engine *engine);

/* Before the last orders: every sale that is paused is resumed. True when all is in force. */
bool operator_settled(struct sim_engine *engine);

#endif
