/* SPDX-License-Identifier: BSD-3-Clause */
/* Latencies as the percentile text of HdrHistogram (.hgrm), which its plotters read. */
#ifndef LOAD_HGRM_H
#define LOAD_HGRM_H

#include <stdio.h>

#include "perf/load/histogram.h"

/* Writes the histogram's percentiles in microseconds: columns Value, Percentile, TotalCount and
 * 1/(1-Percentile), five lines for each halving of the distance to 100 %, and the trailer. Mean and
 * deviation take every value as the middle of its bucket. 0 or -EIO. */
int load_hgrm_write(const struct load_histogram *histogram, FILE *out);

/* The same into a file. 0 or a negative errno. */
int load_hgrm_save(const struct load_histogram *histogram, const char *path);

#endif
