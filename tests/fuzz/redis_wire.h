/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hiredis without a wire: the library's calls that touch a socket stand here instead of its own.
 * A command is taken apart by hiredis's reader (it must be whole and alone), and the reply is what
 * the target makes of it, read by the same reader from an allocation of exactly its bytes. Nor is
 * any name server asked: the name's first byte says what there is to know.
 */
#ifndef FG_TESTS_FUZZ_REDIS_WIRE_H
#define FG_TESTS_FUZZ_REDIS_WIRE_H

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <netdb.h>

#include "tests/fuzz/fuzz.h"

static struct {
    char *sent; /* commands that nobody has answered, in the order in which they were sent */
    size_t sent_length;
    redisReply *command; /* asked last: an array of strings */
    redisReply *reply;   /* a copy of what answered it; NULL: nothing did */
    /* The answer's bytes (freed by the wire) to the command; NULL: the link breaks. */
    char *(*answer)(const redisReply *command, size_t *length);
    void (*answered)(void); /* told of each command that was; NULL: nobody is */
} wire;

/* Reads one reply, which owns nothing of the bytes; NULL: there is no whole one, or a wrong one.
 * *left, unless NULL: how many bytes come after it. */
static redisReply *wire_read(const char *bytes, size_t length, size_t *left)
{
    redisReader *reader = redisReaderCreate();
    char *exact = fuzz_copy(bytes, length);
    void *reply = NULL;

    FUZZ_CHECK(reader);
    if (length > 0)
        redisReaderFeed(reader, exact, length);
    free(exact);
    if (redisReaderGetReply(reader, &reply) != REDIS_OK)
        reply = NULL;
    if (left)
        *left = reader->len - reader->pos;
    redisReaderFree(reader);
    return reply;
}

/* The exchange before. */
static inline void wire_forget(void)
{
    if (wire.command)
        freeReplyObject(wire.command);
    if (wire.reply)
        freeReplyObject(wire.reply);
    wire.command = wire.reply = NULL;
}

/* ... and what was sent. */
static inline void wire_end(void)
{
    wire_forget();
    free(wire.sent);
    wire.sent = NULL;
    wire.sent_length = 0;
}

static int wire_send(const char *bytes, size_t length)
{
    wire.sent = realloc(wire.sent, wire.sent_length + length);
    FUZZ_CHECK(wire.sent);
    memcpy(wire.sent + wire.sent_length, bytes, length);
    wire.sent_length += length;
    return REDIS_OK;
}

/* What the engine has sent when it waits for an answer: commands, whole, of texts. The first one's
 * turn has come. */
static void wire_ask(void)
{
    size_t left = 0;

    wire_forget();
    FUZZ_CHECK(wire.sent_length > 0);
    wire.command = wire_read(wire.sent, wire.sent_length, &left);
    memmove(wire.sent, wire.sent + wire.sent_length - left, left);
    wire.sent_length = left;
    FUZZ_CHECK(wire.command && wire.command->type == REDIS_REPLY_ARRAY);
    FUZZ_CHECK(wire.command->elements > 0);
    for (size_t i = 0; i < wire.command->elements; i++)
        FUZZ_CHECK(wire.command->element[i]->type == REDIS_REPLY_STRING);
}

/* --- looking up names: an odd first byte is unknown, others have addresses of both families --- */

static struct addrinfo *wire_address(const char *host, int family, struct addrinfo *next)
{
    struct {
        struct addrinfo info;
        struct sockaddr_storage address;
    } *one = calloc(1, sizeof(*one));

    FUZZ_CHECK(one);
    one->info = (struct addrinfo){.ai_family = family,
                                  .ai_addr = (struct sockaddr *)&one->address,
                                  .ai_addrlen = family == AF_INET ? sizeof(struct sockaddr_in)
                                                                  : sizeof(struct sockaddr_in6),
                                  .ai_next = next};
    one->address.ss_family = (sa_family_t)family;
    ((uint8_t *)&one->address)[7] = (uint8_t)host[0];
    return &one->info;
}

/* The library's own names of its parameters are reserved: here and below.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *signal)
{
    const char *host = list[0]->ar_name;

    (void)signal;
    FUZZ_CHECK(mode == GAI_NOWAIT && count == 1);
    if (gai_error(list[0]) == 0)
        list[0]->ar_result = wire_address(host, AF_INET6, wire_address(host, AF_INET, NULL));
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int gai_suspend(const struct gaicb *const list[], int count, const struct timespec *limit)
{
    (void)list, (void)count, (void)limit;
    return EAI_ALLDONE;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int gai_error(struct gaicb *request)
{
    return request->ar_name[0] & 1 ? EAI_NONAME : 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void freeaddrinfo(struct addrinfo *first)
{
    while (first) {
        struct addrinfo *next = first->ai_next;
        free(first);
        first = next;
    }
}

/* --- hiredis's own names --- */

static redisContext *wire_connect(void)
{
    redisContext *context = calloc(1, sizeof(*context));

    FUZZ_CHECK(context);
    return context;
}

redisContext *redisConnectUnixWithTimeout(const char *path, const struct timeval tv)
{
    (void)path, (void)tv;
    return wire_connect();
}

redisContext *redisConnectWithTimeout(const char *ip, int port, const struct timeval tv)
{
    (void)ip, (void)port, (void)tv;
    return wire_connect();
}

int redisSetTimeout(redisContext *c, const struct timeval tv)
{
    (void)c, (void)tv;
    return REDIS_OK;
}

void redisFree(redisContext *c)
{
    wire.sent_length = 0; /* what was sent of a command goes with it */
    free(c);
}

int redisAppendFormattedCommand(redisContext *c, const char *cmd, size_t len)
{
    (void)c;
    return wire_send(cmd, len);
}

int redisBufferWrite(redisContext *c, int *done)
{
    (void)c;
    *done = 1;
    return REDIS_OK;
}

int redisvAppendCommand(redisContext *c, const char *format, va_list ap)
{
    char *command;
    int length = redisvFormatCommand(&command, format, ap);

    (void)c;
    FUZZ_CHECK(length > 0);
    int rc = wire_send(command, (size_t)length);
    free(command);
    return rc;
}

int redisGetReply(redisContext *c, void **reply)
{
    size_t length = 0;
    wire_ask();
    char *bytes = wire.answer(wire.command, &length);

    *reply = bytes ? wire_read(bytes, length, NULL) : NULL;
    wire.reply = bytes ? wire_read(bytes, length, NULL) : NULL;
    free(bytes);
    if (wire.answered)
        wire.answered();
    if (*reply)
        return REDIS_OK;
    c->err = REDIS_ERR_IO;
    snprintf(c->errstr, sizeof(c->errstr), "the link broke");
    return REDIS_ERR;
}

void *redisCommandArgv(redisContext *c, int argc, const char **argv, const size_t *argvlen)
{
    char *command;
    void *reply;
    int length = redisFormatCommandArgv(&command, argc, argv, argvlen);

    FUZZ_CHECK(length > 0);
    (void)wire_send(command, (size_t)length);
    free(command);
    return redisGetReply(c, &reply) == REDIS_OK ? reply : NULL;
}

#endif
