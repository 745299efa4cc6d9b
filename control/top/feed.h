/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asks the engine for its status again and again on a thread of its own, so that an engine that
 * does not answer never keeps a key from being read.
 */
#ifndef FG_CONTROL_TOP_FEED_H
#define FG_CONTROL_TOP_FEED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct fg_top_feed;

struct fg_top_answer {
    json_t *status; /* a reference of the reader's own; NULL: none came, and `message` says why */
    uint64_t at_ns; /* monotonic: when it came */
    char message[1024]; /* empty where an answer came */
};

/* Asks at once, then every interval_ms. NULL with errno. */
struct fg_top_feed *fg_top_feed_create(const char *socket_path, uint64_t interval_ms);

/* Readable when there is something to take. */
int fg_top_feed_fd(const struct fg_top_feed *feed);

/* True with the latest answer, false when there is no new one. */
bool fg_top_feed_take(struct fg_top_feed *feed, struct fg_top_answer *answer);

/* Ends it, without waiting for an answer under way. NULL is taken. */
void fg_top_feed_destroy(struct fg_top_feed *feed);

#endif
