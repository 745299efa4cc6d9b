/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection to Redis on hiredis: made, asked and dropped. Inside the link only; one thread.
 *
 * hiredis forgets nothing after a failure: a reply that comes after a time limit would be taken for
 * the next call's. So whatever goes wrong on the wire drops the connection, and the answer is LOST.
 * An error that Redis sends is a reply like any other; redis_errors.c says what each kind means.
 *
 * Behind sentinels the master's address is asked for at every connect. A sentinel may be behind the
 * times: when its master cannot be reached or is a replica, the next connect asks the next one
 * first.
 */
#ifndef FG_ORDERS_REDIS_CONNECTION_H
#define FG_ORDERS_REDIS_CONNECTION_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "dataplane/orders/redis_command.h"
#include "dataplane/orders/redis_master.h"

struct fg_redis_connection {
    struct fg_redis_config config;  /* its texts are its own */
    const char *library;            /* of Redis functions, loaded at every connect; NULL: none */
    redisContext *redis;            /* NULL: not connected */
    struct fg_redis_address master; /* behind sentinels: as the last one asked told it */
    unsigned sentinel;              /* number of the one to ask first */
    char error[512];                /* of the last call that failed */
};

/* Not connected yet; `library` outlives it. False when memory is short; fini is called in either
 * case. */
bool fg_redis_connection_init(struct fg_redis_connection *connection,
                              const struct fg_redis_config *config, const char *library);
void fg_redis_connection_fini(struct fg_redis_connection *connection);

/* Connects anew, to a master, and loads the function library. What is not OK leaves it
 * unconnected, with `error`. */
enum fg_redis_answer fg_redis_connect(struct fg_redis_connection *connection);
void fg_redis_drop(struct fg_redis_connection *connection);

/* Sends a command, within the configured time. OK, or LOST: the connection is
 * dropped, and `error` says why. */
enum fg_redis_answer fg_redis_push(struct fg_redis_connection *connection,
                                   const struct fg_redis_command *command);
/* Takes the reply of what was pushed, within the same. OK: *reply is the caller's to free. Else
 * `error` says why; LOST: the connection is dropped. */
enum fg_redis_answer fg_redis_take(struct fg_redis_connection *connection, redisReply **reply);
/* Both. */
enum fg_redis_answer fg_redis_send(struct fg_redis_connection *connection,
                                   const struct fg_redis_command *command, redisReply **reply);
/* The same of a command in hiredis's format. The connection must stand. */
__attribute__((format(printf, 3, 4))) enum fg_redis_answer fg_redis_ask(
    struct fg_redis_connection *connection, redisReply **reply, const char *format, ...);

/* Puts a sentence into `error`, behind where Redis is. */
__attribute__((format(printf, 2, 3))) void fg_redis_say(struct fg_redis_connection *connection,
                                                        const char *format, ...);

/* Has the reply a text (`str`)? */
static inline bool fg_redis_is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

#endif
