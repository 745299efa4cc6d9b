/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/reply.h"
#include "dataplane/net/checksum.h"

#define REPLY_TTL        64
#define ICMP6_ECHO_REPLY 129

static bool is_ipv6(const uint8_t *frame, unsigned l3)
{
    return frame[l3] >> 4 == 6;
}

static void swap_macs(uint8_t *frame)
{
    struct rte_ether_hdr *ethernet = (void *)frame;
    struct rte_ether_addr to = ethernet->src_addr;

    ethernet->src_addr = ethernet->dst_addr;
    ethernet->dst_addr = to;
}

/* A new IPv4 header with the request's addresses the other way round. What is never fragmented
 * needs no identification (RFC 6864). It is summed up field by field: bytes that were just written
 * cannot be read at once in larger words. */
static void turn_ip(struct rte_ipv4_hdr *ip, size_t total_length)
{
    rte_be32_t to = ip->src_addr;

    ip->type_of_service = 0;
    ip->total_length = rte_cpu_to_be_16((uint16_t)total_length);
    ip->packet_id = 0;
    ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
    ip->time_to_live = REPLY_TTL;
    ip->src_addr = ip->dst_addr;
    ip->dst_addr = to;
    uint64_t sum = RTE_BE16(RTE_IPV4_VHL_DEF << 8) + (uint64_t)ip->total_length +
                   ip->fragment_offset +
                   rte_cpu_to_be_16((uint16_t)(REPLY_TTL << 8 | ip->next_proto_id)) + ip->src_addr +
                   ip->dst_addr;
    ip->hdr_checksum = (uint16_t)~fg_checksum_fold(sum);
}

/* The same of IPv6: traffic class and flow label 0. */
static void turn_ip6(struct rte_ipv6_hdr *ip, size_t length)
{
    uint8_t to[sizeof(ip->src_addr)];

    ip->vtc_flow = RTE_BE32(6u << 28);
    ip->payload_len = rte_cpu_to_be_16((uint16_t)length);
    ip->hop_limits = REPLY_TTL;
    memcpy(to, ip->src_addr, sizeof(to));
    memcpy(ip->src_addr, ip->dst_addr, sizeof(to));
    memcpy(ip->dst_addr, to, sizeof(to));
}

/* With the sum of the addresses in front of the datagram, whose header is summed up field by field,
 * too; its length counts twice. A sum of zero goes out as 0xffff: zero says that there is none
 * (RFC 768). */
static uint16_t udp_checksum(const struct rte_udp_hdr *udp, uint64_t addresses, size_t payload)
{
    uint64_t sum = addresses + rte_cpu_to_be_16(IPPROTO_UDP) + UINT64_C(2) * udp->dgram_len +
                   udp->src_port + udp->dst_port;
    uint16_t checksum = (uint16_t)~fg_checksum_fold(fg_checksum_add(udp + 1, payload, sum));

    return checksum ? checksum : 0xffff;
}

uint32_t fg_reply_udp(uint8_t *frame, unsigned l3, uint32_t payload)
{
    bool ipv6 = is_ipv6(frame, l3);
    uint32_t begin = fg_frame_payload(l3, ipv6);
    struct rte_udp_hdr *udp = (void *)(frame + begin - sizeof(*udp));
    size_t length = sizeof(*udp) + payload;
    rte_be16_t to = udp->src_port;

    swap_macs(frame);
    udp->src_port = udp->dst_port;
    udp->dst_port = to;
    udp->dgram_len = rte_cpu_to_be_16((uint16_t)length);
    uint64_t addresses;
    if (ipv6) {
        struct rte_ipv6_hdr *ip = (void *)(frame + l3);
        turn_ip6(ip, length);
        addresses = fg_checksum_add(ip->src_addr, sizeof(ip->src_addr) * 2, 0);
    } else {
        struct rte_ipv4_hdr *ip = (void *)(frame + l3);
        turn_ip(ip, sizeof(*ip) + length);
        addresses = (uint64_t)ip->src_addr + ip->dst_addr;
    }
    udp->dgram_cksum = udp_checksum(udp, addresses, payload);
    return begin + payload;
}

