/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DPDK port that steers: a vdev whose queues are rings (net_ring), with flow operations of the
 * tests' own. It records every rule that it is asked for, may refuse them in several ways, and a
 * frame that is put in comes to the queue that the rules in force name, as a NIC would do it.
 * What no rule matches is spread by its UDP source port, and what is no UDP comes in by queue 0.
 *
 * DPDK does not install what drivers include, so the two places in its tables that a driver's flow
 * operations hang on are numbers here, of DPDK 22.11; steered_open() fails where they do not lead
 * to them.
 *
 * One thread; the queues may be polled by others. EAL must be up.
 */
#ifndef FG_TESTS_STEERED_PORT_H
#define FG_TESTS_STEERED_PORT_H

#include <dlfcn.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/net/eal.h"
#include "dataplane/net/port.h"
#include "flashgate/exit_status.h"

#define STEERED_QUEUES_MAX 8
#define STEERED_RULES_MAX  2048
#define STEERED_RING       1024

/* Of DPDK 22.11: a device, in it the driver's operations, in these the way to flow operations. */
#define STEERED_DEVICE_BYTES   0x4080
#define STEERED_OPS_OFFSET     0x40
#define STEERED_FLOW_OFFSET    0x230
#define STEERED_OPS_BYTES      0x400
#define STEERED_FLOW_OPS_COUNT 64

/* A rule as it was asked for; a rte_flow is its address. */
struct steered_rule {
    bool alive, ipv6;
    struct rte_flow_attr attributes;
    uint8_t address[16], address_mask[16]; /* to; of IPv4 the first four */
    uint16_t port, port_mask, queue;       /* UDP, to */
    unsigned destroyed;                    /* as which of all; 0: not yet */
};

static struct steered {
    /* the test's to set before rules are asked for */
    bool no_flow;        /* the driver knows no flow rules */
    bool refuse_bits;    /* it looks at whole UDP ports alone */
    unsigned refuse_ask; /* this request is refused, counted from 1; 0: none is */
    unsigned room;       /* for so many rules at once; 0: none */
    bool keeps;          /* does not take rules back one by one */
    bool keeps_all;      /* ... nor all at once */
    bool wrong;          /* steers to the queue after the rule's */

    char name[32]; /* of the device */
    uint16_t id;
    unsigned queues;
    struct rte_ring *in[STEERED_QUEUES_MAX], *out[STEERED_QUEUES_MAX];
    struct steered_rule rules[STEERED_RULES_MAX]; /* in the order in which they were made */
    unsigned asked, made, destroyed, alive, flushes;
    bool isolated; /* what no rule matches does not come in */
    bool late;     /* a rule was destroyed when the port was stopped already */
} steered;

/* --- the driver's side --- */

struct rte_eth_dev;

static inline int steered_refuse(struct rte_flow_error *error, int code, const char *why)
{
    return rte_flow_error_set(error, code, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL, why);
}

/* Of other drivers some find every rule valid: nobody may rely on it. */
static inline int steered_validate(struct rte_eth_dev *device,
                                   const struct rte_flow_attr *attributes,
                                   const struct rte_flow_item pattern[],
                                   const struct rte_flow_action actions[],
                                   struct rte_flow_error *error)
{
    (void)device, (void)attributes, (void)pattern, (void)actions, (void)error;
    return 0;
}

/* Ethernet / IP to / UDP to, and a queue; nothing else is known here. */
static inline bool steered_read(struct steered_rule *rule, const struct rte_flow_item *item,
                                const struct rte_flow_action *action)
{
    if (item[0].type != RTE_FLOW_ITEM_TYPE_ETH || item[0].spec || item[0].last)
        return false;
    rule->ipv6 = item[1].type == RTE_FLOW_ITEM_TYPE_IPV6;
    if (!item[1].spec || !item[1].mask || item[1].last || !item[2].spec || !item[2].mask ||
        item[2].last || (!rule->ipv6 && item[1].type != RTE_FLOW_ITEM_TYPE_IPV4) ||
        item[2].type != RTE_FLOW_ITEM_TYPE_UDP || item[3].type != RTE_FLOW_ITEM_TYPE_END)
        return false;
    const uint8_t *spec = item[1].spec, *mask = item[1].mask;
    size_t at = rule->ipv6 ? 24 : 16, bytes = rule->ipv6 ? 16 : 4;
    size_t header = rule->ipv6 ? 40 : 20;
    for (size_t i = 0; i < header; i++) /* it asks for nothing but the address */
        if (mask[i] && (i < at || i >= at + bytes))
            return false;
    memcpy(rule->address, spec + at, bytes);
    memcpy(rule->address_mask, mask + at, bytes);
    const struct rte_flow_item_udp *udp = item[2].spec, *udp_mask = item[2].mask;
    if (udp_mask->hdr.src_port || udp_mask->hdr.dgram_len || udp_mask->hdr.dgram_cksum)
        return false;
    rule->port = rte_be_to_cpu_16(udp->hdr.dst_port);
    rule->port_mask = rte_be_to_cpu_16(udp_mask->hdr.dst_port);
    if (action[0].type != RTE_FLOW_ACTION_TYPE_QUEUE || action[1].type != RTE_FLOW_ACTION_TYPE_END)
        return false;
    rule->queue = ((const struct rte_flow_action_queue *)action[0].conf)->index;
    return rule->queue < steered.queues;
}

