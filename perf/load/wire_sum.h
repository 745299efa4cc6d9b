/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum, and the Ethernet header: what wire.c and wire6.c share. */
#ifndef LOAD_WIRE_SUM_H
#define LOAD_WIRE_SUM_H

#include <string.h>

#include <rte_ether.h>

/* The ones' complement sum of the Internet checksum (RFC 1071), eight bytes at a time: it may be
 * taken over words of any size, and in either byte order. Folded to 16 bits by fold(). */
static inline uint64_t sum_bytes(const uint8_t *at, size_t length, uint64_t sum)
{
    uint64_t word;

    for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += word;
        sum += sum < word; /* the carry comes in again at the other end */
    }
    word = 0;
    memcpy(&word, at, length);
    sum += word;
    return sum + (sum < word);
}

static inline uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)((sum >> 16) + sum);
}

static inline void write_ether(uint8_t *frame, const struct rte_ether_addr *to,
                               const struct rte_ether_addr *from, uint16_t type)
{
    struct rte_ether_hdr ether = {
        .dst_addr = *to, .src_addr = *from, .ether_type = rte_cpu_to_be_16(type)};

    memcpy(frame, &ether, sizeof(ether));
}

#endif
