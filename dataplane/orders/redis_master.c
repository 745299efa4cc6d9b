/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/redis_master.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/orders/redis_dial.h"
#include "dataplane/orders/redis_errors.h"

#define SENTINEL_PORT 26379

static int parse_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value == 0 || value > UINT16_MAX)
        return -EINVAL;
    *port = (uint16_t)value;
    return 0;
}

int fg_redis_address_parse(const char *text, uint16_t port, struct fg_redis_address *address)
{
    const char *host = text, *after;
    size_t length;
    if (*text == '[') {
        host = text + 1;
        length = strcspn(host, "]");
        after = host + length;
        if (*after++ != ']')
            return -EINVAL;
    } else {
        length = strcspn(text, ":");
        after = text + length;
    }
    if (length == 0 || length >= sizeof(address->host) || (*after != '\0' && *after != ':'))
        return -EINVAL;
    memcpy(address->host, host, length);
    address->host[length] = '\0';
    address->port = port;
    return *after == ':' ? parse_port(after + 1, &address->port) : 0;
}

/* One command to a sentinel. OK: *reply is the caller's to free. */
static enum fg_redis_answer ask(redisContext *sentinel, redisReply **reply, char *error,
                                size_t size, int argc, const char **argv)
{
    *reply = redisCommandArgv(sentinel, argc, argv, NULL);
    if (!*reply) {
        snprintf(error, size, "%s", sentinel->errstr);
        return FG_REDIS_LOST;
    }
    if ((*reply)->type != REDIS_REPLY_ERROR)
        return FG_REDIS_OK;
    snprintf(error, size, "%s", (*reply)->str);
    enum fg_redis_answer answer = fg_redis_error_answer((*reply)->str);
    freeReplyObject(*reply);
    return answer == FG_REDIS_REFUSED ? answer : FG_REDIS_LOST;
}

/* { host, port }, or nil for a name that it does not know. */
static enum fg_redis_answer read_address(const redisReply *reply, const char *name,
                                         struct fg_redis_address *master, char *error, size_t size)
{
    if (reply->type == REDIS_REPLY_NIL) {
        snprintf(error, size, "it knows no master named '%s'", name);
        return FG_REDIS_LOST;
    }
    bool pair = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                reply->element[0]->type == REDIS_REPLY_STRING &&
                reply->element[1]->type == REDIS_REPLY_STRING &&
                reply->element[0]->len < sizeof(master->host) &&
                parse_port(reply->element[1]->str, &master->port) == 0;
    if (!pair) {
        snprintf(error, size, "an answer that is no address");
        return FG_REDIS_LOST;
    }
    snprintf(master->host, sizeof(master->host), "%s", reply->element[0]->str);
    return FG_REDIS_OK;
}

static enum fg_redis_answer ask_connected(const struct fg_redis_config *config,
                                          redisContext *sentinel, struct fg_redis_address *master,
                                          char *error, size_t size)
{
    redisReply *reply;
    enum fg_redis_answer answer;
    if (config->sentinel_password) {
        answer = ask(sentinel, &reply, error, size, 2,
                     (const char *[]){"AUTH", config->sentinel_password});
        if (answer != FG_REDIS_OK)
            return answer;
        freeReplyObject(reply);
    }
    answer = ask(sentinel, &reply, error, size, 3,
                 (const char *[]){"SENTINEL", "GET-MASTER-ADDR-BY-NAME", config->master});
    if (answer != FG_REDIS_OK)
        return answer;
    answer = read_address(reply, config->master, master, error, size);
    freeReplyObject(reply);
    return answer;
}

static enum fg_redis_answer ask_one(const struct fg_redis_config *config, const char *text,
                                    struct fg_redis_address *master, char *error, size_t size)
{
    struct fg_redis_address at;
    if (fg_redis_address_parse(text, SENTINEL_PORT, &at) != 0) {
        snprintf(error, size, "no address; host:port is wanted");
        return FG_REDIS_REFUSED;
    }
    struct timeval limit = {.tv_sec = config->timeout_ms / 1000,
                            .tv_usec = config->timeout_ms % 1000 * 1000};
    char why[320];
    redisContext *sentinel = fg_redis_dial(at.host, at.port, limit, why, sizeof(why));
    enum fg_redis_answer answer = FG_REDIS_LOST;
    if (sentinel && !sentinel->err && redisSetTimeout(sentinel, limit) == REDIS_OK)
        answer = ask_connected(config, sentinel, master, error, size);
    else
        snprintf(error, size, "%s", sentinel ? sentinel->errstr : why);
    if (sentinel)
        redisFree(sentinel);
    return answer;
}

enum fg_redis_answer fg_redis_master_ask(const struct fg_redis_config *config, unsigned *turn,
                                         struct fg_redis_address *master, char *error, size_t size)
{
    enum fg_redis_answer answer = FG_REDIS_LOST;
    for (unsigned i = 0; i < config->sentinels_count; i++) {
        unsigned number = (*turn + i) % config->sentinels_count;
        const char *text = config->sentinels[number];
        int used = snprintf(error, size, "no sentinel tells where the Redis master is; %s: ", text);
        if (used < 0 || (size_t)used >= size)
            used = 0;
        answer = ask_one(config, text, master, error + used, size - (size_t)used);
        if (answer == FG_REDIS_OK) {
            *turn = number;
            break;
        }
    }
    return answer;
}
