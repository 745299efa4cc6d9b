/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgated's command line: parser, --help and manual page are made from these. */
#ifndef FG_COMMAND_LINE_H
#define FG_COMMAND_LINE_H

#include "flashgate/exit_status.h"

/* X(ID, letter or 0, "name", "ARGUMENT" or "", help) */
#define FG_ENGINE_OPTIONS(X)                                                                       \
    X(CONFIG, 'c', "config", "FILE", "runs the engine as FILE says, until SIGTERM or SIGINT")      \
    X(CHECK, 0, "check", "", "only says whether FILE is right; opens no file that it names")       \
    X(DESCRIBE, 0, "describe-config", "", "lists every option of the file")                        \
    X(REFERENCE, 0, "reference-config", "", "prints a commented file with every default")          \
    X(FIGURES, 0, "describe-metrics", "", "lists every figure that status and metrics show")       \
    X(VERSION, 'V', "version", "", "prints the version")                                           \
    X(HELP, 'h', "help", "", "prints this")

/* Exit statuses that it never ends with: bits. */
#define FG_ENGINE_NEVER                                                                            \
    (1u << FG_EXIT_UNREACHABLE | 1u << FG_EXIT_REFUSED | 1u << FG_EXIT_BOOKS |                     \
     1u << FG_EXIT_UNCONFIRMED)

#endif
