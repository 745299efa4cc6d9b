/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One epoll set, one buffer in and one reply out for each connection.
 *
 * A connection is in one of three conditions, and each has its deadline, set when the condition
 * begins and not pushed on by progress: idle (nothing begun), reading (a line was begun), writing
 * (a reply waits to be taken). While a reply waits nothing more is read, so a peer that does not
 * read cannot make the server collect replies, and one that trickles bytes is cut like one that
 * is silent.
 */
#include "control/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/socket_file.h"
#include "flashgate/exit_status.h"

#define READ_BYTES      (64 << 10) /* read from one connection in one round */
#define LINES_A_ROUND   8          /* answered for one connection in one round */
#define EVENTS_A_ROUND  32
#define KEEP_BUFFER_MAX (256 << 10) /* a larger buffer is freed once it is empty */

struct connection {
    int fd; /* -1: this place is free */
    struct fg_peer peer;
    char *in;
    size_t in_used, in_size;
    size_t scanned; /* bytes of `in` known to hold no newline */
    char *out;      /* NULL: no reply waits */
    size_t out_length, out_sent;
    uint64_t deadline_ms;
    bool reading; /* a line was begun */
    bool last;    /* close once the reply is out */
};

struct fg_server {
    struct fg_server_config config;
    struct fg_socket_file file;
    int epoll;
    unsigned count;
    unsigned unfinished; /* connections with whole lines left over from the last round */
    struct connection *connections;
};

static uint64_t now_ms(const struct fg_server *server)
{
    return server->config.clock->monotonic_ns(server->config.clock->context) / 1000000;
}

static void drop(struct fg_server *server, struct connection *c)
{
    close(c->fd); /* takes it out of the epoll set */
    free(c->in);
    free(c->out);
    *c = (struct connection){.fd = -1};
    server->count--;
}

/* Says which events matter now: writable while a reply waits, else readable. */
static void watch(struct fg_server *server, struct connection *c)
{
    struct epoll_event event = {.events = c->out ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void become_idle(struct fg_server *server, struct connection *c)
{
    c->reading = false;
    c->deadline_ms = now_ms(server) + server->config.idle_ms;
    if (c->in_used == 0 && c->in_size > KEEP_BUFFER_MAX) {
        free(c->in);
        c->in = NULL;
        c->in_size = 0;
    }
}

/* Sends what the socket takes. False: the connection is gone. */
static bool send_reply(struct fg_server *server, struct connection *c)
{
    while (c->out_sent < c->out_length) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            drop(server, c);
            return false;
        }
        c->out_sent += n;
    }
    free(c->out);
    c->out = NULL;
    if (c->last) {
        drop(server, c);
        return false;
    }
    become_idle(server, c);
    return true;
}

/* Takes ownership of `reply`. False: the connection is gone. */
static bool begin_reply(struct fg_server *server, struct connection *c, char *reply)
{
    c->out = reply;
    c->out_length = strlen(reply);
    c->out_sent = 0;
    c->deadline_ms = now_ms(server) + server->config.line_ms;
    if (!send_reply(server, c))
        return false;
    if (c->out)
        watch(server, c);
    return true;
}

static bool refuse_long_line(struct fg_server *server, struct connection *c)
{
    c->last = true;
    char *reply = strdup(server->config.refused_long);
    if (reply)
        return begin_reply(server, c, reply);
    drop(server, c);
    return false;
}

/* Takes the first `bytes` out of the buffer. */
static void consume(struct connection *c, size_t bytes)
{
    memmove(c->in, c->in + bytes, c->in_used - bytes);
    c->in_used -= bytes;
    c->scanned = 0;
}

/* Answers whole lines that have come, a bounded number of them. */
static void answer_lines(struct fg_server *server, struct connection *c)
{
    for (unsigned lines = 0; !c->out; lines++) {
        char *end = c->in_used > c->scanned
                        ? memchr(c->in + c->scanned, '\n', c->in_used - c->scanned)
                        : NULL;
        size_t length = end ? (size_t)(end - c->in) : c->in_used;
        if (length > server->config.line_max) {
            refuse_long_line(server, c);
            return;
        }
        if (!end) {
            c->scanned = c->in_used;
            break;
        }
        if (lines == LINES_A_ROUND) {
            server->unfinished++;
            return;
        }
        char *reply = server->config.answer(server->config.arg, &c->peer, c->in, length);
        consume(c, length + 1);
        become_idle(server, c);
        if (reply && !begin_reply(server, c, reply))
            return;
    }
    if (!c->out && c->in_used > 0 && !c->reading) {
        c->reading = true;
        c->deadline_ms = now_ms(server) + server->config.line_ms;
    }
}

/* Room for one more read. False: memory is short. */
static bool make_room(struct connection *c)
{
    if (c->in_size - c->in_used >= READ_BYTES)
        return true;
    size_t size = c->in_size ? c->in_size * 2 : READ_BYTES * 2;
    char *grown = realloc(c->in, size);
    if (!grown)
        return false;
    c->in = grown;
    c->in_size = size;
    return true;
}

static void receive(struct fg_server *server, struct connection *c)
{
    if (!make_room(c)) {
        drop(server, c);
        return;
    }
    ssize_t n = recv(c->fd, c->in + c->in_used, READ_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) { /* a line without its newline is not a message */
        drop(server, c);
        return;
    }
    c->in_used += n;
    answer_lines(server, c);
}

static struct connection *free_place(struct fg_server *server)
{
    for (unsigned i = 0; i < server->config.connections_max; i++)
        if (server->connections[i].fd < 0)
            return &server->connections[i];
    return NULL;
}

static void accept_one(struct fg_server *server)
{
    int fd = accept4(server->file.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct ucred peer;
    socklen_t length = sizeof(peer);
    struct connection *c = free_place(server);
    if (!c) {
        const char *text = server->config.refused_full;
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
        goto close_fd;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        goto close_fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        goto close_fd;
    *c = (struct connection){.fd = fd, .peer = {peer.uid, peer.gid, peer.pid}};
    server->count++;
    become_idle(server, c);
    return;

close_fd:
    close(fd);
}

static void serve(struct fg_server *server, struct connection *c)
{
    if (c->out) {
        if (send_reply(server, c) && !c->out) {
            watch(server, c);
            answer_lines(server, c);
        }
        return;
    }
    receive(server, c);
}

/* What the last round left, and deadlines that are over. */
static void sweep(struct fg_server *server, bool unfinished)
{
    uint64_t now = now_ms(server);
    for (unsigned i = 0; i < server->config.connections_max; i++) {
        struct connection *c = &server->connections[i];
        if (c->fd >= 0 && now >= c->deadline_ms)
            drop(server, c);
        else if (c->fd >= 0 && unfinished && !c->out && c->in_used > 0)
            answer_lines(server, c);
    }
}

void fg_server_poll(struct fg_server *server, int wait_ms)
{
    struct epoll_event events[EVENTS_A_ROUND];
    bool unfinished = server->unfinished > 0;
    server->unfinished = 0;
    int count = epoll_wait(server->epoll, events, EVENTS_A_ROUND, unfinished ? 0 : wait_ms);
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (!c)
            accept_one(server);
        else if (c->fd >= 0)
            serve(server, c);
    }
    sweep(server, unfinished);
}

unsigned fg_server_connections(const struct fg_server *server)
{
    return server->count;
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
    int status = fg_socket_file_open(&server->file, path, message, size);
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
            drop(server, &server->connections[i]);
    if (server->file.fd >= 0)
        fg_socket_file_close(&server->file);
    if (server->epoll >= 0)
        close(server->epoll);
    free(server->connections);
    free(server);
}
