/* SPDX-License-Identifier: BSD-3-Clause */
/* A sale's order events in memory: as its stream in Redis has them, or as the log has them. */
#ifndef FG_CHECK_STREAMS_H
#define FG_CHECK_STREAMS_H

#include "dataplane/orders/event.h"

/* One entry: its id's first part, and the rest as the order event it was made from (sale_seq is the
 * id's second part; `sale` and `flags` are not in a stream and are 0). `kind` is 0 in an entry of
 * Redis that is not what delivery writes. */
struct fg_sale_stream_entry {
    uint64_t epoch;
    uint64_t lsn; /* of the log's record; 0 in a stream of Redis */
    struct fg_order_event event;
};

struct fg_sale_stream {
    char sale[FG_SALE_NAME_MAX + 1];
    struct fg_sale_stream_entry *entries; /* in stream order */
    uint64_t count, capacity;
    struct fg_stream_id passed; /* log: the last event that went with an old segment; 0-0: none */
    struct fg_stream_id last;   /* Redis: its last id ever (0-0: none), known before it was read */
};

struct redisContext;

/*
 * Connects to `address`: a Unix socket's path (it holds a '/'), or HOST:PORT. NULL with a sentence.
 * The caller frees it with redisFree. All calls may wait 10 s for an answer of Redis; one thread.
 */
struct redisContext *fg_sale_streams_connect(const char *address, char *message, size_t size);

/* Authenticates if there is a password (`user` NULL: the default user) and chooses the database. 0,
 * or a negative errno with a sentence. */
int fg_sale_streams_login(struct redisContext *redis, const char *user, const char *password,
                          unsigned database, char *message, size_t size);

/* The stream's last id ever, which outlives its entries; 0-0 if there is no stream. And its first
 * entry's id now; 0-0 if it has none. 0, -EBADMSG if the key is no stream, or another negative
 * errno; with a sentence. */
int fg_sale_stream_last(struct redisContext *redis, const char *sale, struct fg_stream_id *last,
                        char *message, size_t size);
int fg_sale_stream_first(struct redisContext *redis, const char *sale, struct fg_stream_id *first,
                         char *message, size_t size);

/*
 * Calls `take` with all entries of a sale's stream, in pages, so that Redis is never held up for
 * long. Stops at, and returns, the first answer of `take` that is not 0 (then without a sentence).
 * 0, or a negative errno with a sentence.
 */
int fg_sale_stream_walk(struct redisContext *redis, const char *sale,
                        int (*take)(void *arg, const struct fg_sale_stream_entry *entries,
                                    uint64_t count),
                        void *arg, char *message, size_t size);

/* Reads a whole stream. One that does not exist is empty. 0, or a negative errno with a sentence;
 * an entry that is not exactly what delivery writes is -EBADMSG. */
int fg_sale_stream_read(struct redisContext *redis, const char *sale, struct fg_sale_stream *stream,
                        char *message, size_t size);
void fg_sale_stream_free(struct fg_sale_stream *stream);

#endif
