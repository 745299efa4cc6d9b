/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/wire.h"

#include <assert.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/net/checksum.h"
#include "perf/load/wire6.h"
#include "perf/load/wire_ether.h"

#define ETHER_BYTES sizeof(struct rte_ether_hdr)
#define IPV4_BYTES  sizeof(struct rte_ipv4_hdr)
#define UDP_BYTES   sizeof(struct rte_udp_hdr)
static_assert(ETHER_BYTES + IPV4_BYTES + UDP_BYTES == LOAD_WIRE_HEADERS_BYTES, "no VLAN tag");

enum { TTL = 64 };

static inline uint16_t sum_ip(const struct rte_ipv4_hdr *ip)
{
    return fg_checksum_fold(fg_checksum_add(ip, IPV4_BYTES, 0));
}

/* Over the pseudo header and a whole datagram of `length` bytes. */
static inline uint16_t sum_udp(const struct rte_ipv4_hdr *ip, const uint8_t *datagram,
                               size_t length)
{
    uint64_t pseudo = (uint64_t)ip->src_addr + ip->dst_addr + rte_cpu_to_be_16(IPPROTO_UDP) +
                      rte_cpu_to_be_16((uint16_t)length);

    return fg_checksum_fold(fg_checksum_add(datagram, length, pseudo));
}

size_t load_wire_datagram(const struct load_wire *wire, uint8_t *frame, uint16_t udp_port,
                          const void *payload, size_t length)
{
    struct rte_ipv4_hdr ip = {
        .version_ihl = RTE_IPV4_VHL_DEF,
        .total_length = rte_cpu_to_be_16((uint16_t)(IPV4_BYTES + UDP_BYTES + length)),
        .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
        .time_to_live = TTL,
        .next_proto_id = IPPROTO_UDP,
        .src_addr = rte_cpu_to_be_32(wire->address),
        .dst_addr = rte_cpu_to_be_32(wire->target),
    };
    struct rte_udp_hdr udp = {
        .src_port = rte_cpu_to_be_16(wire->udp_port),
        .dst_port = rte_cpu_to_be_16(udp_port),
        .dgram_len = rte_cpu_to_be_16((uint16_t)(UDP_BYTES + length)),
    };
    uint8_t *at = frame + ETHER_BYTES + IPV4_BYTES;

    if (wire->ipv6)
        return load_wire6_datagram(wire, frame, udp_port, payload, length);
    ip.hdr_checksum = (uint16_t)~sum_ip(&ip);
    write_ether(frame, &wire->target_mac, &wire->mac, RTE_ETHER_TYPE_IPV4);
    memcpy(frame + ETHER_BYTES, &ip, sizeof(ip));
    memcpy(at, &udp, sizeof(udp));
    memcpy(at + UDP_BYTES, payload, length);
    udp.dgram_cksum = (uint16_t)~sum_udp(&ip, at, UDP_BYTES + length);
    if (udp.dgram_cksum == 0) /* zero on the wire would mean "none" */
        udp.dgram_cksum = 0xffff;
    memcpy(at + offsetof(struct rte_udp_hdr, dgram_cksum), &udp.dgram_cksum, 2);
    return LOAD_WIRE_HEADERS_BYTES + length;
}

static size_t write_arp(const struct load_wire *wire, uint8_t *frame, uint16_t op,
                        const struct rte_ether_addr *frame_to, const struct rte_ether_addr *asked,
                        uint32_t asked_address)
{
    struct rte_arp_hdr arp = {
        .arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
        .arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
        .arp_hlen = RTE_ETHER_ADDR_LEN,
        .arp_plen = sizeof(uint32_t),
        .arp_opcode = rte_cpu_to_be_16(op),
        .arp_data = {.arp_sha = wire->mac,
                     .arp_sip = rte_cpu_to_be_32(wire->address),
                     .arp_tha = *asked,
                     .arp_tip = rte_cpu_to_be_32(asked_address)},
    };

    memset(frame, 0, LOAD_WIRE_ARP_BYTES);
    write_ether(frame, frame_to, &wire->mac, RTE_ETHER_TYPE_ARP);
    memcpy(frame + ETHER_BYTES, &arp, sizeof(arp));
    return LOAD_WIRE_ARP_BYTES;
}

size_t load_wire_arp_question(const struct load_wire *wire, uint8_t *frame)
{
    static const struct rte_ether_addr everyone = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    static const struct rte_ether_addr unknown;

    if (wire->ipv6)
        return load_wire6_question(wire, frame);
    return write_arp(wire, frame, RTE_ARP_OP_REQUEST, &everyone, &unknown, wire->target);
}

size_t load_wire_arp_answer(const struct load_wire *wire, uint8_t *frame)
{
    struct rte_arp_hdr arp;

    if (wire->ipv6)
        return load_wire6_answer(wire, frame);
    memcpy(&arp, frame + ETHER_BYTES, sizeof(arp));
    return write_arp(wire, frame, RTE_ARP_OP_REPLY, &arp.arp_data.arp_sha, &arp.arp_data.arp_sha,
                     rte_be_to_cpu_32(arp.arp_data.arp_sip));
}

