/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/admission/key_watch.h"

#include "dataplane/memory.h"
#include "flashgate/limits.h"

struct fg_key_watch *fg_key_watch_create(void)
{
    return fg_memory_zeroed(FG_KEYS_MAX, sizeof(struct fg_key_watch));
}

static void put(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

/* Nobody finds what was counted for one key under another's id. */
void fg_key_watch_begin(struct fg_key_watch *line, uint16_t id)
{
    put(&line->id, 0);
    /* release: who reads a figure written below sees that the line is no longer the old key's */
    atomic_thread_fence(memory_order_release);
    put(&line->accepted, 0);
    put(&line->seen_ns, 0);
    put(&line->stale, 0);
    put(&line->stale_ns, 0);
    /* release: pairs with the acquire in fg_key_watch_read() */
    atomic_store_explicit(&line->id, id + UINT64_C(1), memory_order_release);
}

int64_t fg_key_skew(uint64_t time_ns, uint64_t wall_ns)
{
    uint64_t off = time_ns > wall_ns ? time_ns - wall_ns : wall_ns - time_ns;
    int64_t most = off < INT64_MAX ? (int64_t)off : INT64_MAX;
    return time_ns > wall_ns ? most : -most;
}

void fg_key_watch_stale(struct fg_key_watch *line, uint16_t id, uint64_t time_ns, uint64_t wall_ns,
                        struct fg_ip source)
{
    if (fg_count_read(&line->id) != id + UINT64_C(1))
        fg_key_watch_begin(line, id);
    fg_count_add(&line->stale, 1);
    put(&line->stale_ns, 0);
    /* release: who reads a figure written below sees that they are being written */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&line->skew_ns, fg_key_skew(time_ns, wall_ns), memory_order_relaxed);
    put(&line->source_high, source.high);
    put(&line->source_low, source.low);
    /* release: pairs with the acquire in read_last() */
    atomic_store_explicit(&line->stale_ns, wall_ns, memory_order_release);
}

/* The last stale one, unless it is being written: then the one before will do. */
static void read_last(const struct fg_key_watch *line, struct fg_key_sight *sight)
{
    uint64_t stale_ns = atomic_load_explicit(&line->stale_ns, memory_order_acquire);
    if (stale_ns == 0 || stale_ns < sight->stale_ns)
        return;
    int64_t skew_ns = atomic_load_explicit(&line->skew_ns, memory_order_relaxed);
    struct fg_ip source = {fg_count_read(&line->source_high), fg_count_read(&line->source_low)};
    atomic_thread_fence(memory_order_acquire); /* pairs with the fence in fg_key_watch_stale() */
    if (fg_count_read(&line->stale_ns) != stale_ns)
        return;
    sight->stale_ns = stale_ns;
    sight->skew_ns = skew_ns;
    sight->source = source;
}

void fg_key_watch_read(const struct fg_key_watch *line, uint16_t id, struct fg_key_sight *sight)
{
    struct fg_key_sight found = *sight;
    /* acquire: pairs with the release in fg_key_watch_begin() */
    if (atomic_load_explicit(&line->id, memory_order_acquire) != id + UINT64_C(1))
        return;
    uint64_t seen_ns = fg_count_read(&line->seen_ns);
    found.accepted += fg_count_read(&line->accepted);
    found.stale += fg_count_read(&line->stale);
    found.seen_ns = seen_ns > found.seen_ns ? seen_ns : found.seen_ns;
    read_last(line, &found);
    atomic_thread_fence(memory_order_acquire); /* pairs with the fence in fg_key_watch_begin() */
    if (fg_count_read(&line->id) == id + UINT64_C(1))
        *sight = found;
}
