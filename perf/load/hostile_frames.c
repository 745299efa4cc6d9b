/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile frames: each is a right one, rightly signed, with one thing wrong, so that nothing but
 * that thing can be why it is dropped.
 */
#include "perf/load/hostile_frames.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "perf/load/random.h"

#define SECOND_NS UINT64_C(1000000000)

enum {
    IP_AT = sizeof(struct rte_ether_hdr),
    UDP_AT = IP_AT + sizeof(struct rte_ipv4_hdr),
    OPTION_BYTES = 4,
    RANDOM_BYTES_MAX = 1400,
    STALE_S = 3600,
    NOBODYS_KEY = 65535,
};

/* The stream of random words that contents are made of. */
enum { STREAM_CONTENT = 0x54 };

struct builder {
    struct load_hostile *hostile;
    const struct load_client *client;
    enum load_hostile_kind kind;
    uint32_t variant;
    struct load_wire wire; /* of the variant */
    uint64_t number;       /* of random words drawn */
    struct load_hostile_frame *frame;
};

static uint64_t draw(struct builder *builder)
{
    return load_word(builder->client->mix.seed + ((uint64_t)STREAM_CONTENT << 56),
                     builder->number++);
}

struct load_hostile_payload load_hostile_request(const struct load_client *client, uint32_t buyer,
                                                 uint64_t request, uint64_t draw)
{
    const struct load_weights *items = &client->mix.items;
    struct load_hostile_payload payload = {
        .header = {.magic = {FG_MAGIC_0, FG_MAGIC_1},
                   .version = FG_VERSION,
                   .type = FG_TYPE_REQUEST,
                   .count = 1,
                   .key_id = client->key_id},
        .entry = {.request = request,
                  .item = items->values[load_weights_draw(items, draw)],
                  .quantity = 1,
                  .op = FG_OP_ORDER},
    };

    load_mix_buyer_identity(&client->mix, buyer, payload.entry.buyer);
    return payload;
}

void load_hostile_sign(const struct load_client *client, void *payload, size_t length)
{
    struct fg_header header;

    if (client->key_id == 0)
        return;
    memcpy(&header, payload, sizeof(header));
    header.mac = fg_payload_mac(client->secret, payload, length);
    memcpy(payload, &header, sizeof(header));
}

static void frame_around(struct builder *builder, const void *payload, size_t length)
{
    struct load_hostile *hostile = builder->hostile;
    uint32_t partition = builder->variant % builder->client->partitions;

    builder->frame->length = (uint16_t)load_wire_datagram(
        &builder->wire, builder->frame->bytes, (uint16_t)(hostile->target_base_port + partition),
        payload, length);
}

/* A request of the load's beginning. */
static struct load_hostile_payload request(struct builder *builder)
{
    const struct load_client *client = builder->client;
    struct load_hostile_payload payload = load_hostile_request(
        client, builder->variant % client->mix.buyers, draw(builder) >> 1, draw(builder));

    payload.header.time_ns = client->origin_ns + client->start_ns + builder->variant;
    return payload;
}

static void build_signed(struct builder *builder)
{
    struct load_hostile_payload payload = request(builder);

    load_hostile_sign(builder->client, &payload, sizeof(payload));
    frame_around(builder, &payload, sizeof(payload));
}

static void build_random(struct builder *builder)
{
    uint8_t bytes[RANDOM_BYTES_MAX];
    size_t length = load_reduce(draw(builder), sizeof(bytes) + 1);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)draw(builder);
    if (length > 0)
        bytes[0] &= 0x3f; /* lest it be a request after all */
    frame_around(builder, bytes, length);
}

/* One field of the header is changed, and the mac right for that. */
static void build_form(struct builder *builder)
{
    struct load_hostile_payload payload = request(builder);
    struct fg_header *header = &payload.header;

    if (builder->kind == LOAD_HOSTILE_VERSION)
        header->version = builder->variant % 2 ? FG_VERSION + 1 : 0;
    else if (builder->kind == LOAD_HOSTILE_REPLY)
        header->type = FG_TYPE_REPLY;
    else if (builder->variant % 5 < 2)
        header->magic[builder->variant % 5] ^= 0x20;
    else if (builder->variant % 5 < 4)
        header->count = builder->variant % 5 == 2 ? 0 : FG_ENTRIES_MAX + 1;
    else
        header->reserved = 1;
    load_hostile_sign(builder->client, &payload, sizeof(payload));
    frame_around(builder, &payload, sizeof(payload));
}

/* Two entries, and a payload for more or fewer. */
static void build_cut(struct builder *builder)
{
    static const uint16_t lengths[] = {0,  1,   8,   FG_REQUEST_BYTES(0), FG_REQUEST_BYTES(1),
                                       65, 103, 105, FG_REQUEST_BYTES(3)};
    struct load_hostile_payload one = request(builder);
    uint8_t bytes[FG_REQUEST_BYTES(3)];

    one.header.count = 2;
    memcpy(bytes, &one, sizeof(one));
    memcpy(bytes + FG_REQUEST_BYTES(1), &one.entry, sizeof(one.entry));
    memcpy(bytes + FG_REQUEST_BYTES(2), &one.entry, sizeof(one.entry));
    load_hostile_sign(builder->client, bytes, FG_REQUEST_BYTES(2));
    frame_around(builder, bytes, lengths[builder->variant % RTE_DIM(lengths)]);
}

