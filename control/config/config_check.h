/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the configuration's tables share, and what its fields say about each other: the
 * checks of the tables in config.c and config_redis.c. */
#ifndef FG_CONTROL_CONFIG_CHECK_H
#define FG_CONTROL_CONFIG_CHECK_H

#include "control/config/config.h"
#include "control/config/options.h"

/* What the tables of options are written with. */
#define FIELD(name)  FG_OPTION_FIELD(struct fg_config, name)
#define OFFSET(name) offsetof(struct fg_config, name)
#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))
#define PATH_BYTES   4095
#define SOCKET_BYTES 107 /* of sockaddr_un, with its closing zero */

extern const struct fg_option_table fg_config_redis_table;    /* config_redis.c */
extern const struct fg_option_table fg_config_control_table;  /* config_control.c */
extern const struct fg_option_table fg_config_port_table;     /* config_port.c */
extern const struct fg_option_table fg_config_log_table;      /* config_log.c */
extern const struct fg_option_table fg_config_metrics_table;  /* config_metrics.c */
extern const struct fg_option_table fg_config_lists_table;    /* config_lists.c */
extern const struct fg_option_table fg_config_penalty_table;  /* config_penalty.c */
extern const struct fg_option_table fg_config_security_table; /* config_security.c */

#define PORT_FIRST 1024 /* UDP ports below are the system's */

/* As fg_option_table.check, of a struct fg_config; the last also fills in what follows from other
 * fields. */
int fg_config_check_redis(const struct fg_option_scope *scope, void *target);
int fg_config_check_all(const struct fg_option_scope *scope, void *target);

#endif
