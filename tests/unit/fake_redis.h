/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Redis in memory behind the link's seam, with the rules of append.lua and faults on demand. A
 * call that breaks what delivery promises (entries out of order, a call while not connected)
 * aborts.
 */
#ifndef FG_TESTS_FAKE_REDIS_H
#define FG_TESTS_FAKE_REDIS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/redis_link.h"

#define FAKE_STREAMS 96
#define FAKE_ENTRIES 4096

struct fake_entry {
    struct fg_stream_id id;
    uint64_t order;
};

struct fake_stream {
    char sale[FG_SALE_NAME_MAX + 1];
    bool wrong_type;
    struct fg_stream_id last;
    unsigned count;
    struct fake_entry *entries;
    uint64_t fence_epoch, fence_instance;
    uint64_t consumed; /* the consumer's key */
    bool consumed_odd;
    enum fg_redis_answer answer; /* of every append of this sale, if not OK */
    unsigned trims, asides;
};

struct fake_redis {
    struct fg_redis_link link;
    bool calling; /* an append is under way: a second call breaks the link's promise */
    bool hurried; /* it answers before anything can be done meanwhile */
    bool follows; /* an append was sent behind another, and is carried out after it */
    struct fg_redis_append behind;
    enum fg_redis_answer behind_answer;
    unsigned followed;        /* appends that were sent so */
    uint64_t epoch, instance; /* of the engine that uses the link */
    struct fake_stream streams[FAKE_STREAMS];
    unsigned streams_count;
    bool connected;
    unsigned connects, claims, appends, largest; /* calls, and entries of the greatest append */

    enum fg_redis_answer connect_answer; /* of every connect */
    enum fg_redis_answer append_answer;  /* of every append, and claim, if not OK */
    bool only_appends;                   /* ... not of claims */
    bool lies;                           /* appends are GAP, whatever claims have told */
    enum fg_redis_answer trim_answer;    /* of every trim */
    enum fg_redis_answer aside_answer;   /* of every set_aside, ... */
    bool aside_done;                     /* ... which was done all the same */
    /* The next append with entries is LOST; it was done, will be done after the next claim of
     * its sale (a late command), or never. */
    enum { KEEP, LOSE_REPLY, LOSE_CALL, DELAY_CALL } next;
    struct fg_redis_append late;
    struct fg_record late_records[FG_REDIS_APPEND_MAX];
    struct fg_order_event late_events[FG_REDIS_APPEND_MAX];
    char late_sale[FG_SALE_NAME_MAX + 1];
    bool late_waits;
};

static inline struct fake_stream *fake_stream(struct fake_redis *redis, const char *sale)
{
    for (unsigned i = 0; i < redis->streams_count; i++)
        if (strcmp(redis->streams[i].sale, sale) == 0)
            return &redis->streams[i];
    if (redis->streams_count == FAKE_STREAMS)
        abort();
    struct fake_stream *stream = &redis->streams[redis->streams_count++];
    snprintf(stream->sale, sizeof(stream->sale), "%s", sale);
    stream->entries = calloc(FAKE_ENTRIES, sizeof(*stream->entries));
    return stream;
}

/* XADD with an explicit id. */
static inline void fake_add(struct fake_stream *stream, struct fg_stream_id id, uint64_t order)
{
    bool greater = id.epoch > stream->last.epoch ||
                   (id.epoch == stream->last.epoch && id.sale_seq > stream->last.sale_seq);
    if (!greater || stream->count == FAKE_ENTRIES)
        abort();
    stream->entries[stream->count++] = (struct fake_entry){id, order};
    stream->last = id;
}

/* Redis comes back with an older state: only the first `count` entries. 0: as after DEL. */
static inline void fake_lose_tail(struct fake_stream *stream, unsigned count)
{
    stream->count = count;
    stream->last = count > 0 ? stream->entries[count - 1].id : (struct fg_stream_id){0};
}

static inline enum fg_redis_answer fake_execute(struct fake_redis *redis,
                                                struct fg_redis_append *call)
{
    struct fake_stream *stream = fake_stream(redis, call->sale);
    if (stream->answer != FG_REDIS_OK)
        return stream->answer;
    if (stream->fence_epoch > redis->epoch ||
        (stream->fence_epoch == redis->epoch && stream->fence_instance != redis->instance))
        return FG_REDIS_FENCED;
    stream->fence_epoch = redis->epoch;
    stream->fence_instance = redis->instance;
    if (stream->wrong_type)
        return FG_REDIS_BAD_KEY;
    call->last = stream->last;
    if (call->count == 0) {
        call->consumed = stream->consumed_odd ? 0 : stream->consumed;
        call->consumed_odd = stream->consumed_odd;
        return FG_REDIS_OK;
    }
    if (stream->last.epoch != call->expected.epoch ||
        stream->last.sale_seq != call->expected.sale_seq)
        return FG_REDIS_GAP;
    for (unsigned i = 0; i < call->count; i++) {
        const struct fg_order_event *event = call->records[i].order;
        fake_add(stream, (struct fg_stream_id){call->records[i].epoch, event->sale_seq},
                 event->order);
    }
    call->last = stream->last;
    return FG_REDIS_OK;
}

static inline void fake_delay(struct fake_redis *redis, const struct fg_redis_append *call)
{
    snprintf(redis->late_sale, sizeof(redis->late_sale), "%s", call->sale);
    for (unsigned i = 0; i < call->count; i++) {
        redis->late_events[i] = *call->records[i].order;
        redis->late_records[i] = call->records[i];
        redis->late_records[i].order = &redis->late_events[i];
    }
    redis->late = *call;
    redis->late.sale = redis->late_sale;
    redis->late.records = redis->late_records;
    redis->late_waits = true;
}

