/* SPDX-License-Identifier: BSD-3-Clause */
/* The Redis link: what delivery and the stock page ask of Redis, and what its replies mean. */
#include "dataplane/orders/redis_link.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/redis_connection.h"

/* The function library, with a terminating zero. */
__asm__(".pushsection .rodata\n"
        "append_library:\n"
        ".incbin \"dataplane/orders/append.lua\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char append_library[] __attribute__((visibility("hidden")));

struct redis_link {
    struct fg_redis_link public;
    struct fg_redis_connection connection;
    struct fg_redis_command command;
    bool follows;                /* an append was sent behind the last one ... */
    struct fg_redis_append next; /* ... namely this */
    unsigned asides;             /* streams set aside so far */
    char holder[48];             /* "epoch:instance" */
};

/* --- replies --- */

/* Texts are compared whole: what Redis keeps may have any bytes in it. */
static bool is_word(const redisReply *reply, const char *word)
{
    return reply->len == strlen(word) && memcmp(reply->str, word, reply->len) == 0;
}

/* Reads the id as Redis writes it, and in no other way: digits, no zero in front. */
static bool parse_id(const redisReply *reply, struct fg_stream_id *id)
{
    char text[48];
    *id = (struct fg_stream_id){0};
    int used = sscanf(reply->str, "%" SCNu64 "-%" SCNu64, &id->epoch, &id->sale_seq);
    snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, id->epoch, id->sale_seq);
    return used == 2 && is_word(reply, text);
}

/* The consumer's key may hold anything: what is no number is as if it were not there. */
static void read_consumed(struct redis_link *link, const redisReply *reply,
                          struct fg_redis_append *append)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < reply->len && i < 19 && reply->str[i] >= '0' && reply->str[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(reply->str[i] - '0');
    append->consumed_odd = i < reply->len;
    append->consumed = append->consumed_odd ? 0 : value;
    if (append->consumed_odd)
        fg_redis_say(&link->connection,
                     "the key " FG_REDIS_KEY("consumed") " is ignored: it holds \"%.64s\", and a "
                                                         "decimal sale_seq is wanted",
                     append->sale, reply->str);
}

static enum fg_redis_answer judge_fence(struct redis_link *link, const redisReply *reply)
{
    if (!is_word(reply->element[0], "FENCED"))
        return FG_REDIS_OK;
    fg_redis_say(&link->connection, "another engine has taken over: its mark is %s, ours is %s",
                 reply->element[1]->str, link->holder);
    return FG_REDIS_FENCED;
}

/* { word, text ... }, as the functions of append.lua answer. */
static bool is_answer(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2)
        return false;
    for (size_t i = 0; i < reply->elements; i++)
        if (!fg_redis_is_text(reply->element[i]))
            return false;
    return true;
}

/* Does the stream end with the last of the entries that were sent? */
static bool ends_with_ours(const struct fg_redis_append *append)
{
    const struct fg_record *end = &append->records[append->count - 1];
    return append->last.epoch == end->epoch && append->last.sale_seq == end->order->sale_seq;
}

static enum fg_redis_answer judge_append(struct redis_link *link, const redisReply *reply,
                                         struct fg_redis_append *append)
{
    if (!is_answer(reply))
        goto strange;
    if (judge_fence(link, reply) == FG_REDIS_FENCED)
        return FG_REDIS_FENCED;
    bool gap = is_word(reply->element[0], "GAP");
    bool ok = is_word(reply->element[0], "OK");
    size_t words = ok && append->count == 0 ? 3 : 2;
    if ((!gap && !ok) || reply->elements != words || !parse_id(reply->element[1], &append->last) ||
        (ok && append->count > 0 && !ends_with_ours(append)))
        goto strange;
    if (gap) {
        fg_redis_say(&link->connection,
                     "the stream ends with %s, which is not what was last appended",
                     reply->element[1]->str);
        return FG_REDIS_GAP;
    }
    if (append->count == 0)
        read_consumed(link, reply->element[2], append);
    return FG_REDIS_OK;
strange:
    fg_redis_say(&link->connection, "an answer that the function append never gives");
    return FG_REDIS_REFUSED;
}

