/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fields of a configuration say about each other: the checks of the tables in config.c. */
#ifndef FG_CONTROL_CONFIG_CHECK_H
#define FG_CONTROL_CONFIG_CHECK_H

#include "control/options.h"

#define PORT_FIRST 1024 /* UDP ports below are the system's */

/* As fg_option_table.check. The target of the first is a struct fg_port_config, of the others a
 * struct fg_config; the last also fills in what follows from other fields. */
int fg_config_check_port(const struct fg_option_scope *scope, void *target);
int fg_config_check_log(const struct fg_option_scope *scope, void *target);
int fg_config_check_redis(const struct fg_option_scope *scope, void *target);
int fg_config_check_all(const struct fg_option_scope *scope, void *target);

#endif