static enum load_frame parse_arp(struct load_wire *wire, const uint8_t *frame, size_t length)
{
    struct rte_arp_hdr arp;

    if (length < ETHER_BYTES + sizeof(arp))
        return LOAD_FRAME_IGNORED;
    memcpy(&arp, frame + ETHER_BYTES, sizeof(arp));
    if (arp.arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
        arp.arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
        arp.arp_hlen != RTE_ETHER_ADDR_LEN || arp.arp_plen != sizeof(uint32_t))
        return LOAD_FRAME_IGNORED;
    if (arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
        arp.arp_data.arp_tip == rte_cpu_to_be_32(wire->address))
        return LOAD_FRAME_ARP_ASKS;
    if (arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REPLY) ||
        arp.arp_data.arp_sip != rte_cpu_to_be_32(wire->target) ||
        !rte_is_unicast_ether_addr(&arp.arp_data.arp_sha))
        return LOAD_FRAME_IGNORED;
    wire->target_mac = arp.arp_data.arp_sha;
    wire->target_known = true;
    return LOAD_FRAME_ARP_TOLD;
}

/* The UDP part of a packet of `length` bytes whose IP header is right. */
static enum load_drop parse_udp(const struct load_wire *wire, const struct rte_ipv4_hdr *ip,
                                const uint8_t *at, size_t length, size_t *payload_length)
{
    struct rte_udp_hdr udp;

    if (length < UDP_BYTES)
        return LOAD_DROP_RUNT;
    memcpy(&udp, at, sizeof(udp));
    size_t datagram = rte_be_to_cpu_16(udp.dgram_len);
    if (datagram < UDP_BYTES || datagram != length)
        return LOAD_DROP_RUNT;
    if (udp.dst_port != rte_cpu_to_be_16(wire->udp_port))
        return LOAD_DROP_NOT_FOR_US;
    /* Summed over with a right checksum in place, a datagram gives 0xffff. The engine always writes
     * one, so none is wrong as well. */
    if (udp.dgram_cksum == 0 || sum_udp(ip, at, length) != 0xffff)
        return LOAD_DROP_CHECKSUM;
    *payload_length = datagram - UDP_BYTES;
    return LOAD_DROP_COUNT;
}

static enum load_drop parse_ipv4(const struct load_wire *wire, const uint8_t *at, size_t length,
                                 size_t *payload_length)
{
    struct rte_ipv4_hdr ip;

    if (length < IPV4_BYTES)
        return LOAD_DROP_RUNT;
    memcpy(&ip, at, sizeof(ip));
    size_t packet = rte_be_to_cpu_16(ip.total_length);
    if (packet < IPV4_BYTES || packet > length)
        return LOAD_DROP_RUNT;
    if (ip.version_ihl != RTE_IPV4_VHL_DEF || ip.next_proto_id != IPPROTO_UDP ||
        (ip.fragment_offset & rte_cpu_to_be_16((uint16_t)~RTE_IPV4_HDR_DF_FLAG)) != 0)
        return LOAD_DROP_NOT_UDP;
    if (ip.dst_addr != rte_cpu_to_be_32(wire->address) ||
        ip.src_addr != rte_cpu_to_be_32(wire->target))
        return LOAD_DROP_NOT_FOR_US;
    if (sum_ip(&ip) != 0xffff)
        return LOAD_DROP_CHECKSUM;
    return parse_udp(wire, &ip, at + IPV4_BYTES, packet - IPV4_BYTES, payload_length);
}

enum load_frame load_wire_parse(struct load_wire *wire, const uint8_t *frame, size_t length,
                                const uint8_t **payload, size_t *payload_length,
                                enum load_drop *drop)
{
    struct rte_ether_hdr ether;

    *drop = LOAD_DROP_RUNT;
    if (length < sizeof(ether))
        return LOAD_FRAME_DROPPED;
    memcpy(&ether, frame, sizeof(ether));
    if (wire->ipv6)
        return ether.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)
                   ? load_wire6_parse(wire, frame, length, payload, payload_length, drop)
                   : LOAD_FRAME_IGNORED;
    if (ether.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
        return parse_arp(wire, frame, length);
    if (ether.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
        !rte_is_same_ether_addr(&ether.dst_addr, &wire->mac))
        return LOAD_FRAME_IGNORED;
    *drop = parse_ipv4(wire, frame + ETHER_BYTES, length - ETHER_BYTES, payload_length);
    if (*drop != LOAD_DROP_COUNT)
        return LOAD_FRAME_DROPPED;
    *payload = frame + LOAD_WIRE_HEADERS_BYTES;
    return LOAD_FRAME_PAYLOAD;
}
