/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgate-check's command line: parser, --help and manual page are made from these. */
#ifndef CHECK_OPTIONS_H
#define CHECK_OPTIONS_H

#include "flashgate/exit_status.h"

/* X(long name, letter, has a value, its name, help) */
#define CHECK_OPTIONS(X)                                                                           \
    X("history", 'H', required_argument, "FILE",                                                   \
      "a history that flashgate-load wrote; may be given often")                                   \
    X("redis", 'r', required_argument, "ADDRESS", "a Unix socket's path, or HOST:PORT")            \
    X("sale", 's', required_argument, "NAME", "a sale of the history's items; may be given often") \
    X("load-report", 'l', required_argument, "FILE", "flashgate-load's report: rates, latencies")  \
    X("json", 'j', required_argument, "FILE", "write the report there, too")                       \
    X("sell-out", 'o', no_argument, "", "demand outlived the last return: a unit left is a fault") \
    X("version", 'V', no_argument, "", "prints the version")                                       \
    X("help", 'h', no_argument, "", "this text")

/* The exit statuses it may end with: bits. */
#define CHECK_STATUSES                                                                             \
    (1u << FG_EXIT_OK | 1u << FG_EXIT_FAILED | 1u << FG_EXIT_USAGE | 1u << FG_EXIT_BOOKS)

#endif
