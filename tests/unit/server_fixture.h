/* SPDX-License-Identifier: BSD-3-Clause */
/* A server of the control socket that echoes, on a clock of the test's own, and callers of it. */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/server/server.h"
#include "control/server/socket_file.h"

#define LINE_MAX_TEST 1000
#define LINE_MS       200
#define IDLE_MS       1000
#define FRESH_MS      20
#define REPLY_BIG     (4 << 20) /* more than a socket's buffers take */

struct fixture {
    char dir[32], path[64];
    struct fg_server *server;
    struct fg_server_config config;
    struct fg_clock clock;
    uint64_t now_ms, tick_ns, ticked_ns; /* each look at the clock takes tick_ns */
    unsigned answered;
    unsigned answer_ms; /* that every answer takes */
    unsigned rank;      /* of those who connect from now on */
    size_t groups;      /* that the last one had */
    struct fg_peer peer;
    char message[256];
};

static inline uint64_t fake_ns(void *context)
{
    struct fixture *f = context;
    f->ticked_ns += f->tick_ns;
    return f->now_ms * 1000000 + f->ticked_ns;
}

/* Echoes; "big" answers with REPLY_BIG bytes, "none" with nothing. */
static inline char *answer(void *arg, const struct fg_peer *peer, const char *line, size_t length)
{
    struct fixture *f = arg;
    f->answered++;
    f->now_ms += f->answer_ms;
    f->peer = *peer;
    if (length == 4 && memcmp(line, "none", 4) == 0)
        return NULL;
    bool big = length == 3 && memcmp(line, "big", 3) == 0;
    size_t size = big ? REPLY_BIG : length;
    char *reply = malloc(size + 2);
    assert_non_null(reply);
    if (big)
        memset(reply, 'x', size);
    else
        memcpy(reply, line, size);
    memcpy(reply + size, "\n", 2);
    return reply;
}

static inline unsigned rank(void *arg, const struct fg_peer *peer, const gid_t *groups,
                            size_t count)
{
    struct fixture *f = arg;
    assert_int_equal(peer->uid, getuid());
    assert_true(count == 0 || groups);
    f->groups = count;
    return f->rank;
}

static inline int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/fg-server-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/control.sock", f->dir);
    f->now_ms = 1;
    f->clock = (struct fg_clock){.context = f, .wall_ns = fake_ns, .monotonic_ns = fake_ns};
    f->config = (struct fg_server_config){
        .path = f->path,
        .group = (gid_t)-1,
        .line_max = LINE_MAX_TEST,
        .connections_max = 3,
        .line_ms = LINE_MS,
        .idle_ms = IDLE_MS,
        .fresh_ms = FRESH_MS,
        .refused_long = "too long\n",
        .refused_full = "too many\n",
        .clock = &f->clock,
        .rank = rank,
        .answer = answer,
        .arg = f,
    };
    assert_int_equal(fg_server_open(&f->server, &f->config, f->message, sizeof(f->message)), 0);
    *state = f;
    return 0;
}

static inline int stop(void **state)
{
    struct fixture *f = *state;
    fg_server_close(f->server);
    assert_int_equal(rmdir(f->dir), 0); /* nothing is left behind, the lock file neither */
    free(f);
    return 0;
}

static inline void rounds(struct fixture *f, unsigned count)
{
    while (count-- > 0)
        fg_server_poll(f->server, 0);
}

static inline int join(struct fixture *f)
{
    int fd = fg_socket_connect(f->path);
    assert_true(fd >= 0);
    rounds(f, 2);
    return fd;
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that has come; "" when nothing has, NULL when the server has closed. */
static inline const char *heard(int fd)
{
    static char text[4096];
    ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return NULL;
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static inline void open_anew(struct fixture *f)
{
    fg_server_close(f->server);
    assert_int_equal(fg_server_open(&f->server, &f->config, f->message, sizeof(f->message)), 0);
}

#endif
