/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All workers together: their buffers and rings, their launch and their end.
 *
 * Threads: control.
 */
#ifndef FG_WORKERS_H
#define FG_WORKERS_H

#include "dataplane/engine.h"

/* Makes engine->workers with their pools and rings; `admissions` stay the caller's. FG_EXIT_OK, or
 * another exit status with a sentence. On failure, too, fg_workers_free() frees what there is. */
int fg_workers_make(struct fg_engine *engine, struct fg_admission *const *admissions,
                    struct fg_counters *const *counters, char *message, size_t size);
void fg_workers_free(struct fg_engine *engine);

/* Starts every worker on its lcore, and waits until it runs. FG_EXIT_OK or FG_EXIT_NETWORK. */
int fg_workers_launch(struct fg_engine *engine, char *message, size_t size);

/* Workers take nothing new, but settle and send what waits; at most `limit_ms`. True: all is
 * sent. */
bool fg_workers_drain(struct fg_engine *engine, unsigned limit_ms);

/* Ends and joins them. */
void fg_workers_stop(struct fg_engine *engine);

#endif
