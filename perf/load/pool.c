/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/pool.h"

#include <errno.h>

#include "perf/load/memory.h"

int load_pool_init(struct load_pool *pool, uint64_t count, size_t payload_bytes)
{
    *pool = (struct load_pool){.count = count, .bytes = (payload_bytes + 7) & ~(size_t)7};
    if (count > SIZE_MAX / pool->bytes)
        return -ENOMEM;
    pool->payloads = load_memory_map(count * pool->bytes);
    pool->changed = load_memory_map(count);
    return pool->payloads && pool->changed ? 0 : -ENOMEM;
}

void load_pool_fini(struct load_pool *pool)
{
    load_memory_unmap(pool->payloads, pool->count * pool->bytes);
    load_memory_unmap(pool->changed, pool->count);
    pool->payloads = pool->changed = NULL;
}

unsigned load_pool_due(const struct load_pool *pool, uint64_t now_ns)
{
    if (now_ns <= pool->begun_ns)
        return 0;
    uint64_t wanted = (uint64_t)((double)pool->count * (double)(now_ns - pool->begun_ns) /
                                 (double)LOAD_POOL_AGE_NS);
    uint64_t due = wanted > pool->refreshed ? wanted - pool->refreshed : 0;
    uint64_t most = pool->count < LOAD_POOL_AT_ONCE ? pool->count : LOAD_POOL_AT_ONCE;

    return (unsigned)(due < most ? due : most);
}
