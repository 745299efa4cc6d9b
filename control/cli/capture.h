/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl capture. */
#ifndef FG_CONTROL_CLI_CAPTURE_H
#define FG_CONTROL_CLI_CAPTURE_H

#include "control/cli/table.h"

extern const struct fg_cli_local fg_capture_command;

#endif