static inline struct rte_flow *steered_create(struct rte_eth_dev *device,
                                              const struct rte_flow_attr *attributes,
                                              const struct rte_flow_item pattern[],
                                              const struct rte_flow_action actions[],
                                              struct rte_flow_error *error)
{
    struct steered_rule rule = {.alive = true, .attributes = *attributes};
    const char *why = NULL;

    (void)device;
    steered.asked++;
    if (steered.made == STEERED_RULES_MAX || !steered_read(&rule, pattern, actions))
        why = "not a rule of this port";
    else if (steered.refuse_bits && rule.port_mask != UINT16_MAX)
        why = "partial mask of a port";
    else if (steered.asked == steered.refuse_ask)
        why = "not this one";
    else if (steered.alive == steered.room)
        why = "the table is full";
    if (why) {
        steered_refuse(error, ENOTSUP, why);
        return NULL;
    }
    steered.alive++;
    steered.rules[steered.made] = rule;
    return (struct rte_flow *)&steered.rules[steered.made++];
}

static inline void steered_forget(struct steered_rule *rule)
{
    struct rte_eth_link link = {0};

    rule->alive = false;
    rule->destroyed = ++steered.destroyed;
    steered.alive--;
    rte_eth_link_get_nowait(steered.id, &link);
    steered.late |= link.link_status == RTE_ETH_LINK_DOWN;
}

static inline int steered_destroy(struct rte_eth_dev *device, struct rte_flow *flow,
                                  struct rte_flow_error *error)
{
    struct steered_rule *rule = (struct steered_rule *)flow;

    (void)device;
    if (rule < steered.rules || rule >= steered.rules + steered.made || !rule->alive)
        return steered_refuse(error, EINVAL, "no such rule");
    if (steered.keeps)
        return steered_refuse(error, EBUSY, "rules stay");
    steered_forget(rule);
    return 0;
}

static inline int steered_flush(struct rte_eth_dev *device, struct rte_flow_error *error)
{
    (void)device;
    steered.flushes++;
    if (steered.keeps_all)
        return steered_refuse(error, EBUSY, "rules stay");
    for (unsigned i = 0; i < steered.made; i++)
        if (steered.rules[i].alive)
            steered_forget(&steered.rules[i]);
    return 0;
}

static inline int steered_isolate(struct rte_eth_dev *device, int set, struct rte_flow_error *error)
{
    (void)device, (void)error;
    steered.isolated = set;
    return 0;
}

/* As drivers give it: DPDK's struct rte_flow_ops begins with these, query before isolate. */
static inline int steered_flow_ops(struct rte_eth_dev *device, const void **ops)
{
    static void *const table[STEERED_FLOW_OPS_COUNT] = {(void *)steered_validate,
                                                        (void *)steered_create,
                                                        (void *)steered_destroy,
                                                        (void *)steered_flush,
                                                        NULL,
                                                        (void *)steered_isolate};

    (void)device;
    *ops = steered.no_flow ? NULL : table;
    return 0;
}

/* Hangs the flow operations into a device's copy of its driver's operations. */
static inline void steered_hang_in(uint16_t id)
{
    static char ops[STEERED_OPS_BYTES]; /* what lies behind: the driver has none */
    char *devices = dlsym(RTLD_DEFAULT, "rte_eth_devices");
    int (*way)(struct rte_eth_dev *, const void **) = steered_flow_ops;

    assert_non_null(devices);
    char *device = devices + (size_t)id * STEERED_DEVICE_BYTES, *to = ops;
    char *from;
    memcpy(&from, device + STEERED_OPS_OFFSET, sizeof(from));
    if (from != ops)
        memcpy(ops, from, STEERED_FLOW_OFFSET);
    memcpy(ops + STEERED_FLOW_OFFSET, &way, sizeof(way));
    memcpy(device + STEERED_OPS_OFFSET, &to, sizeof(to));
}

/* --- the test's side --- */

static char steered_runtime[] = "/tmp/flashgate-steered-XXXXXX";
static char *steered_no_huge[] = {"--no-huge", "-m", "128", "--no-shconf"};

