/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Redis link on hiredis.
 *
 * Commands are written in Redis's own form (RESP) into one buffer made at the start: an append of
 * 512 entries would need thousands of argument pointers otherwise. An entry's field names go once
 * per call, not once per entry (see append.lua).
 *
 * hiredis forgets nothing after a failure: a reply that comes after a time limit would be taken for
 * the next call's. So whatever goes wrong on the wire drops the connection, and the answer is LOST.
 * An error that Redis sends is a reply like any other; the table `errors` says what each kind
 * means.
 */
#include "dataplane/orders/redis_link.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The function library, with a terminating zero. */
__asm__(".pushsection .rodata\n"
        "append_library:\n"
        ".incbin \"dataplane/orders/append.lua\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char append_library[] __attribute__((visibility("hidden")));

#define STREAM_KEY "flashgate:{%s}:orders"
#define FENCE_KEY  "flashgate:{%s}:fence" /* the braces put both into one slot of a cluster */
#define KEY_BYTES  (sizeof(STREAM_KEY) + FG_SALE_NAME_MAX)

enum {
#define X(name, value) FIELD_##name,
    FG_ORDER_FIELDS(X)
#undef X
        FIELDS
};

/* Room for one append: no value is longer than a buyer in hex, no id longer than two numbers. */
#define BULK_BYTES(length) (sizeof("$4294967295\r\n\r\n") + (length))
#define ENTRY_BYTES        (BULK_BYTES(41) + FIELDS * BULK_BYTES(2 * FG_BUYER_BYTES))
#define COMMAND_BYTES      (2048 + FG_REDIS_APPEND_MAX * ENTRY_BYTES)

struct command {
    char *bytes;
    size_t used;
};

struct redis_link {
    struct fg_redis_link public;
    struct fg_redis_config config;
    redisContext *redis; /* NULL: not connected */
    struct command command;
    char holder[48]; /* "epoch:instance" */
    char error[512];
};

/* What an error reply means, by how it begins; the first that fits counts. */
static const struct {
    const char *prefix;
    enum fg_redis_answer answer;
} errors[] = {
    {"OOM ", FG_REDIS_RETRY},         /* memory limit: it refused the whole call */
    {"LOADING ", FG_REDIS_RETRY},     /* it reads its data from disk */
    {"BUSY ", FG_REDIS_RETRY},        /* somebody's script runs too long */
    {"MISCONF ", FG_REDIS_RETRY},     /* it cannot save to disk */
    {"NOREPLICAS ", FG_REDIS_RETRY},  /* fewer replicas than it must have */
    {"CLUSTERDOWN ", FG_REDIS_RETRY}, /* slots without a master */
    {"TRYAGAIN ", FG_REDIS_RETRY},    /* slots on the move */
    {"ERR max number of clients reached", FG_REDIS_RETRY},
    {"READONLY ", FG_REDIS_LOST},   /* a replica now: ask anew who is master */
    {"MASTERDOWN ", FG_REDIS_LOST}, /* a replica without its master */
    {"ERR Function not found", FG_REDIS_RELOAD},
    {"WRONGTYPE ", FG_REDIS_BAD_KEY},
    {"NOPERM ", FG_REDIS_REFUSED},
    {"NOAUTH ", FG_REDIS_REFUSED},
    {"WRONGPASS ", FG_REDIS_REFUSED},
    {"MOVED ", FG_REDIS_REFUSED}, /* a cluster: the link speaks to one server */
    {"ASK ", FG_REDIS_REFUSED},
    {"BADCALL ", FG_REDIS_REFUSED}, /* append.lua found our arguments wrong */
    {"", FG_REDIS_REFUSED},         /* whatever else: for a person to look at */
};

static enum fg_redis_answer classify(const char *text)
{
    unsigned i = 0;
    while (strncmp(text, errors[i].prefix, strlen(errors[i].prefix)) != 0)
        i++;
    return errors[i].answer;
}

__attribute__((format(printf, 2, 3))) static void set_error(struct redis_link *link,
                                                            const char *format, ...)
{
    const struct fg_redis_config *config = &link->config;
    int used;
    if (config->socket)
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

/* --- commands --- */

/* Writes the digits of `value` so that they end before `end`; returns where they begin. */
static char *digits(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

static void put_raw(struct command *command, const char *text, size_t length)
{
    memcpy(command->bytes + command->used, text, length);
    command->used += length;
}

static void put_count(struct command *command, char type, uint64_t count)
{
    char text[24], *end = text + sizeof(text) - 2;
    memcpy(end, "\r\n", 2);
    char *begin = digits(end, count);
    *--begin = type;
    put_raw(command, begin, (size_t)(end + 2 - begin));
}

static void put_bytes(struct command *command, const char *text, size_t length)
{
    put_count(command, '$', length);
    put_raw(command, text, length);
    put_raw(command, "\r\n", 2);
}

static void put_text(struct command *command, const char *text)
{
    put_bytes(command, text, strlen(text));
}

static void put_u64(struct command *command, uint64_t value)
{
    char text[20], *end = text + sizeof(text), *begin = digits(end, value);
    put_bytes(command, begin, (size_t)(end - begin));
}

static void put_id(struct command *command, struct fg_stream_id id)
{
    char text[41], *end = text + sizeof(text), *begin = digits(end, id.sale_seq);
    *--begin = '-';
    begin = digits(begin, id.epoch);
    put_bytes(command, begin, (size_t)(end - begin));
}

static void put_hex(struct command *command, const uint8_t *bytes)
{
    char text[2 * FG_BUYER_BYTES];
    for (unsigned i = 0; i < FG_BUYER_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    put_bytes(command, text, sizeof(text));
}

static void put_entry(struct command *command, const struct fg_record *record)
{
    const struct fg_order_event *e = record->order;
    put_id(command, (struct fg_stream_id){record->epoch, e->sale_seq});
#define text_kind(kind)  put_text(command, fg_event_name(kind))
#define text_u64(value)  put_u64(command, value)
#define text_hex(buyer_) put_hex(command, buyer_)
#define X(name, value)   value;
    FG_ORDER_FIELDS(X)
#undef X
}

static void put_append(struct command *command, const char *holder,
                       const struct fg_redis_append *append)
{
    char key[KEY_BYTES];
    size_t entries = append->count ? 1 + FIELDS + append->count * (1 + (size_t)FIELDS) : 0;
    command->used = 0;
    put_count(command, '*', 7 + entries);
    put_text(command, "FCALL");
    put_text(command, "append");
    put_text(command, "2");
    snprintf(key, sizeof(key), STREAM_KEY, append->sale);
    put_text(command, key);
    snprintf(key, sizeof(key), FENCE_KEY, append->sale);
    put_text(command, key);
    put_text(command, holder);
    put_id(command, append->expected);
    if (append->count == 0)
        return;
    put_u64(command, FIELDS);
#define X(name, value) put_text(command, #name);
    FG_ORDER_FIELDS(X)
#undef X
    for (unsigned i = 0; i < append->count; i++)
        put_entry(command, &append->records[i]);
    assert(command->used <= COMMAND_BYTES);
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
    enum fg_redis_answer answer = classify((*reply)->str);
    set_error(link, "%s", (*reply)->str);
    freeReplyObject(*reply);
    return answer;
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

/* { word, text }, as append.lua answers. */
static enum fg_redis_answer judge(struct redis_link *link, const redisReply *reply,
                                  struct fg_stream_id *last)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !is_text(reply->element[0]) ||
        !is_text(reply->element[1]))
        goto strange;
    const char *word = reply->element[0]->str, *text = reply->element[1]->str;
    if (strcmp(word, "FENCED") == 0) {
        set_error(link, "another engine has taken over: its mark is %s, ours is %s", text,
                  link->holder);
        return FG_REDIS_FENCED;
    }
    bool gap = strcmp(word, "GAP") == 0;
    if ((!gap && strcmp(word, "OK") != 0) || !parse_id(text, last))
        goto strange;
    if (gap)
        set_error(link, "the stream ends with %s, which is not what was last appended", text);
    return gap ? FG_REDIS_GAP : FG_REDIS_OK;
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
    link->redis = config->socket ? redisConnectUnixWithTimeout(config->socket, limit)
                                 : redisConnectWithTimeout(config->host, config->port, limit);
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
            return answer;
        }
    }
    return FG_REDIS_OK;
}

static enum fg_redis_answer link_append(void *context, struct fg_redis_append *append)
{
    struct redis_link *link = context;
    assert(append->count <= FG_REDIS_APPEND_MAX);
    if (!link->redis) {
        set_error(link, "not connected");
        return FG_REDIS_LOST;
    }
    put_append(&link->command, link->holder, append);
    if (redisAppendFormattedCommand(link->redis, link->command.bytes, link->command.used) !=
        REDIS_OK) {
        set_error(link, "%s", link->redis->errstr);
        drop(link);
        return FG_REDIS_LOST;
    }
    redisReply *reply;
    enum fg_redis_answer answer = take_reply(link, &reply);
    if (answer != FG_REDIS_OK)
        return answer;
    answer = judge(link, reply, &append->last);
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

struct fg_redis_link *fg_redis_link_create(const struct fg_redis_config *config)
{
    struct redis_link *link = calloc(1, sizeof(*link));
    if (!link)
        return NULL;
    link->public = (struct fg_redis_link){.context = link,
                                          .connect = link_connect,
                                          .append = link_append,
                                          .close = link_close,
                                          .error = link_error};
    link->config = *config;
    bool copied = copy_text(&link->config.socket);
    copied &= copy_text(&link->config.host);
    copied &= copy_text(&link->config.user);
    copied &= copy_text(&link->config.password);
    link->command.bytes = malloc(COMMAND_BYTES);
    snprintf(link->holder, sizeof(link->holder), "%u:%" PRIu64, config->epoch, config->instance);
    if (copied && link->command.bytes)
        return &link->public;
    fg_redis_link_destroy(&link->public);
    return NULL;
}

void fg_redis_link_destroy(struct fg_redis_link *link)
{
    if (!link)
        return;
    struct redis_link *whole = link->context;
    drop(whole);
    free((char *)whole->config.socket);
    free((char *)whole->config.host);
    free((char *)whole->config.user);
    free((char *)whole->config.password);
    free(whole->command.bytes);
    free(whole);
}
