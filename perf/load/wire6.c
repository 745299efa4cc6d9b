/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6, UDP and the two words of neighbour discovery (RFC 4861) that a host needs. */
#include "perf/load/wire6.h"

#include <assert.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/net/checksum.h"
#include "perf/load/wire_ether.h"

#define ETHER_BYTES sizeof(struct rte_ether_hdr)
#define IPV6_BYTES  sizeof(struct rte_ipv6_hdr)
#define UDP_BYTES   sizeof(struct rte_udp_hdr)
static_assert(ETHER_BYTES + IPV6_BYTES + UDP_BYTES == LOAD_WIRE6_HEADERS_BYTES, "no VLAN tag");

enum {
    SOLICITATION = 135,
    ADVERTISEMENT = 136,
    OPTION_SOURCE = 1,
    OPTION_TARGET = 2,
    HOPS = 64,
    HOPS_ON_LINK = 255, /* no router passes it on */
};

/* A solicitation or advertisement with one option: a MAC. */
struct neighbour {
    uint8_t type, code;
    uint16_t checksum;
    uint8_t flags, reserved[3];
    uint8_t target[16];
    uint8_t option, option_units;
    uint8_t mac[RTE_ETHER_ADDR_LEN];
};
static_assert(ETHER_BYTES + IPV6_BYTES + sizeof(struct neighbour) == LOAD_WIRE_QUESTION_BYTES_MAX,
              "all of it");
#define NEIGHBOUR_PLAIN offsetof(struct neighbour, option)

/* Over the pseudo header and what follows the IPv6 header. */
static inline uint16_t sum_after(const struct rte_ipv6_hdr *ip, const uint8_t *at, size_t length)
{
    uint64_t ends =
        fg_checksum_add(ip->src_addr, sizeof(ip->src_addr) * 2,
                        (uint64_t)rte_cpu_to_be_16(ip->proto) + rte_cpu_to_be_16((uint16_t)length));

    return fg_checksum_fold(fg_checksum_add(at, length, ends));
}

static struct rte_ipv6_hdr header(const struct load_wire *wire, struct fg_ip to, uint8_t protocol,
                                  size_t length)
{
    struct rte_ipv6_hdr ip = {
        .vtc_flow = rte_cpu_to_be_32(6u << 28),
        .payload_len = rte_cpu_to_be_16((uint16_t)length),
        .proto = protocol,
        .hop_limits = protocol == IPPROTO_ICMPV6 ? HOPS_ON_LINK : HOPS,
    };

    fg_ip_put_v6(wire->address6, ip.src_addr);
    fg_ip_put_v6(to, ip.dst_addr);
    return ip;
}

size_t load_wire6_datagram(const struct load_wire *wire, uint8_t *frame, uint16_t udp_port,
                           const void *payload, size_t length)
{
    struct rte_ipv6_hdr ip = header(wire, wire->target6, IPPROTO_UDP, UDP_BYTES + length);
    struct rte_udp_hdr udp = {
        .src_port = rte_cpu_to_be_16(wire->udp_port),
        .dst_port = rte_cpu_to_be_16(udp_port),
        .dgram_len = rte_cpu_to_be_16((uint16_t)(UDP_BYTES + length)),
    };
    uint8_t *at = frame + ETHER_BYTES + IPV6_BYTES;

    write_ether(frame, &wire->target_mac, &wire->mac, RTE_ETHER_TYPE_IPV6);
    memcpy(frame + ETHER_BYTES, &ip, sizeof(ip));
    memcpy(at, &udp, sizeof(udp));
    memcpy(at + UDP_BYTES, payload, length);
    udp.dgram_cksum = (uint16_t)~sum_after(&ip, at, UDP_BYTES + length);
    if (udp.dgram_cksum == 0) /* zero on the wire would mean "none" */
        udp.dgram_cksum = 0xffff;
    memcpy(at + offsetof(struct rte_udp_hdr, dgram_cksum), &udp.dgram_cksum, 2);
    return LOAD_WIRE6_HEADERS_BYTES + length;
}

static size_t write_neighbour(const struct load_wire *wire, uint8_t *frame, struct fg_ip to,
                              const struct rte_ether_addr *to_mac, struct neighbour *said)
{
    struct rte_ipv6_hdr ip = header(wire, to, IPPROTO_ICMPV6, sizeof(*said));

    said->option_units = 1;
    memcpy(said->mac, &wire->mac, sizeof(said->mac));
    said->checksum = (uint16_t)~sum_after(&ip, (const uint8_t *)said, sizeof(*said));
    write_ether(frame, to_mac, &wire->mac, RTE_ETHER_TYPE_IPV6);
    memcpy(frame + ETHER_BYTES, &ip, sizeof(ip));
    memcpy(frame + ETHER_BYTES + IPV6_BYTES, said, sizeof(*said));
    return LOAD_WIRE_QUESTION_BYTES_MAX;
}

