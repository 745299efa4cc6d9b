/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of options, for what reads it: options.c parses, options_check.c says what goes
 * together, options_help.c tells. */
#ifndef LOAD_OPTION_ROWS_H
#define LOAD_OPTION_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/load/options.h"

enum load_option_kind {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_ADDRESS,
    KIND_PREFIX,
    KIND_EAL,
    KIND_FLAG,
    KIND_SHARE
};

struct load_option {
    const char *name;
    const char *argument; /* its name in --help; NULL: none */
    enum load_option_kind kind;
    size_t offset; /* of the field; uint64_t for KIND_NUMBER, double for KIND_SHARE */
    uint64_t least, most;
    const char *standard; /* default; NULL: none */
    const char *help;
};

/* Order is that of --help; a NULL name begins a group. */
extern const struct load_option load_options_table[];
extern const int load_options_rows;

/* What the options say about each other, and what follows from them. */
bool load_options_check(struct load_options *options, bool confirm_given, char *message,
                        size_t size);

#endif
