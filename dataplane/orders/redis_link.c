/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Redis link on hiredis.
 *
 * hiredis forgets nothing after a failure: a reply that comes after a time limit would be taken for
 * the next call's. So whatever goes wrong on the wire drops the connection, and the answer is LOST.
 * An error that Redis sends is a reply like any other; redis_errors.c says what each kind means.
 *
 * Behind sentinels the master's address is asked for at every connect. A sentinel may be behind the
 * times: when its master cannot be reached or is a replica, the next connect asks the next one
 * first.
 */
#include "dataplane/orders/redis_link.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/redis_command.h"
#include "dataplane/orders/redis_errors.h"
#include "dataplane/orders/redis_master.h"

/* The function library, with a terminating zero. */
__asm__(".pushsection .rodata\n"
        "append_library:\n"
        ".incbin \"dataplane/orders/append.lua\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char append_library[] __attribute__((visibility("hidden")));

struct redis_link {
    struct fg_redis_link public;
    struct fg_redis_config config;
    redisContext *redis; /* NULL: not connected */
    struct fg_redis_command command;
    struct fg_redis_address master; /* behind sentinels: as the last one asked told it */
    unsigned sentinel;              /* number of the one to ask first */
    unsigned asides;                /* streams set aside so far */
    char holder[48];                /* "epoch:instance" */
    char error[512];
};

__attribute__((format(printf, 2, 3))) static void set_error(struct redis_link *link,
                                                            const char *format, ...)
{
    const struct fg_redis_config *config = &link->config;
    int used;
    if (config->sentinels_count)
        used = snprintf(link->error, sizeof(link->error), "Redis at %s:%u: ", link->master.host,
                        link->master.port);
    else if (config->socket)
        used = snprintf(link->error, sizeof(link->error), "Redis at %s: ", config->socket);
    else
        used = snprintf(link->error, sizeof(link->error), "Redis at %s:%u: ", config->host,
                        config->port);
    if (used < 0 || (size_t)used >= sizeof(link->error))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(link->error + used, sizeof(link->error) - (size_t)used, format, arguments);
    va_end(arguments);
}

static void drop(struct redis_link *link)
{
    if (link->redis)
        redisFree(link->redis);
    link->redis = NULL;
}

/* --- replies --- */

/* Takes the reply of the call under way. OK: *reply is the caller's to free. */
static enum fg_redis_answer take_reply(struct redis_link *link, redisReply **reply)
{
    void *taken = NULL;
    if (redisGetReply(link->redis, &taken) != REDIS_OK || !taken) {
        set_error(link, "%s", link->redis->errstr);
        drop(link);
        return FG_REDIS_LOST;
    }
    *reply = taken;
    if ((*reply)->type != REDIS_REPLY_ERROR)
        return FG_REDIS_OK;
    enum fg_redis_answer answer = fg_redis_error_answer((*reply)->str);
    set_error(link, "%s", (*reply)->str);
    freeReplyObject(*reply);
    return answer;
}

/* Sends the command that is written down, and takes its reply. */
static enum fg_redis_answer call(struct redis_link *link, redisReply **reply)
{
    if (!link->redis) {
        set_error(link, "not connected");
        return FG_REDIS_LOST;
    }
    if (redisAppendFormattedCommand(link->redis, link->command.bytes, link->command.used) !=
        REDIS_OK) {
        set_error(link, "%s", link->redis->errstr);
        drop(link);
        return FG_REDIS_LOST;
    }
    return take_reply(link, reply);
}

__attribute__((format(printf, 3, 4))) static enum fg_redis_answer ask(struct redis_link *link,
                                                                      redisReply **reply,
                                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int rc = redisvAppendCommand(link->redis, format, arguments);
    va_end(arguments);
    if (rc != REDIS_OK) {
        set_error(link, "%s", link->redis->errstr);
        drop(link);
        return FG_REDIS_LOST;
    }
    return take_reply(link, reply);
}

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static bool parse_id(const char *text, struct fg_stream_id *id)
{
    int used = -1;
    return sscanf(text, "%" SCNu64 "-%" SCNu64 "%n", &id->epoch, &id->sale_seq, &used) == 2 &&
           text[used] == '\0';
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
        set_error(link,
                  "the key " FG_REDIS_KEY("consumed") " is ignored: it holds \"%.64s\", and a "
                                                      "decimal sale_seq is wanted",
                  append->sale, reply->str);
}

static enum fg_redis_answer judge_fence(struct redis_link *link, const redisReply *reply)
{
    if (strcmp(reply->element[0]->str, "FENCED") != 0)
        return FG_REDIS_OK;
    set_error(link, "another engine has taken over: its mark is %s, ours is %s",
              reply->element[1]->str, link->holder);
    return FG_REDIS_FENCED;
}

/* { word, text ... }, as the functions of append.lua answer. */
static bool is_answer(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2)
        return false;
    for (size_t i = 0; i < reply->elements; i++)
        if (!is_text(reply->element[i]))
            return false;
    return true;
}

