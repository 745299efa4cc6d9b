/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: DPDK ethernet devices with a queue pair for each worker, and how datagrams spread over
 * those queues.
 *
 * A port that offers fewer queues than there are workers is allowed: the workers without a queue on
 * it get their datagrams handed over, and send by the worker that received them.
 *
 * Threads: control, before workers start and after they ended; read-only for workers.
 */
#ifndef FG_NET_PORT_H
#define FG_NET_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "control/config/config.h"
#include "dataplane/net/frame.h"
#include "dataplane/net/steering.h"

struct rte_mempool;

struct fg_port {
    uint16_t id;     /* DPDK's */
    uint16_t queues; /* queue pairs; worker w < queues has queue w */
    struct fg_frame_address address;
    /* A reply leaves by the queue pair its request came in by: there are fewer queues than workers,
     * or the peer may listen to fewer than it was offered (vhost). */
    bool reply_by_receiver;
    bool started;
    const char *driver; /* name of its driver, which owns it */
    const char *spread; /* what puts a datagram for which there is no rule on a queue, in words */
    struct fg_steering rules;
    char steering[256];    /* how this port spreads datagrams, and why so, in words */
    const char *multicast; /* how it gets neighbour solicitations, in words; NULL: no IPv6 */
};

/* Is the device an EAL vdev string ("net_vhost0,iface=..."), and not a PCI address? */
static inline bool fg_port_is_vdev(const char *device)
{
    return memchr(device, ':', strcspn(device, ",")) == NULL;
}

/* How many bytes of a device's text are its name, which stands before its arguments. */
static inline int fg_port_name_bytes(const char *device)
{
    return (int)strcspn(device, ",");
}

/* Makes the buffer pool of worker w, on its memory node. NULL with a sentence. */
struct rte_mempool *fg_port_pool_create(const struct fg_config *config, unsigned w, int socket,
                                        char *message, size_t size);

/*
 * Finds the device of config->ports[index], sets it up with a queue pair per worker as far as it
 * has them (pools[w] feeds queue w), and starts it. 0, or -1 with a sentence in `message`.
 */
int fg_port_start(struct fg_port *port, const struct fg_config *config, unsigned index,
                  struct rte_mempool *const *pools, char *message, size_t size);
void fg_port_stop(struct fg_port *port);

/* A line of facts for people: device, addresses, link, queues, steering. */
void fg_port_describe(const struct fg_port *port, const struct fg_port_config *config, char *text,
                      size_t size);

#endif
