/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Manual pages (scdoc) and shell completion from the tables that make parser and help. Used when
 * the project is built (control/make-docs.c); no binary that is installed has it.
 */
#ifndef FG_CONTROL_MANUAL_H
#define FG_CONTROL_MANUAL_H

#include <stdint.h>
#include <stdio.h>

/* Plain text as scdoc shows it: what it would take for markup is escaped. Line ends become spaces.
 */
void fg_manual_text(FILE *out, const char *text);

/* "*-c*, *--config* _FILE_" and what it does; letter 0: none, standard NULL: no default. */
void fg_manual_option(FILE *out, int letter, const char *name, const char *argument,
                      const char *standard, const char *help);

/* Those of the set of 1u << status. */
void fg_manual_statuses(FILE *out, unsigned set);

/* cli/manual.c: flashgatectl's commands, and the options that all of them take. */
void fg_manual_commands(FILE *out);
void fg_manual_common_options(FILE *out);

/* cli/completion.c: the whole script for bash. */
void fg_completion_bash(FILE *out);

#endif
