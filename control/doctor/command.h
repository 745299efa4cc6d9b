/* SPDX-License-Identifier: BSD-3-Clause */
/* flashgatectl doctor. */
#ifndef FG_CONTROL_DOCTOR_COMMAND_H
#define FG_CONTROL_DOCTOR_COMMAND_H

struct fg_cli_local;

extern const struct fg_cli_local fg_doctor_command;

#endif