/* --- calls --- */

static enum fg_redis_answer link_connect(void *context)
{
    struct redis_link *link = context;
    link->follows = false;
    return fg_redis_connect(&link->connection);
}

static enum fg_redis_answer push_append(struct redis_link *link,
                                        const struct fg_redis_append *append)
{
    assert(append->count <= FG_REDIS_APPEND_MAX);
    fg_redis_put_append(&link->command, link->holder, append);
    return fg_redis_push(&link->connection, &link->command);
}

static void link_follow(void *context, const struct fg_redis_append *append)
{
    struct redis_link *link = context;
    assert(append->count > 0 && !link->follows);
    link->follows = push_append(link, append) == FG_REDIS_OK;
    link->next = *append;
}

/* Is this the append that was sent behind the last one? */
static bool was_sent(const struct redis_link *link, const struct fg_redis_append *append)
{
    return link->follows && link->connection.redis && append->records == link->next.records &&
           append->count == link->next.count &&
           append->expected.epoch == link->next.expected.epoch &&
           append->expected.sale_seq == link->next.expected.sale_seq;
}

/* Before anything else is asked, the answer to what was sent behind a call is taken off the wire.
 */
static void settle(struct redis_link *link)
{
    redisReply *reply;
    if (link->follows && link->connection.redis &&
        fg_redis_take(&link->connection, &reply) == FG_REDIS_OK)
        freeReplyObject(reply);
    link->follows = false;
}

static enum fg_redis_answer take_append(struct redis_link *link, struct fg_redis_append *append)
{
    redisReply *reply;
    if (append->count > 0 && append->meanwhile)
        append->meanwhile(append->meanwhile_arg);
    if (!link->connection.redis)
        return FG_REDIS_LOST; /* while the next one was sent */
    enum fg_redis_answer answer = fg_redis_take(&link->connection, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    answer = judge_append(link, reply, append);
    freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer link_append(void *context, struct fg_redis_append *append)
{
    struct redis_link *link = context;
    enum fg_redis_answer answer = FG_REDIS_OK;
    append->consumed = 0;
    append->consumed_odd = false;
    if (was_sent(link, append)) {
        link->follows = false;
    } else {
        settle(link);
        answer = push_append(link, append);
    }
    if (answer == FG_REDIS_OK)
        answer = take_append(link, append);
    if (answer != FG_REDIS_OK)
        settle(link);
    return answer;
}

/* Finds last-generated-id among the pairs that XINFO STREAM answers. */
static bool read_info(const redisReply *reply, struct fg_stream_id *last)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i + 1 < reply->elements; i += 2)
        if (fg_redis_is_text(reply->element[i]) && fg_redis_is_text(reply->element[i + 1]) &&
            is_word(reply->element[i], "last-generated-id"))
            return parse_id(reply->element[i + 1], last);
    return false;
}

