/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run without memory of its requests came to: offered = answered + lost by cause. */
#ifndef LOAD_STATELESS_REPORT_H
#define LOAD_STATELESS_REPORT_H

#include <stdio.h>

#include "perf/load/effort.h"
#include "perf/load/port.h"
#include "perf/load/stateless.h"

/* X(name, why): orders that were due and have no answer. */
#define LOAD_LOSSES(X)                                                                             \
    X(not_sent, "the run ended before they left: the generator or the wire was behind")            \
    X(unplugged, "they were on their way when the wire went away")                                 \
    X(dropped, "a reply came that was not right: see drops")                                       \
    X(missed, "the generator's own port had no room for the reply")                                \
    X(unanswered, "nothing is known: the engine or the wire was silent")

struct load_losses {
#define X(name, why) uint64_t name;
    LOAD_LOSSES(X)
#undef X
};

struct load_stateless_result {
    const struct load_stateless *load;
    const struct load_client *client;
    const struct load_port *port;
    const struct load_effort *effort;
    uint64_t offered, answered, lost;
    struct load_losses losses; /* they make `lost` */
    uint64_t surplus;          /* answers beyond those: repeated on the way */
    uint64_t drops[LOAD_DROP_COUNT];
    double duration_s; /* of sending */
};

/* Shares what is lost out to its causes; `missed` replies are those of a port's counters. */
void load_stateless_account(struct load_stateless_result *result, uint64_t unsent_frames,
                            uint64_t missed_frames);

/* All of it, from the run's parts. */
void load_stateless_result(struct load_stateless_result *result, const struct load_stateless *load,
                           const struct load_client *client, const struct load_port *port,
                           const struct load_effort *effort);

/* Writes it as JSON. 0 or a negative errno. */
int load_stateless_save(const struct load_stateless_result *result, const char *path);

/* A summary for people. */
void load_stateless_print(const struct load_stateless_result *result, FILE *out);

#endif
