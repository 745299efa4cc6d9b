/* SPDX-License-Identifier: BSD-3-Clause */
/* Hostile frames with something wrong in front of a right payload: of Ethernet, IPv4 or UDP. */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "perf/load/hostile_frames.h"

enum {
    IP_AT = sizeof(struct rte_ether_hdr),
    UDP_AT = IP_AT + sizeof(struct rte_ipv4_hdr),
    OPTION_BYTES = 4,
};

static struct rte_ipv4_hdr *ip_of(struct hostile_builder *builder)
{
    return (struct rte_ipv4_hdr *)(void *)(builder->frame->bytes + IP_AT);
}

static struct rte_udp_hdr *udp_of(struct hostile_builder *builder)
{
    return (struct rte_udp_hdr *)(void *)(builder->frame->bytes + UDP_AT);
}

static struct rte_ether_hdr *ether_of(struct hostile_builder *builder)
{
    return (struct rte_ether_hdr *)(void *)builder->frame->bytes;
}

static void build_other_mac(struct hostile_builder *builder)
{
    load_hostile_signed_frame(builder);
    ether_of(builder)->dst_addr.addr_bytes[RTE_ETHER_ADDR_LEN - 1] ^= 0x55;
}

static void build_group_mac(struct hostile_builder *builder)
{
    load_hostile_signed_frame(builder);
    memset(&ether_of(builder)->dst_addr, 0xff, RTE_ETHER_ADDR_LEN);
}

static void build_source_mac(struct hostile_builder *builder)
{
    load_hostile_signed_frame(builder);
    ether_of(builder)->src_addr.addr_bytes[0] |= RTE_ETHER_GROUP_ADDR;
}

static void build_not_ip(struct hostile_builder *builder)
{
    static const uint16_t types[] = {RTE_ETHER_TYPE_SLOW, RTE_ETHER_TYPE_LLDP, 0x9000, 64};

    load_hostile_signed_frame(builder);
    ether_of(builder)->ether_type = rte_cpu_to_be_16(types[builder->variant % RTE_DIM(types)]);
}

static void build_vlan(struct hostile_builder *builder)
{
    static const uint8_t tags[] = {0x81, 0, 0, 7, 0x81, 0, 0, 8};
    static const size_t at = offsetof(struct rte_ether_hdr, ether_type);
    struct load_hostile_frame *frame = builder->frame;

    load_hostile_signed_frame(builder);
    memmove(frame->bytes + at + sizeof(tags), frame->bytes + at, frame->length - at);
    memcpy(frame->bytes + at, tags, sizeof(tags));
    frame->length += sizeof(tags);
}

static void build_not_for_us(struct hostile_builder *builder)
{
    builder->wire.target ^= 1u << builder->variant % 32;
    load_hostile_signed_frame(builder);
}

/* The header was changed: its checksum is right again. */
static void mend_ip(struct hostile_builder *builder)
{
    struct rte_ipv4_hdr *ip = ip_of(builder);

    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* Four bytes of "no operation" behind the header. */
static void build_ip_options(struct hostile_builder *builder)
{
    struct load_hostile_frame *frame = builder->frame;

    load_hostile_signed_frame(builder);
    memmove(frame->bytes + UDP_AT + OPTION_BYTES, frame->bytes + UDP_AT,
            frame->length - (size_t)UDP_AT);
    memset(frame->bytes + UDP_AT, 1, OPTION_BYTES);
    frame->length += OPTION_BYTES;
    ip_of(builder)->version_ihl++;
    ip_of(builder)->total_length = rte_cpu_to_be_16((uint16_t)(frame->length - IP_AT));
    mend_ip(builder);
}

/* First, middle and last fragments. */
static void build_fragment(struct hostile_builder *builder)
{
    static const uint16_t offsets[] = {RTE_IPV4_HDR_MF_FLAG, RTE_IPV4_HDR_MF_FLAG | 8, 16};

    load_hostile_signed_frame(builder);
    ip_of(builder)->fragment_offset =
        rte_cpu_to_be_16(offsets[builder->variant % RTE_DIM(offsets)]);
    mend_ip(builder);
}

static void set_ip_length(struct hostile_builder *builder, uint32_t length)
{
    ip_of(builder)->total_length = rte_cpu_to_be_16((uint16_t)length);
    mend_ip(builder);
}

/* Frames that end within the IP header, and packets that end within the UDP header. */
static void build_runt(struct hostile_builder *builder)
{
    static const uint16_t lengths[] = {IP_AT, IP_AT + 1, IP_AT + 19};

    load_hostile_signed_frame(builder);
    if (builder->variant % 2)
        set_ip_length(builder, sizeof(struct rte_ipv4_hdr) + builder->variant / 2 % 8);
    else
        builder->frame->length = lengths[builder->variant / 2 % RTE_DIM(lengths)];
}

static void build_short(struct hostile_builder *builder)
{
    static const uint16_t lengths[] = {UDP_AT, UDP_AT + 7, UDP_AT + 8, 100};

    load_hostile_signed_frame(builder);
    builder->frame->length = lengths[builder->variant % RTE_DIM(lengths)];
}

static void build_ip_header(struct hostile_builder *builder)
{
    static const uint8_t first_bytes[] = {0x05, 0x55, 0x65, 0xf5, 0x44, 0x40};

    load_hostile_signed_frame(builder);
    if (builder->variant % 2)
        set_ip_length(builder, builder->variant % sizeof(struct rte_ipv4_hdr));
    else
        ip_of(builder)->version_ihl = first_bytes[builder->variant / 2 % RTE_DIM(first_bytes)];
}

static void build_not_udp(struct hostile_builder *builder)
{
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_SCTP, IPPROTO_GRE, 255};

    load_hostile_signed_frame(builder);
    ip_of(builder)->next_proto_id = protocols[builder->variant % RTE_DIM(protocols)];
    mend_ip(builder);
}

