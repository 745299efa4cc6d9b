/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reports of both kinds of run have in common. */
#ifndef LOAD_REPORT_JSON_H
#define LOAD_REPORT_JSON_H

#include <stdio.h>

#include <jansson.h>

#include "perf/load/client.h"
#include "perf/load/effort.h"

/* p50_us ... p999_us and max_us into an object. */
void load_json_quantiles(json_t *root, const struct load_histogram *latency);
void load_print_quantiles(const struct load_histogram *latency, FILE *out);

/* Objects, the caller's: counts above 0 by verdict's name; drops by cause; the generator's own
 * limits. */
json_t *load_json_verdicts(const uint64_t *counts);
json_t *load_json_drops(const uint64_t *drops);
json_t *load_json_effort(const struct load_effort *effort);
void load_print_drops(const uint64_t *drops, FILE *out);
void load_print_effort(const struct load_effort *effort, FILE *out);

/* Writes the object and lets it go. 0 or a negative errno. */
int load_json_write(json_t *root, const char *path);

#endif
