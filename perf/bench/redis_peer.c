/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-redis: what a Redis server does of the engine's work, over one pipelined connection.
 *
 *   sale  orders of distinct buyers, decided by a script (sale.lua), so many in a call
 *   xadd  entries like those that delivery makes, with explicit ids, by plain XADD
 *
 * The pipeline never runs dry: half of it is refilled while the server works on the other half.
 * offered = answered + lost; a reply that is an error ends the run.
 */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <jansson.h>

#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"
#include "flashgate/protocol.h"

#define TEXT_MAX  48
#define ARGUMENTS (20 + 3 * FG_ENTRIES_MAX)

struct peer {
    const char *socket, *mode, *script, *report, *key;
    uint64_t ms, depth, batch, first; /* depth: calls under way; first: id or buyer to begin with */

    redisContext *redis;
    char sha[41];
    char text[ARGUMENTS][TEXT_MAX];
    const char *argv[ARGUMENTS];
    size_t lengths[ARGUMENTS];
    int argc;

    uint64_t next, calls, answered;
    uint64_t verdicts[FG_VERDICT_MAX + 1];
    char message[256];
};

static void put(struct peer *peer, const char *format, uint64_t value)
{
    int at = peer->argc++;

    peer->lengths[at] = (size_t)snprintf(peer->text[at], TEXT_MAX, format, (unsigned long)value);
    peer->argv[at] = peer->text[at];
}

static void put_text(struct peer *peer, const char *text)
{
    int at = peer->argc++;

    peer->argv[at] = text;
    peer->lengths[at] = strlen(text);
}

/* Buyers are as long as the engine's: 16 bytes in hex. */
static void put_sale(struct peer *peer)
{
    put_text(peer, "EVALSHA");
    put_text(peer, peer->sha);
    put_text(peer, "3");
    put_text(peer, "bench:left");
    put_text(peer, "bench:decided");
    put_text(peer, "bench:bought");
    put_text(peer, "0");
    for (uint64_t i = 0; i < peer->batch; i++, peer->next++) {
        put(peer, "00000000000000000000000000%06lx", peer->next % 10000000);
        put(peer, "%lu", peer->next);
        put_text(peer, "1");
    }
}

/* The fields of a delivered order (dataplane/orders/event.h), with values as long as theirs: ids
 * and times of 19 digits, requests that count from 1. */
static void put_entry(struct peer *peer)
{
    put_text(peer, "XADD");
    put_text(peer, peer->key);
    put(peer, "1-%lu", ++peer->next);
    static const uint64_t large = UINT64_C(1000000000000000000);
    static const struct {
        const char *name, *format;
        uint64_t from;
    } fields[] = {
        {"event", "ADMIT", 0}, {"order", "%lu", large}, {"buyer", "0000000000000000%016lx", large},
        {"request", "%lu", 0}, {"item", "2", 0},        {"quantity", "1", 0},
        {"at", "%lu", large},  {"hold_ms", "0", 0},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        put_text(peer, fields[i].name);
        put(peer, fields[i].format, fields[i].from + peer->next);
    }
}

static void add_call(struct peer *peer)
{
    peer->argc = 0;
    if (peer->mode[0] == 's')
        put_sale(peer);
    else
        put_entry(peer);
    redisAppendCommandArgv(peer->redis, peer->argc, peer->argv, peer->lengths);
    peer->calls++;
}

/* Takes one reply: false with a message if it is not what was asked for. */
static bool take(struct peer *peer)
{
    redisReply *reply = NULL;
    bool good = redisGetReply(peer->redis, (void **)&reply) == REDIS_OK;

    if (!good) {
        snprintf(peer->message, sizeof(peer->message), "%s", peer->redis->errstr);
        return false;
    }
    if (peer->mode[0] == 's' && reply->type == REDIS_REPLY_ARRAY &&
        reply->elements == peer->batch) {
        for (size_t i = 0; i < reply->elements; i++) {
            long long verdict = reply->element[i]->integer;
            if (verdict >= 0 && verdict <= FG_VERDICT_MAX)
                peer->verdicts[verdict]++;
        }
        peer->answered += peer->batch;
    } else if (peer->mode[0] == 'x' && reply->type == REDIS_REPLY_STRING) {
        peer->answered++;
    } else {
        snprintf(peer->message, sizeof(peer->message), "unexpected reply: %.200s",
                 reply->type == REDIS_REPLY_ERROR ? reply->str : "of another type");
        good = false;
    }
    freeReplyObject(reply);
    return good;
}

static bool send_out(struct peer *peer)
{
    int done = 0;

    while (!done)
        if (redisBufferWrite(peer->redis, &done) != REDIS_OK) {
            snprintf(peer->message, sizeof(peer->message), "%s", peer->redis->errstr);
            return false;
        }
    return true;
}

/* Keeps the pipeline full until the time is up, and then takes what is under way. */
static bool play(struct peer *peer, uint64_t *ns)
{
    uint64_t began = fg_clock_ns(CLOCK_MONOTONIC), taken = 0, now = began;

    while (now < began + peer->ms * 1000000 || taken < peer->calls) {
        bool over = now >= began + peer->ms * 1000000;
        while (!over && peer->calls - taken < peer->depth)
            add_call(peer);
        if (!send_out(peer))
            return false;
        for (uint64_t keep = over ? 0 : peer->depth / 2; peer->calls - taken > keep; taken++)
            if (!take(peer))
                return false;
        now = fg_clock_ns(CLOCK_MONOTONIC);
    }
    *ns = now - began;
    return true;
}

