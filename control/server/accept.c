/* SPDX-License-Identifier: BSD-3-Clause */
/* Places for newcomers, and who gives way when places, memory or descriptors run out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/server/parts.h"

#define ACCEPTS_A_TURN 64
#define PAUSE_MS       50         /* nothing is accepted when no descriptor is left */
#define GROUPS_MAX     65536      /* of a process; the kernel's NGROUPS_MAX */
#define HOARD_BYTES    (64 << 10) /* who holds less need not go when memory is short */

/* --- making place --- */

static bool can_make_way(const struct fg_connection *c, enum fg_server_need need)
{
    switch (need) {
    case FG_SERVER_NEED_PLACE:
        return true;
    case FG_SERVER_NEED_MEMORY:
        return fg_connection_held(c) >= HOARD_BYTES;
    case FG_SERVER_NEED_AREA:
        return c->in_area;
    }
    return false;
}

/* Who goes first, of those of this rank at most, but for `but`: the least rank, then the longest
 * without progress. NULL: nobody need go. */
static struct fg_connection *find_victim(const struct fg_server *server, unsigned rank,
                                         enum fg_server_need need, const struct fg_connection *but)
{
    uint64_t now = fg_server_now_ms(server);
    struct fg_connection *victim = NULL;
    for (unsigned i = 0; i < server->config.connections_max; i++) {
        struct fg_connection *c = &server->connections[i];
        if (c == but || c->fd < 0 || c->peer.rank > rank || !can_make_way(c, need) ||
            now - c->since_ms < server->config.fresh_ms)
            continue;
        if (!victim || c->peer.rank < victim->peer.rank ||
            (c->peer.rank == victim->peer.rank && c->since_ms < victim->since_ms))
            victim = c;
    }
    return victim;
}

static void tell_full(const struct fg_server *server, int fd)
{
    const char *text = server->config.refused_full;
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool fg_server_displace(struct fg_server *server, unsigned rank, enum fg_server_need need,
                        const struct fg_connection *but)
{
    struct fg_connection *victim = find_victim(server, rank, need, but);
    if (!victim)
        return false;
    if (victim->state != FG_CONNECTION_WRITING) /* else it would stand within a reply */
        tell_full(server, victim->fd);
    server->stats.displaced++;
    fg_server_drop(server, victim);
    return true;
}

/* --- newcomers --- */

/* What the peer counts for. Who cannot be asked for groups has none but the first. */
static unsigned rank_of(const struct fg_server *server, int fd, const struct fg_peer *peer)
{
    gid_t few[256], *groups = few;
    socklen_t bytes = sizeof(few);
    if (!server->config.rank)
        return 0;
    int rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes);
    if (rc != 0 && errno == ERANGE && bytes <= GROUPS_MAX * sizeof(*groups)) {
        groups = malloc(bytes);
        rc = groups ? getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) : -1;
    }
    unsigned rank = server->config.rank(server->config.arg, peer, rc == 0 ? groups : NULL,
                                        rc == 0 ? bytes / sizeof(*groups) : 0);
    if (groups != few)
        free(groups);
    return rank;
}

static struct fg_connection *free_place(const struct fg_server *server)
{
    for (unsigned i = 0; i < server->config.connections_max; i++)
        if (server->connections[i].fd < 0)
            return &server->connections[i];
    return NULL;
}

static void take_in(struct fg_server *server, int fd)
{
    struct ucred credentials;
    socklen_t length = sizeof(credentials);
    struct epoll_event event = {.events = EPOLLIN};
    struct fg_peer peer;
    server->stats.accepted++;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        goto close_fd;
    peer = (struct fg_peer){credentials.uid, credentials.gid, (uint32_t)credentials.pid, 0};
    peer.rank = rank_of(server, fd, &peer);
    struct fg_connection *c = free_place(server);
    if (!c && fg_server_displace(server, peer.rank, FG_SERVER_NEED_PLACE, NULL))
        c = free_place(server);
    if (!c) {
        server->stats.refused++;
        tell_full(server, fd);
        goto close_fd;
    }
    event.data.ptr = c;
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        goto close_fd;
    *c = (struct fg_connection){
        .fd = fd, .peer = peer, .watched = EPOLLIN, .long_lines = &server->long_lines};
    server->count++;
    fg_server_settle(server, c, false, true);
    return;

close_fd:
    close(fd);
}

static void listen_again(struct fg_server *server, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = NULL};
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->file.fd, &event);
    server->paused_until_ms = on ? 0 : fg_server_now_ms(server) + PAUSE_MS;
}

/* No descriptor (or kernel memory) is left: the listening socket stays readable, and polling it
 * would be all that is ever done. Whoever is waiting waits in the kernel's queue. */
static void out_of_descriptors(struct fg_server *server)
{
    if (fg_server_displace(server, UINT32_MAX, FG_SERVER_NEED_PLACE, NULL))
        return;
    server->stats.paused++;
    listen_again(server, false);
}

void fg_server_accept(struct fg_server *server)
{
    for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(server->file.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            take_in(server, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            out_of_descriptors(server);
        else if (errno != ECONNABORTED && errno != EINTR)
            return;
        if (server->paused_until_ms != 0 || !fg_server_in_time(server))
            return;
    }
}

void fg_server_resume(struct fg_server *server)
{
    if (server->paused_until_ms != 0 && fg_server_now_ms(server) >= server->paused_until_ms)
        listen_again(server, true);
}
