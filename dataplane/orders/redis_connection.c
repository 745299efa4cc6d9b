/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/redis_connection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/redis_dial.h"
#include "dataplane/orders/redis_errors.h"

void fg_redis_say(struct fg_redis_connection *connection, const char *format, ...)
{
    const struct fg_redis_config *config = &connection->config;
    int used;
    if (config->sentinels_count)
        used = snprintf(connection->error, sizeof(connection->error),
                        "Redis at %s:%u: ", connection->master.host, connection->master.port);
    else if (config->socket)
        used =
            snprintf(connection->error, sizeof(connection->error), "Redis at %s: ", config->socket);
    else
        used = snprintf(connection->error, sizeof(connection->error),
                        "Redis at %s:%u: ", config->host, config->port);
    if (used < 0 || (size_t)used >= sizeof(connection->error))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(connection->error + used, sizeof(connection->error) - (size_t)used, format,
              arguments);
    va_end(arguments);
}

void fg_redis_drop(struct fg_redis_connection *connection)
{
    if (connection->redis)
        redisFree(connection->redis);
    connection->redis = NULL;
}

/* Something went wrong on the wire. */
static enum fg_redis_answer lost(struct fg_redis_connection *connection)
{
    fg_redis_say(connection, "%s", connection->redis->errstr);
    fg_redis_drop(connection);
    return FG_REDIS_LOST;
}

/* --- calls --- */

enum fg_redis_answer fg_redis_take(struct fg_redis_connection *connection, redisReply **reply)
{
    void *taken = NULL;
    if (redisGetReply(connection->redis, &taken) != REDIS_OK || !taken)
        return lost(connection);
    *reply = taken;
    if ((*reply)->type != REDIS_REPLY_ERROR)
        return FG_REDIS_OK;
    enum fg_redis_answer answer = fg_redis_error_answer((*reply)->str);
    fg_redis_say(connection, "%s", (*reply)->str);
    freeReplyObject(*reply);
    return answer;
}

enum fg_redis_answer fg_redis_push(struct fg_redis_connection *connection,
                                   const struct fg_redis_command *command)
{
    if (!connection->redis) {
        fg_redis_say(connection, "not connected");
        return FG_REDIS_LOST;
    }
    if (redisAppendFormattedCommand(connection->redis, command->bytes, command->used) != REDIS_OK)
        return lost(connection);
    for (int written = 0; !written;)
        if (redisBufferWrite(connection->redis, &written) != REDIS_OK)
            return lost(connection);
    return FG_REDIS_OK;
}

enum fg_redis_answer fg_redis_send(struct fg_redis_connection *connection,
                                   const struct fg_redis_command *command, redisReply **reply)
{
    enum fg_redis_answer answer = fg_redis_push(connection, command);
    return answer == FG_REDIS_OK ? fg_redis_take(connection, reply) : answer;
}

enum fg_redis_answer fg_redis_ask(struct fg_redis_connection *connection, redisReply **reply,
                                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int rc = redisvAppendCommand(connection->redis, format, arguments);
    va_end(arguments);
    if (rc != REDIS_OK)
        return lost(connection);
    return fg_redis_take(connection, reply);
}

/* --- connecting --- */

static enum fg_redis_answer open_connection(struct fg_redis_connection *connection)
{
    const struct fg_redis_config *config = &connection->config;
    struct timeval limit = {.tv_sec = config->timeout_ms / 1000,
                            .tv_usec = config->timeout_ms % 1000 * 1000};
    char why[320] = "out of memory";
    if (config->sentinels_count) {
        enum fg_redis_answer answer =
            fg_redis_master_ask(config, &connection->sentinel, &connection->master,
                                connection->error, sizeof(connection->error));
        if (answer != FG_REDIS_OK)
            return answer;
        connection->redis = fg_redis_dial(connection->master.host, connection->master.port, limit,
                                          why, sizeof(why));
    } else if (config->socket) {
        connection->redis = redisConnectUnixWithTimeout(config->socket, limit);
    } else {
        connection->redis = fg_redis_dial(config->host, config->port, limit, why, sizeof(why));
    }
    if (connection->redis && !connection->redis->err &&
        redisSetTimeout(connection->redis, limit) == REDIS_OK)
        return FG_REDIS_OK;
    fg_redis_say(connection, "%s", connection->redis ? connection->redis->errstr : why);
    fg_redis_drop(connection);
    return FG_REDIS_LOST;
}

