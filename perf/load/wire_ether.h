/* SPDX-License-Identifier: BSD-3-Clause */
/* The Ethernet header: what wire.c and wire6.c share. */
#ifndef LOAD_WIRE_ETHER_H
#define LOAD_WIRE_ETHER_H

#include <string.h>

#include <rte_ether.h>

static inline void write_ether(uint8_t *frame, const struct rte_ether_addr *to,
                               const struct rte_ether_addr *from, uint16_t type)
{
    struct rte_ether_hdr ether = {
        .dst_addr = *to, .src_addr = *from, .ether_type = rte_cpu_to_be_16(type)};

    memcpy(frame, &ether, sizeof(ether));
}

#endif
