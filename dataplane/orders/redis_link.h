/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Redis seam: what delivery asks of Redis, and nothing else. The real one (hiredis) is
 * fg_redis_link_create; a simulator brings its own. Calls may block up to the configured time
 * limit. One thread.
 */
#ifndef FG_ORDERS_REDIS_LINK_H
#define FG_ORDERS_REDIS_LINK_H

#include "dataplane/orders/event.h"

enum fg_redis_answer {
    FG_REDIS_OK,
    FG_REDIS_GAP,     /* the stream does not end with `expected`: `last` tells with what */
    FG_REDIS_FENCED,  /* another engine has taken over */
    FG_REDIS_RETRY,   /* Redis cannot now (OOM, LOADING, NOREPLICAS ...): ask again later */
    FG_REDIS_RELOAD,  /* the function is missing: connect again */
    FG_REDIS_LOST,    /* link broken, time limit over, or not a master: connect again */
    FG_REDIS_BAD_KEY, /* a key of the wrong type: this sale stops */
    FG_REDIS_REFUSED, /* Redis refuses for good (NOPERM, WRONGPASS, ...): alarm, try slowly */
};

/* Entries of one append: a call of 512 is at its speed and stays below 256 KiB, beyond which
 * hiredis slows down. */
#define FG_REDIS_APPEND_MAX 512

/* An entry's id: the epoch its record was written under, and its sale_seq. 0-0: none. */
struct fg_stream_id {
    uint64_t epoch, sale_seq;
};

struct fg_redis_append {
    const char *sale;             /* name */
    struct fg_stream_id expected; /* id of the sale's previous record in the log */
    unsigned count; /* at most FG_REDIS_APPEND_MAX; 0: claim the fence and read the last id */
    const struct fg_record *records; /* order events of one sale with consecutive sale_seq */
    struct fg_stream_id last;        /* out, with OK and GAP: what the stream ends with */
};

struct fg_redis_link {
    void *context;
    /* Connects, authenticates, checks that this is a master, loads the function; a connection
     * that was there is dropped first. OK, RETRY, LOST or REFUSED. */
    enum fg_redis_answer (*connect)(void *context);
    /* Claims the sale's fence and appends all or nothing, if the stream ends with `expected`. After
     * LOST it is not known which: the entries may even arrive later. */
    enum fg_redis_answer (*append)(void *context, struct fg_redis_append *append);
    void (*close)(void *context);        /* drops the connection */
    const char *(*error)(void *context); /* what the last failing call said; never NULL */
};

struct fg_redis_config {
    const char *socket; /* Unix socket path, or NULL */
    const char *host;   /* used without a socket */
    uint16_t port;
    const char *user;     /* NULL: default user */
    const char *password; /* NULL: none */
    unsigned database;
    unsigned timeout_ms; /* of connecting and of each call */
    unsigned epoch;      /* this engine's */
    uint64_t instance;   /* random, one per start: fence of equal epochs */
};

/* NULL when memory is short. Strings are copied. */
struct fg_redis_link *fg_redis_link_create(const struct fg_redis_config *config);
void fg_redis_link_destroy(struct fg_redis_link *link);

#endif