static inline enum fg_redis_answer fake_connect(void *context)
{
    struct fake_redis *redis = context;
    redis->connects++;
    redis->connected = redis->connect_answer == FG_REDIS_OK;
    return redis->connect_answer;
}

static inline void fake_follow(void *context, const struct fg_redis_append *call)
{
    struct fake_redis *redis = context;
    if (!redis->calling || redis->follows || call->count == 0 || call->count > FG_REDIS_APPEND_MAX)
        abort();
    redis->follows = true;
    redis->behind = *call;
    redis->followed++;
}

/* What becomes of an append, or a claim. */
static inline enum fg_redis_answer fake_carry_out(struct fake_redis *redis,
                                                  struct fg_redis_append *call)
{
    if (redis->append_answer != FG_REDIS_OK && (call->count > 0 || !redis->only_appends))
        return redis->append_answer;
    if (redis->lies && call->count > 0)
        return FG_REDIS_GAP;
    if (call->count == 0) {
        enum fg_redis_answer answer = fake_execute(redis, call);
        if (redis->late_waits && strcmp(redis->late_sale, call->sale) == 0) {
            redis->late_waits = false;
            fake_execute(redis, &redis->late);
        }
        return answer;
    }
    int next = redis->next;
    redis->next = KEEP;
    if (next == DELAY_CALL)
        fake_delay(redis, call);
    if (next == LOSE_CALL || next == DELAY_CALL)
        return FG_REDIS_LOST;
    enum fg_redis_answer answer = fake_execute(redis, call);
    return next == LOSE_REPLY ? FG_REDIS_LOST : answer;
}

/* The append that was sent behind the last one was carried out then, and is answered now. */
static inline enum fg_redis_answer fake_answer(struct fake_redis *redis,
                                               struct fg_redis_append *call)
{
    if (!redis->follows)
        return fake_carry_out(redis, call);
    if (call->records != redis->behind.records || call->count != redis->behind.count ||
        call->expected.sale_seq != redis->behind.expected.sale_seq)
        abort();
    redis->follows = false;
    call->last = redis->behind.last;
    return redis->behind_answer;
}

static inline enum fg_redis_answer fake_append(void *context, struct fg_redis_append *call)
{
    struct fake_redis *redis = context;
    if (!redis->connected || redis->calling || call->count > FG_REDIS_APPEND_MAX)
        abort();
    redis->claims += call->count == 0;
    redis->appends += call->count > 0;
    redis->largest = call->count > redis->largest ? call->count : redis->largest;
    enum fg_redis_answer answer = fake_answer(redis, call);
    if (call->count > 0 && call->meanwhile && !redis->hurried) {
        redis->calling = true;
        call->meanwhile(call->meanwhile_arg);
        redis->calling = false;
    }
    if (redis->follows)
        redis->behind_answer = fake_carry_out(redis, &redis->behind);
    if (answer != FG_REDIS_OK)
        redis->follows = false;
    return answer;
}

static inline enum fg_redis_answer fake_last(void *context, const char *sale,
                                             struct fg_stream_id *last)
{
    struct fake_redis *redis = context;
    if (!redis->connected)
        abort();
    *last = fake_stream(redis, sale)->last;
    return FG_REDIS_OK;
}

/* XTRIM MINID: the last id stays what it is. */
static inline enum fg_redis_answer fake_trim(void *context, const char *sale,
                                             struct fg_stream_id first)
{
    struct fake_redis *redis = context;
    if (!redis->connected)
        abort();
    struct fake_stream *stream = fake_stream(redis, sale);
    stream->trims++;
    if (redis->trim_answer != FG_REDIS_OK)
        return redis->trim_answer;
    unsigned gone = 0;
    while (gone < stream->count && (stream->entries[gone].id.epoch < first.epoch ||
                                    (stream->entries[gone].id.epoch == first.epoch &&
                                     stream->entries[gone].id.sale_seq < first.sale_seq)))
        gone++;
    stream->count -= gone;
    memmove(stream->entries, stream->entries + gone, stream->count * sizeof(*stream->entries));
    return FG_REDIS_OK;
}

/* Only how often is remembered, not what was there. */
static inline enum fg_redis_answer fake_set_aside(void *context, const char *sale, char *aside,
                                                  size_t size)
{
    struct fake_redis *redis = context;
    if (!redis->connected)
        abort();
    struct fake_stream *stream = fake_stream(redis, sale);
    if (redis->aside_answer == FG_REDIS_OK || redis->aside_done) {
        fake_lose_tail(stream, 0);
        stream->wrong_type = false;
        stream->asides++;
    }
    if (redis->aside_answer == FG_REDIS_OK)
        snprintf(aside, size, "aside:%s", sale);
    return redis->aside_answer;
}

static inline void fake_close(void *context)
{
    ((struct fake_redis *)context)->connected = false;
}

static inline const char *fake_error(void *context)
{
    (void)context;
    return "a planted fault";
}

static inline struct fake_redis *fake_redis_create(uint64_t epoch)
{
    struct fake_redis *redis = calloc(1, sizeof(*redis));
    if (!redis)
        abort();
    redis->epoch = epoch;
    redis->instance = 42;
    redis->link = (struct fg_redis_link){.context = redis,
                                         .connect = fake_connect,
                                         .append = fake_append,
                                         .follow = fake_follow,
                                         .last = fake_last,
                                         .trim = fake_trim,
                                         .set_aside = fake_set_aside,
                                         .close = fake_close,
                                         .error = fake_error};
    return redis;
}

static inline void fake_redis_destroy(struct fake_redis *redis)
{
    for (unsigned i = 0; i < redis->streams_count; i++)
        free(redis->streams[i].entries);
    free(redis);
}

#endif
