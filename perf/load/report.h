/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run came to: counted from the client's asks when it is over. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <stdio.h>

#include "perf/load/client.h"
#include "perf/load/effort.h"
#include "perf/load/hostile.h"

struct load_item_result {
    uint64_t requests, orders, units; /* asked; admitted */
};

struct load_report {
    uint64_t requests, answered, lost;
    uint64_t admitted;                            /* distinct order ids */
    uint64_t verdicts[FG_VERDICT_MAX + 1];        /* requests by their first final answer */
    uint64_t confirmed, cancelled, expired, left; /* orders */
    struct load_item_result *items;               /* as in client.mix.items */
    double duration_s;                            /* start to the last first answer */
    double decisions_per_s;
    const struct load_hostile *hostile; /* NULL: there was no hostile side */
    const struct load_effort *effort;   /* NULL: it was not measured */
};

/* 0 or -ENOMEM; load_report_free frees. */
int load_report_make(struct load_report *report, const struct load_client *client);
void load_report_free(struct load_report *report);

/* Writes the results as JSON. 0 or a negative errno. */
int load_report_save(const struct load_report *report, const struct load_client *client,
                     const char *path);

/* A summary for people. */
void load_report_print(const struct load_report *report, const struct load_client *client,
                       FILE *out);

#endif
