/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ports.h"

#include <rte_ethdev.h>

#define LOOK_MS 1000

/* How many it has lost by now. */
static uint64_t look_at(const struct fg_port *port, struct fg_port_figures *figures)
{
    struct rte_eth_stats stats = {0};
    bool told = rte_eth_stats_get(port->id, &stats) == 0;
    atomic_store_explicit(&figures->missed, stats.imissed, memory_order_relaxed);
    atomic_store_explicit(&figures->errors, stats.ierrors, memory_order_relaxed);
    atomic_store_explicit(&figures->no_buffers, stats.rx_nombuf, memory_order_relaxed);
    atomic_store_explicit(&figures->told, told, memory_order_relaxed);
    return stats.imissed + stats.ierrors + stats.rx_nombuf;
}

void fg_ports_look(struct fg_ports_seen *seen, struct fg_engine *engine, uint64_t now_ms)
{
    if (now_ms < seen->next_ms)
        return;
    seen->next_ms = now_ms + LOOK_MS;
    for (unsigned i = 0; i < engine->config.ports_count; i++) {
        if (!engine->ports[i].started)
            continue;
        uint64_t lost = look_at(&engine->ports[i], &engine->port_figures[i]);
        if (lost > seen->lost[i])
            seen->grew_ms[i] = now_ms;
        seen->lost[i] = lost;
    }
}

bool fg_ports_lose(const struct fg_ports_seen *seen, unsigned port, uint64_t now_ms)
{
    return seen->grew_ms[port] != 0 && now_ms - seen->grew_ms[port] < FG_PORTS_LATELY_MS;
}
