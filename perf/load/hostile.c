/* SPDX-License-Identifier: BSD-3-Clause */
/* When hostile datagrams leave, replays and bots, and who was answered. hostile_frames.c builds the
 * frames that are always the same. */
#include "perf/load/hostile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "perf/load/hostile_frames.h"
#include "perf/load/memory.h"
#include "perf/load/random.h"

#define SECOND_NS  UINT64_C(1000000000)
#define BEHIND_NS  (20 * LOAD_MS) /* further behind its schedule nothing is made good */
#define REST_SHARE 5              /* of a slice, the part without hostile traffic */
#define FRAMES_BYTES                                                                               \
    (LOAD_HOSTILE_COUNT * LOAD_HOSTILE_VARIANTS * sizeof(struct load_hostile_frame))
#define OVERHEAR_BYTES (LOAD_OVERHEARD * sizeof(struct load_overheard))
#define BOTS_REQUESTS  (UINT64_C(1) << 40) /* theirs and the honest clients' never meet */

/* Streams of random words. */
enum { STREAM_KIND = 0x51, STREAM_VICTIM, STREAM_ITEM };

static const struct {
    const char *name, *counter;
    enum load_expected expected;
} kinds[LOAD_HOSTILE_COUNT] = {
#define X(name, text, counter, expected, help)                                                     \
    [LOAD_HOSTILE_##name] = {text, counter, LOAD_##expected},
    LOAD_HOSTILES(X)
#undef X
};

const char *load_hostile_name(enum load_hostile_kind kind)
{
    return kinds[kind].name;
}

const char *load_hostile_counter(enum load_hostile_kind kind)
{
    return kinds[kind].counter;
}

enum load_expected load_hostile_expected(enum load_hostile_kind kind)
{
    return kinds[kind].expected;
}

static int kind_of(const char *name, size_t length)
{
    for (int kind = 0; kind < LOAD_HOSTILE_COUNT; kind++)
        if (strlen(kinds[kind].name) == length && memcmp(kinds[kind].name, name, length) == 0)
            return kind;
    return -1;
}

/* The list with numbers in place of names, which is what weights are read from. 0, or -1. */
static int number_kinds(const char *text, char *list, size_t room, char *message, size_t size)
{
    size_t length = 0;

    for (const char *separator = "";; separator = ",") {
        size_t name = strcspn(text, ":,"), item = strcspn(text, ",");
        int kind = kind_of(text, name);
        if (kind < 0) {
            snprintf(message, size, "\"%.*s\" is no kind of hostile traffic; %s",
                     (int)(name < 40 ? name : 40), text,
                     name == 3 && memcmp(text, "all", name) == 0
                         ? "all stands alone, without a weight"
                         : "--help lists them");
            return -1;
        }
        length += (size_t)snprintf(list + length, room - length, "%s%d%.*s", separator, kind + 1,
                                   (int)(item - name), text + name);
        if (length >= room) {
            snprintf(message, size, "the list of hostile traffic is too long");
            return -1;
        }
        if (text[item] == '\0')
            return 0;
        text += item + 1;
    }
}

static int all_kinds(struct load_weights *weights)
{
    uint32_t values[LOAD_HOSTILE_COUNT], shares[LOAD_HOSTILE_COUNT];

    for (uint32_t kind = 0; kind < LOAD_HOSTILE_COUNT; kind++) {
        values[kind] = kind + 1;
        shares[kind] = 1;
    }
    return load_weights_build(weights, LOAD_HOSTILE_COUNT, values, shares);
}

int load_hostile_parse(struct load_weights *weights, const char *text, char *message, size_t size)
{
    char list[1024] = "";

    if (strcmp(text, "all") == 0) {
        if (all_kinds(weights) == 0)
            return 0;
        snprintf(message, size, "no memory for the kinds of hostile traffic");
        return -1;
    }
    if (number_kinds(text, list, sizeof(list), message, size) < 0)
        return -1;
    return load_weights_parse(weights, list, LOAD_HOSTILE_COUNT, message, size);
}

int load_hostile_start(struct load_hostile *hostile, const struct load_wire *honest,
                       uint32_t target_base_port)
{
    hostile->target_base_port = target_base_port;
    hostile->frames = load_memory_map(FRAMES_BYTES);
    hostile->overheard = load_memory_map(OVERHEAR_BYTES);
    if (!hostile->frames || !hostile->overheard)
        return -ENOMEM;
    load_hostile_build(hostile, honest);
    load_memory_prefault(hostile->overheard, OVERHEAR_BYTES);
    hostile->last_ns = hostile->client->start_ns;
    return 0;
}

void load_hostile_fini(struct load_hostile *hostile)
{
    load_memory_unmap(hostile->frames, FRAMES_BYTES);
    load_memory_unmap(hostile->overheard, OVERHEAR_BYTES);
    load_weights_fini(&hostile->kinds);
    hostile->frames = NULL;
    hostile->overheard = NULL;
}

bool load_hostile_on(const struct load_hostile *hostile, uint64_t now_ns)
{
    const struct load_client *client = hostile->client;

    if (hostile->rate == 0 || now_ns < client->start_ns || client->next == client->requests)
        return false;
    if (hostile->slice_ns == 0)
        return true;
    uint64_t since = now_ns - client->start_ns, slice = since / hostile->slice_ns;
    return since % hostile->slice_ns >= hostile->slice_ns / REST_SHARE &&
           ((slice ^ slice / 2) & 1) != 0;
}

static uint64_t word(const struct load_hostile *hostile, unsigned stream)
{
    return load_word(hostile->client->mix.seed + ((uint64_t)stream << 56), hostile->number);
}

/* A copy of an honest datagram, one of the last few. False: none was overheard yet. */
static bool replay(struct load_hostile *hostile, enum load_hostile_kind kind)
{
    uint8_t frame[LOAD_FRAME_BYTES_MAX];
    uint64_t among =
        hostile->overheard_count < LOAD_OVERHEARD ? hostile->overheard_count : LOAD_OVERHEARD;

    if (among == 0)
        return false;
    uint64_t back = load_reduce(word(hostile, STREAM_VICTIM), among);
    const struct load_overheard *victim =
        &hostile->overheard[(hostile->overheard_count - 1 - back) % LOAD_OVERHEARD];
    size_t length = load_wire_datagram(&hostile->wires[kind], frame,
                                       (uint16_t)(hostile->target_base_port + victim->partition),
                                       victim->payload, victim->length);
    hostile->link->send(hostile->link, victim->partition, frame, length, kind);
    return true;
}

/* Names are never used twice, by the bots together. */
static uint64_t next_name(struct load_hostile *hostile, uint64_t now_ns)
{
    uint64_t clock = hostile->client->origin_ns + now_ns;

    hostile->name = clock > hostile->name ? clock : hostile->name + 1;
    return hostile->name;
}

/* A bot's order, as rightly signed as anybody's. Bots are buyers behind the honest ones. */
static void ask_as_bot(struct load_hostile *hostile, enum load_hostile_kind kind, uint64_t now_ns)
{
    const struct load_client *client = hostile->client;
    uint32_t bots = UINT32_MAX - client->mix.buyers;
    uint32_t buyer = client->mix.buyers;
    uint8_t frame[LOAD_FRAME_BYTES_MAX];

    if (kind == LOAD_HOSTILE_MANY_BUYERS)
        buyer += 1 + (uint32_t)(hostile->number % (bots - 1));
    struct load_hostile_payload payload = load_hostile_request(
        client, buyer, BOTS_REQUESTS + hostile->number, word(hostile, STREAM_ITEM));
    payload.header.time_ns = next_name(hostile, now_ns);
    load_hostile_sign(client, &payload, sizeof(payload));
    uint32_t partition = load_mix_partition(buyer, client->partitions);
    size_t length = load_wire_datagram(&hostile->wires[kind], frame,
                                       (uint16_t)(hostile->target_base_port + partition), &payload,
                                       sizeof(payload));
    hostile->link->send(hostile->link, partition, frame, length, kind);
}

static void send_ready(struct load_hostile *hostile, enum load_hostile_kind kind)
{
    uint32_t variant = (uint32_t)(hostile->sent[kind] % LOAD_HOSTILE_VARIANTS);
    const struct load_hostile_frame *ready =
        &hostile->frames[kind * LOAD_HOSTILE_VARIANTS + variant];

    hostile->link->send(hostile->link, variant % hostile->client->partitions, ready->bytes,
                        ready->length, kind);
}

static bool send_one(struct load_hostile *hostile, uint64_t now_ns)
{
    uint32_t drawn = load_weights_draw(&hostile->kinds, word(hostile, STREAM_KIND));
    enum load_hostile_kind kind = hostile->kinds.values[drawn] - 1;

    hostile->number++;
    switch (kind) {
    case LOAD_HOSTILE_REPLAY:
    case LOAD_HOSTILE_REPLAY_PORT:
    case LOAD_HOSTILE_REPLAY_ADDRESS:
        if (!replay(hostile, kind))
            return false;
        break;
    case LOAD_HOSTILE_ONE_BUYER:
    case LOAD_HOSTILE_MANY_BUYERS:
        ask_as_bot(hostile, kind, now_ns);
        break;
    default:
        send_ready(hostile, kind);
    }
    hostile->sent[kind]++;
    return true;
}

/* Counts what has become due. */
static void count_due(struct load_hostile *hostile, uint64_t now_ns)
{
    static const uint64_t unit = SECOND_NS;
    uint64_t most = BEHIND_NS * hostile->rate;

    hostile->credit += (now_ns - hostile->last_ns) * hostile->rate;
    hostile->last_ns = now_ns;
    if (hostile->credit > most && hostile->credit - most >= unit) {
        uint64_t late = (hostile->credit - most) / unit;
        hostile->skipped += late;
        hostile->credit -= late * unit;
    }
}

unsigned load_hostile_play(struct load_hostile *hostile, uint64_t now_ns, unsigned most)
{
    unsigned sent = 0;

    if (!load_hostile_on(hostile, now_ns)) {
        hostile->last_ns = now_ns;
        hostile->credit = 0;
        return 0;
    }
    count_due(hostile, now_ns);
    for (; sent < most && hostile->credit >= SECOND_NS; sent++) {
        if (!send_one(hostile, now_ns))
            break;
        hostile->credit -= SECOND_NS;
    }
    return sent;
}

void load_hostile_overhear(struct load_hostile *hostile, uint32_t partition, const void *payload,
                           size_t length)
{
    struct load_overheard *place;

    if (!hostile->overheard)
        return; /* not begun yet */
    place = &hostile->overheard[hostile->overheard_count++ % LOAD_OVERHEARD];
    place->partition = partition;
    place->length = (uint16_t)length;
    memcpy(place->payload, payload, length);
}

/* Of sources that were spoofed the port may be nobody's. */
static int kind_by_address(const struct load_hostile *hostile, uint32_t address, uint16_t port)
{
    if (port < 1024)
        return LOAD_HOSTILE_LOW_PORT;
    if (address == hostile->wires[LOAD_HOSTILE_MIRROR].target)
        return LOAD_HOSTILE_MIRROR;
    return -1;
}

/* Where the IP header begins, behind VLAN tags; 0: it is none of IPv4. */
static size_t ipv4_at(const uint8_t *frame, size_t length)
{
    size_t at = offsetof(struct rte_ether_hdr, ether_type);
    rte_be16_t type = 0;

    for (unsigned tags = 0; tags < 3 && at + sizeof(type) <= length; tags++) {
        memcpy(&type, frame + at, sizeof(type));
        at += sizeof(type);
        if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN))
            break;
        at += sizeof(rte_be16_t);
    }
    return type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ? at : 0;
}

void load_hostile_hear(struct load_hostile *hostile, const uint8_t *frame, size_t length)
{
    size_t at = ipv4_at(frame, length);
    struct rte_ipv4_hdr ip;
    struct rte_udp_hdr udp;

    if (at == 0 || at + sizeof(ip) + sizeof(udp) > length)
        return;
    memcpy(&ip, frame + at, sizeof(ip));
    memcpy(&udp, frame + at + sizeof(ip), sizeof(udp));
    uint16_t port = rte_be_to_cpu_16(udp.dst_port);
    int kind = port - hostile->first_port;
    if (kind >= 0 && kind < LOAD_HOSTILE_COUNT) {
        hostile->answers[kind]++;
        return;
    }
    if (rte_be_to_cpu_32(ip.src_addr) != hostile->wires[0].target)
        return; /* somebody else's chatter */
    kind = kind_by_address(hostile, rte_be_to_cpu_32(ip.dst_addr), port);
    ++*(kind < 0 ? &hostile->stray : &hostile->answers[kind]);
}