static struct rte_ipv4_hdr *ip_of(struct builder *builder)
{
    return (struct rte_ipv4_hdr *)(void *)(builder->frame->bytes + IP_AT);
}

static struct rte_udp_hdr *udp_of(struct builder *builder)
{
    return (struct rte_udp_hdr *)(void *)(builder->frame->bytes + UDP_AT);
}

/* The header was changed: its checksum is right again. */
static void mend_ip(struct builder *builder)
{
    struct rte_ipv4_hdr *ip = ip_of(builder);

    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* Four bytes of "no operation" behind the header. */
static void build_ip_options(struct builder *builder)
{
    struct load_hostile_frame *frame = builder->frame;

    build_signed(builder);
    memmove(frame->bytes + UDP_AT + OPTION_BYTES, frame->bytes + UDP_AT,
            frame->length - (size_t)UDP_AT);
    memset(frame->bytes + UDP_AT, 1, OPTION_BYTES);
    frame->length += OPTION_BYTES;
    ip_of(builder)->version_ihl++;
    ip_of(builder)->total_length = rte_cpu_to_be_16((uint16_t)(frame->length - IP_AT));
    mend_ip(builder);
}

/* First, middle and last fragments. */
static void build_fragment(struct builder *builder)
{
    static const uint16_t offsets[] = {RTE_IPV4_HDR_MF_FLAG, RTE_IPV4_HDR_MF_FLAG | 8, 16};

    build_signed(builder);
    ip_of(builder)->fragment_offset =
        rte_cpu_to_be_16(offsets[builder->variant % RTE_DIM(offsets)]);
    mend_ip(builder);
}

static void set_ip_length(struct builder *builder, uint32_t length)
{
    ip_of(builder)->total_length = rte_cpu_to_be_16((uint16_t)length);
    mend_ip(builder);
}

/* Frames that end within the IP header, and packets that end within the UDP header. */
static void build_runt(struct builder *builder)
{
    static const uint16_t lengths[] = {IP_AT, IP_AT + 1, IP_AT + 19};

    build_signed(builder);
    if (builder->variant % 2)
        set_ip_length(builder, sizeof(struct rte_ipv4_hdr) + builder->variant / 2 % 8);
    else
        builder->frame->length = lengths[builder->variant / 2 % RTE_DIM(lengths)];
}

static void build_short(struct builder *builder)
{
    static const uint16_t lengths[] = {UDP_AT, UDP_AT + 7, UDP_AT + 8, 100};

    build_signed(builder);
    builder->frame->length = lengths[builder->variant % RTE_DIM(lengths)];
}

static void build_ip_length(struct builder *builder)
{
    build_signed(builder);
    set_ip_length(builder, builder->variant % sizeof(struct rte_ipv4_hdr));
}

static void build_udp_length(struct builder *builder)
{
    static const uint16_t lengths[] = {0, sizeof(struct rte_udp_hdr) - 1, 60, UINT16_MAX};

    build_signed(builder);
    udp_of(builder)->dgram_len = rte_cpu_to_be_16(lengths[builder->variant % RTE_DIM(lengths)]);
}

/* One bit of the checksum at that place is wrong. */
static void build_wrong_sum(struct builder *builder, size_t at)
{
    uint8_t *sum = builder->frame->bytes + at;

    build_signed(builder);
    sum[builder->variant / 8 % 2] ^= (uint8_t)(1u << builder->variant % 8);
    if (sum[0] == 0 && sum[1] == 0) /* over UDP that is none, which is allowed */
        sum[0] = sum[1] = UINT8_MAX;
}

/* Outside the engine's range, on both sides of it. */
static void build_other_port(struct builder *builder)
{
    uint32_t base = builder->hostile->target_base_port, last = base + builder->client->partitions;
    uint32_t port = builder->variant % 2 ? base - 1 - builder->variant : last + builder->variant;

    build_signed(builder);
    udp_of(builder)->dst_port = rte_cpu_to_be_16((uint16_t)port);
    udp_of(builder)->dgram_cksum = 0; /* none */
}

static void build_multicast(struct builder *builder)
{
    static const uint32_t groups[] = {0xe0000001, 0xe00000fb, 0xefffffff, 0xe8010203};

    builder->wire.address = groups[builder->variant % RTE_DIM(groups)];
    build_signed(builder);
}

/* The limited one, and the subnet's own. */
static void build_broadcast(struct builder *builder)
{
    uint32_t hosts = builder->hostile->hosts_mask;

    builder->wire.address =
        builder->variant % 2 || hosts == 0 ? UINT32_MAX : builder->wire.target | hosts;
    build_signed(builder);
}

static void build_mirror(struct builder *builder)
{
    builder->wire.address = builder->wire.target;
    if (builder->variant % 2)
        builder->wire.udp_port = (uint16_t)builder->hostile->target_base_port;
    build_signed(builder);
}

static void build_low_port(struct builder *builder)
{
    static const uint16_t ports[] = {1, 7, 13, 19, 53, 123, 161, 1023};

    builder->wire.udp_port = ports[builder->variant % RTE_DIM(ports)];
    build_signed(builder);
}

static void build_with_key(struct builder *builder, uint16_t key_id, uint64_t mac)
{
    struct load_hostile_payload payload = request(builder);

    payload.header.key_id = key_id;
    payload.header.mac = mac;
    frame_around(builder, &payload, sizeof(payload));
}

/* One bit of the right mac is wrong. */
static void build_forged(struct builder *builder)
{
    struct load_hostile_payload payload = request(builder);

    load_hostile_sign(builder->client, &payload, sizeof(payload));
    payload.header.mac ^= UINT64_C(1) << builder->variant * 2;
    frame_around(builder, &payload, sizeof(payload));
}

static void build_stale(struct builder *builder)
{
    struct load_hostile_payload payload = request(builder);

    payload.header.time_ns -= STALE_S * SECOND_NS;
    load_hostile_sign(builder->client, &payload, sizeof(payload));
    frame_around(builder, &payload, sizeof(payload));
}

static void build(struct builder *builder)
{
    switch (builder->kind) {
    case LOAD_HOSTILE_RANDOM:
        return build_random(builder);
    case LOAD_HOSTILE_FORM:
    case LOAD_HOSTILE_VERSION:
    case LOAD_HOSTILE_REPLY:
        return build_form(builder);
    case LOAD_HOSTILE_CUT:
        return build_cut(builder);
    case LOAD_HOSTILE_IP_CHECKSUM:
        return build_wrong_sum(builder, IP_AT + offsetof(struct rte_ipv4_hdr, hdr_checksum));
    case LOAD_HOSTILE_IP_OPTIONS:
        return build_ip_options(builder);
    case LOAD_HOSTILE_FRAGMENT:
        return build_fragment(builder);
    case LOAD_HOSTILE_RUNT:
        return build_runt(builder);
    case LOAD_HOSTILE_SHORT:
        return build_short(builder);
    case LOAD_HOSTILE_IP_LENGTH:
        return build_ip_length(builder);
    case LOAD_HOSTILE_UDP_LENGTH:
        return build_udp_length(builder);
    case LOAD_HOSTILE_UDP_CHECKSUM:
        return build_wrong_sum(builder, UDP_AT + offsetof(struct rte_udp_hdr, dgram_cksum));
    case LOAD_HOSTILE_OTHER_PORT:
        return build_other_port(builder);
    case LOAD_HOSTILE_MULTICAST:
        return build_multicast(builder);
    case LOAD_HOSTILE_BROADCAST:
        return build_broadcast(builder);
    case LOAD_HOSTILE_MIRROR:
        return build_mirror(builder);
    case LOAD_HOSTILE_LOW_PORT:
        return build_low_port(builder);
    case LOAD_HOSTILE_UNSIGNED:
        return build_with_key(builder, 0, 0);
    case LOAD_HOSTILE_UNKNOWN_KEY:
        return build_with_key(builder, NOBODYS_KEY, draw(builder));
    case LOAD_HOSTILE_FORGED:
        return build_forged(builder);
    case LOAD_HOSTILE_STALE:
        return build_stale(builder);
    case LOAD_HOSTILE_REPLAY:
    case LOAD_HOSTILE_REPLAY_PORT:
    case LOAD_HOSTILE_REPLAY_ADDRESS:
    case LOAD_HOSTILE_ONE_BUYER:
    case LOAD_HOSTILE_MANY_BUYERS:
    case LOAD_HOSTILE_COUNT: /* made as they are sent */
        return;
    }
}

/* The neighbour of the honest client's address: above it, or below where that is the engine's or
 * the subnet's broadcast. */
static uint32_t neighbour(const struct load_hostile *hostile, const struct load_wire *honest)
{
    uint32_t above = honest->address + 1;

    return above == honest->target || (above & hostile->hosts_mask) == hostile->hosts_mask
               ? honest->address - 1
               : above;
}

void load_hostile_build(struct load_hostile *hostile, const struct load_wire *honest)
{
    struct builder builder = {.hostile = hostile, .client = hostile->client};

    for (enum load_hostile_kind kind = 0; kind < LOAD_HOSTILE_COUNT; kind++) {
        struct load_wire *wire = &hostile->wires[kind];
        *wire = *honest;
        if (kind != LOAD_HOSTILE_REPLAY)
            wire->udp_port = (uint16_t)(hostile->first_port + kind);
        if (kind == LOAD_HOSTILE_REPLAY_ADDRESS)
            wire->address = neighbour(hostile, honest);
        builder.kind = kind;
        for (builder.variant = 0; builder.variant < LOAD_HOSTILE_VARIANTS; builder.variant++) {
            builder.wire = *wire;
            builder.frame = &hostile->frames[kind * LOAD_HOSTILE_VARIANTS + builder.variant];
            build(&builder);
        }
    }
}
