/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One epoll set, a bounded number of connections, and rounds of bounded length.
 *
 * A connection's condition (connection.h) has its deadline, which progress does not push on: while
 * a reply waits nothing more is read, so a peer that does not read cannot make the server collect
 * replies, and one that trickles bytes is cut like one that is silent. Who sends many lines at once
 * has them answered some a round, and nothing more is read of it before they are.
 *
 * When places, memory or descriptors run out, the newcomer is served and the one displaced that has
 * made no progress for the longest, of those with the least rank and never one of greater rank than
 * the newcomer's. A flood of connections thus gives way to whoever comes next with a call to make,
 * and nobody can shut out those above.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/server/parts.h"
#include "flashgate/exit_status.h"

#define LINES_A_TURN 8

/* --- one connection --- */

void fg_server_drop(struct fg_server *server, struct fg_connection *c)
{
    server->held -= fg_connection_held(c);
    server->count--;
    fg_connection_close(c);
}

static void watch(struct fg_server *server, struct fg_connection *c, uint32_t wanted)
{
    struct epoll_event event = {.events = wanted, .data.ptr = c};
    if (c->watched == wanted)
        return;
    c->watched = wanted;
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* After anything was done: what the connection is at now. `anew`: it begins now, though it may be
 * what the connection was at before. */
void fg_server_settle(struct fg_server *server, struct fg_connection *c, bool lines, bool anew)
{
    enum fg_connection_state state = c->out                    ? FG_CONNECTION_WRITING
                                     : lines                   ? FG_CONNECTION_LINES
                                     : c->in_end > c->in_begin ? FG_CONNECTION_READING
                                                               : FG_CONNECTION_IDLE;
    if (anew || state != c->state)
        c->since_ms = fg_server_now_ms(server);
    c->state = state;
    server->lines_left |= state == FG_CONNECTION_LINES;
    watch(server, c,
          state == FG_CONNECTION_WRITING ? EPOLLOUT
          : state == FG_CONNECTION_LINES ? 0
                                         : EPOLLIN);
}

static bool is_over(const struct fg_server *server, const struct fg_connection *c, uint64_t now)
{
    unsigned limit =
        c->state == FG_CONNECTION_IDLE ? server->config.idle_ms : server->config.line_ms;
    return now - c->since_ms >= limit;
}

/* Memory for `more` bytes of this connection. */
static bool reserve(struct fg_server *server, const struct fg_connection *c, size_t more)
{
    while (server->config.buffers_max > 0 && server->held + more > server->config.buffers_max)
        if (!fg_server_displace(server, c->peer.rank, FG_SERVER_NEED_MEMORY, c))
            return false;
    return true;
}

/* What receiving takes. */
static bool reserve_line(struct fg_server *server, const struct fg_connection *c)
{
    bool area;
    size_t more = fg_connection_wants(c, &area);
    if (area)
        return fg_long_lines_free(&server->long_lines) ||
               fg_server_displace(server, c->peer.rank, FG_SERVER_NEED_AREA, c);
    return reserve(server, c, more);
}

/* --- replies --- */

/* False: the connection is gone. */
static bool send_reply(struct fg_server *server, struct fg_connection *c)
{
    size_t held = fg_connection_held(c);
    int rc = fg_connection_send(c);
    server->held -= held - fg_connection_held(c);
    if (rc < 0 || (rc > 0 && c->last)) {
        fg_server_drop(server, c);
        return false;
    }
    return true;
}

/* Takes ownership of `reply`. False: the connection is gone. */
static bool begin_reply(struct fg_server *server, struct fg_connection *c, char *reply)
{
    c->out = reply;
    c->out_length = strlen(reply);
    server->held += c->out_length;
    if (!send_reply(server, c))
        return false;
    if (!c->out || reserve(server, c, 0))
        return true;
    server->stats.displaced++;
    fg_server_drop(server, c);
    return false;
}

/* Says why, and closes. */
static void refuse(struct fg_server *server, struct fg_connection *c, const char *why)
{
    char *reply = strdup(why);
    c->last = true;
    server->stats.refused++;
    if (!reply)
        fg_server_drop(server, c);
    else if (begin_reply(server, c, reply))
        fg_server_settle(server, c, false, true);
}

/* --- lines --- */

static size_t longest_line(const struct fg_server *server, const struct fg_connection *c)
{
    return c->peer.rank < server->config.high_rank ? server->config.line_max_low
                                                   : server->config.line_max;
}

/* Answers whole lines that have come: some of them, when they are many. */
static void answer_lines(struct fg_server *server, struct fg_connection *c)
{
    bool answered = false, lines = false;
    size_t length;
    char *line;
    for (unsigned count = 0; !c->out; count++) {
        bool whole = fg_connection_line(c, &line, &length);
        if (length > longest_line(server, c)) {
            refuse(server, c, server->config.refused_long);
            return;
        }
        if (!whole)
            break;
        lines = count == LINES_A_TURN || (count > 0 && !fg_server_in_time(server));
        if (lines)
            break;
        char *reply = server->config.answer(server->config.arg, &c->peer, line, length);
        answered = true;
        fg_connection_consume(c, length);
        if (reply && !begin_reply(server, c, reply))
            return;
    }
    size_t held = fg_connection_held(c);
    fg_connection_rest(c);
    server->held += fg_connection_held(c) - held;
    fg_server_settle(server, c, lines, answered);
}

/* False: the connection is gone. */
static bool receive(struct fg_server *server, struct fg_connection *c)
{
    size_t held = fg_connection_held(c);
    if (!reserve_line(server, c)) {
        refuse(server, c, server->config.refused_full);
        return false;
    }
    int rc = fg_connection_receive(c);
    server->held += fg_connection_held(c) - held;
    if (rc < 0)
        fg_server_drop(server, c);
    return rc >= 0;
}

static void serve(struct fg_server *server, struct fg_connection *c)
{
    if (c->out) {
        if (!send_reply(server, c) || c->out)
            return;
        fg_server_settle(server, c, false, true);
    } else if (c->state != FG_CONNECTION_LINES && !receive(server, c)) {
        return;
    }
    answer_lines(server, c);
}

/* --- rounds --- */

static void serve_events(struct fg_server *server)
{
    while (server->events_next < server->events_count) {
        struct fg_connection *c = server->events[server->events_next++].data.ptr;
        if (!c)
            fg_server_accept(server);
        else if (c->fd >= 0)
            serve(server, c);
        if (!fg_server_in_time(server))
            return;
    }
}

/* Connections with lines left, each in its turn. */
static void serve_lines(struct fg_server *server)
{
    unsigned max = server->config.connections_max;
    if (!server->lines_left)
        return;
    server->lines_left = false;
    for (unsigned i = 0; i < max; i++) {
        struct fg_connection *c = &server->connections[server->turn];
        server->turn = (server->turn + 1) % max;
        if (c->fd < 0 || c->state != FG_CONNECTION_LINES)
            continue;
        answer_lines(server, c);
        if (!fg_server_in_time(server)) {
            server->lines_left = true; /* for all that is known */
            return;
        }
    }
}

/* Deadlines that are over, once a millisecond, going on where the last round was cut off. */
static void sweep(struct fg_server *server)
{
    uint64_t now = fg_server_now_ms(server);
    if (server->sweep_next == 0 && now == server->swept_ms)
        return;
    server->swept_ms = now;
    fg_server_resume(server);
    while (server->sweep_next < server->config.connections_max) {
        struct fg_connection *c = &server->connections[server->sweep_next++];
        if (c->fd < 0 || !is_over(server, c, now))
            continue;
        server->stats.expired++;
        fg_server_drop(server, c);
        if (!fg_server_in_time(server))
            return;
    }
    server->sweep_next = 0;
}

void fg_server_poll(struct fg_server *server, int wait_ms)
{
    if (server->events_next == server->events_count) {
        bool busy = server->lines_left || server->sweep_next > 0;
        int count = epoll_wait(server->epoll, server->events, FG_SERVER_EVENTS, busy ? 0 : wait_ms);
        server->events_next = 0;
        server->events_count = count > 0 ? count : 0;
    }
    server->round_ends_ns = fg_server_now_ns(server) + server->config.round_us * UINT64_C(1000);
    /* Each goes on where it was cut off, and does one thing at least. */
    serve_events(server);
    serve_lines(server);
    sweep(server);
}

unsigned fg_server_connections(const struct fg_server *server)
{
    return server->count;
}

const struct fg_server_stats *fg_server_stats(const struct fg_server *server)
{
    return &server->stats;
}

static int start(struct fg_server *server, char *message, size_t size)
{
    const char *path = server->config.path;
    server->connections = calloc(server->config.connections_max, sizeof(*server->connections));
    if (!server->connections) {
        snprintf(message, size, "%s: memory is short", path);
        return FG_EXIT_MEMORY;
    }
    for (unsigned i = 0; i < server->config.connections_max; i++)
        server->connections[i].fd = -1;
    if (fg_long_lines_init(&server->long_lines, server->config.long_lines,
                           server->config.line_max + 2 * FG_CONNECTION_READ_MAX) != 0) {
        snprintf(message, size, "%s: memory is short", path);
        return FG_EXIT_MEMORY;
    }
    int status = fg_socket_file_open(&server->file, path, server->config.group, message, size);
    if (status != 0)
        return status;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->file.fd, &event) != 0) {
        snprintf(message, size, "%s: epoll: %s", path, strerror(errno));
        return FG_EXIT_FAILED;
    }
    return 0;
}

int fg_server_open(struct fg_server **server, const struct fg_server_config *config, char *message,
                   size_t size)
{
    *server = calloc(1, sizeof(**server));
    if (!*server) {
        snprintf(message, size, "%s: memory is short", config->path);
        return FG_EXIT_MEMORY;
    }
    (*server)->config = *config;
    (*server)->file.fd = -1;
    (*server)->epoll = -1;
    int status = start(*server, message, size);
    if (status != 0) {
        fg_server_close(*server);
        *server = NULL;
    }
    return status;
}

void fg_server_close(struct fg_server *server)
{
    if (!server)
        return;
    for (unsigned i = 0; server->connections && i < server->config.connections_max; i++)
        if (server->connections[i].fd >= 0)
            fg_server_drop(server, &server->connections[i]);
    if (server->file.fd >= 0)
        fg_socket_file_close(&server->file);
    if (server->epoll >= 0)
        close(server->epoll);
    fg_long_lines_fini(&server->long_lines);
    free(server->connections);
    free(server);
}
