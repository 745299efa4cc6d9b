/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting by a single writer: what a thread counts, others read relaxed at any time. */
#ifndef FG_COUNT_H
#define FG_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

/* Single writer: a plain add, no lock prefix. */
static inline void fg_count_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline uint64_t fg_count_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
