/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's command line: one table makes the parser, the defaults, the ranges and --help. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/ip.h"
#include "flashgate/exit_status.h"

#define LOAD_EAL_ARGS_MAX 64

struct load_options {
    const char *eal[LOAD_EAL_ARGS_MAX]; /* as given, in their order */
    unsigned eal_count;

    const char *port;
    struct fg_ip source, target;
    uint8_t source_bits; /* of the source's prefix, of 128 */
    uint64_t source_port, base_port;
    const char *key_file;
    uint64_t key;

    uint64_t rate, requests, duration, buyers, batch, window, resend_cap;
    const char *items, *quantity, *sale, *profile;
    double buyer_zipf, item_zipf;                       /* exponents; 0: none */
    uint64_t bots, bot_factor;                          /* permille */
    uint64_t pool, sample, retries;                     /* of the stateless generator */
    uint64_t double_click, repeat;                      /* permille */
    uint64_t confirm, cancel, leave, think;             /* percent; ms */
    uint64_t seed, timeout;                             /* timeout: seconds */
    const char *hostile;                                /* NULL: none */
    uint64_t hostile_rate, hostile_slice, hostile_port; /* slice: ms */
    const char *history, *report, *goodput, *hgrm;
    bool stateless, echo, sleep, progress, version, help;
};

/* Fills the options from the command line, whose strings they keep. 0; or -1 with one sentence in
 * `message`. With --help the rest is not checked. */
int load_options_parse(struct load_options *options, int argc, char **argv, char *message,
                       size_t size);

/* What --help prints, to stdout. */
void load_options_help(const char *program);

/* The options as a part of a manual page (scdoc). */
void load_options_manual(FILE *out);

/* The kinds of hostile traffic, as such a part: a table. */
void load_hostile_manual(FILE *out);

/* The exit statuses of the generator: bits. */
#define LOAD_STATUSES                                                                              \
    (1u << FG_EXIT_OK | 1u << FG_EXIT_FAILED | 1u << FG_EXIT_USAGE | 1u << FG_EXIT_CONFIG |        \
     1u << FG_EXIT_NETWORK | 1u << FG_EXIT_MEMORY)

#endif
