/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/server/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM_MIN (4 << 10)   /* at least so much is read at once */
#define KEEP_MAX (16 << 10)  /* a larger buffer is given back once it is empty */
#define GROW_MAX (128 << 10) /* a buffer grows so far by itself; the line goes on in an area */

static void free_in(struct fg_connection *c)
{
    if (c->in_area)
        fg_long_lines_give(c->long_lines, c->in);
    else
        free(c->in);
    c->in = NULL;
    c->in_area = false;
}

void fg_connection_close(struct fg_connection *c)
{
    close(c->fd); /* takes it out of the epoll set */
    free_in(c);
    free(c->out);
    *c = (struct fg_connection){.fd = -1};
}

size_t fg_connection_held(const struct fg_connection *c)
{
    return (c->in_area ? 0 : c->in_size) + c->out_length;
}

size_t fg_connection_wants(const struct fg_connection *c, bool *area)
{
    size_t used = c->in_end - c->in_begin;
    *area = false;
    if (c->in_size - used >= ROOM_MIN)
        return 0;
    *area = c->in_size >= GROW_MAX;
    if (*area)
        return 0;
    return c->in_size ? c->in_size : ROOM_MIN * 2;
}

/* What has come, to the beginning of the buffer `to`, which may be its own. */
static void move_in(struct fg_connection *c, char *to)
{
    size_t used = c->in_end - c->in_begin;
    memmove(to, c->in + c->in_begin, used);
    c->scanned -= c->in_begin;
    c->in_begin = 0;
    c->in_end = used;
}

/* The line goes on in an area. False: none is free. */
static bool take_area(struct fg_connection *c)
{
    char *area = fg_long_lines_take(c->long_lines);
    if (!area)
        return false;
    move_in(c, area);
    free(c->in);
    c->in = area;
    c->in_area = true;
    c->in_size = c->long_lines->each;
    return true;
}

/* Room for ROOM_MIN bytes after what has come. False: memory is short. */
static bool make_room(struct fg_connection *c)
{
    bool area;
    size_t used = c->in_end - c->in_begin, more = fg_connection_wants(c, &area);
    if (area)
        return take_area(c);
    if (c->in_begin > 0 && (used == 0 || c->in_size - c->in_end < ROOM_MIN))
        move_in(c, c->in);
    if (more == 0)
        return true;
    char *grown = realloc(c->in, c->in_size + more);
    if (!grown)
        return false;
    c->in = grown;
    c->in_size += more;
    return true;
}

int fg_connection_receive(struct fg_connection *c)
{
    if (!make_room(c))
        return -ENOMEM;
    size_t room = c->in_size - c->in_end;
    ssize_t n = recv(c->fd, c->in + c->in_end,
                     room < FG_CONNECTION_READ_MAX ? room : FG_CONNECTION_READ_MAX, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (n <= 0) /* a line without its newline is not a message */
        return -ECONNRESET;
    c->in_end += (size_t)n;
    return (int)n;
}

bool fg_connection_line(struct fg_connection *c, char **line, size_t *length)
{
    char *end =
        c->in_end > c->scanned ? memchr(c->in + c->scanned, '\n', c->in_end - c->scanned) : NULL;
    *line = c->in + c->in_begin;
    *length = end ? (size_t)(end - *line) : c->in_end - c->in_begin;
    c->scanned = end ? (size_t)(end - c->in) : c->in_end;
    return end;
}

void fg_connection_consume(struct fg_connection *c, size_t length)
{
    c->in_begin += length + 1;
    c->scanned = c->in_begin;
}

/* What follows the first newline came in one reading: it fits a small buffer. Without memory for
 * that the area is kept. */
static void leave_area(struct fg_connection *c)
{
    char *small = malloc(GROW_MAX);
    if (!small)
        return;
    char *area = c->in;
    move_in(c, small);
    fg_long_lines_give(c->long_lines, area);
    c->in = small;
    c->in_area = false;
    c->in_size = GROW_MAX;
}

void fg_connection_rest(struct fg_connection *c)
{
    size_t used = c->in_end - c->in_begin;
    if (c->in_area && c->in_begin > 0 && used > 0 && used < GROW_MAX)
        leave_area(c);
    if (used > 0 || c->in_size <= KEEP_MAX)
        return;
    free_in(c);
    c->in_begin = c->in_end = c->in_size = c->scanned = 0;
}

int fg_connection_send(struct fg_connection *c)
{
    while (c->out_sent < c->out_length) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        c->out_sent += (size_t)n;
    }
    free(c->out);
    c->out = NULL;
    c->out_length = c->out_sent = 0;
    return 1;
}
