/* SPDX-License-Identifier: BSD-3-Clause */
/* The link's calls, by the rules of append.lua. */
#include "tests/sim/redis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

struct redis_stream *redis_stream(struct sim_redis *redis, const char *sale)
{
    for (unsigned i = 0; i < redis->streams_count; i++)
        if (strcmp(redis->streams[i].sale, sale) == 0)
            return &redis->streams[i];
    assert(redis->streams_count < REDIS_STREAMS);
    struct redis_stream *stream = &redis->streams[redis->streams_count++];
    snprintf(stream->sale, sizeof(stream->sale), "%s", sale);
    return stream;
}

static void note_consumed(struct redis_stream *stream, uint64_t mark)
{
    if (mark > stream->consumed_most)
        stream->consumed_most = mark;
}

void redis_consumed(struct sim_redis *redis, const char *sale, uint64_t mark)
{
    note_consumed(redis_stream(redis, sale), mark);
}

static void add_entry(struct redis_stream *stream, const struct fg_sale_stream_entry *entry)
{
    if (stream->count == stream->capacity) {
        stream->capacity = stream->capacity ? stream->capacity * 2 : 64;
        stream->entries = realloc(stream->entries, stream->capacity * sizeof(*stream->entries));
        assert(stream->entries);
    }
    stream->entries[stream->count++] = *entry;
    stream->last = (struct fg_stream_id){entry->epoch, entry->event.sale_seq};
}

/* An append as the function sees it. */
struct call {
    uint64_t epoch, instance;
    const char *sale;
    struct fg_stream_id expected;
    unsigned count;
    const struct fg_sale_stream_entry *entries;
    struct fg_stream_id last; /* out */
    uint64_t consumed;        /* out */
};

/* append.lua's check of its arguments. */
static bool well_formed(const struct call *call)
{
    struct fg_stream_id before = call->expected;

    for (unsigned i = 0; i < call->count; i++) {
        const struct fg_sale_stream_entry *entry = &call->entries[i];
        if (entry->epoch < before.epoch || entry->epoch > call->epoch ||
            entry->event.sale_seq != before.sale_seq + 1)
            return false;
        before = (struct fg_stream_id){entry->epoch, entry->event.sale_seq};
    }
    return true;
}

/* append.lua: who may write. */
static bool fenced_off(struct redis_stream *stream, const struct call *call)
{
    if (FG_PLANTED(NO_FENCE))
        return false;
    if (stream->last.epoch > call->epoch && stream->last.epoch <= FG_EPOCH_MAX)
        return true;
    bool ours = stream->fenced && stream->fence_epoch == call->epoch &&
                stream->fence_instance == call->instance;
    if (stream->fenced && !ours && stream->fence_epoch >= call->epoch)
        return true;
    stream->fenced = true;
    stream->fence_epoch = call->epoch;
    stream->fence_instance = call->instance;
    return false;
}

static enum fg_redis_answer execute(struct sim_redis *redis, struct call *call)
{
    struct redis_stream *stream = redis_stream(redis, call->sale);

    if (!well_formed(call))
        return FG_REDIS_REFUSED;
    if (stream->wrong_type)
        return FG_REDIS_BAD_KEY;
    if (fenced_off(stream, call))
        return FG_REDIS_FENCED;
    call->last = stream->last;
    call->consumed = stream->consumed;
    if (call->count == 0)
        return FG_REDIS_OK;
    if (!FG_PLANTED(NO_PREDECESSOR) && (stream->last.epoch != call->expected.epoch ||
                                        stream->last.sale_seq != call->expected.sale_seq))
        return FG_REDIS_GAP;
    for (unsigned i = 0; i < call->count; i++)
        add_entry(stream, &call->entries[i]);
    call->last = stream->last;
    return FG_REDIS_OK;
}

/* --- The link --- */

static bool away(const struct redis_way *way)
{
    return way->world->now_ns < way->world->redis.away_until_ns;
}