static bool load_script(struct peer *peer)
{
    static char text[8192];
    FILE *file = fopen(peer->script, "r");
    size_t length = file ? fread(text, 1, sizeof(text), file) : 0;

    if (file)
        fclose(file);
    if (length == 0 || length == sizeof(text)) {
        snprintf(peer->message, sizeof(peer->message), "%s cannot be read", peer->script);
        return false;
    }
    redisReply *reply = redisCommand(peer->redis, "SCRIPT LOAD %b", text, length);
    bool good = reply && reply->type == REDIS_REPLY_STRING && reply->len == 40;
    if (good)
        memcpy(peer->sha, reply->str, 41);
    else
        snprintf(peer->message, sizeof(peer->message), "the script is refused: %.200s",
                 reply && reply->str ? reply->str : peer->redis->errstr);
    freeReplyObject(reply);
    return good;
}

static int save(const struct peer *peer, uint64_t ns)
{
    uint64_t per_call = peer->mode[0] == 's' ? peer->batch : 1, offered = peer->calls * per_call;
    json_t *verdicts = json_object();
    json_t *root = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:s}", "mode", peer->mode, "orders_per_call",
        (json_int_t)per_call, "depth", (json_int_t)peer->depth, "offered", (json_int_t)offered,
        "answered", (json_int_t)peer->answered, "lost", (json_int_t)(offered - peer->answered),
        "duration_s", (double)ns / 1e9, "orders_per_s",
        ns > 0 ? (double)peer->answered * 1e9 / (double)ns : 0.0, "message", peer->message);

    for (unsigned code = 0; code <= FG_VERDICT_MAX; code++)
        if (peer->verdicts[code] > 0)
            json_object_set_new(verdicts, fg_verdict_name(code),
                                json_integer((json_int_t)peer->verdicts[code]));
    json_object_set_new(root, "verdicts", verdicts);
    json_object_set_new(root, "next", json_integer((json_int_t)peer->next));
    int status = json_dump_file(root, peer->report, JSON_INDENT(1));
    json_decref(root);
    return status;
}

static const struct option table[] = {
    {"socket", required_argument, NULL, 's'}, {"mode", required_argument, NULL, 'm'},
    {"script", required_argument, NULL, 'l'}, {"report", required_argument, NULL, 'o'},
    {"key", required_argument, NULL, 'k'},    {"ms", required_argument, NULL, 't'},
    {"depth", required_argument, NULL, 'd'},  {"batch", required_argument, NULL, 'b'},
    {"first", required_argument, NULL, 'f'},  {0}};

static bool parse(struct peer *peer, int argc, char **argv)
{
    int found;

    while ((found = getopt_long(argc, argv, "", table, NULL)) != -1) {
        uint64_t number = optarg ? strtoul(optarg, NULL, 10) : 0;
        switch (found) {
        case 's':
            peer->socket = optarg;
            break;
        case 'm':
            peer->mode = optarg;
            break;
        case 'l':
            peer->script = optarg;
            break;
        case 'o':
            peer->report = optarg;
            break;
        case 'k':
            peer->key = optarg;
            break;
        case 't':
            peer->ms = number;
            break;
        case 'd':
            peer->depth = number;
            break;
        case 'b':
            peer->batch = number;
            break;
        case 'f':
            peer->first = number;
            break;
        default:
            return false;
        }
    }
    bool sale = peer->mode && strcmp(peer->mode, "sale") == 0;
    return peer->socket && peer->report && peer->depth > 1 && peer->batch >= 1 &&
           peer->batch <= FG_ENTRIES_MAX &&
           ((sale && peer->script) || (peer->mode && strcmp(peer->mode, "xadd") == 0));
}

int main(int argc, char **argv)
{
    static struct peer peer = {.ms = 1000, .depth = 64, .batch = 1, .key = "bench:stream"};
    uint64_t ns = 0;

    signal(SIGPIPE, SIG_IGN);
    if (!parse(&peer, argc, argv)) {
        fprintf(stderr, "usage: bench-redis --socket PATH --mode sale|xadd --report FILE "
                        "[--script FILE] [--key NAME] [--ms N] [--depth N] [--batch 1..32] "
                        "[--first N]\n");
        return FG_EXIT_USAGE;
    }
    peer.next = peer.first;
    peer.redis = redisConnectUnix(peer.socket);
    if (!peer.redis || peer.redis->err) {
        fprintf(stderr, "bench-redis: %s: %s\n", peer.socket,
                peer.redis ? peer.redis->errstr : "no memory");
        return FG_EXIT_NETWORK;
    }
    bool good = (peer.mode[0] == 'x' || load_script(&peer)) && play(&peer, &ns);
    if (!good)
        fprintf(stderr, "bench-redis: %s\n", peer.message);
    if (save(&peer, ns) < 0)
        good = false;
    redisFree(peer.redis);
    return good ? FG_EXIT_OK : FG_EXIT_FAILED;
}
