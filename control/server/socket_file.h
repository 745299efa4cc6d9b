/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of a listening Unix socket: taken without a race, given back without leaving anything.
 * Any thread.
 */
#ifndef FG_CONTROL_SOCKET_FILE_H
#define FG_CONTROL_SOCKET_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct fg_socket_file {
    int fd;   /* listening, close-on-exec, not blocking */
    int lock; /* of the lock file beside it */
    char path[108];
    char lock_path[128];
};

/* The file has mode 0660 and this group ((gid_t)-1: the process's own). 0, or an exit status with a
 * sentence. */
int fg_socket_file_open(struct fg_socket_file *file, const char *path, gid_t group, char *message,
                        size_t size);
void fg_socket_file_close(struct fg_socket_file *file);

/* Connects to a Unix socket, waiting 2 s at most: a descriptor (blocking) or a negative errno. */
int fg_socket_connect(const char *path);

#endif
