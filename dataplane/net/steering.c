/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_flow.h>

#include "dataplane/net/steering.h"

static unsigned partitions_of(const struct fg_steering_plan *plan)
{
    return plan->address->last_port - plan->address->first_port + 1;
}

bool fg_steering_by_bits(const struct fg_steering_plan *plan)
{
    return (plan->workers & (plan->workers - 1)) == 0 && plan->workers < partitions_of(plan);
}

/* How many rules one address takes. */
static unsigned rules_of_one(const struct fg_steering_plan *plan, bool by_bits)
{
    return by_bits ? plan->workers : partitions_of(plan);
}

static bool has_ipv4(const struct fg_steering_plan *plan)
{
    return plan->address->address != 0;
}

static bool has_ipv6(const struct fg_steering_plan *plan)
{
    return !fg_ip_is_zero(plan->address->address6);
}

unsigned fg_steering_count(const struct fg_steering_plan *plan, bool by_bits)
{
    unsigned addresses = (unsigned)has_ipv4(plan) + (unsigned)has_ipv6(plan);

    return plan->queues < 2 ? 0 : addresses * rules_of_one(plan, by_bits);
}

struct fg_steering_rule fg_steering_rule_of(const struct fg_steering_plan *plan, bool by_bits,
                                            unsigned index)
{
    unsigned each = rules_of_one(plan, by_bits), partition = index % each;
    uint32_t above = ~(partitions_of(plan) - 1); /* the bits of the base */
    uint32_t mask = by_bits ? above | (plan->workers - 1) : UINT16_MAX;

    return (struct fg_steering_rule){
        .ipv6 = !has_ipv4(plan) || index >= each,
        .port = (uint16_t)(plan->address->first_port + partition),
        .mask = (uint16_t)mask,
        .queue = (uint16_t)(partition % plan->workers % plan->queues),
    };
}

/* NULL, with the driver's error. */
static struct rte_flow *make(uint16_t port, const struct fg_frame_address *us,
                             const struct fg_steering_rule *rule, struct rte_flow_error *error)
{
    struct rte_flow_item_ipv4 ipv4 = {.hdr.dst_addr = rte_cpu_to_be_32(us->address)};
    struct rte_flow_item_ipv4 ipv4_mask = {.hdr.dst_addr = RTE_BE32(UINT32_MAX)};
    struct rte_flow_item_ipv6 ipv6 = {0}, ipv6_mask = {0};
    struct rte_flow_item_udp udp = {.hdr.dst_port = rte_cpu_to_be_16(rule->port & rule->mask)};
    struct rte_flow_item_udp udp_mask = {.hdr.dst_port = rte_cpu_to_be_16(rule->mask)};
    struct rte_flow_action_queue queue = {.index = rule->queue};
    const struct rte_flow_item pattern[] = {
        {.type = RTE_FLOW_ITEM_TYPE_ETH},
        rule->ipv6 ? (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_IPV6,
                                            .spec = &ipv6,
                                            .mask = &ipv6_mask}
                   : (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_IPV4,
                                            .spec = &ipv4,
                                            .mask = &ipv4_mask},
        {.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask},
        {.type = RTE_FLOW_ITEM_TYPE_END},
    };
    const struct rte_flow_action actions[] = {
        {.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue},
        {.type = RTE_FLOW_ACTION_TYPE_END},
    };
    const struct rte_flow_attr attributes = {.ingress = 1};

    fg_ip_put_v6(us->address6, ipv6.hdr.dst_addr);
    memset(ipv6_mask.hdr.dst_addr, 0xff, sizeof(ipv6_mask.hdr.dst_addr));
    return rte_flow_create(port, &attributes, pattern, actions, error);
}

/* Takes back the rules made, the last one first; returns how many the driver keeps all the same. */
static unsigned destroy(struct fg_steering *steering)
{
    struct rte_flow_error error;
    unsigned kept = 0;

    while (steering->count > 0)
        if (rte_flow_destroy(steering->port, steering->made[--steering->count], &error) != 0)
            kept++;
    if (kept > 0 && rte_flow_flush(steering->port, &error) == 0)
        kept = 0;
    free(steering->made);
    steering->made = NULL;
    return kept;
}

/* The driver's own words for its refusal of rule `index` of `count`. */
static void refused(struct fg_steering *steering, unsigned index, unsigned count, int code,
                    const struct rte_flow_error *error, unsigned kept)
{
    char remains[48] = "";

    if (kept > 0)
        snprintf(remains, sizeof(remains), "; it keeps %u that it made", kept);
    if (code == ENOSYS)
        snprintf(steering->words, sizeof(steering->words), "no flow rules");
    else
        snprintf(steering->words, sizeof(steering->words), "it refused flow rule %u of %u: %.80s%s",
                 index + 1, count, error->message ? error->message : rte_strerror(code), remains);
}

static bool try(struct fg_steering *steering, const struct fg_steering_plan *plan, bool by_bits)
{
    unsigned count = fg_steering_count(plan, by_bits);
    struct rte_flow_error error = {0};

    steering->made = calloc(count, sizeof(struct rte_flow *));
    if (!steering->made) {
        snprintf(steering->words, sizeof(steering->words), "no memory for %u flow rules", count);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        struct fg_steering_rule rule = fg_steering_rule_of(plan, by_bits, i);
        struct rte_flow *made = make(steering->port, plan->address, &rule, &error);
        if (!made) {
            int code = rte_errno;
            refused(steering, i, count, code, &error, destroy(steering));
            return false;
        }
        steering->made[steering->count++] = made;
    }
    return true;
}

bool fg_steering_start(struct fg_steering *steering, uint16_t port,
                       const struct fg_steering_plan *plan)
{
    *steering = (struct fg_steering){.port = port};
    if (plan->queues < 2)
        return false;
    bool by_bits = fg_steering_by_bits(plan);
    if (!(by_bits && try(steering, plan, true)) && !try(steering, plan, false))
        return false;
    bool both = has_ipv4(plan) && has_ipv6(plan);
    snprintf(steering->words, sizeof(steering->words), "%u for %s%s",
             steering->count / (both ? 2 : 1), both ? "each of " : "",
             both             ? "IPv4 and IPv6"
             : has_ipv4(plan) ? "IPv4"
                              : "IPv6");
    return true;
}

void fg_steering_stop(struct fg_steering *steering)
{
    /* What the driver keeps goes with the port, which is closed next. */
    if (steering->made)
        (void)destroy(steering);
}
