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
#include <sys/types.h>

#include "dataplane/orders/clock.h"

struct fg_server;

/* Who is on the other end, as the kernel says (SO_PEERCRED, SO_PEERGROUPS). */
struct fg_peer {
    uint32_t uid, gid, pid;
    unsigned rank; /* as fg_server_config.rank says; 0 without it */
};

struct fg_server_config {
    const char *path;
    gid_t group;              /* of the socket's file; (gid_t)-1: this process's */
    size_t line_max;          /* bytes of one line, its newline not counted ... */
    size_t line_max_low;      /* ... of a peer whose rank is below `high_rank` */
    unsigned high_rank;       /* 0: line_max is everybody's */
    unsigned connections_max; /* one more takes another's place, or is told `refused_full` */
    size_t buffers_max;       /* bytes that all connections may hold together; 0: any number ... */
    unsigned long_lines;      /* ... but for so many lines of more than 128 KiB at once, which have
                               * areas of their own */
    unsigned line_ms;         /* a line that was begun must end, a reply be taken, within it */
    unsigned idle_ms;         /* a connection that says nothing is closed after it */
    unsigned fresh_ms;        /* one that has just begun something keeps its place so long */
    unsigned round_us;        /* a round ends after so much, at the next line's end; 0: never */
    const char *refused_long; /* lines (with newline) to say before closing */
    const char *refused_full;
    const struct fg_clock *clock;
    /* What a new peer counts for, the more the greater; `groups` are its supplementary ones. NULL:
     * all are the same. */
    unsigned (*rank)(void *arg, const struct fg_peer *peer, const gid_t *groups, size_t count);
    /* Answers one line (not terminated, no newline): an allocated, terminated text that ends with a
     * newline, or NULL for no answer. May take long, must not call the server. */
    char *(*answer)(void *arg, const struct fg_peer *peer, const char *line, size_t length);
    void *arg;
};

/* What came of connections, since the start. */
struct fg_server_stats {
    uint64_t accepted;
    uint64_t refused;   /* there was no place for it */
    uint64_t displaced; /* gave its place, or its memory, to a newer one */
    uint64_t expired;   /* its time was over */
    uint64_t paused;    /* times that no descriptor was left and nobody could be displaced */
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

/* Waits up to wait_ms for something to do, then does a piece of it that round_us bounds, however
 * many peers there are and whatever they send. Connections take turns. */
void fg_server_poll(struct fg_server *server, int wait_ms);

/* Connections open now. */
unsigned fg_server_connections(const struct fg_server *server);
const struct fg_server_stats *fg_server_stats(const struct fg_server *server);

#endif