/* The connection is gone, and the caller has waited for that. */
static enum fg_redis_answer lost(struct redis_way *way)
{
    struct world *world = way->world;
    way->connected = false;
    way->error = "the connection was lost";
    if (random_below(&world->random, 2))
        way->busy_until_ns = world->now_ns + random_below(&world->random, SIM_S);
    return FG_REDIS_LOST;
}

static enum fg_redis_answer way_connect(void *context)
{
    struct redis_way *way = context;
    struct world *world = way->world;
    way->connected = false;
    if (away(way))
        return lost(way);
    if (fault_chance(world, world->profile.redis_refused)) {
        count_fault(world, SIM_REDIS_REFUSED);
        way->error = "NOAUTH";
        return FG_REDIS_REFUSED;
    }
    way->connected = true;
    way->behind_lost = false;
    world->redis.function_lost = false;
    return FG_REDIS_OK;
}

/* What keeps a call from being done at all. */
static enum fg_redis_answer obstacle(struct redis_way *way)
{
    struct world *world = way->world;
    struct sim_redis *redis = &world->redis;

    if (!way->connected) { /* delivery has not been told yet */
        assert(way->behind_lost);
        way->error = "not connected";
        return FG_REDIS_LOST;
    }
    if (away(way))
        return lost(way);
    if (redis->function_lost) {
        count_fault(world, SIM_REDIS_RELOAD);
        way->error = "ERR Function not found";
        return FG_REDIS_RELOAD;
    }
    if (world->now_ns < redis->full_until_ns || fault_chance(world, world->profile.redis_retry)) {
        count_fault(world, SIM_REDIS_RETRY);
        way->error = "OOM";
        return FG_REDIS_RETRY;
    }
    return FG_REDIS_OK;
}

static void keep_late(struct redis_way *way, const struct call *call)
{
    struct sim_redis *redis = &way->world->redis;

    for (unsigned i = 0; i < REDIS_LATE; i++) {
        struct redis_late *late = &redis->late[i];
        if (late->waits)
            continue;
        *late = (struct redis_late){.waits = true,
                                    .epoch = call->epoch,
                                    .instance = call->instance,
                                    .expected = call->expected,
                                    .count = call->count};
        snprintf(late->sale, sizeof(late->sale), "%s", call->sale);
        memcpy(late->entries, call->entries, call->count * sizeof(*call->entries));
        return;
    }
}

/* Loses the call, its answer, or its time. LOST: something did. */
static enum fg_redis_answer mishap(struct redis_way *way, struct call *call)
{
    struct world *world = way->world;

    if (!fault_chance(world, world->profile.redis_loss))
        return FG_REDIS_OK;
    switch (random_below(&world->random, 3)) {
    case 0:
        count_fault(world, SIM_REDIS_CALL_LOST);
        break;
    case 1:
        count_fault(world, SIM_REDIS_REPLY_LOST);
        execute(&world->redis, call);
        break;
    default:
        count_fault(world, SIM_REDIS_CALL_LATE);
        keep_late(way, call);
        break;
    }
    return lost(way);
}

/* What of a record stands in a stream. */
static struct fg_sale_stream_entry entry_of(const struct fg_record *record)
{
    struct fg_sale_stream_entry entry = {.epoch = record->epoch, .event = *record->order};
    entry.event.sale = 0;
    entry.event.flags = 0;
    return entry;
}

static struct call call_of(const struct redis_way *way, const struct fg_redis_append *append,
                           struct fg_sale_stream_entry *entries)
{
    assert(append->count <= FG_REDIS_APPEND_MAX);
    for (unsigned i = 0; i < append->count; i++)
        entries[i] = entry_of(&append->records[i]);
    return (struct call){.epoch = way->epoch,
                         .instance = way->instance,
                         .sale = append->sale,
                         .expected = append->expected,
                         .count = append->count,
                         .entries = entries};
}

/* What becomes of a call on a connection that stands. */
static enum fg_redis_answer carry_out(struct redis_way *way, struct fg_redis_append *append)
{
    struct world *world = way->world;
    struct fg_sale_stream_entry entries[FG_REDIS_APPEND_MAX];
    struct call call = call_of(way, append, entries);

