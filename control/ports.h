/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that ports have lost before a worker saw them: no counter of the engine has those. Once a
 * second control asks the drivers (rte_eth_stats_get), which no worker does: some make a system
 * call for it.
 *
 * A driver tells what it knows, and a software wire knows little: net_vhost's ring that is full is
 * the peer's to see, whose frames stay with it, and what the kernel drops before net_af_packet is
 * in no figure of it.
 *
 * One thread: control.
 */
#ifndef FG_CONTROL_PORTS_H
#define FG_CONTROL_PORTS_H

#include "dataplane/engine.h"

#define FG_PORTS_LATELY_MS 60000 /* so long after the last loss there is an alarm */

/* What was seen at the last look. Zeroed at start. */
struct fg_ports_seen {
    uint64_t next_ms; /* monotonic, like all here */
    uint64_t lost[FG_PORTS_MAX];
    uint64_t grew_ms[FG_PORTS_MAX]; /* when that grew; 0: never */
};

/* Reads the ports that are started into engine->port_figures, at most once a second. */
void fg_ports_look(struct fg_ports_seen *seen, struct fg_engine *engine, uint64_t now_ms);

/* Has the port lost frames lately? */
bool fg_ports_lose(const struct fg_ports_seen *seen, unsigned port, uint64_t now_ms);

#endif
