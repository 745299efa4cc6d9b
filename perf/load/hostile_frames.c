/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile frames: each is a right one, rightly signed, with one thing wrong, so that nothing but
 * that thing can be why it is dropped. Here what is wrong is in the payload; hostile_headers.c has
 * the rest.
 */
#include "perf/load/hostile_frames.h"

#include <string.h>

#include <rte_common.h>

#include "perf/load/random.h"

#define SECOND_NS UINT64_C(1000000000)

enum {
    RANDOM_BYTES_MAX = 1400,
    STALE_S = 3600,
    NOBODYS_KEY = 65535,
};

/* The stream of random words that contents are made of. */
enum { STREAM_CONTENT = 0x54 };

static uint64_t draw(struct hostile_builder *builder)
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

static void frame_around(struct hostile_builder *builder, const void *payload, size_t length)
{
    struct load_hostile *hostile = builder->hostile;
    uint32_t partition = builder->variant % builder->client->partitions;

    builder->frame->length = (uint16_t)load_wire_datagram(
        &builder->wire, builder->frame->bytes, (uint16_t)(hostile->target_base_port + partition),
        payload, length);
}

/* A request of the load's beginning. */
static struct load_hostile_payload request(struct hostile_builder *builder)
{
    const struct load_client *client = builder->client;
    struct load_hostile_payload payload = load_hostile_request(
        client, builder->variant % client->mix.buyers, draw(builder) >> 1, draw(builder));

    payload.header.time_ns = client->origin_ns + client->start_ns + builder->variant;
    return payload;
}

void load_hostile_signed_frame(struct hostile_builder *builder)
{
    struct load_hostile_payload payload = request(builder);

    load_hostile_sign(builder->client, &payload, sizeof(payload));
    frame_around(builder, &payload, sizeof(payload));
}

static void build_random(struct hostile_builder *builder)
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
static void build_form(struct hostile_builder *builder)
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
static void build_cut(struct hostile_builder *builder)
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

static void build_with_key(struct hostile_builder *builder, uint16_t key_id, uint64_t mac)
{
    struct load_hostile_payload payload = request(builder);

    payload.header.key_id = key_id;
    payload.header.mac = mac;
    frame_around(builder, &payload, sizeof(payload));
}

static void build_unsigned(struct hostile_builder *builder)
{
    build_with_key(builder, 0, 0);
}

static void build_unknown_key(struct hostile_builder *builder)
{
    build_with_key(builder, NOBODYS_KEY, draw(builder));
}

/* One bit of the right mac is wrong. */
static void build_forged(struct hostile_builder *builder)
{
    struct load_hostile_payload payload = request(builder);

    load_hostile_sign(builder->client, &payload, sizeof(payload));
    payload.header.mac ^= UINT64_C(1) << builder->variant * 2;
    frame_around(builder, &payload, sizeof(payload));
}

static void build_stale(struct hostile_builder *builder)
{
    struct load_hostile_payload payload = request(builder);

    payload.header.time_ns -= STALE_S * SECOND_NS;
    load_hostile_sign(builder->client, &payload, sizeof(payload));
    frame_around(builder, &payload, sizeof(payload));
}

/* By kind; replays and bots are made as they are sent. */
static void (*const builders[LOAD_HOSTILE_COUNT])(struct hostile_builder *) = {
    [LOAD_HOSTILE_RANDOM] = build_random,
    [LOAD_HOSTILE_FORM] = build_form,
    [LOAD_HOSTILE_VERSION] = build_form,
    [LOAD_HOSTILE_REPLY] = build_form,
    [LOAD_HOSTILE_CUT] = build_cut,
    [LOAD_HOSTILE_UNSIGNED] = build_unsigned,
    [LOAD_HOSTILE_UNKNOWN_KEY] = build_unknown_key,
    [LOAD_HOSTILE_FORGED] = build_forged,
    [LOAD_HOSTILE_STALE] = build_stale,
};

static void build(struct hostile_builder *builder)
{
    if (builders[builder->kind])
        builders[builder->kind](builder);
    else
        load_hostile_build_headers(builder);
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
    struct hostile_builder builder = {.hostile = hostile, .client = hostile->client};

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
