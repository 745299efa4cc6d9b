/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/redis_dial.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[256];
};

/* What this thread has asked and not heard yet. A thread that ends with one leaves it behind: the
 * library still writes to it. */
static _Thread_local struct lookup *under_way;

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void forget(struct lookup *lookup)
{
    if (lookup->request.ar_result)
        freeaddrinfo(lookup->request.ar_result);
    free(lookup);
}

/* NULL when memory is short, or the host's name too long. */
static struct lookup *begin(const char *host)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (!lookup)
        return NULL;
    struct gaicb *list[] = {&lookup->request};
    lookup->hints = (struct addrinfo){.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    lookup->request = (struct gaicb){.ar_name = lookup->host, .ar_request = &lookup->hints};
    int length = snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    if (length < (int)sizeof(lookup->host) && getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0)
        return lookup;
    free(lookup);
    return NULL;
}

/* The lookup of this name, done; NULL, with a sentence, when it is not. */
static struct lookup *look_up(const char *host, struct timeval limit, char *why, size_t size)
{
    const struct timespec wait = {.tv_sec = limit.tv_sec, .tv_nsec = limit.tv_usec * 1000};
    for (;;) { /* twice at most: first another name may have been under way */
        if (!under_way)
            under_way = begin(host);
        if (!under_way) {
            snprintf(why, size, "%s: cannot be looked up: out of memory", host);
            return NULL;
        }
        const struct gaicb *const list[] = {&under_way->request};
        (void)gai_suspend(list, 1, &wait);
        if (gai_error(&under_way->request) == EAI_INPROGRESS) {
            snprintf(why, size, "%s: the name servers have not answered within %ld ms",
                     under_way->host, (long)limit.tv_sec * 1000 + limit.tv_usec / 1000);
            return NULL;
        }
        struct lookup *done = under_way;
        under_way = NULL;
        if (strcmp(done->host, host) == 0)
            return done;
        forget(done);
    }
}

static redisContext *dial_all(const struct addrinfo *addresses, uint16_t port, struct timeval limit)
{
    redisContext *context = NULL;
    for (const struct addrinfo *a = addresses; a && (!context || context->err); a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) !=
            0)
            continue;
        if (context)
            redisFree(context);
        context = redisConnectWithTimeout(text, port, limit);
    }
    return context;
}

redisContext *fg_redis_dial(const char *host, uint16_t port, struct timeval limit, char *why,
                            size_t size)
{
    redisContext *context = NULL;
    why[0] = '\0';
    if (is_address(host)) {
        context = redisConnectWithTimeout(host, port, limit);
    } else {
        struct lookup *lookup = look_up(host, limit, why, size);
        if (!lookup)
            return NULL;
        int rc = gai_error(&lookup->request);
        if (rc == 0)
            context = dial_all(lookup->request.ar_result, port, limit);
        else
            snprintf(why, size, "%s: %s", host, gai_strerror(rc));
        forget(lookup);
    }
    if (!context && why[0] == '\0')
        snprintf(why, size, "out of memory");
    return context;
}