static enum fg_redis_answer judge_append(struct redis_link *link, const redisReply *reply,
                                         struct fg_redis_append *append)
{
    if (!is_answer(reply))
        goto strange;
    if (judge_fence(link, reply) == FG_REDIS_FENCED)
        return FG_REDIS_FENCED;
    bool gap = strcmp(reply->element[0]->str, "GAP") == 0;
    bool ok = strcmp(reply->element[0]->str, "OK") == 0;
    size_t words = ok && append->count == 0 ? 3 : 2;
    if ((!gap && !ok) || reply->elements != words ||
        !parse_id(reply->element[1]->str, &append->last))
        goto strange;
    if (gap) {
        set_error(link, "the stream ends with %s, which is not what was last appended",
                  reply->element[1]->str);
        return FG_REDIS_GAP;
    }
    if (append->count == 0)
        read_consumed(link, reply->element[2], append);
    return FG_REDIS_OK;
strange:
    set_error(link, "an answer that the function append never gives");
    return FG_REDIS_REFUSED;
}

/* --- the link --- */

static enum fg_redis_answer open_connection(struct redis_link *link)
{
    const struct fg_redis_config *config = &link->config;
    struct timeval limit = {.tv_sec = config->timeout_ms / 1000,
                            .tv_usec = config->timeout_ms % 1000 * 1000};
    if (config->sentinels_count) {
        enum fg_redis_answer answer = fg_redis_master_ask(config, &link->sentinel, &link->master,
                                                          link->error, sizeof(link->error));
        if (answer != FG_REDIS_OK)
            return answer;
        link->redis = redisConnectWithTimeout(link->master.host, link->master.port, limit);
    } else if (config->socket) {
        link->redis = redisConnectUnixWithTimeout(config->socket, limit);
    } else {
        link->redis = redisConnectWithTimeout(config->host, config->port, limit);
    }
    if (link->redis && !link->redis->err && redisSetTimeout(link->redis, limit) == REDIS_OK)
        return FG_REDIS_OK;
    set_error(link, "%s", link->redis ? link->redis->errstr : "out of memory");
    drop(link);
    return FG_REDIS_LOST;
}

static enum fg_redis_answer authenticate(struct redis_link *link)
{
    const struct fg_redis_config *config = &link->config;
    redisReply *reply;
    enum fg_redis_answer answer = FG_REDIS_OK;
    if (config->password && config->user)
        answer = ask(link, &reply, "AUTH %s %s", config->user, config->password);
    else if (config->password)
        answer = ask(link, &reply, "AUTH %s", config->password);
    if (config->password && answer == FG_REDIS_OK)
        freeReplyObject(reply);
    if (config->database && answer == FG_REDIS_OK) {
        answer = ask(link, &reply, "SELECT %u", config->database);
        if (answer == FG_REDIS_OK)
            freeReplyObject(reply);
    }
    return answer;
}

static enum fg_redis_answer check_role(struct redis_link *link)
{
    redisReply *reply;
    enum fg_redis_answer answer = ask(link, &reply, "ROLE");
    if (answer != FG_REDIS_OK)
        return answer;
    bool master = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
                  is_text(reply->element[0]) && strcmp(reply->element[0]->str, "master") == 0;
    freeReplyObject(reply);
    if (master)
        return FG_REDIS_OK;
    set_error(link, "it is a replica; orders go to the master only");
    return FG_REDIS_LOST;
}

static enum fg_redis_answer load_function(struct redis_link *link)
{
    redisReply *reply;
    if (link->config.pages_only)
        return FG_REDIS_OK;
    enum fg_redis_answer answer = ask(link, &reply, "FUNCTION LOAD REPLACE %s", append_library);
    if (answer == FG_REDIS_OK)
        freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer link_connect(void *context)
{
    static enum fg_redis_answer (*const stages[])(struct redis_link * link) = {
        open_connection, authenticate, check_role, load_function};
    struct redis_link *link = context;
    drop(link);
    for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        enum fg_redis_answer answer = stages[i](link);
        if (answer != FG_REDIS_OK) {
            drop(link);
            if (link->config.sentinels_count)
                link->sentinel = (link->sentinel + 1) % link->config.sentinels_count;
            return answer;
        }
    }
    return FG_REDIS_OK;
}

enum fg_redis_answer fg_redis_link_info(struct fg_redis_link *link, char *text, size_t size)
{
    struct redis_link *own = link->context;
    redisReply *reply;
    text[0] = '\0';
    enum fg_redis_answer answer = ask(own, &reply, "INFO");
    if (answer != FG_REDIS_OK)
        return answer;
    if (is_text(reply))
        snprintf(text, size, "%s", reply->str);
    freeReplyObject(reply);
    return FG_REDIS_OK;
}

