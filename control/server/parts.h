/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the socket server share: the rounds (server.c), and places for newcomers
 * (server/accept.c). */
#ifndef FG_CONTROL_SERVER_PARTS_H
#define FG_CONTROL_SERVER_PARTS_H

#include <sys/epoll.h>

#include "control/server/connection.h"
#include "control/server/socket_file.h"

#define FG_SERVER_EVENTS 32 /* taken from epoll at once */

struct fg_server {
    struct fg_server_config config;
    struct fg_socket_file file;
    int epoll;
    unsigned count;
    size_t held; /* bytes of all connections, long_lines not counted */
    struct fg_long_lines long_lines;
    struct fg_connection *connections;
    struct fg_server_stats stats;

    /* The round: what epoll told and is not served yet, and whose lines are next. */
    struct epoll_event events[FG_SERVER_EVENTS];
    int events_count, events_next;
    unsigned turn;
    bool lines_left; /* some connection has whole lines to be answered */
    uint64_t round_ends_ns, swept_ms;
    unsigned sweep_next;      /* connection that the sweep goes on with; 0: it has been at all */
    uint64_t paused_until_ms; /* 0: it accepts */
};

static inline uint64_t fg_server_now_ns(const struct fg_server *server)
{
    return server->config.clock->monotonic_ns(server->config.clock->context);
}

static inline uint64_t fg_server_now_ms(const struct fg_server *server)
{
    return fg_server_now_ns(server) / 1000000;
}

/* May the round go on? */
static inline bool fg_server_in_time(const struct fg_server *server)
{
    return server->config.round_us == 0 || fg_server_now_ns(server) < server->round_ends_ns;
}

/* server.c */
void fg_server_drop(struct fg_server *server, struct fg_connection *c);
/* After anything was done: what the connection is at now. `anew`: it begins now, though it may be
 * what the connection was at before. */
void fg_server_settle(struct fg_server *server, struct fg_connection *c, bool lines, bool anew);

/* server/accept.c: newcomers, a bounded number. */
void fg_server_accept(struct fg_server *server);
/* Ends a pause whose time is over. */
void fg_server_resume(struct fg_server *server);
/* What a connection can make way for. */
enum fg_server_need {
    FG_SERVER_NEED_PLACE,
    FG_SERVER_NEED_MEMORY, /* it holds enough for its going to help */
    FG_SERVER_NEED_AREA,   /* it holds an area for a long line */
};
/* Closes a connection of this rank at most, not `but`, that can make way, with a word to its peer.
 * False: none need go. */
bool fg_server_displace(struct fg_server *server, unsigned rank, enum fg_server_need need,
                        const struct fg_connection *but);

#endif
