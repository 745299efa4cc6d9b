/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated Redis: streams and fences by the rules of append.lua, consumers, and the faults that
 * Redis has. Each engine reaches it by a link of its own.
 */
#ifndef SIM_REDIS_H
#define SIM_REDIS_H

#include "dataplane/orders/redis_link.h"
#include "perf/check/streams.h"

#define REDIS_STREAMS 8
#define REDIS_LATE    8

struct world;

struct redis_stream {
    char sale[FG_SALE_NAME_MAX + 1];
    bool wrong_type;
    struct fg_sale_stream_entry *entries;
    uint32_t count, capacity;
    uint32_t trimmed; /* of the first entries: gone, kept here for the books */
    struct fg_stream_id last;
    bool fenced; /* the fence key exists */
    uint64_t fence_epoch, fence_instance;
    uint64_t consumed;      /* the consumer's key; 0: none */
    uint64_t consumed_most; /* that anybody ever told, by key or by the operator */
};

/* An append of a dropped connection that is still to be done. */
struct redis_late {
    bool waits;
    uint64_t epoch, instance;
    char sale[FG_SALE_NAME_MAX + 1];
    struct fg_stream_id expected;
    unsigned count;
    struct fg_sale_stream_entry entries[FG_REDIS_APPEND_MAX];
};

struct sim_redis {
    struct redis_stream streams[REDIS_STREAMS];
    unsigned streams_count;
    struct redis_stream saved[REDIS_STREAMS]; /* the state it would restart from */
    unsigned saved_count;
    struct redis_late late[REDIS_LATE];
    uint64_t away_until_ns, full_until_ns;
    bool function_lost;
    bool fence_lost; /* a fence went back or away: the next engine may meet a zombie's entries */
    bool emptied;    /* entries were lost that only the log can bring back */
};

/* An engine's way to Redis. */
struct redis_way {
    struct world *world;
    struct fg_redis_link seam; /* its context is this struct */
    uint64_t epoch, instance;
    bool connected;
    bool calling; /* an append is under way */
    bool follows; /* ... and another was sent behind it */
    struct fg_redis_append behind;
    enum fg_redis_answer behind_answer;
    bool behind_lost;       /* ... and with it the connection */
    bool fenced;            /* was told so */
    uint64_t busy_until_ns; /* a call is taking its time */
    const char *error;
};

void redis_way_init(struct redis_way *way, struct world *world, uint64_t epoch, uint64_t instance);

/* Something happens to Redis by itself: a fault, a late command, a save. */
void redis_step(struct world *world);
/* All faults end: it is there, has room and its function, and late commands are done. */
void redis_heal(struct world *world);

struct redis_stream *redis_stream(struct sim_redis *redis, const char *sale);

/* The operator tells that a sale's consumer is done up to there. */
void redis_consumed(struct sim_redis *redis, const char *sale, uint64_t mark);

#endif
