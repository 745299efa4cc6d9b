/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl lists add: see the manual in lists_add.c. */
#ifndef FG_CONTROL_LISTS_ADD_H
#define FG_CONTROL_LISTS_ADD_H

#include "control/cli/table.h"

extern const struct fg_cli_local fg_lists_add_command;

#endif
