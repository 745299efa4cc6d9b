/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands in Redis's own form (RESP), written into one buffer made at the start: an append of 512
 * entries would need thousands of argument pointers otherwise. An entry's field names go once per
 * call, not once per entry (see append.lua). Inside the link only.
 */
#ifndef FG_ORDERS_REDIS_COMMAND_H
#define FG_ORDERS_REDIS_COMMAND_H

#include "dataplane/orders/redis_link.h"

/* Both braces put all keys of a sale into one slot of a cluster. */
#define FG_REDIS_KEY(kind)   "flashgate:{%s}:" kind
#define FG_REDIS_ASIDE_BYTES (128 + FG_SALE_NAME_MAX) /* of an aside key, with its end */

struct fg_redis_command {
    char *bytes;
    size_t used;
};

/* 0 or -ENOMEM. */
int fg_redis_command_init(struct fg_redis_command *command);
void fg_redis_command_fini(struct fg_redis_command *command);

/* The call of the function append; `holder` is "epoch:instance". */
void fg_redis_put_append(struct fg_redis_command *command, const char *holder,
                         const struct fg_redis_append *append);
/* The call of the function set_aside. */
void fg_redis_put_aside(struct fg_redis_command *command, const char *holder, const char *sale,
                        const char *aside);
void fg_redis_put_trim(struct fg_redis_command *command, const char *sale,
                       struct fg_stream_id first);
void fg_redis_put_page(struct fg_redis_command *command, const struct fg_redis_page *page);
void fg_redis_put_info(struct fg_redis_command *command, const char *sale);

#endif
