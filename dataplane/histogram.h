/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long things take, as a histogram of log-linear buckets: eight to each doubling, from 256 ns
 * to 17 s, so what is read from it is right to an eighth. To record is a few shifts and two adds.
 *
 * Threads: one writer; anyone reads, relaxed: a reader may see a time's bucket before its sum.
 */
#ifndef FG_HISTOGRAM_H
#define FG_HISTOGRAM_H

#include <stddef.h>

#include "dataplane/count.h"

#define FG_HISTOGRAM_STEP_BITS 3
#define FG_HISTOGRAM_STEPS     (1u << FG_HISTOGRAM_STEP_BITS)
#define FG_HISTOGRAM_FIRST     8  /* log2 ns: shorter times share the first bucket */
#define FG_HISTOGRAM_LAST      34 /* log2 ns: longer times share the last bucket */
#define FG_HISTOGRAM_BUCKETS                                                                       \
    (2 + (FG_HISTOGRAM_LAST - FG_HISTOGRAM_FIRST) * (size_t)FG_HISTOGRAM_STEPS)

struct fg_histogram {
    _Atomic uint64_t buckets[FG_HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum_ns, max_ns;
};

/* The bucket that a time belongs to. */
static inline unsigned fg_histogram_bucket(uint64_t ns)
{
    if (ns < UINT64_C(1) << FG_HISTOGRAM_FIRST)
        return 0;
    if (ns >= UINT64_C(1) << FG_HISTOGRAM_LAST)
        return FG_HISTOGRAM_BUCKETS - 1;
    unsigned doubling = 63 - (unsigned)__builtin_clzll(ns);
    unsigned step =
        (unsigned)(ns >> (doubling - FG_HISTOGRAM_STEP_BITS)) & (FG_HISTOGRAM_STEPS - 1);
    return 1 + (doubling - FG_HISTOGRAM_FIRST) * FG_HISTOGRAM_STEPS + step;
}

/* The writer: `count` things took `ns` each. */
static inline void fg_histogram_record(struct fg_histogram *histogram, uint64_t ns, uint64_t count)
{
    fg_count_add(&histogram->buckets[fg_histogram_bucket(ns)], count);
    fg_count_add(&histogram->sum_ns, ns * count);
    if (ns > fg_count_read(&histogram->max_ns))
        atomic_store_explicit(&histogram->max_ns, ns, memory_order_relaxed);
}

/* What a reader has gathered, of one histogram or of several. Zeroed before the first. */
struct fg_histogram_view {
    uint64_t buckets[FG_HISTOGRAM_BUCKETS];
    uint64_t count, sum_ns, max_ns;
};

/* Any thread: adds what the histogram holds at this moment. */
void fg_histogram_gather(struct fg_histogram_view *view, const struct fg_histogram *histogram);

/* ns below which all of a bucket lies; UINT64_MAX for the last one. */
uint64_t fg_histogram_edge(unsigned bucket);

/* Things that took less than 2^log2_ns ns, FG_HISTOGRAM_FIRST to FG_HISTOGRAM_LAST. */
uint64_t fg_histogram_below(const struct fg_histogram_view *view, unsigned log2_ns);

/* ns that `permille` of all took at most (to an eighth, and never above max_ns); 0 of none. */
uint64_t fg_histogram_quantile(const struct fg_histogram_view *view, unsigned permille);

#endif
