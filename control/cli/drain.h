/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl drain. */
#ifndef FG_CONTROL_DRAIN_H
#define FG_CONTROL_DRAIN_H

#include "control/cli/table.h"

extern const struct fg_cli_local fg_drain_command;

#endif
