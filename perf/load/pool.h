/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams signed ahead: payloads of one length in one piece of memory, sent one after the other
 * and then from the first one on again. A few at a time they get a new name and mac, so that none
 * grows older than LOAD_POOL_AGE_NS, which is well within an engine's freshness window.
 */
#ifndef LOAD_POOL_H
#define LOAD_POOL_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_POOL_AGE_NS  UINT64_C(12000000000)
#define LOAD_POOL_AT_ONCE 32 /* refreshed in a turn of the loop, at most */

struct load_pool {
    uint8_t *payloads;
    uint8_t *changed; /* of each: not signed since something else stands in it */
    uint64_t count;
    size_t bytes;       /* of each payload, rounded up to 8 */
    uint64_t next;      /* to send */
    uint64_t stale;     /* to refresh */
    uint64_t refreshed; /* in all */
    uint64_t begun_ns;  /* when the first refresh was due to begin */
};

/* Room for `count` payloads. 0 or -ENOMEM. */
int load_pool_init(struct load_pool *pool, uint64_t count, size_t payload_bytes);
void load_pool_fini(struct load_pool *pool);

static inline uint8_t *load_pool_at(const struct load_pool *pool, uint64_t place)
{
    return pool->payloads + place * pool->bytes;
}

/* The place of the next payload to send. */
static inline uint64_t load_pool_take(struct load_pool *pool)
{
    uint64_t place = pool->next;

    pool->next = place + 1 < pool->count ? place + 1 : 0;
    return place;
}

/* Payloads to refresh now, LOAD_POOL_AT_ONCE at most: the next ones from pool->stale on, in turn.
 */
unsigned load_pool_due(const struct load_pool *pool, uint64_t now_ns);

#endif
