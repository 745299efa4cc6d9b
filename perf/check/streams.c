/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams are read page by page with XRANGE, each page beginning after the last id of the one
 * before. Entries are read strictly: every field of FG_ORDER_FIELDS in its order and nothing else,
 * because an entry that only a lenient reader understands is one that consumers get wrong.
 */
#include "perf/check/streams.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define PAGE_ENTRIES 1000 /* about 200 kB of reply: a millisecond or two of Redis' time */

static const struct timeval time_limit = {.tv_sec = 10};

static bool read_u64(const char **text, uint64_t *value)
{
    if (**text < '0' || **text > '9')
        return false;
    char *end;
    errno = 0;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

struct redisContext *fg_sale_streams_connect(const char *address, char *message, size_t size)
{
    redisContext *redis;
    const char *colon = strrchr(address, ':'), *digits = colon != NULL ? colon + 1 : "";
    uint64_t port = 0;

    if (strchr(address, '/') != NULL) {
        redis = redisConnectUnixWithTimeout(address, time_limit);
    } else if (read_u64(&digits, &port) && *digits == '\0' && port >= 1 && port <= UINT16_MAX) {
        char host[256];
        snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
        redis = redisConnectWithTimeout(host, (int)port, time_limit);
    } else {
        snprintf(message, size, "Redis address '%s': want a socket's path or HOST:PORT", address);
        return NULL;
    }
    if (redis == NULL || redis->err != 0) {
        snprintf(message, size, "cannot reach Redis at %s: %s", address,
                 redis == NULL ? "out of memory" : redis->errstr);
        redisFree(redis);
        return NULL;
    }
    redisSetTimeout(redis, time_limit);
    return redis;
}

/* Asks Redis. The answer is the caller's to free; NULL with *error (a negative errno) and a
 * sentence. A key of another type is -EBADMSG. */
__attribute__((format(printf, 6, 7))) static redisReply *ask(redisContext *redis, const char *sale,
                                                             int *error, char *message, size_t size,
                                                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(redis, format, args);
    va_end(args);
    if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
        return reply;
    const char *said = reply != NULL ? reply->str : redis->errstr;
    bool missing = reply != NULL && strncmp(said, "ERR no such key", 15) == 0;
    bool other = reply != NULL && strncmp(said, "WRONGTYPE", 9) == 0;
    *error = missing ? -ENOENT : other ? -EBADMSG : -EIO;
    snprintf(message, size, "%s%s: %s", sale != NULL ? "stream of sale " : "Redis",
             sale != NULL ? sale : "", said);
    freeReplyObject(reply);
    return NULL;
}

int fg_sale_streams_login(struct redisContext *redis, const char *user, const char *password,
                          unsigned database, char *message, size_t size)
{
    int error = 0;
    redisReply *reply = NULL;

    if (password != NULL)
        reply = user != NULL ? ask(redis, NULL, &error, message, size, "AUTH %s %s", user, password)
                             : ask(redis, NULL, &error, message, size, "AUTH %s", password);
    freeReplyObject(reply);
    if (error != 0 || database == 0)
        return error;
    freeReplyObject(ask(redis, NULL, &error, message, size, "SELECT %u", database));
    return error;
}

/* A whole reply element as a decimal number of at most `max`. */
static bool element_u64(const redisReply *element, uint64_t max, uint64_t *value)
{
    const char *text = element->str;
    return element->type == REDIS_REPLY_STRING && read_u64(&text, value) &&
           text == element->str + element->len && *value <= max;
}

static bool element_buyer(const redisReply *element, uint8_t buyer[FG_BUYER_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (element->type != REDIS_REPLY_STRING || element->len != 2 * FG_BUYER_BYTES)
        return false;
    for (size_t i = 0; i < FG_BUYER_BYTES; i++) {
        const char *high = memchr(digits, element->str[2 * i], 16);
        const char *low = memchr(digits, element->str[2 * i + 1], 16);
        if (high == NULL || low == NULL)
            return false;
        buyer[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static bool element_kind(const redisReply *element, uint8_t *kind)
{
    if (element->type != REDIS_REPLY_STRING)
        return false;
#define X(name, code, meaning)                                                                     \
    if (strcmp(element->str, #name) == 0) {                                                        \
        *kind = code;                                                                              \
        return true;                                                                               \
    }
    FG_ORDER_KINDS(X)
#undef X
    return false;
}

static bool read_id(const redisReply *element, struct fg_stream_id *id)
{
    if (element->type != REDIS_REPLY_STRING)
        return false;
    const char *text = element->str;
    if (!read_u64(&text, &id->epoch) || *text++ != '-')
        return false;
    return read_u64(&text, &id->sale_seq) && *text == '\0';
}

/* Values of an entry, in the order of FG_ORDER_FIELDS. */
enum field {
#define X(name, text) FIELD_##name,
    FG_ORDER_FIELDS(X)
#undef X
        FIELD_COUNT
};

static bool read_values(redisReply *const *element, struct fg_order_event *event)
{
    uint64_t item, quantity, hold_ms;
#define VALUE(name) element[2 * FIELD_##name + 1]
    if (!element_kind(VALUE(event), &event->kind) ||
        !element_u64(VALUE(order), UINT64_MAX, &event->order) ||
        !element_buyer(VALUE(buyer), event->buyer) ||
        !element_u64(VALUE(request), UINT64_MAX, &event->request) ||
        !element_u64(VALUE(item), UINT32_MAX, &item) ||
        !element_u64(VALUE(quantity), UINT16_MAX, &quantity) ||
        !element_u64(VALUE(at), UINT64_MAX, &event->at_ns) ||
        !element_u64(VALUE(hold_ms), UINT32_MAX, &hold_ms))
        return false;
#undef VALUE
    event->item = (uint32_t)item;
    event->quantity = (uint16_t)quantity;
    event->hold_ms = (uint32_t)hold_ms;
    return true;
}

/* The entry's fields, which must be what delivery writes; `kind` stays 0 if they are not. False if
 * it has no id, which no entry of a stream lacks. */
static bool read_entry(const redisReply *reply, struct fg_sale_stream_entry *entry)
{
    static const char *const names[] = {
#define X(name, text) #name,
        FG_ORDER_FIELDS(X)
#undef X
    };
    struct fg_stream_id id;

    memset(entry, 0, sizeof(*entry));
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !read_id(reply->element[0], &id))
        return false;
    const redisReply *fields = reply->element[1];
    bool right = fields->type == REDIS_REPLY_ARRAY && fields->elements == 2 * FIELD_COUNT;
    for (unsigned i = 0; right && i < FIELD_COUNT; i++)
        right = fields->element[2 * i]->type == REDIS_REPLY_STRING &&
                strcmp(fields->element[2 * i]->str, names[i]) == 0;
    if (!right || !read_values(fields->element, &entry->event))
        entry->event.kind = 0;
    entry->epoch = id.epoch;
    entry->event.sale_seq = id.sale_seq;
    return true;
}

static int strange(const char *sale, char *message, size_t size)
{
    snprintf(message, size, "stream of sale %s: an answer that Redis never gives", sale);
    return -EIO;
}

int fg_sale_stream_last(struct redisContext *redis, const char *sale, struct fg_stream_id *last,
                        char *message, size_t size)
{
    int error = 0;
    redisReply *reply =
        ask(redis, sale, &error, message, size, "XINFO STREAM flashgate:{%s}:orders", sale);

    *last = (struct fg_stream_id){0};
    if (reply == NULL)
        return error == -ENOENT ? 0 : error;
    bool found = false;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2)
        if (reply->element[i]->type == REDIS_REPLY_STRING &&
            strcmp(reply->element[i]->str, "last-generated-id") == 0)
            found = read_id(reply->element[i + 1], last);
    freeReplyObject(reply);
    return found ? 0 : strange(sale, message, size);
}

int fg_sale_stream_first(struct redisContext *redis, const char *sale, struct fg_stream_id *first,
                         char *message, size_t size)
{
    int error = 0;
    struct fg_sale_stream_entry entry = {0};
    redisReply *reply =
        ask(redis, sale, &error, message, size, "XRANGE flashgate:{%s}:orders - + COUNT 1", sale);

    *first = (struct fg_stream_id){0};
    if (reply == NULL)
        return error;
    bool right = reply->type == REDIS_REPLY_ARRAY &&
                 (reply->elements == 0 || read_entry(reply->element[0], &entry));
    freeReplyObject(reply);
    *first = (struct fg_stream_id){entry.epoch, entry.event.sale_seq};
    return right ? 0 : strange(sale, message, size);
}

int fg_sale_stream_walk(struct redisContext *redis, const char *sale,
                        int (*take)(void *arg, const struct fg_sale_stream_entry *entries,
                                    uint64_t count),
                        void *arg, char *message, size_t size)
{
    struct fg_sale_stream_entry page[PAGE_ENTRIES];
    char from[64] = "-";
    size_t got;

    do {
        int error = 0;
        redisReply *reply =
            ask(redis, sale, &error, message, size, "XRANGE flashgate:{%s}:orders %s + COUNT %d",
                sale, from, PAGE_ENTRIES);
        if (reply == NULL)
            return error;
        got = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
        bool right = reply->type == REDIS_REPLY_ARRAY && got <= PAGE_ENTRIES;
        for (size_t i = 0; right && i < got; i++)
            right = read_entry(reply->element[i], &page[i]);
        freeReplyObject(reply);
        if (!right)
            return strange(sale, message, size);
        if (got > 0) {
            error = take(arg, page, got);
            if (error != 0)
                return error;
            snprintf(from, sizeof(from), "(%" PRIu64 "-%" PRIu64, page[got - 1].epoch,
                     page[got - 1].event.sale_seq);
        }
    } while (got == PAGE_ENTRIES);
    return 0;
}

/* Adds a page to a stream in memory. */
static int keep_page(void *arg, const struct fg_sale_stream_entry *entries, uint64_t count)
{
    struct fg_sale_stream *stream = arg;

    if (stream->count + count > stream->capacity) {
        uint64_t capacity = 2 * (stream->count + count);
        void *bigger = realloc(stream->entries, capacity * sizeof(*stream->entries));
        if (bigger == NULL)
            return -ENOMEM;
        stream->entries = bigger;
        stream->capacity = capacity;
    }
    for (uint64_t i = 0; i < count; i++) {
        stream->entries[stream->count] = entries[i];
        if (entries[i].event.kind == 0)
            return -EBADMSG;
        stream->count++;
    }
    return 0;
}

int fg_sale_stream_read(struct redisContext *redis, const char *sale, struct fg_sale_stream *stream,
                        char *message, size_t size)
{
    memset(stream, 0, sizeof(*stream));
    snprintf(stream->sale, sizeof(stream->sale), "%s", sale);
    message[0] = '\0';
    int error = fg_sale_stream_last(redis, sale, &stream->last, message, size);
    if (error == 0)
        error = fg_sale_stream_walk(redis, sale, keep_page, stream, message, size);
    if (error == -EBADMSG && message[0] == '\0')
        snprintf(message, size,
                 "stream of sale %s: the entry after its first %" PRIu64
                 " is not an order event as delivery writes it",
                 sale, stream->count);
    else if (error == -ENOMEM)
        snprintf(message, size, "stream of sale %s: out of memory", sale);
    if (error != 0)
        fg_sale_stream_free(stream);
    return error;
}

void fg_sale_stream_free(struct fg_sale_stream *stream)
{
    free(stream->entries);
    stream->entries = NULL;
    stream->count = 0;
    stream->capacity = 0;
}