static enum fg_redis_answer link_last(void *context, const char *sale, struct fg_stream_id *last)
{
    struct redis_link *link = context;
    redisReply *reply;
    settle(link);
    fg_redis_put_info(&link->command, sale);
    enum fg_redis_answer answer = fg_redis_send(&link->connection, &link->command, &reply);
    *last = (struct fg_stream_id){0};
    if (answer == FG_REDIS_REFUSED && strstr(link->connection.error, "ERR no such key"))
        return FG_REDIS_OK;
    if (answer != FG_REDIS_OK)
        return answer;
    if (!read_info(reply, last)) {
        fg_redis_say(&link->connection, "an answer that XINFO STREAM never gives");
        answer = FG_REDIS_REFUSED;
    }
    freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer link_trim(void *context, const char *sale, struct fg_stream_id first)
{
    struct redis_link *link = context;
    redisReply *reply;
    settle(link);
    fg_redis_put_trim(&link->command, sale, first);
    enum fg_redis_answer answer = fg_redis_send(&link->connection, &link->command, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    if (reply->type != REDIS_REPLY_INTEGER) {
        fg_redis_say(&link->connection, "an answer that XTRIM never gives");
        answer = FG_REDIS_REFUSED;
    }
    freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer link_set_aside(void *context, const char *sale, char *aside,
                                           size_t size)
{
    struct redis_link *link = context;
    redisReply *reply;
    char key[FG_REDIS_ASIDE_BYTES];
    aside[0] = '\0';
    /* Epoch and instance are this start's alone; the count goes on when it is done, so that a call
     * whose answer was lost is not done twice. */
    snprintf(key, sizeof(key), FG_REDIS_KEY("orders:aside:%s.%u"), sale, link->holder,
             link->asides);
    settle(link);
    fg_redis_put_aside(&link->command, link->holder, sale, key);
    enum fg_redis_answer answer = fg_redis_send(&link->connection, &link->command, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    if (!is_answer(reply)) {
        fg_redis_say(&link->connection, "an answer that the function set_aside never gives");
        answer = FG_REDIS_REFUSED;
    } else {
        answer = judge_fence(link, reply);
    }
    if (answer == FG_REDIS_OK) {
        snprintf(aside, size, "%s", reply->element[1]->str);
        link->asides++;
    }
    freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer link_page(void *context, struct fg_redis_page *page)
{
    struct redis_link *link = context;
    redisReply *reply;
    page->created = 0;
    settle(link);
    fg_redis_put_page(&link->command, page);
    enum fg_redis_answer answer = fg_redis_send(&link->connection, &link->command, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    if (reply->type == REDIS_REPLY_INTEGER) {
        page->created = (uint64_t)reply->integer;
    } else {
        fg_redis_say(&link->connection, "an answer that HSET never gives");
        answer = FG_REDIS_REFUSED;
    }
    freeReplyObject(reply);
    return answer;
}

enum fg_redis_answer fg_redis_link_info(struct fg_redis_link *link, char *text, size_t size)
{
    struct redis_link *own = link->context;
    redisReply *reply;
    text[0] = '\0';
    enum fg_redis_answer answer = fg_redis_ask(&own->connection, &reply, "INFO");
    if (answer != FG_REDIS_OK)
        return answer;
    if (fg_redis_is_text(reply))
        snprintf(text, size, "%s", reply->str);
    freeReplyObject(reply);
    return FG_REDIS_OK;
}

static void link_close(void *context)
{
    fg_redis_drop(&((struct redis_link *)context)->connection);
}

static const char *link_error(void *context)
{
    return ((struct redis_link *)context)->connection.error;
}

struct fg_redis_link *fg_redis_link_create(const struct fg_redis_config *config)
{
    struct redis_link *link = calloc(1, sizeof(*link));
    if (!link)
        return NULL;
    link->public = (struct fg_redis_link){.context = link,
                                          .connect = link_connect,
                                          .append = link_append,
                                          .follow = link_follow,
                                          .last = link_last,
                                          .trim = link_trim,
                                          .set_aside = link_set_aside,
                                          .page = link_page,
                                          .close = link_close,
                                          .error = link_error};
    bool made = fg_redis_connection_init(&link->connection, config,
                                         config->pages_only ? NULL : append_library);
    made &= fg_redis_command_init(&link->command) == 0;
    snprintf(link->holder, sizeof(link->holder), "%u:%" PRIu64, config->epoch, config->instance);
    if (made)
        return &link->public;
    fg_redis_link_destroy(&link->public);
    return NULL;
}

void fg_redis_link_destroy(struct fg_redis_link *link)
{
    if (!link)
        return;
    struct redis_link *whole = link->context;
    fg_redis_connection_fini(&whole->connection);
    fg_redis_command_fini(&whole->command);
    free(whole);
}
