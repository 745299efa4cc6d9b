/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The metrics page: GET /metrics by HTTP/1.1, for Prometheus and whoever reads its formats. A
 * scraper that asks for OpenMetrics gets it, others the older text format.
 *
 * Threads: started and stopped by control; requests are served by a thread of the page's own, which
 * reads only what is published. Connections, their memory and their time are bounded.
 */
#ifndef FG_CONTROL_METRICS_H
#define FG_CONTROL_METRICS_H

#include <stddef.h>

struct fg_engine;

/* Listens, if the configuration wants it: engine->metrics. FG_EXIT_OK, or another exit status with
 * a sentence. */
int fg_metrics_start(struct fg_engine *engine, char *message, size_t size);
void fg_metrics_stop(struct fg_engine *engine);

#endif
