/* SPDX-License-Identifier: BSD-3-Clause */
/* Who the master is, as Redis Sentinel tells it. Inside the link only. */
#ifndef FG_ORDERS_REDIS_MASTER_H
#define FG_ORDERS_REDIS_MASTER_H

#include "dataplane/orders/redis_link.h"

struct fg_redis_address {
    char host[256]; /* a name or an address */
    uint16_t port;
};

/* Reads "host:port", "[address]:port" or either without a port, which is then `port`. 0 or -EINVAL.
 */
int fg_redis_address_parse(const char *text, uint16_t port, struct fg_redis_address *address);

/*
 * Asks the sentinels in turn, beginning with number *turn, until one knows the master; *turn is
 * then its number. Each may take the configured time limit twice: to connect and to answer. OK, or
 * LOST or REFUSED with a sentence about the last one asked.
 */
enum fg_redis_answer fg_redis_master_ask(const struct fg_redis_config *config, unsigned *turn,
                                         struct fg_redis_address *master, char *error, size_t size);

#endif
