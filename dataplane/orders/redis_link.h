/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Redis seam: what delivery asks of Redis, and nothing else. The real one (hiredis) is
 * fg_redis_link_create; a simulator brings its own. Calls may block up to the configured time
 * limit. One thread.
 */
#ifndef FG_ORDERS_REDIS_LINK_H
#define FG_ORDERS_REDIS_LINK_H

#include <stdbool.h>

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

struct fg_redis_append {
    const char *sale;             /* name */
    struct fg_stream_id expected; /* id of the sale's previous record in the log */
    unsigned count; /* at most FG_REDIS_APPEND_MAX; 0: claim the fence and read the last id */
    const struct fg_record *records; /* order events of one sale with consecutive sale_seq */
    /* Called while Redis works on entries that were sent, once at most. Of the link it may use
     * follow() alone, once. NULL: nothing. */
    void (*meanwhile)(void *arg);
    void *meanwhile_arg;
    struct fg_stream_id last; /* out, with OK and GAP: what the stream ends with */
    /* Out, with OK of a call without entries: */
    uint64_t consumed; /* sale_seq that the consumer's key tells; 0: no such key */
    bool consumed_odd; /* the key is there and holds something else: error() says what */
};

/* Fields of a sale's stock hash that one call refreshes. */
#define FG_REDIS_PAGE_MAX 512

struct fg_redis_field {
    char name[16];
    char value[32];
};

struct fg_redis_page {
    const char *sale;
    const struct fg_redis_field *fields;
    unsigned count;     /* 1 to FG_REDIS_PAGE_MAX */
    unsigned expiry_ms; /* of the whole hash, from now on */
    uint64_t created;   /* out: how many of them it did not have */
};

struct fg_redis_link {
    void *context;
    /* Connects, authenticates, checks that this is a master, loads the function; a connection
     * that was there is dropped first. Each of the steps, and each sentinel asked before them, may
     * take the time limit. OK, RETRY, LOST or REFUSED. */
    enum fg_redis_answer (*connect)(void *context);
    /* Claims the sale's fence and appends all or nothing, if the stream ends with `expected`. After
     * LOST it is not known which: the entries may even arrive later. */
    enum fg_redis_answer (*append)(void *context, struct fg_redis_append *append);
    /* Meanwhile only: sends the append of the same sale's next records behind the one under way,
     * `expected` as if that were OK. If it is, the next call must be this append, and only its
     * answer is waited for. If not, the link throws this one's answer away: it has appended
     * nothing, or what the next claim tells. The records and the sale's name stay until then.
     * NULL: no such thing. */
    void (*follow)(void *context, const struct fg_redis_append *append);
    /* What the sale's stream ends with, 0-0 if it is missing. Claims nothing. */
    enum fg_redis_answer (*last)(void *context, const char *sale, struct fg_stream_id *last);
    /* Forgets a stream's entries before `first`. */
    enum fg_redis_answer (*trim)(void *context, const char *sale, struct fg_stream_id first);
    /* Claims the sale's fence and renames its stream, of whatever type, out of the way; *aside, of
     * `size` bytes, is its new key. OK also when there is none (*aside is then empty). After LOST,
     * asked again, it moves nothing a second time. */
    enum fg_redis_answer (*set_aside)(void *context, const char *sale, char *aside, size_t size);
    /* Sets fields of the sale's stock hash, and when it goes away unless it is set again; both or
     * neither. */
    enum fg_redis_answer (*page)(void *context, struct fg_redis_page *page);
    void (*close)(void *context);        /* drops the connection */
    const char *(*error)(void *context); /* what the last failing call said; never NULL */
};

struct fg_redis_config {
    const char *socket; /* Unix socket path, or NULL */
    const char *host;   /* used without a socket */
    uint16_t port;
    /* Used before both: sentinels ("host:port") that are asked, in turn, for the master's address;
     * `sentinel_password` is for them. */
    const char *const *sentinels;
    unsigned sentinels_count;
    const char *master; /* its name */
    const char *sentinel_password;
    const char *user;     /* NULL: default user */
    const char *password; /* NULL: none */
    unsigned database;
    unsigned timeout_ms; /* of connecting and of each call */
    unsigned epoch;      /* this engine's */
    uint64_t instance;   /* random, one per start: fence of equal epochs */
    bool pages_only;     /* only page() is called: connect loads no function */
};

/* NULL when memory is short. Strings are copied. */
struct fg_redis_link *fg_redis_link_create(const struct fg_redis_config *config);
/* What INFO answers, cut to `size` bytes with its closing zero; the link is connected. */
enum fg_redis_answer fg_redis_link_info(struct fg_redis_link *link, char *text, size_t size);
void fg_redis_link_destroy(struct fg_redis_link *link);

#endif
