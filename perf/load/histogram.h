/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log-linear histogram of durations: each octave is cut into 128 equal buckets, so a bucket is
 * never wider than 1/128 of the values in it, from one nanosecond to an hour, in constant space.
 * One writer, no allocation.
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define LOAD_HISTOGRAM_BITS    7  /* buckets of an octave: 128 */
#define LOAD_HISTOGRAM_OCTAVES 36 /* greatest value told apart: 2^43 - 1 ns, two hours */
#define LOAD_HISTOGRAM_BUCKETS ((LOAD_HISTOGRAM_OCTAVES + 1) << LOAD_HISTOGRAM_BITS)

struct load_histogram {
    uint64_t count;
    uint64_t max; /* exact */
    uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
};

/* Greater values than the last bucket's are counted in it; max stays exact. */
void load_histogram_add(struct load_histogram *histogram, uint64_t value);

/* The least value that `per_million` of a million values do not exceed, rounded up to its bucket's
 * end and never above max. 0 for an empty histogram. */
uint64_t load_histogram_quantile(const struct load_histogram *histogram, uint32_t per_million);

/* The greatest value that belongs to a bucket; the last bucket has greater ones as well. */
uint64_t load_histogram_last(uint32_t bucket);

#endif
