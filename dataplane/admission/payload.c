/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payloads: their form, whether they are authentic, and how a reply is made in place. Pure
 * functions; a payload lies at any address, so everything is copied in and out.
 */
#include "dataplane/admission/internal.h"

static struct fg_header header_of(const void *payload)
{
    struct fg_header header;
    memcpy(&header, payload, sizeof(header));
    return header;
}

bool fg_payload_check(const void *payload, size_t length)
{
    if (length < FG_REQUEST_BYTES(1) || length > FG_REQUEST_BYTES(FG_ENTRIES_MAX))
        return false;
    struct fg_header header = header_of(payload);
    return header.magic[0] == FG_MAGIC_0 && header.magic[1] == FG_MAGIC_1 &&
           header.version == FG_VERSION && header.type == FG_TYPE_REQUEST && header.reserved == 0 &&
           header.count >= 1 && header.count <= FG_ENTRIES_MAX &&
           length == FG_REQUEST_BYTES(header.count) && (header.key_id != 0 || header.mac == 0);
}

enum fg_unfit fg_payload_unfit(const void *payload, size_t length)
{
    if (length < sizeof(struct fg_header))
        return FG_UNFIT_MALFORMED;
    struct fg_header header = header_of(payload);
    if (header.magic[0] != FG_MAGIC_0 || header.magic[1] != FG_MAGIC_1)
        return FG_UNFIT_MALFORMED;
    if (header.version != FG_VERSION)
        return FG_UNFIT_VERSION;
    return header.type == FG_TYPE_REPLY ? FG_UNFIT_REPLY : FG_UNFIT_MALFORMED;
}

/* Prefixes are of one family, as they are written: ::/0 is every IPv6 source and no IPv4 one,
 * though an IPv4 address is a number within it. */
static bool source_allowed(const struct fg_key *key, struct fg_ip source)
{
    if (key->prefixes_count == 0)
        return true;
    for (unsigned i = 0; i < key->prefixes_count; i++)
        if (fg_ip_is_v4(key->prefixes[i].address) == fg_ip_is_v4(source) &&
            fg_prefix_holds(&key->prefixes[i], source))
            return true;
    return false;
}

/* One subtraction without borrow and one test of whole words: takes the same time wherever they
 * differ. Key 0 has no secret, and the form wants its mac to be 0. */
static bool is_signed(const struct fg_key *key, const struct fg_header *header, const void *payload,
                      size_t length)
{
    return header->key_id == 0 || (fg_payload_mac(key->secret, payload, length) ^ header->mac) == 0;
}

/* Its key, and whether that may come from there; the claim's mac and time are for later. */
static enum fg_authentic find_key(const struct fg_catalogue *catalogue, struct fg_claim *claim)
{
    struct fg_header header = header_of(claim->payload);
    int place = fg_keyring_find(catalogue->keys, header.key_id);

    if (place < 0)
        return header.key_id == 0 ? FG_AUTH_UNSIGNED : FG_AUTH_UNKNOWN_KEY;
    claim->key_place = (uint16_t)place;
    if (!source_allowed(&catalogue->keys->keys[place], *claim->source))
        return FG_AUTH_SOURCE;
    return FG_AUTHENTIC;
}

/* Of those whose key is found, all macs at once. Key 0 has no secret, and the form wants its mac to
 * be 0. A difference is one test of whole words: it takes the same time wherever they differ. */
static void check_macs(const struct fg_keyring *ring, struct fg_claim *claims, unsigned count)
{
    struct fg_mac_job jobs[FG_BURST];
    uint64_t macs[FG_BURST];
    uint8_t whose[FG_BURST];
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        if (claims[i].found != FG_AUTHENTIC)
            continue;
        const struct fg_key *key = &ring->keys[claims[i].key_place];
        if (key->id == 0)
            continue;
        jobs[n] = (struct fg_mac_job){key->secret, claims[i].payload, claims[i].length};
        whose[n++] = (uint8_t)i;
    }
    if (n == 0)
        return;
    fg_macs(jobs, n, macs);
    for (unsigned j = 0; j < n; j++)
        if ((macs[j] ^ header_of(jobs[j].payload).mac) != 0)
            claims[whose[j]].found = FG_AUTH_MAC;
}

