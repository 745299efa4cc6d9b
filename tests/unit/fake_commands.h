/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Beside a fake engine: commands of flashgatectl's table that are never called there. The library's
 * open a real journal and a real link to Redis, which have no place beside the fake engine's.
 */
#ifndef TESTS_FAKE_COMMANDS_H
#define TESTS_FAKE_COMMANDS_H

#include "control/cli/table.h"
#include "control/doctor/command.h"
#include "control/journal/takeover.h"

const struct fg_cli_local fg_takeover_command = {.manual = ""};
const struct fg_cli_local fg_doctor_command = {.manual = ""};

#endif