static enum fg_redis_answer authenticate(struct fg_redis_connection *connection)
{
    const struct fg_redis_config *config = &connection->config;
    redisReply *reply;
    enum fg_redis_answer answer = FG_REDIS_OK;
    if (config->password && config->user)
        answer = fg_redis_ask(connection, &reply, "AUTH %s %s", config->user, config->password);
    else if (config->password)
        answer = fg_redis_ask(connection, &reply, "AUTH %s", config->password);
    if (config->password && answer == FG_REDIS_OK)
        freeReplyObject(reply);
    if (config->database && answer == FG_REDIS_OK) {
        answer = fg_redis_ask(connection, &reply, "SELECT %u", config->database);
        if (answer == FG_REDIS_OK)
            freeReplyObject(reply);
    }
    return answer;
}

static enum fg_redis_answer check_role(struct fg_redis_connection *connection)
{
    redisReply *reply;
    enum fg_redis_answer answer = fg_redis_ask(connection, &reply, "ROLE");
    if (answer != FG_REDIS_OK)
        return answer;
    bool master = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
                  fg_redis_is_text(reply->element[0]) &&
                  strcmp(reply->element[0]->str, "master") == 0;
    freeReplyObject(reply);
    if (master)
        return FG_REDIS_OK;
    fg_redis_say(connection, "it is a replica; orders go to the master only");
    return FG_REDIS_LOST;
}

static enum fg_redis_answer load_function(struct fg_redis_connection *connection)
{
    redisReply *reply;
    if (!connection->library)
        return FG_REDIS_OK;
    enum fg_redis_answer answer =
        fg_redis_ask(connection, &reply, "FUNCTION LOAD REPLACE %s", connection->library);
    if (answer == FG_REDIS_OK)
        freeReplyObject(reply);
    return answer;
}

enum fg_redis_answer fg_redis_connect(struct fg_redis_connection *connection)
{
    static enum fg_redis_answer (*const stages[])(struct fg_redis_connection *) = {
        open_connection, authenticate, check_role, load_function};
    fg_redis_drop(connection);
    for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        enum fg_redis_answer answer = stages[i](connection);
        if (answer != FG_REDIS_OK) {
            fg_redis_drop(connection);
            if (connection->config.sentinels_count)
                connection->sentinel =
                    (connection->sentinel + 1) % connection->config.sentinels_count;
            return answer;
        }
    }
    return FG_REDIS_OK;
}

/* --- what it is told --- */

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
    if (config->sentinels_count == 0) {
        config->sentinels = NULL; /* the caller's array, if there is one, stays the caller's */
        return true;
    }
    const char **copies = calloc(config->sentinels_count, sizeof(*copies));
    for (unsigned i = 0; copies && i < config->sentinels_count; i++)
        copies[i] = strdup(config->sentinels[i]);
    bool copied = copies != NULL;
    for (unsigned i = 0; copies && i < config->sentinels_count; i++)
        copied &= copies[i] != NULL;
    config->sentinels = copies;
    return copied;
}

bool fg_redis_connection_init(struct fg_redis_connection *connection,
                              const struct fg_redis_config *config, const char *library)
{
    *connection = (struct fg_redis_connection){.config = *config, .library = library};
    struct fg_redis_config *own = &connection->config;
    bool copied = copy_text(&own->socket);
    copied &= copy_text(&own->host);
    copied &= copy_text(&own->user);
    copied &= copy_text(&own->password);
    copied &= copy_text(&own->master);
    copied &= copy_text(&own->sentinel_password);
    copied &= copy_sentinels(own);
    return copied;
}

void fg_redis_connection_fini(struct fg_redis_connection *connection)
{
    struct fg_redis_config *config = &connection->config;
    fg_redis_drop(connection);
    for (unsigned i = 0; config->sentinels && i < config->sentinels_count; i++)
        free((char *)config->sentinels[i]);
    free((void *)config->sentinels);
    free((char *)config->socket);
    free((char *)config->host);
    free((char *)config->user);
    free((char *)config->password);
    free((char *)config->master);
    free((char *)config->sentinel_password);
}