static enum fg_redis_answer link_append(void *context, struct fg_redis_append *append)
{
    struct redis_link *link = context;
    redisReply *reply;
    assert(append->count <= FG_REDIS_APPEND_MAX);
    append->consumed = 0;
    append->consumed_odd = false;
    fg_redis_put_append(&link->command, link->holder, append);
    enum fg_redis_answer answer = call(link, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    answer = judge_append(link, reply, append);
    freeReplyObject(reply);
    return answer;
}

/* Finds last-generated-id among the pairs that XINFO STREAM answers. */
static bool read_info(const redisReply *reply, struct fg_stream_id *last)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i + 1 < reply->elements; i += 2)
        if (is_text(reply->element[i]) && is_text(reply->element[i + 1]) &&
            strcmp(reply->element[i]->str, "last-generated-id") == 0)
            return parse_id(reply->element[i + 1]->str, last);
    return false;
}

static enum fg_redis_answer link_last(void *context, const char *sale, struct fg_stream_id *last)
{
    struct redis_link *link = context;
    redisReply *reply;
    fg_redis_put_info(&link->command, sale);
    enum fg_redis_answer answer = call(link, &reply);
    *last = (struct fg_stream_id){0};
    if (answer == FG_REDIS_REFUSED && strstr(link->error, "ERR no such key"))
        return FG_REDIS_OK;
    if (answer != FG_REDIS_OK)
        return answer;
    if (!read_info(reply, last)) {
        set_error(link, "an answer that XINFO STREAM never gives");
        answer = FG_REDIS_REFUSED;
    }
    freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer link_trim(void *context, const char *sale, struct fg_stream_id first)
{
    struct redis_link *link = context;
    redisReply *reply;
    fg_redis_put_trim(&link->command, sale, first);
    enum fg_redis_answer answer = call(link, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    if (reply->type != REDIS_REPLY_INTEGER) {
        set_error(link, "an answer that XTRIM never gives");
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
    fg_redis_put_aside(&link->command, link->holder, sale, key);
    enum fg_redis_answer answer = call(link, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    if (!is_answer(reply)) {
        set_error(link, "an answer that the function set_aside never gives");
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
    fg_redis_put_page(&link->command, page);
    enum fg_redis_answer answer = call(link, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    if (reply->type == REDIS_REPLY_INTEGER) {
        page->created = (uint64_t)reply->integer;
    } else {
        set_error(link, "an answer that HSET never gives");
        answer = FG_REDIS_REFUSED;
    }
    freeReplyObject(reply);
    return answer;
}

static void link_close(void *context)
{
    drop(context);
}

static const char *link_error(void *context)
{
    return ((struct redis_link *)context)->error;
}

/* Copies a text that may be NULL; false when memory is short. */
static bool copy_text(const char **text)
{
    if (!*text)
        return true;
    *text = strdup(*text);
    return *text != NULL;
}

/* Copies the sentinels' texts; false when memory is short. */
static bool copy_sentinels(struct fg_redis_config *config)
{
    if (config->sentinels_count == 0)
        return true;
    const char **copies = calloc(config->sentinels_count, sizeof(*copies));
    for (unsigned i = 0; copies && i < config->sentinels_count; i++)
        copies[i] = strdup(config->sentinels[i]);
    bool copied = copies != NULL;
    for (unsigned i = 0; copies && i < config->sentinels_count; i++)
        copied &= copies[i] != NULL;
    config->sentinels = copies;
    return copied;
}

struct fg_redis_link *fg_redis_link_create(const struct fg_redis_config *config)
{
    struct redis_link *link = calloc(1, sizeof(*link));
    if (!link)
        return NULL;
    link->public = (struct fg_redis_link){.context = link,
                                          .connect = link_connect,
                                          .append = link_append,
                                          .last = link_last,
                                          .trim = link_trim,
                                          .set_aside = link_set_aside,
                                          .page = link_page,
                                          .close = link_close,
                                          .error = link_error};
    link->config = *config;
    bool copied = copy_text(&link->config.socket);
    copied &= copy_text(&link->config.host);
    copied &= copy_text(&link->config.user);
    copied &= copy_text(&link->config.password);
    copied &= copy_text(&link->config.master);
    copied &= copy_text(&link->config.sentinel_password);
    copied &= copy_sentinels(&link->config);
    copied &= fg_redis_command_init(&link->command) == 0;
    snprintf(link->holder, sizeof(link->holder), "%u:%" PRIu64, config->epoch, config->instance);
    if (copied)
        return &link->public;
    fg_redis_link_destroy(&link->public);
    return NULL;
}

void fg_redis_link_destroy(struct fg_redis_link *link)
{
    if (!link)
        return;
    struct redis_link *whole = link->context;
    struct fg_redis_config *config = &whole->config;
    drop(whole);
    for (unsigned i = 0; config->sentinels && i < config->sentinels_count; i++)
        free((char *)config->sentinels[i]);
    free((void *)config->sentinels);
    free((char *)config->socket);
    free((char *)config->host);
    free((char *)config->user);
    free((char *)config->password);
    free((char *)config->master);
    free((char *)config->sentinel_password);
    fg_redis_command_fini(&whole->command);
    free(whole);
}
