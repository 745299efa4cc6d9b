/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving half of the stateless generator. */
#include <string.h>

#include "perf/load/stateless.h"

/* What must be right of every reply, or why it is dropped. */
static enum load_drop look(const struct load_stateless *load, const uint8_t *payload, size_t length,
                           struct fg_header *header)
{
    if (length < sizeof(*header))
        return LOAD_DROP_MALFORMED;
    memcpy(header, payload, sizeof(*header));
    if (header->magic[0] != FG_MAGIC_0 || header->magic[1] != FG_MAGIC_1 ||
        header->version != FG_VERSION || header->type != FG_TYPE_REPLY || header->reserved != 0 ||
        header->count == 0 || header->count > FG_ENTRIES_MAX ||
        length != FG_REPLY_BYTES(header->count))
        return LOAD_DROP_MALFORMED;
    return header->key_id == load->key_id ? LOAD_DROP_COUNT : LOAD_DROP_MAC;
}

/* What is checked of a measured reply besides. */
static enum load_drop look_closely(const struct load_stateless *load, const uint8_t *payload,
                                   size_t length, const struct fg_header *header)
{
    uint64_t issued = load->pool_count > 0 ? load->pool_count : load->group;

    for (uint32_t i = 0; i < header->count; i++) {
        struct fg_reply reply;
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        if (reply.request == 0 || reply.request > issued * load->mix->batch)
            return LOAD_DROP_ENTRY_DIFFERS;
    }
    uint64_t mac = header->key_id ? fg_payload_mac(load->secret, payload, length) : 0;
    if (header->mac != mac)
        return LOAD_DROP_MAC;
    /* Names of our own are not later than now, which arrival is. */
    return header->time_ns > load->name + 1 ? LOAD_DROP_NOT_WAITED_FOR : LOAD_DROP_COUNT;
}

static bool drop(struct load_stateless *load, enum load_drop why)
{
    load->stats.drops[why]++;
    return true;
}

/* A place in its partition's ring for an order that may be asked again. */
static void remember(struct load_stateless *load, uint64_t request)
{
    struct load_want want = load_mix_want(load->mix, request - 1);
    struct load_ring *ring = &load->rings[load_mix_partition(want.buyer, load->mix->partitions)];

    ring->numbers[ring->admitted++ % LOAD_RING_PLACES] = request - 1;
}

static void count_entry(struct load_stateless *load, const struct fg_reply *reply)
{
    struct load_stateless_stats *stats = &load->stats;

    stats->answers[reply->verdict]++;
    stats->replays += reply->flags & FG_REPLAY;
    if (reply->verdict != FG_VERDICT_ADMITTED || reply->flags & FG_REPLAY)
        return;
    stats->admitted++;
    if (load->retries_permille > 0 && reply->request > 0 &&
        reply->request <= load->group * load->mix->batch)
        remember(load, reply->request);
}

bool load_stateless_hear(struct load_stateless *load, uint64_t arrived_ns, const uint8_t *payload,
                         size_t length)
{
    struct load_stateless_stats *stats = &load->stats;
    struct fg_header header;
    struct fg_reply reply;
    enum load_drop wrong = look(load, payload, length, &header);

    if (wrong != LOAD_DROP_COUNT)
        return drop(load, wrong);
    for (uint32_t i = 0; i < header.count; i++) {
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        if (reply.verdict == FG_VERDICT_PONG && header.count == 1)
            return false;
        if (reply.verdict > FG_VERDICT_MAX)
            return drop(load, LOAD_DROP_VERDICT);
    }
    if (header.count != load->mix->batch)
        return drop(load, LOAD_DROP_COUNT_DIFFERS);
    if (header.time_ns & 1) {
        wrong = look_closely(load, payload, length, &header);
        if (wrong != LOAD_DROP_COUNT)
            return drop(load, wrong);
        uint64_t named_ns = (header.time_ns & ~UINT64_C(1)) - load->origin_ns;
        load_histogram_add(&load->latency, arrived_ns > named_ns ? arrived_ns - named_ns : 0);
        stats->measured++;
    }
    for (uint32_t i = 0; i < header.count; i++) {
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        count_entry(load, &reply);
    }
    stats->received++;
    stats->answered += header.count;
    stats->last_answer_ns = arrived_ns;
    return true;
}