void fg_reply_arp(uint8_t *frame, unsigned l3, const struct fg_frame_address *address)
{
    struct rte_ether_hdr *ethernet = (void *)frame;
    struct rte_arp_hdr *arp = (void *)(frame + l3);

    arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
    arp->arp_data.arp_tha = arp->arp_data.arp_sha;
    arp->arp_data.arp_tip = arp->arp_data.arp_sip;
    arp->arp_data.arp_sha = address->mac;
    arp->arp_data.arp_sip = rte_cpu_to_be_32(address->address);
    ethernet->dst_addr = ethernet->src_addr;
    ethernet->src_addr = address->mac;
}

/* A neighbour advertisement (RFC 4861 4.4), with the option that tells our MAC. */
struct advertisement {
    uint8_t type, code;
    uint16_t checksum;
    uint8_t flags; /* 0x40: solicited; 0x20: overrides what was known */
    uint8_t reserved[3];
    uint8_t target[16];
    uint8_t option, option_units;
    struct rte_ether_addr mac;
};
static_assert(sizeof(struct advertisement) == 32, "as the RFC draws it");
#define ADVERTISEMENT_PLAIN offsetof(struct advertisement, option)

enum { ADVERTISEMENT = 136, SOLICITED = 0x40, OVERRIDE = 0x20, OPTION_TARGET = 2 };

uint32_t fg_reply_neighbour(uint8_t *frame, unsigned l3, const struct fg_frame_address *address)
{
    static const uint8_t unspecified[16], all_nodes[16] = {0xff, 2, [15] = 1};
    static const struct rte_ether_addr all_nodes_mac = {{0x33, 0x33, 0, 0, 0, 1}};
    struct rte_ether_hdr *ethernet = (void *)frame;
    struct rte_ipv6_hdr *ip = (void *)(frame + l3);
    struct advertisement *answer = (void *)(ip + 1);
    bool probe = memcmp(ip->src_addr, unspecified, sizeof(unspecified)) == 0;
    bool told = ip->dst_addr[0] == 0xff || rte_be_to_cpu_16(ip->payload_len) >= sizeof(*answer);
    size_t length = told ? sizeof(*answer) : ADVERTISEMENT_PLAIN;

    /* The target is ours, so it is our address wherever the question went. */
    memcpy(ip->dst_addr, probe ? all_nodes : ip->src_addr, sizeof(ip->dst_addr));
    memcpy(ip->src_addr, answer->target, sizeof(ip->src_addr));
    ip->vtc_flow = RTE_BE32(6u << 28);
    ip->payload_len = rte_cpu_to_be_16((uint16_t)length);
    ip->hop_limits = 255;
    answer->type = ADVERTISEMENT;
    answer->code = 0;
    answer->flags = probe ? OVERRIDE : SOLICITED | OVERRIDE;
    memset(answer->reserved, 0, sizeof(answer->reserved));
    if (told) {
        answer->option = OPTION_TARGET;
        answer->option_units = 1;
        answer->mac = address->mac;
    }
    answer->checksum = 0;
    answer->checksum = rte_ipv6_udptcp_cksum(ip, answer);
    ethernet->dst_addr = probe ? all_nodes_mac : ethernet->src_addr;
    ethernet->src_addr = address->mac;
    return (uint32_t)(l3 + sizeof(*ip) + length);
}

static void turn_echo6(uint8_t *frame, unsigned l3)
{
    struct rte_ipv6_hdr *ip = (void *)(frame + l3);
    struct rte_icmp_hdr *icmp = (void *)(ip + 1);

    turn_ip6(ip, rte_be_to_cpu_16(ip->payload_len));
    icmp->icmp_type = ICMP6_ECHO_REPLY;
    icmp->icmp_cksum = 0;
    icmp->icmp_cksum = rte_ipv6_udptcp_cksum(ip, icmp);
}

static void turn_echo(uint8_t *frame, unsigned l3)
{
    struct rte_ipv4_hdr *ip = (void *)(frame + l3);
    struct rte_icmp_hdr *icmp = (void *)(ip + 1);
    uint16_t length = rte_be_to_cpu_16(ip->total_length);

    turn_ip(ip, length);
    icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
    icmp->icmp_cksum = 0;
    icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, length - sizeof(*ip));
}

void fg_reply_echo(uint8_t *frame, unsigned l3)
{
    swap_macs(frame);
    if (is_ipv6(frame, l3))
        turn_echo6(frame, l3);
    else
        turn_echo(frame, l3);
}