/* Is it named within the window around this clock, and since the engine serves? */
static enum fg_authentic in_time(const struct fg_catalogue *catalogue, uint64_t time_ns,
                                 uint64_t wall_ns)
{
    uint64_t age = wall_ns > time_ns ? wall_ns - time_ns : time_ns - wall_ns;

    if (age > catalogue->freshness_ns)
        return FG_AUTH_STALE;
    return time_ns < catalogue->serving_since_ns ? FG_AUTH_EARLY : FG_AUTHENTIC;
}

void fg_payloads_authenticate(const struct fg_catalogue *catalogue, uint64_t wall_ns,
                              uint64_t ahead_ns, struct fg_claim *claims, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        claims[i].found = (uint8_t)find_key(catalogue, &claims[i]);
    check_macs(catalogue->keys, claims, count);
    for (unsigned i = 0; i < count; i++) {
        struct fg_claim *claim = &claims[i];
        if (claim->found != FG_AUTHENTIC)
            continue;
        uint64_t time_ns = header_of(claim->payload).time_ns;
        claim->found = (uint8_t)in_time(catalogue, time_ns, wall_ns);
        if (claim->found == FG_AUTH_STALE && ahead_ns > 0)
            claim->found = (uint8_t)in_time(catalogue, time_ns, wall_ns + ahead_ns);
    }
}

enum fg_authentic fg_payload_authenticate(const struct fg_catalogue *catalogue, const void *payload,
                                          size_t length, struct fg_ip source, uint64_t wall_ns,
                                          uint16_t *key_place)
{
    struct fg_claim claim = {.payload = payload, .length = (uint16_t)length, .source = &source};

    fg_payloads_authenticate(catalogue, wall_ns, 0, &claim, 1);
    if (claim.found == FG_AUTHENTIC || claim.found >= FG_AUTH_STALE)
        *key_place = claim.key_place;
    return (enum fg_authentic)claim.found;
}

int fg_payload_still_signed(const struct fg_catalogue *catalogue, const void *payload,
                            bool *unknown)
{
    struct fg_header header = header_of(payload);
    int place = fg_keyring_find(catalogue->keys, header.key_id);

    *unknown = place < 0;
    if (place >= 0 &&
        !is_signed(&catalogue->keys->keys[place], &header, payload, FG_REQUEST_BYTES(header.count)))
        place = -1;
    return place;
}

int fg_payload_partition(const void *payload, uint32_t partitions)
{
    unsigned count = header_of(payload).count;

    for (unsigned i = 0; i < count; i++) {
        uint8_t op = payload_op(payload, i);
        if (op >= FG_OP_ORDER && op <= FG_OP_QUERY)
            return (int)fg_partition(payload_buyer(payload, i), partitions);
    }
    return -1;
}

bool fg_payload_orders(const void *payload)
{
    unsigned count = header_of(payload).count;

    for (unsigned i = 0; i < count; i++)
        if (payload_op(payload, i) == FG_OP_ORDER)
            return true;
    return false;
}

/* The entries are in `answers` already, so nothing of the request is needed any more. */
uint32_t payload_reply(uint8_t *payload, const struct fg_reply *answers)
{
    unsigned count = payload[offsetof(struct fg_header, count)];

    payload[offsetof(struct fg_header, type)] = FG_TYPE_REPLY;
    memset(payload + offsetof(struct fg_header, mac), 0, sizeof(uint64_t));
    for (unsigned i = 0; i < count; i++) /* mostly one or two: not worth a call of memcpy */
        memcpy(payload + FG_REPLY_BYTES(i), &answers[i], sizeof(answers[i]));
    return (uint32_t)FG_REPLY_BYTES(count);
}

uint32_t fg_payload_busy(const struct fg_catalogue *catalogue, uint8_t *payload, uint16_t key_place,
                         uint32_t wait_ms)
{
    struct fg_reply answers[FG_ENTRIES_MAX];
    unsigned count = header_of(payload).count;

    for (unsigned i = 0; i < count; i++) {
        struct fg_request entry = payload_entry(payload, i);
        answers[i] = (struct fg_reply){
            .request = entry.request,
            .item = entry.item,
            .quantity = entry.quantity,
            .verdict = FG_VERDICT_BUSY,
            .wait_ms = wait_ms,
        };
    }
    const struct fg_key *key = &catalogue->keys->keys[key_place];
    uint32_t length = payload_reply(payload, answers);
    if (key->id != 0)
        payload_put_mac(payload, fg_payload_mac(key->secret, payload, length));
    return length;
}
