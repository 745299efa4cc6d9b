/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connecting to a Redis or a sentinel by name, within a time limit for the name as well: the C
 * library may ask name servers for half a minute, and cannot be told to stop. So the name is looked
 * up by a thread of the library's (getaddrinfo_a); who waited in vain goes away, and the next one
 * who asks from the same thread waits for the same answer. Inside the link only.
 */
#ifndef FG_ORDERS_REDIS_DIAL_H
#define FG_ORDERS_REDIS_DIAL_H

#include <hiredis/hiredis.h>
#include <stdint.h>

/* A context, perhaps with an error, as redisConnectWithTimeout() gives it; each address of a name
 * is tried within `limit`. NULL: there is no address, `why` says it in a sentence. Any thread; each
 * has one lookup under way at most. */
redisContext *fg_redis_dial(const char *host, uint16_t port, struct timeval limit, char *why,
                            size_t size);

#endif