    enum fg_redis_answer answer = obstacle(way);
    if (answer == FG_REDIS_OK && append->count > 0)
        answer = mishap(way, &call);
    if (answer == FG_REDIS_OK)
        answer = execute(&world->redis, &call);
    append->last = call.last;
    append->consumed = call.consumed;
    way->fenced |= answer == FG_REDIS_FENCED;
    if (answer == FG_REDIS_REFUSED)
        world_fail(world, "an append to %s was malformed: entries do not follow %llu-%llu",
                   append->sale, (unsigned long long)append->expected.epoch,
                   (unsigned long long)append->expected.sale_seq);
    if (append->count == 0)
        event(world, SIM_EVENT_CLAIM, way->epoch, answer, call.last.sale_seq);
    else
        event(world, SIM_EVENT_APPEND, append->count, entries[0].event.sale_seq, answer);
    return answer;
}

/* What becomes of an append whose connection was lost under the one before it. */
static void carry_out_lost(struct redis_way *way, const struct fg_redis_append *append)
{
    struct fg_sale_stream_entry entries[FG_REDIS_APPEND_MAX];
    struct call call = call_of(way, append, entries);

    switch (random_below(&way->world->random, 3)) {
    case 0:
        break;
    case 1:
        execute(&way->world->redis, &call);
        break;
    default:
        keep_late(way, &call);
        break;
    }
}

/* Sent behind the append under way; carried out right after it. */
static void way_follow(void *context, const struct fg_redis_append *append)
{
    struct redis_way *way = context;

    assert(way->calling && !way->follows && append->count > 0);
    way->follows = true;
    way->behind = *append;
}

static enum fg_redis_answer first_answer(struct redis_way *way, struct fg_redis_append *append)
{
    if (!way->follows)
        return carry_out(way, append);
    assert(append->records == way->behind.records && append->count == way->behind.count);
    way->follows = false;
    append->last = way->behind.last;
    return way->behind_answer;
}

static enum fg_redis_answer way_append(void *context, struct fg_redis_append *append)
{
    struct redis_way *way = context;
    struct world *world = way->world;

    assert(!way->calling);
    world_may_crash(world, world->profile.crash_redis, SIM_CRASH_IN_REDIS);
    enum fg_redis_answer answer = first_answer(way, append);
    if (append->count > 0 && append->meanwhile) {
        way->calling = true;
        append->meanwhile(append->meanwhile_arg);
        way->calling = false;
    }
    if (way->follows && way->connected) {
        way->behind_answer = carry_out(way, &way->behind);
        way->behind_lost = !way->connected;
    } else if (way->follows) {
        carry_out_lost(way, &way->behind);
    }
    if (answer != FG_REDIS_OK)
        way->follows = false;
    if (answer == FG_REDIS_GAP || answer == FG_REDIS_FENCED || answer == FG_REDIS_BAD_KEY)
        way->error = "another end, holder or type";
    world_may_crash(world, world->profile.crash_redis, SIM_CRASH_IN_REDIS);
    return answer;
}

static enum fg_redis_answer way_last(void *context, const char *sale, struct fg_stream_id *last)
{
    struct redis_way *way = context;
    enum fg_redis_answer answer = obstacle(way);
    if (answer == FG_REDIS_OK) {
        const struct redis_stream *stream = redis_stream(&way->world->redis, sale);
        if (stream->wrong_type)
            return FG_REDIS_BAD_KEY;
        *last = stream->last;
    }
    return answer;
}

static enum fg_redis_answer way_trim(void *context, const char *sale, struct fg_stream_id first)
{
    struct redis_way *way = context;
    enum fg_redis_answer answer = obstacle(way);
    if (answer != FG_REDIS_OK)
        return answer;
    struct redis_stream *stream = redis_stream(&way->world->redis, sale);
    if (first.sale_seq > stream->consumed_most + 1)
        world_fail(way->world, "%s is trimmed up to %llu, and consumed only up to %llu", sale,
                   (unsigned long long)first.sale_seq - 1,
                   (unsigned long long)stream->consumed_most);
    while (stream->trimmed < stream->count &&
           stream->entries[stream->trimmed].event.sale_seq < first.sale_seq)
        stream->trimmed++;
    return FG_REDIS_OK;
}