static void build_udp_length(struct hostile_builder *builder)
{
    static const uint16_t lengths[] = {0, sizeof(struct rte_udp_hdr) - 1, 60, UINT16_MAX};

    load_hostile_signed_frame(builder);
    udp_of(builder)->dgram_len = rte_cpu_to_be_16(lengths[builder->variant % RTE_DIM(lengths)]);
}

/* One bit of the checksum at that place is wrong. */
static void build_wrong_sum(struct hostile_builder *builder, size_t at)
{
    uint8_t *sum = builder->frame->bytes + at;

    load_hostile_signed_frame(builder);
    sum[builder->variant / 8 % 2] ^= (uint8_t)(1u << builder->variant % 8);
    if (sum[0] == 0 && sum[1] == 0) /* over UDP that is none, which is allowed */
        sum[0] = sum[1] = UINT8_MAX;
}

static void build_ip_checksum(struct hostile_builder *builder)
{
    build_wrong_sum(builder, IP_AT + offsetof(struct rte_ipv4_hdr, hdr_checksum));
}

static void build_udp_checksum(struct hostile_builder *builder)
{
    build_wrong_sum(builder, UDP_AT + offsetof(struct rte_udp_hdr, dgram_cksum));
}

/* Outside the engine's range, on both sides of it. */
static void build_other_port(struct hostile_builder *builder)
{
    uint32_t base = builder->hostile->target_base_port, last = base + builder->client->partitions;
    uint32_t port = builder->variant % 2 ? base - 1 - builder->variant : last + builder->variant;

    load_hostile_signed_frame(builder);
    udp_of(builder)->dst_port = rte_cpu_to_be_16((uint16_t)port);
    udp_of(builder)->dgram_cksum = 0; /* none */
}

static void build_no_host(struct hostile_builder *builder)
{
    static const uint32_t addresses[] = {0, 0x00010203, 0x7f000001, 0x7fffffff, 0xf0000001};

    builder->wire.address = addresses[builder->variant % RTE_DIM(addresses)];
    load_hostile_signed_frame(builder);
}

static void build_multicast(struct hostile_builder *builder)
{
    static const uint32_t groups[] = {0xe0000001, 0xe00000fb, 0xefffffff, 0xe8010203};

    builder->wire.address = groups[builder->variant % RTE_DIM(groups)];
    load_hostile_signed_frame(builder);
}

/* The limited one, and the subnet's own. */
static void build_broadcast(struct hostile_builder *builder)
{
    uint32_t hosts = builder->hostile->hosts_mask;

    builder->wire.address =
        builder->variant % 2 || hosts == 0 ? UINT32_MAX : builder->wire.target | hosts;
    load_hostile_signed_frame(builder);
}

static void build_mirror(struct hostile_builder *builder)
{
    builder->wire.address = builder->wire.target;
    if (builder->variant % 2)
        builder->wire.udp_port = (uint16_t)builder->hostile->target_base_port;
    load_hostile_signed_frame(builder);
}

static void build_low_port(struct hostile_builder *builder)
{
    static const uint16_t ports[] = {1, 7, 13, 19, 53, 123, 161, 1023};

    builder->wire.udp_port = ports[builder->variant % RTE_DIM(ports)];
    load_hostile_signed_frame(builder);
}

static void (*const builders[LOAD_HOSTILE_COUNT])(struct hostile_builder *) = {
    [LOAD_HOSTILE_OTHER_MAC] = build_other_mac,
    [LOAD_HOSTILE_GROUP_MAC] = build_group_mac,
    [LOAD_HOSTILE_SOURCE_MAC] = build_source_mac,
    [LOAD_HOSTILE_VLAN] = build_vlan,
    [LOAD_HOSTILE_NOT_IP] = build_not_ip,
    [LOAD_HOSTILE_NOT_FOR_US] = build_not_for_us,
    [LOAD_HOSTILE_IP_CHECKSUM] = build_ip_checksum,
    [LOAD_HOSTILE_IP_OPTIONS] = build_ip_options,
    [LOAD_HOSTILE_FRAGMENT] = build_fragment,
    [LOAD_HOSTILE_RUNT] = build_runt,
    [LOAD_HOSTILE_SHORT] = build_short,
    [LOAD_HOSTILE_IP_HEADER] = build_ip_header,
    [LOAD_HOSTILE_NOT_UDP] = build_not_udp,
    [LOAD_HOSTILE_UDP_LENGTH] = build_udp_length,
    [LOAD_HOSTILE_UDP_CHECKSUM] = build_udp_checksum,
    [LOAD_HOSTILE_OTHER_PORT] = build_other_port,
    [LOAD_HOSTILE_NO_HOST] = build_no_host,
    [LOAD_HOSTILE_MULTICAST] = build_multicast,
    [LOAD_HOSTILE_BROADCAST] = build_broadcast,
    [LOAD_HOSTILE_MIRROR] = build_mirror,
    [LOAD_HOSTILE_LOW_PORT] = build_low_port,
};

void load_hostile_build_headers(struct hostile_builder *builder)
{
    if (builders[builder->kind])
        builders[builder->kind](builder);
}
