/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/reply.h"

#define REPLY_TTL 64

static void swap_macs(uint8_t *frame)
{
    struct rte_ether_hdr *ethernet = (void *)frame;
    struct rte_ether_addr to = ethernet->src_addr;

    ethernet->src_addr = ethernet->dst_addr;
    ethernet->dst_addr = to;
}

/* A new IPv4 header with the request's addresses the other way round. What is never fragmented
 * needs no identification (RFC 6864). */
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
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
}

uint32_t fg_reply_udp(uint8_t *frame, unsigned l3, uint32_t payload)
{
    struct rte_ipv4_hdr *ip = (void *)(frame + l3);
    struct rte_udp_hdr *udp = (void *)(frame + l3 + sizeof(*ip));
    rte_be16_t to = udp->src_port;

    swap_macs(frame);
    turn_ip(ip, FG_UDP_HEADERS + payload);
    udp->src_port = udp->dst_port;
    udp->dst_port = to;
    udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + payload));
    udp->dgram_cksum = 0;
    udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
    return (uint32_t)(l3 + FG_UDP_HEADERS + payload);
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

void fg_reply_echo(uint8_t *frame, unsigned l3)
{
    struct rte_ipv4_hdr *ip = (void *)(frame + l3);
    uint8_t *icmp = frame + l3 + sizeof(*ip);
    struct rte_icmp_hdr header;
    uint16_t length = rte_be_to_cpu_16(ip->total_length);

    swap_macs(frame);
    turn_ip(ip, length);
    memcpy(&header, icmp, sizeof(header));
    header.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
    header.icmp_cksum = 0;
    memcpy(icmp, &header, sizeof(header));
    header.icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, length - sizeof(*ip));
    memcpy(icmp, &header, sizeof(header));
}