/* What an engine with so many workers and that port is configured with. */
static inline struct fg_config steered_config(unsigned workers, char *device)
{
    return (struct fg_config){
        .eal = steered_no_huge,
        .eal_count = 4,
        .file_prefix = "test-steered",
        .ports = {{.device = device}},
        .ports_count = device != NULL,
        .mbufs = 1024,
        .rx_descriptors = 128,
        .tx_descriptors = 128,
        .workers = workers,
        .control_core = 0,
        .journal_core = -1,
        .storage_core = -1,
        .delivery_core = -1,
        .base_port = 20480,
        .partitions = 64,
        .idle = FG_IDLE_YIELD,
    };
}

static inline int steered_eal_start(void **state)
{
    struct fg_config config = steered_config(1, NULL);
    char message[512];

    (void)state;
    assert_non_null(mkdtemp(steered_runtime));
    assert_int_equal(setenv("RUNTIME_DIRECTORY", steered_runtime, 1), 0);
    assert_int_equal(fg_eal_start(&config, message, sizeof(message)), FG_EXIT_OK);
    return 0;
}

static inline int steered_eal_stop(void **state)
{
    char path[64];

    (void)state;
    fg_eal_stop();
    snprintf(path, sizeof(path), "%s/dpdk/test-steered", steered_runtime);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/dpdk", steered_runtime);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(steered_runtime), 0);
    return 0;
}

/* A port with so many queue pairs, and room for all rules. `steered.name` is its device. */
static inline void steered_open(unsigned queues)
{
    static unsigned opened;
    char name[16];

    steered = (struct steered){.queues = queues, .room = STEERED_RULES_MAX};
    for (unsigned q = 0; q < queues; q++) {
        snprintf(name, sizeof(name), "in%u_%u", opened, q);
        steered.in[q] = rte_ring_create(name, STEERED_RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
        snprintf(name, sizeof(name), "out%u_%u", opened, q);
        steered.out[q] = rte_ring_create(name, STEERED_RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
        assert_non_null(steered.in[q]);
        assert_non_null(steered.out[q]);
    }
    snprintf(name, sizeof(name), "steered%u", opened++);
    int id = rte_eth_from_rings(name, steered.in, queues, steered.out, queues, 0);
    assert_true(id >= 0);
    steered.id = (uint16_t)id;
    assert_int_equal(rte_eth_dev_get_name_by_port(steered.id, steered.name), 0);
    steered_hang_in(steered.id);
    assert_int_equal(rte_flow_validate(steered.id, NULL, NULL, NULL, NULL), 0);
}

/* After the port was stopped. */
static inline void steered_close(void)
{
    for (unsigned q = 0; q < steered.queues; q++) {
        rte_ring_free(steered.in[q]);
        rte_ring_free(steered.out[q]);
    }
}

/* The rule in force that a datagram to this address (`at` its bytes) and UDP port has; NULL: none.
 */
static inline const struct steered_rule *steered_rule_for(bool ipv6, const uint8_t *at,
                                                          uint16_t port)
{
    for (unsigned i = 0; i < steered.made; i++) {
        const struct steered_rule *rule = &steered.rules[i];
        bool matches = rule->alive && rule->ipv6 == ipv6 &&
                       (port & rule->port_mask) == (rule->port & rule->port_mask);
        for (unsigned b = 0; matches && b < (ipv6 ? 16 : 4); b++)
            matches = (at[b] & rule->address_mask[b]) == (rule->address[b] & rule->address_mask[b]);
        if (matches)
            return rule;
    }
    return NULL;
}

/* The queue that an untagged frame comes to; steered.queues: none. */
static inline unsigned steered_queue_of(const uint8_t *frame)
{
    bool ipv6 = frame[12] == 0x86 && frame[13] == 0xdd, ipv4 = frame[12] == 8 && frame[13] == 0;
    const uint8_t *ip = frame + 14, *udp = ip + (ipv6 ? 40 : 20);

    if (!(ipv4 && ip[9] == 17) && !(ipv6 && ip[6] == 17))
        return steered.isolated ? steered.queues : 0;
    const struct steered_rule *rule =
        steered_rule_for(ipv6, ip + (ipv6 ? 24 : 16), (uint16_t)(udp[2] << 8 | udp[3]));
    if (rule)
        return (rule->queue + steered.wrong) % steered.queues;
    return steered.isolated ? steered.queues
                            : (unsigned)(udp[0] << 8 | udp[1]) / 2 % steered.queues;
}

/* Puts a frame in; returns the queue it came to. */
static inline unsigned steered_put(struct rte_mbuf *frame)
{
    unsigned queue = steered_queue_of(rte_pktmbuf_mtod(frame, const uint8_t *));

    if (queue == steered.queues)
        rte_pktmbuf_free(frame);
    else
        assert_int_equal(rte_ring_sp_enqueue(steered.in[queue], frame), 0);
    return queue;
}

/* Takes a frame that has left by any queue; NULL: none has. */
static inline struct rte_mbuf *steered_take(void)
{
    void *frame;

    for (unsigned q = 0; q < steered.queues; q++)
        if (rte_ring_sc_dequeue(steered.out[q], &frame) == 0)
            return frame;
    return NULL;
}

#endif
