/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's figures by DPDK's telemetry, for dpdk-telemetry.py:
 *
 *   /flashgate/status          engine, log and delivery
 *   /flashgate/workers[,N]     each worker, by number; all of worker N
 *   /flashgate/sales[,NAME]    each sale, by number; the units on sale of each item of one
 *   /flashgate/histograms      how long things take
 *
 * Threads: started and stopped by control. Commands run in DPDK's telemetry threads and read only
 * what is published.
 */
#ifndef FG_CONTROL_TELEMETRY_H
#define FG_CONTROL_TELEMETRY_H

struct fg_engine;

/* The commands answer from now on, of this engine. */
void fg_telemetry_start(struct fg_engine *engine);
/* After it no command reads the engine any more. */
void fg_telemetry_stop(void);

#endif
