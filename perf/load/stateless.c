/* SPDX-License-Identifier: BSD-3-Clause */
/* What the stateless generator sends. stateless_replies.c is what it hears. */
#include "perf/load/stateless.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "flashgate/limits.h"
#include "perf/load/memory.h"
#include "perf/load/random.h"
#include "perf/load/sign.h"

#define LATE_NS LOAD_MS

enum { FIRST_BUYER_AT = sizeof(struct fg_header) + offsetof(struct fg_request, buyer) };

static const uint64_t retry_stream = UINT64_C(0x7265747269657300);

/* A name for what was to leave at due_ns of the link's clock: even, and none twice. */
static uint64_t next_name(struct load_stateless *load, uint64_t due_ns)
{
    uint64_t name = (load->origin_ns + due_ns) & ~UINT64_C(1);

    load->name = name > load->name ? name : load->name + 2;
    return load->name;
}

static void write_name(uint8_t *payload, uint64_t name)
{
    memcpy(payload + offsetof(struct fg_header, time_ns), &name, sizeof(name));
}

/* Asks an order of this partition again that was admitted, if it is the turn of one: the i-th of
 * the datagram that is sent next. False: it is not, or none is known. */
static bool choose_retry(struct load_stateless *load, uint32_t partition, uint32_t i,
                         uint64_t *number, struct load_want *want)
{
    uint64_t word = load_word(load->mix->seed ^ retry_stream, load->stats.sent + i);

    if (load_reduce(word << 32, 1000) >= load->retries_permille)
        return false;
    const struct load_ring *ring = &load->rings[partition];
    uint64_t known = ring->admitted < LOAD_RING_PLACES ? ring->admitted : LOAD_RING_PLACES;
    if (known == 0)
        return false;
    *number = ring->numbers[load_reduce(word & ~UINT64_C(0xffffffff), known)];
    *want = load_mix_want(load->mix, *number);
    load->stats.retries++;
    return true;
}

/* Each field goes straight to its place: an entry that is put together elsewhere by small stores
 * and then copied by large loads waits for all of them. */
static void write_order(const struct load_mix *mix, uint64_t number, const struct load_want *want,
                        uint8_t *entry)
{
    static const uint8_t order[] = {FG_OP_ORDER, 0 /* flags */};
    static const uint64_t none;
    uint64_t request = number + 1;

#define PUT(field, value)                                                                          \
    memcpy(entry + offsetof(struct fg_request, field), &(value), sizeof(value))
    load_mix_buyer_identity(mix, want->buyer, entry + offsetof(struct fg_request, buyer));
    PUT(request, request);
    PUT(item, want->item);
    PUT(quantity, want->quantity);
    PUT(op, order);
    PUT(order, none);
#undef PUT
}

/* All of a datagram but its name and mac. */
static uint32_t write_orders(struct load_stateless *load, uint64_t group, uint8_t *payload)
{
    struct load_want wants[FG_ENTRIES_MAX];
    const struct load_mix *mix = load->mix;
    uint32_t partition = load_mix_group(mix, group, wants);

    memcpy(payload, &load->header, sizeof(load->header));
    for (uint32_t i = 0; i < mix->batch; i++) {
        uint64_t number = group * mix->batch + i;
        if (load->retries_permille > 0)
            (void)choose_retry(load, partition, i, &number, &wants[i]);
        write_order(mix, number, &wants[i], payload + FG_REQUEST_BYTES(i));
    }
    return partition;
}

/* Puts retries among the orders of a place's datagram, which then is a copy; is one among them? */
static bool mix_retries_in(struct load_stateless *load, struct load_place *place)
{
    struct load_want want;
    uint64_t number;
    bool any = false;

    for (uint32_t i = 0; i < load->mix->batch; i++) {
        if (!choose_retry(load, place->partition, i, &number, &want))
            continue;
        if (!any)
            memcpy(place->room, place->payload, load_stateless_bytes(load));
        any = true;
        write_order(load->mix, number, &want, place->room + FG_REQUEST_BYTES(i));
    }
    return any;
}

void load_stateless_renew(struct load_stateless *load, uint64_t number)
{
    uint64_t place = load_mix_place(number), group = place / load->mix->batch, request;
    uint8_t *entry = load_pool_at(&load->pool, group) + FG_REQUEST_BYTES(place % load->mix->batch);

    memcpy(&request, entry + offsetof(struct fg_request, request), sizeof(request));
    if (request != number + 1)
        return; /* an answer to a copy, which came late */
    number += LOAD_MIX_ANEW;
    struct load_want want = load_mix_want(load->mix, number);
    write_order(load->mix, number, &want, entry);
    load->pool.changed[group] = true;
    load->renewed++;
}

static void sign(struct load_stateless *load, uint8_t *const *payloads, unsigned count)
{
    if (load->key_id != 0)
        load_sign(load->secret, payloads, count, load_stateless_bytes(load));
    load->stats.signed_frames += count;
}

/* Gives payloads of the pool new names and macs, `count` from the stale one on. */
static void refresh(struct load_stateless *load, unsigned count, uint64_t now_ns)
{
    struct load_pool *pool = &load->pool;
    uint8_t *payloads[LOAD_POOL_AT_ONCE];
    static const uint64_t unsigned_mac;

    for (unsigned i = 0; i < count; i++) {
        payloads[i] = load_pool_at(pool, pool->stale);
        pool->changed[pool->stale] = false;
        write_name(payloads[i], next_name(load, now_ns));
        memcpy(payloads[i] + offsetof(struct fg_header, mac), &unsigned_mac, sizeof(unsigned_mac));
        pool->stale = pool->stale + 1 < pool->count ? pool->stale + 1 : 0;
    }
    sign(load, payloads, count);
}

