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

static bool read_id(const redisReply *element, struct fg_sale_stream_entry *entry)
{
    if (element->type != REDIS_REPLY_STRING)
        return false;
    const char *text = element->str;
    if (!read_u64(&text, &entry->epoch) || *text++ != '-')
        return false;
    return read_u64(&text, &entry->event.sale_seq) && *text == '\0';
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

static bool read_entry(const redisReply *reply, struct fg_sale_stream_entry *entry)
{
    static const char *const names[] = {
#define X(name, text) #name,
        FG_ORDER_FIELDS(X)
#undef X
    };
    memset(entry, 0, sizeof(*entry));
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !read_id(reply->element[0], entry))
        return false;
    const redisReply *fields = reply->element[1];
    if (fields->type != REDIS_REPLY_ARRAY || fields->elements != 2 * FIELD_COUNT)
        return false;
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (fields->element[2 * i]->type != REDIS_REPLY_STRING ||
            strcmp(fields->element[2 * i]->str, names[i]) != 0)
            return false;
    return read_values(fields->element, &entry->event);
}

static int make_room(struct fg_sale_stream *stream, uint64_t more)
{
    if (stream->count + more <= stream->capacity)
        return 0;
    uint64_t capacity = 2 * (stream->count + more);
    struct fg_sale_stream_entry *entries =
        realloc(stream->entries, capacity * sizeof(*stream->entries));
    if (entries == NULL)
        return -ENOMEM;
    stream->entries = entries;
    stream->capacity = capacity;
    return 0;
}

/* Adds a page to the stream; leaves in `from` where the next one begins. */
static int take_page(const redisReply *page, struct fg_sale_stream *stream, char *from,
                     size_t from_size, char *message, size_t size)
{
    if (make_room(stream, page->elements) != 0) {
        snprintf(message, size, "stream of sale %s: out of memory", stream->sale);
        return -ENOMEM;
    }
    for (size_t i = 0; i < page->elements; i++) {
        struct fg_sale_stream_entry *entry = &stream->entries[stream->count];
        if (!read_entry(page->element[i], entry)) {
            snprintf(message, size,
                     "stream of sale %s: the entry after its first %" PRIu64
                     " is not an order event as delivery writes it",
                     stream->sale, stream->count);
            return -EBADMSG;
        }
        stream->count++;
    }
    if (page->elements > 0) {
        const struct fg_sale_stream_entry *last = &stream->entries[stream->count - 1];
        snprintf(from, from_size, "(%" PRIu64 "-%" PRIu64, last->epoch, last->event.sale_seq);
    }
    return 0;
}

int fg_sale_stream_read(struct redisContext *redis, const char *sale, struct fg_sale_stream *stream,
                        char *message, size_t size)
{
    char from[64] = "-";
    size_t got;

    memset(stream, 0, sizeof(*stream));
    snprintf(stream->sale, sizeof(stream->sale), "%s", sale);
    do {
        redisReply *page = redisCommand(redis, "XRANGE flashgate:{%s}:orders %s + COUNT %d", sale,
                                        from, PAGE_ENTRIES);
        if (page == NULL || page->type != REDIS_REPLY_ARRAY) {
            snprintf(message, size, "stream of sale %s: %s", sale,
                     page != NULL && page->type == REDIS_REPLY_ERROR ? page->str : redis->errstr);
            freeReplyObject(page);
            fg_sale_stream_free(stream);
            return -EIO;
        }
        got = page->elements;
        int result = take_page(page, stream, from, sizeof(from), message, size);
        freeReplyObject(page);
        if (result != 0) {
            fg_sale_stream_free(stream);
            return result;
        }
    } while (got == PAGE_ENTRIES);
    return 0;
}

void fg_sale_stream_free(struct fg_sale_stream *stream)
{
    free(stream->entries);
    stream->entries = NULL;
    stream->count = 0;
    stream->capacity = 0;
}
