/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Unix stream socket that answers lines: framing, limits and time limits, and nothing of what
 * the lines mean. One thread; nothing here blocks but the wait in fg_server_poll.
 */
#ifndef FG_CONTROL_SERVER_H
#define FG_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/orders/clock.h"

struct fg_server;

/* Who is on the other end, as the kernel says (SO_PEERCRED). */
struct fg_peer {
    uint32_t uid, gid, pid;
};

struct fg_server_config {
    const char *path;
    size_t line_max;          /* bytes of one line, its newline not counted */
    unsigned connections_max; /* more are told `refused_full` and closed */
    unsigned line_ms;         /* a line that was begun must end, a reply be taken, within it */
    unsigned idle_ms;         /* a connection that says nothing is closed after it */
    const char *refused_long; /* lines (with newline) to say before closing */
    const char *refused_full;
    const struct fg_clock *clock;
    /* Answers one line (not terminated, no newline): an allocated, terminated text that ends with a
     * newline, or NULL for no answer. May take long, must not call the server. */
    char *(*answer)(void *arg, const struct fg_peer *peer, const char *line, size_t length);
    void *arg;
};

/*
 * Binds the socket, mode 0660, and listens. 0, or an exit status with a sentence: a path on which
 * somebody answers is FG_EXIT_IN_USE and is left alone; a stale socket file is replaced. Strings
 * must outlive the server.
 */
int fg_server_open(struct fg_server **server, const struct fg_server_config *config, char *message,
                   size_t size);

/* Closes every connection and removes the socket file. NULL is nothing to close. */
void fg_server_close(struct fg_server *server);

/* Waits up to wait_ms for something to do, then does a bounded piece of it. */
void fg_server_poll(struct fg_server *server, int wait_ms);

/* Connections open now. */
unsigned fg_server_connections(const struct fg_server *server);

#endif
