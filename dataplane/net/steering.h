/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow rules: a port that can steer puts a datagram on the queue of the worker that owns its
 * partition, by the UDP port that the sender chose for it (base + partition, as PONG tells).
 *
 * A rule is one of the engine's addresses on the port, and one or some of its UDP ports. Where the
 * number of workers is a power of two, partition mod workers are the last bits of the UDP port,
 * because the base is a multiple of the partitions: then a rule for each worker says it all, if the
 * driver takes rules that look at some bits of a port. Else there is a rule for each partition.
 *
 * A port is judged by what it really makes (rte_flow_create; some drivers find rules valid that
 * they cannot make), and it is all or nothing: at the first rule that is refused those made are
 * destroyed. Rules are a short way and nothing rests on them: a worker looks at each datagram's own
 * partition and hands over what is not its own, be that of a sender who took any port of the
 * engine's, of a tagged frame that the driver's rules do not see, or of a port that steers wrongly.
 * What is no UDP to the engine (ARP, ICMP, neighbour solicitations) matches no rule and comes in as
 * it did; the port is not isolated.
 *
 * Threads: control, before workers start and after they ended.
 */
#ifndef FG_NET_STEERING_H
#define FG_NET_STEERING_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/net/frame.h"

struct rte_flow;

/* What a port is asked for. */
struct fg_steering_plan {
    const struct fg_frame_address *address; /* the engine's on this port, and its UDP ports */
    unsigned workers;                       /* partition p belongs to worker p mod workers */
    unsigned queues; /* at most as many as workers: worker w's is w mod queues */
};

/* To one of the engine's addresses, a UDP port that is `port` in the bits of `mask`: to `queue`. */
struct fg_steering_rule {
    bool ipv6;
    uint16_t port, mask, queue;
};

/* Do the last bits of the UDP port tell the worker? */
bool fg_steering_by_bits(const struct fg_steering_plan *plan);

/* How many rules it takes, of all addresses; by the last bits, or one for each UDP port. */
unsigned fg_steering_count(const struct fg_steering_plan *plan, bool by_bits);

/* The rules 0 .. count - 1: those of IPv4 first. */
struct fg_steering_rule fg_steering_rule_of(const struct fg_steering_plan *plan, bool by_bits,
                                            unsigned index);

/* The rules of a port. Zeroed: none. */
struct fg_steering {
    uint16_t port;          /* DPDK's id */
    unsigned count;         /* rules in force; 0: the port does not steer */
    struct rte_flow **made; /* owned */
    char words[160]; /* "4 for each of IPv4 and IPv6", or why there are none; "": nothing to do */
};

/*
 * Asks a started port for rules: by the last bits where they tell the worker, and if it refuses,
 * one for each UDP port. True if they are in force; false leaves none behind (if the driver does
 * not take one back, `words` says so). A port with one queue is not asked.
 */
bool fg_steering_start(struct fg_steering *steering, uint16_t port,
                       const struct fg_steering_plan *plan);

/* Destroys them, the last one first. The port is still started. */
void fg_steering_stop(struct fg_steering *steering);

#endif