static int fill_pool(struct load_stateless *load, uint64_t now_ns)
{
    struct load_pool *pool = &load->pool;

    if (load_pool_init(pool, load->pool_count, load_stateless_bytes(load)) < 0)
        return -ENOMEM;
    for (uint64_t place = 0; place < pool->count; place++) {
        (void)write_orders(load, place, load_pool_at(pool, place));
        refresh(load, 1, now_ns);
    }
    return 0;
}

int load_stateless_init(struct load_stateless *load, uint64_t now_ns)
{
    load->until_sample = 1;
    load->header = (struct fg_header){.magic = {FG_MAGIC_0, FG_MAGIC_1},
                                      .version = FG_VERSION,
                                      .type = FG_TYPE_REQUEST,
                                      .count = (uint8_t)load->mix->batch,
                                      .key_id = load->key_id};
    if (load->retries_permille > 0) {
        load->rings = load_memory_map(load->mix->partitions * sizeof(*load->rings));
        if (!load->rings)
            return -ENOMEM;
    }
    return load->pool_count > 0 ? fill_pool(load, now_ns) : 0;
}

void load_stateless_start(struct load_stateless *load, uint64_t now_ns)
{
    load->start_ns = now_ns;
    load->pool.begun_ns = now_ns;
}

void load_stateless_fini(struct load_stateless *load)
{
    load_memory_unmap(load->rings, load->mix ? load->mix->partitions * sizeof(*load->rings) : 0);
    load->rings = NULL;
    load_pool_fini(&load->pool);
}

/* When the next datagram is to leave; flat out, now. */
static uint64_t due_ns(const struct load_stateless *load, uint64_t now_ns)
{
    if (!load->schedule)
        return now_ns;
    uint64_t after_ns = load_schedule_when_ns(load->schedule, load->stats.sent);
    return after_ns == UINT64_MAX ? UINT64_MAX : load->start_ns + after_ns;
}

uint64_t load_stateless_behind_ns(const struct load_stateless *load, uint64_t now_ns)
{
    uint64_t due = load_stateless_done(load) ? now_ns : due_ns(load, now_ns);

    return now_ns > due ? now_ns - due : 0;
}

uint64_t load_stateless_offered(const struct load_stateless *load, uint64_t now_ns)
{
    uint64_t low = load->stats.sent, high = load->schedule ? load->schedule->requests : low;

    /* The first request that was not yet due. */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (load->start_ns + load_schedule_when_ns(load->schedule, middle) <= now_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next datagram of the pool, or a copy of it if it is a sample or has retries in it. What is
 * yet to be signed, or NULL. */
static uint8_t *take_pooled(struct load_stateless *load, bool sample, struct load_place *place)
{
    struct load_pool *pool = &load->pool;
    uint64_t group = load_pool_take(pool);
    uint8_t *pooled = load_pool_at(pool, group);

    place->payload = pooled;
    place->partition = fg_partition(pooled + FIRST_BUYER_AT, load->mix->partitions);
    if (load->retries_permille > 0 && mix_retries_in(load, place))
        return place->room;
    if (sample) {
        memcpy(place->room, pooled, load_stateless_bytes(load));
        return place->room;
    }
    bool changed = pool->changed[group];
    pool->changed[group] = false;
    return changed ? pooled : NULL;
}

/* One datagram into a place: from the pool, or new. What is yet to be signed, or NULL. */
static uint8_t *write_one(struct load_stateless *load, uint64_t due, struct load_place *place)
{
    bool sample = --load->until_sample == 0;
    uint8_t *to_sign = place->room;

    if (sample)
        load->until_sample = load->sample;
    if (load->pool_count > 0)
        to_sign = take_pooled(load, sample, place);
    else
        place->partition = write_orders(load, load->group++, place->room);
    if (!to_sign)
        return NULL;
    place->payload = to_sign;
    write_name(to_sign, next_name(load, due) | sample);
    return to_sign;
}

unsigned load_stateless_write(struct load_stateless *load, uint64_t now_ns,
                              struct load_place *places, unsigned most)
{
    struct load_stateless_stats *stats = &load->stats;
    uint8_t *unsigned_ones[FG_BURST];
    unsigned written = 0, to_sign = 0;

    assert(most <= FG_BURST);
    if (load->pool_count > 0) {
        unsigned stale = load_pool_due(&load->pool, now_ns);
        refresh(load, stale, now_ns);
        load->pool.refreshed += stale;
    }
    for (; written < most && !load_stateless_done(load); written++) {
        uint64_t due = due_ns(load, now_ns);
        if (due > now_ns)
            break;
        if (now_ns - due > stats->late_ns_max)
            stats->late_ns_max = now_ns - due;
        if (now_ns - due >= LATE_NS)
            stats->late += load->mix->batch;
        uint8_t *one = write_one(load, due, &places[written]);
        if (one)
            unsigned_ones[to_sign++] = one;
        stats->sent += load->mix->batch;
        stats->sent_frames++;
    }
    sign(load, unsigned_ones, to_sign);
    return written;
}
