/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting DPDK's environment from our configuration, and keeping its hands off what is not ours:
 * other devices, other cores, and the sockets of a living engine.
 *
 * Threads: control.
 */
#ifndef FG_NET_EAL_H
#define FG_NET_EAL_H

#include <stddef.h>

#include "control/config/config.h"

#define FG_EAL_ARGUMENTS_MAX 128

struct fg_eal_arguments {
    int count;
    char *values[FG_EAL_ARGUMENTS_MAX + 1];
    char *made[FG_EAL_ARGUMENTS_MAX]; /* those that fg_eal_arguments_free() frees */
    int made_count;
};

/* lcore 0 is control's, lcore 1 + w worker w's. 0, or -1 with a sentence. */
int fg_eal_arguments(struct fg_eal_arguments *arguments, const struct fg_config *config,
                     char *message, size_t size);
void fg_eal_arguments_free(struct fg_eal_arguments *arguments);

/* The socket that a vhost device would make: NULL if it makes none. The caller frees. */
char *fg_eal_vhost_socket(const char *device);

/* Where EAL keeps its files: in dpdk/PREFIX of this directory. */
void fg_eal_runtime_base(char *path, size_t size);

/* FG_EXIT_OK, or another exit status with a sentence. That the machine has the cores was seen
 * before (control/doctor/doctor.h): EAL answers others with a page of its usage. Afterwards the
 * calling thread, and every one it makes, may run on the cores it had before that are no worker's
 * (on all, if each is). */
int fg_eal_start(const struct fg_config *config, char *message, size_t size);
void fg_eal_stop(void);

#endif