static enum fg_redis_answer way_set_aside(void *context, const char *sale, char *aside, size_t size)
{
    struct redis_way *way = context;
    enum fg_redis_answer answer = obstacle(way);
    if (answer != FG_REDIS_OK)
        return answer;
    struct redis_stream *stream = redis_stream(&way->world->redis, sale);
    bool there = stream->count > 0 || stream->wrong_type;
    snprintf(aside, size, "%s", there ? "aside" : "");
    stream->count = stream->trimmed = 0;
    stream->last = (struct fg_stream_id){0};
    stream->wrong_type = false;
    return FG_REDIS_OK;
}

static void way_close(void *context)
{
    ((struct redis_way *)context)->connected = false;
}

static const char *way_error(void *context)
{
    return ((struct redis_way *)context)->error;
}

void redis_way_init(struct redis_way *way, struct world *world, uint64_t epoch, uint64_t instance)
{
    *way = (struct redis_way){
        .world = world, .epoch = epoch, .instance = instance, .error = "nothing yet"};
    way->seam = (struct fg_redis_link){.context = way,
                                       .connect = way_connect,
                                       .append = way_append,
                                       .follow = way_follow,
                                       .last = way_last,
                                       .trim = way_trim,
                                       .set_aside = way_set_aside,
                                       .close = way_close,
                                       .error = way_error};
}

/* --- What happens to Redis by itself --- */

static void copy_streams(struct redis_stream *to, const struct redis_stream *from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct fg_sale_stream_entry *entries = to[i].entries;
        uint32_t capacity = to[i].capacity;
        if (capacity < from[i].count) {
            capacity = from[i].capacity;
            entries = realloc(entries, capacity * sizeof(*entries));
            assert(entries);
        }
        if (from[i].count > 0)
            memcpy(entries, from[i].entries, from[i].count * sizeof(*entries));
        to[i] = from[i];
        to[i].entries = entries;
        to[i].capacity = capacity;
    }
}

/* It comes back with what it last saved. Saved fences are kept in the half of the cases. */
static void restart_older(struct world *world)
{
    struct sim_redis *redis = &world->redis;
    bool keep_fences = random_below(&world->random, 2) == 0;
    struct redis_stream before[REDIS_STREAMS];

    memcpy(before, redis->streams, sizeof(before));
    for (unsigned i = redis->saved_count; i < redis->streams_count; i++) {
        redis->saved[i].count = redis->saved[i].trimmed = 0;
        memcpy(redis->saved[i].sale, redis->streams[i].sale, sizeof(redis->saved[i].sale));
        redis->saved[i].last = (struct fg_stream_id){0};
        redis->saved[i].fenced = redis->saved[i].wrong_type = false;
        redis->saved[i].consumed = 0;
    }
    copy_streams(redis->streams, redis->saved, redis->streams_count);
    bool older = false;
    for (unsigned i = 0; i < redis->streams_count; i++) {
        struct redis_stream *stream = &redis->streams[i];
        bool same = stream->fenced == before[i].fenced &&
                    stream->fence_epoch == before[i].fence_epoch &&
                    stream->fence_instance == before[i].fence_instance;
        if (keep_fences) {
            stream->fenced = before[i].fenced;
            stream->fence_epoch = before[i].fence_epoch;
            stream->fence_instance = before[i].fence_instance;
        }
        stream->consumed_most = before[i].consumed_most;
        older |= !keep_fences && !same;
    }
    redis->emptied = true;
    redis->fence_lost |= older;
    world->stats->faults[SIM_REDIS_OLDER_FENCE] += older;
}

static void delete_stream(struct redis_stream *stream)
{
    stream->count = stream->trimmed = 0;
    stream->last = (struct fg_stream_id){0};
}