size_t load_wire6_question(const struct load_wire *wire, uint8_t *frame)
{
    uint64_t last = wire->target6.low & 0xffffff;
    struct fg_ip group = {UINT64_C(0xff02) << 48, UINT64_C(0x1ff000000) | last};
    struct rte_ether_addr mac = {
        {0x33, 0x33, 0xff, (uint8_t)(last >> 16), (uint8_t)(last >> 8), (uint8_t)last}};
    struct neighbour question = {.type = SOLICITATION, .option = OPTION_SOURCE};

    fg_ip_put_v6(wire->target6, question.target);
    return write_neighbour(wire, frame, group, &mac, &question);
}

size_t load_wire6_answer(const struct load_wire *wire, uint8_t *frame)
{
    struct rte_ether_hdr ether;
    struct rte_ipv6_hdr ip;
    struct neighbour answer = {
        .type = ADVERTISEMENT, .flags = 0x60 /* solicited, override */, .option = OPTION_TARGET};

    memcpy(&ether, frame, sizeof(ether));
    memcpy(&ip, frame + ETHER_BYTES, sizeof(ip));
    fg_ip_put_v6(wire->address6, answer.target);
    return write_neighbour(wire, frame, fg_ip_of_v6(ip.src_addr), &ether.src_addr, &answer);
}

/* Our own address asked for, or the target's MAC told; all else is the network's own chatter. */
static enum load_frame parse_neighbour(struct load_wire *wire, const struct rte_ipv6_hdr *ip,
                                       const uint8_t *at, size_t length)
{
    struct neighbour said = {0};

    if (length < NEIGHBOUR_PLAIN || ip->hop_limits != HOPS_ON_LINK ||
        sum_after(ip, at, length) != 0xffff)
        return LOAD_FRAME_IGNORED;
    memcpy(&said, at, length < sizeof(said) ? length : sizeof(said));
    struct fg_ip target = fg_ip_of_v6(said.target);
    if (said.type == SOLICITATION && fg_ip_same(target, wire->address6) &&
        !fg_ip_is_zero(fg_ip_of_v6(ip->src_addr)))
        return LOAD_FRAME_ARP_ASKS;
    struct rte_ether_addr mac;
    memcpy(&mac, said.mac, sizeof(mac));
    if (said.type != ADVERTISEMENT || !fg_ip_same(target, wire->target6) ||
        said.option != OPTION_TARGET || said.option_units != 1 || !rte_is_unicast_ether_addr(&mac))
        return LOAD_FRAME_IGNORED;
    wire->target_mac = mac;
    wire->target_known = true;
    return LOAD_FRAME_ARP_TOLD;
}

/* The UDP part of a packet to us: `length` bytes, all there. */
static enum load_drop parse_udp(const struct load_wire *wire, const struct rte_ipv6_hdr *ip,
                                const uint8_t *at, size_t length)
{
    struct rte_udp_hdr udp;

    if (length < UDP_BYTES)
        return LOAD_DROP_RUNT;
    memcpy(&udp, at, sizeof(udp));
    if (rte_be_to_cpu_16(udp.dgram_len) != length)
        return LOAD_DROP_RUNT;
    if (udp.dst_port != rte_cpu_to_be_16(wire->udp_port))
        return LOAD_DROP_NOT_FOR_US;
    return udp.dgram_cksum == 0 || sum_after(ip, at, length) != 0xffff ? LOAD_DROP_CHECKSUM
                                                                       : LOAD_DROP_COUNT;
}

enum load_frame load_wire6_parse(struct load_wire *wire, const uint8_t *frame, size_t length,
                                 const uint8_t **payload, size_t *payload_length,
                                 enum load_drop *drop)
{
    const uint8_t *at = frame + LOAD_WIRE6_HEADERS_BYTES - UDP_BYTES;
    struct rte_ether_hdr ether;
    struct rte_ipv6_hdr ip;

    *drop = LOAD_DROP_RUNT;
    if (length < ETHER_BYTES + IPV6_BYTES)
        return LOAD_FRAME_DROPPED;
    memcpy(&ether, frame, sizeof(ether));
    memcpy(&ip, frame + ETHER_BYTES, sizeof(ip));
    size_t packet = rte_be_to_cpu_16(ip.payload_len);
    if (packet > length - ETHER_BYTES - IPV6_BYTES)
        return LOAD_FRAME_DROPPED;
    if (ip.proto == IPPROTO_ICMPV6)
        return parse_neighbour(wire, &ip, at, packet);
    if (!rte_is_same_ether_addr(&ether.dst_addr, &wire->mac))
        return LOAD_FRAME_IGNORED;
    if (frame[ETHER_BYTES] >> 4 != 6 || ip.proto != IPPROTO_UDP)
        *drop = LOAD_DROP_NOT_UDP;
    else if (!fg_ip_same(fg_ip_of_v6(ip.dst_addr), wire->address6) ||
             !fg_ip_same(fg_ip_of_v6(ip.src_addr), wire->target6))
        *drop = LOAD_DROP_NOT_FOR_US;
    else
        *drop = parse_udp(wire, &ip, at, packet);
    if (*drop != LOAD_DROP_COUNT)
        return LOAD_FRAME_DROPPED;
    *payload = frame + LOAD_WIRE6_HEADERS_BYTES;
    *payload_length = packet - UDP_BYTES;
    return LOAD_FRAME_PAYLOAD;
}
