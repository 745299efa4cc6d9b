/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/hgrm.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#define LINES_A_HALVING 5
#define NS_A_US         1000.0

/* The next percentage to tell after `level`: a fifth of the way that the next halving of the
 * distance to 100 goes (as HdrHistogram's percentile iterator steps). */
static double next_level(double level)
{
    double halvings = floor(log2(100 / (100 - level))) + 1;

    return level + 100 / (LINES_A_HALVING * exp2(halvings));
}

/* The greatest value that the bucket's values may have. */
static uint64_t last_of(const struct load_histogram *histogram, uint32_t bucket)
{
    uint64_t last = load_histogram_last(bucket);

    return last < histogram->max && bucket < LOAD_HISTOGRAM_BUCKETS - 1 ? last : histogram->max;
}

static void write_percentiles(const struct load_histogram *histogram, FILE *out)
{
    uint64_t seen = 0;
    double level = 0;

    for (uint32_t bucket = 0; bucket < LOAD_HISTOGRAM_BUCKETS; bucket++) {
        uint64_t count = histogram->buckets[bucket];
        if (count == 0)
            continue;
        seen += count;
        double value = (double)last_of(histogram, bucket) / NS_A_US;
        double reached = 100 * (double)seen / (double)histogram->count;
        bool last = seen == histogram->count;
        bool more = level <= reached;
        while (more) { /* of the last bucket one level alone: there are ever more of them */
            fprintf(out, "%12.3f %2.12f %10lu %14.2f\n", value, level / 100, seen,
                    1 / (1 - level / 100));
            level = next_level(level);
            more = level <= reached && !last;
        }
        if (last)
            fprintf(out, "%12.3f %2.12f %10lu\n", value, 1.0, seen);
    }
}

/* Mean and standard deviation, in ns. */
static void moments(const struct load_histogram *histogram, double *mean, double *deviation)
{
    double sum = 0, squares = 0, count = (double)histogram->count;

    *mean = *deviation = 0;
    if (histogram->count == 0)
        return;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t bucket = 0; bucket < LOAD_HISTOGRAM_BUCKETS; bucket++) {
            double here = (double)histogram->buckets[bucket];
            double first = bucket > 0 ? (double)load_histogram_last(bucket - 1) + 1 : 0;
            double middle = (first + (double)last_of(histogram, bucket)) / 2;
            if (here > 0 && pass == 0)
                sum += here * middle;
            else if (here > 0)
                squares += here * (middle - sum / count) * (middle - sum / count);
        }
    *mean = sum / count;
    *deviation = sqrt(squares / count);
}

int load_hgrm_write(const struct load_histogram *histogram, FILE *out)
{
    double mean, deviation;

    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    write_percentiles(histogram, out);
    moments(histogram, &mean, &deviation);
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / NS_A_US,
            deviation / NS_A_US);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12lu]\n", (double)histogram->max / NS_A_US,
            histogram->count);
    fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", LOAD_HISTOGRAM_OCTAVES + 1,
            1 << LOAD_HISTOGRAM_BITS);
    return ferror(out) ? -EIO : 0;
}

int load_hgrm_save(const struct load_histogram *histogram, const char *path)
{
    errno = 0;
    FILE *file = fopen(path, "w");
    if (!file)
        return errno ? -errno : -EIO;
    int status = load_hgrm_write(histogram, file);
    return fclose(file) != 0 && status == 0 ? -EIO : status;
}