static void flush_all(struct world *world)
{
    struct sim_redis *redis = &world->redis;

    for (unsigned i = 0; i < redis->streams_count; i++) {
        delete_stream(&redis->streams[i]);
        redis->streams[i].fenced = redis->streams[i].wrong_type = false;
        redis->streams[i].consumed = 0;
    }
    redis->emptied = redis->fence_lost = true;
}

/* One fault of those that concern all of Redis or one stream. */
static void strike(struct world *world)
{
    static const enum sim_fault faults[] = {SIM_REDIS_AWAY,   SIM_REDIS_RETRY, SIM_REDIS_RELOAD,
                                            SIM_REDIS_OLDER,  SIM_REDIS_DEL,   SIM_REDIS_FLUSHALL,
                                            SIM_REDIS_BAD_KEY};
    struct sim_redis *redis = &world->redis;
    struct sim_random *random = &world->random;
    enum sim_fault fault = faults[random_below(random, sizeof(faults) / sizeof(faults[0]))];

    if (redis->streams_count == 0 || !(world->profile.redis_kinds >> fault & 1))
        return;
    struct redis_stream *stream = &redis->streams[random_below(random, redis->streams_count)];
    event(world, SIM_EVENT_REDIS_FAULT, fault, 0, 0);
    switch (fault) {
    case SIM_REDIS_AWAY:
        redis->away_until_ns = world->now_ns + random_scaled(random, SIM_MS, 20 * SIM_S);
        break;
    case SIM_REDIS_RETRY:
        redis->full_until_ns = world->now_ns + random_scaled(random, SIM_MS, 5 * SIM_S);
        return; /* counted where it is felt */
    case SIM_REDIS_RELOAD:
        redis->function_lost = true;
        return;
    case SIM_REDIS_OLDER:
        restart_older(world);
        break;
    case SIM_REDIS_DEL:
        delete_stream(stream);
        redis->emptied = true;
        break;
    case SIM_REDIS_FLUSHALL:
        flush_all(world);
        break;
    default:
        delete_stream(stream);
        stream->wrong_type = true;
        redis->emptied = true;
        break;
    }
    count_fault(world, fault);
}

static void do_late(struct world *world, struct redis_late *late)
{
    struct call call = {.epoch = late->epoch,
                        .instance = late->instance,
                        .sale = late->sale,
                        .expected = late->expected,
                        .count = late->count,
                        .entries = late->entries};
    enum fg_redis_answer answer = execute(&world->redis, &call);
    late->waits = false;
    event(world, SIM_EVENT_LATE_APPEND, late->count, answer, 0);
}

void redis_step(struct world *world)
{
    struct sim_redis *redis = &world->redis;
    struct redis_late *late = &redis->late[random_below(&world->random, REDIS_LATE)];

    if (late->waits && random_below(&world->random, 8) == 0)
        do_late(world, late);
    if (redis->streams_count > 0 && fault_chance(world, world->profile.consume)) {
        struct redis_stream *stream =
            &redis->streams[random_below(&world->random, redis->streams_count)];
        if (stream->last.sale_seq > 0)
            stream->consumed = random_between(&world->random, 1, stream->last.sale_seq);
        note_consumed(stream, stream->consumed);
    }
    if (random_below(&world->random, 64) == 0) {
        copy_streams(redis->saved, redis->streams, redis->streams_count);
        redis->saved_count = redis->streams_count;
    }
    /* While two engines want to write, what becomes of the fences matters most. */
    unsigned often = world->zombie ? 8 : 1;
    if (fault_chance(world, world->profile.redis_strike * often))
        strike(world);
}

void redis_heal(struct world *world)
{
    struct sim_redis *redis = &world->redis;

    redis->away_until_ns = redis->full_until_ns = 0;
    redis->function_lost = false;
    for (unsigned i = 0; i < REDIS_LATE; i++)
        if (redis->late[i].waits)
            do_late(world, &redis->late[i]);
    for (unsigned i = 0; i < redis->streams_count; i++)
        redis->streams[i].wrong_type = false;
}
