/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving half of the stateless generator. */
#include <string.h>

#include "perf/load/stateless.h"

/* Bytes of an entry of what we hear. */
static inline size_t entry_bytes(const struct load_stateless *load)
{
    return load->echo ? sizeof(struct fg_request) : sizeof(struct fg_reply);
}

/* Where the i-th request's number stands in it. */
static inline size_t request_at(const struct load_stateless *load, uint32_t i)
{
    return load->echo ? FG_REQUEST_BYTES(i) + offsetof(struct fg_request, request)
                      : FG_REPLY_BYTES(i) + offsetof(struct fg_reply, request);
}

/* What must be right of every datagram that comes back, or why it is dropped. The mac is not read:
 * it may lie in a line of its own, which of most datagrams nobody needs. */
static enum load_drop look(const struct load_stateless *load, const uint8_t *payload, size_t length,
                           struct fg_header *header)
{
    if (length < sizeof(*header))
        return LOAD_DROP_MALFORMED;
    memcpy(header, payload, offsetof(struct fg_header, mac));
    if (header->magic[0] != FG_MAGIC_0 || header->magic[1] != FG_MAGIC_1 ||
        header->version != FG_VERSION ||
        header->type != (load->echo ? FG_TYPE_REQUEST : FG_TYPE_REPLY) || header->reserved != 0 ||
        header->count == 0 || header->count > FG_ENTRIES_MAX ||
        length != sizeof(*header) + header->count * entry_bytes(load))
        return LOAD_DROP_MALFORMED;
    return header->key_id == load->key_id ? LOAD_DROP_COUNT : LOAD_DROP_MAC;
}

/* What is checked of a measured one besides. */
static enum load_drop look_closely(const struct load_stateless *load, const uint8_t *payload,
                                   size_t length, const struct fg_header *header)
{
    for (uint32_t i = 0; i < header->count; i++) {
        uint64_t request;
        memcpy(&request, payload + request_at(load, i), sizeof(request));
        if (request == 0 || !load_stateless_wrote(load, request - 1))
            return LOAD_DROP_ENTRY_DIFFERS;
    }
    uint64_t mac = header->key_id ? fg_payload_mac(load->secret, payload, length) : 0, theirs;
    memcpy(&theirs, payload + offsetof(struct fg_header, mac), sizeof(theirs));
    if (theirs != mac)
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
    if (load->retries_permille == 0 || reply->request == 0 ||
        !load_stateless_wrote(load, reply->request - 1))
        return;
    remember(load, reply->request);
    if (load->pool_count > 0)
        load_stateless_renew(load, reply->request - 1);
}

/* Are the verdicts of a reply those of the protocol? *pong: it is a PONG. */
static bool verdicts_are_known(const struct fg_header *header, const uint8_t *payload, bool *pong)
{
    struct fg_reply reply;

    for (uint32_t i = 0; i < header->count; i++) {
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        *pong = reply.verdict == FG_VERDICT_PONG && header->count == 1;
        if (reply.verdict > FG_VERDICT_MAX)
            return false;
    }
    return true;
}

bool load_stateless_hear(struct load_stateless *load, uint64_t arrived_ns, const uint8_t *payload,
                         size_t length)
{
    struct load_stateless_stats *stats = &load->stats;
    struct fg_header header;
    struct fg_reply reply;
    bool pong = false;
    enum load_drop wrong = look(load, payload, length, &header);

    if (wrong != LOAD_DROP_COUNT)
        return drop(load, wrong);
    if (!load->echo && !verdicts_are_known(&header, payload, &pong))
        return drop(load, LOAD_DROP_VERDICT);
    if (pong)
        return false;
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
    for (uint32_t i = 0; i < header.count && !load->echo; i++) {
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        count_entry(load, &reply);
    }
    stats->received++;
    stats->answered += header.count;
    stats->last_answer_ns = arrived_ns;
    return true;
}
