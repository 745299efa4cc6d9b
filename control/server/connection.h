/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection of the control socket: what has come and is no whole line yet, and what has still
 * to go out. Knows nothing of the others, nor of what lines mean. Inside the server only.
 */
#ifndef FG_CONTROL_CONNECTION_H
#define FG_CONTROL_CONNECTION_H

#include "control/server/long_lines.h"
#include "control/server/server.h"

#define FG_CONNECTION_READ_MAX (64 << 10) /* bytes read at once, at most */

/* What the connection is at; each begins at `since_ms` and progress within it moves nothing. */
enum fg_connection_state {
    FG_CONNECTION_IDLE,    /* nothing begun */
    FG_CONNECTION_READING, /* a line was begun */
    FG_CONNECTION_LINES,   /* whole lines wait to be answered: nothing more is read */
    FG_CONNECTION_WRITING, /* a reply waits to be taken: nothing is read or answered */
};

struct fg_connection {
    int fd; /* -1: this place is free */
    struct fg_peer peer;
    enum fg_connection_state state;
    uint64_t since_ms;
    uint32_t watched; /* epoll events */
    bool last;        /* close once the reply is out */

    struct fg_long_lines *long_lines;
    char *in;
    bool in_area;                     /* it is one of long_lines, else malloc'd */
    size_t in_begin, in_end, in_size; /* bytes not answered yet, and room */
    size_t scanned;                   /* in_begin ... scanned hold no newline */
    char *out;                        /* NULL: no reply waits */
    size_t out_length, out_sent;
};

/* Closes the descriptor, frees the buffers; the place is free. */
void fg_connection_close(struct fg_connection *c);

/* Bytes of memory that it holds, an area for a long line not counted. */
size_t fg_connection_held(const struct fg_connection *c);

/* What receiving takes more than it has: so many bytes of memory, or (*area) an area. */
size_t fg_connection_wants(const struct fg_connection *c, bool *area);

/* Reads once. Positive: so many bytes came; 0: none now; negative: the peer has gone, or memory is
 * short. */
int fg_connection_receive(struct fg_connection *c);

/* The first whole line: true, and its place, without the newline. False: none; *length is how much
 * of it has come. */
bool fg_connection_line(struct fg_connection *c, char **line, size_t *length);
/* It is done with, its newline too. */
void fg_connection_consume(struct fg_connection *c, size_t length);
/* After the lines that were answered: gives back what was needed for a long one. */
void fg_connection_rest(struct fg_connection *c);

/* Sends what the socket takes of the reply. 1: all is out; 0: it waits; negative: the peer is gone.
 */
int fg_connection_send(struct fg_connection *c);

#endif
