/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of flashgatectl that work on a log without an engine; rows of the table in cli.c. */
#ifndef FG_CONTROL_JOURNAL_COMMANDS_H
#define FG_CONTROL_JOURNAL_COMMANDS_H

#include "control/cli/table.h"

extern const struct fg_cli_local fg_journal_verify_command, fg_journal_stat_command,
    fg_journal_dump_command, fg_journal_copy_command, fg_takeover_command;

/* journal/help.c: what --help says of each. */
extern const char fg_journal_verify_manual[], fg_journal_stat_manual[], fg_journal_dump_manual[],
    fg_journal_copy_manual[], fg_takeover_manual[];

/* Prints a result and frees it. */
void fg_journal_print_json(json_t *json, FILE *out);

#endif
