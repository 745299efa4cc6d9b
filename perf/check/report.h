/* SPDX-License-Identifier: BSD-3-Clause */
/* The closing report of a run: for people, and as JSON. */
#ifndef FG_CHECK_REPORT_H
#define FG_CHECK_REPORT_H

#include <jansson.h>

#include "perf/check/check.h"

struct fg_report {
    const struct fg_check_result *result;
    const struct fg_findings *findings;
    const json_t *load; /* the generator's report: rates and latencies; NULL: none */
};

/* No violation, nothing lost, nothing that could not be judged, nothing unsold that should be. */
bool fg_report_balanced(const struct fg_report *report);

void fg_report_print(const struct fg_report *report, FILE *out);

/* Writes JSON. 0 or a negative errno. */
int fg_report_save(const struct fg_report *report, const char *path);

#endif
