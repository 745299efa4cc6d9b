/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/histogram.h"

#define LINEAR ((uint64_t)1 << LOAD_HISTOGRAM_BITS) /* values below it have a bucket each */

/* Octave k >= 1 holds LINEAR << (k - 1) up to LINEAR << k; octave 0 holds what is below LINEAR. */
static inline uint32_t bucket_of(uint64_t value)
{
    if (value < LINEAR)
        return (uint32_t)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - LOAD_HISTOGRAM_BITS;
    if (shift >= LOAD_HISTOGRAM_OCTAVES)
        return LOAD_HISTOGRAM_BUCKETS - 1;
    return ((shift + 1) << LOAD_HISTOGRAM_BITS) + (uint32_t)((value >> shift) - LINEAR);
}

uint64_t load_histogram_last(uint32_t bucket)
{
    uint32_t octave = bucket >> LOAD_HISTOGRAM_BITS;

    if (octave == 0)
        return bucket;
    uint64_t place = bucket & (LINEAR - 1);
    return ((LINEAR + place + 1) << (octave - 1)) - 1;
}

void load_histogram_add(struct load_histogram *histogram, uint64_t value)
{
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t load_histogram_quantile(const struct load_histogram *histogram, uint32_t per_million)
{
    uint64_t wanted =
        (uint64_t)(((unsigned __int128)histogram->count * per_million + 999999) / 1000000);
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    if (wanted == 0)
        wanted = 1;
    /* The last bucket has no end of its own: only max bounds it. */
    for (uint32_t bucket = 0; bucket < LOAD_HISTOGRAM_BUCKETS - 1; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= wanted) {
            uint64_t last = load_histogram_last(bucket);
            return last < histogram->max ? last : histogram->max;
        }
    }
    return histogram->max;
}
