/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of flashgatectl on sale files that need no engine; rows of the table in
 * cli/commands.c. */
#ifndef FG_CONTROL_SALE_COMMANDS_H
#define FG_CONTROL_SALE_COMMANDS_H

#include "control/cli/table.h"

extern const struct fg_cli_local fg_sale_template_command;

#endif
