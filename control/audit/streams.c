/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit's way to Redis, and each sale's stream against the log. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "control/audit/audit.h"
#include "control/config/config.h"
#include "control/config/options.h"
#include "dataplane/orders/redis_master.h"
#include "perf/check/streams.h"

/* --- the connection --- */

/* Where the configuration's Redis is now; sentinels are asked. An exit status. */
static int find_address(const struct fg_config *config, char *address, size_t size,
                        struct audit *audit)
{
    if (config->redis_socket) {
        snprintf(address, size, "%s", config->redis_socket);
        return FG_EXIT_OK;
    }
    if (config->redis_host) {
        snprintf(address, size, "%s:%u", config->redis_host, config->redis_port);
        return FG_EXIT_OK;
    }
    char *password = NULL;
    if (config->redis_sentinel_password_file) {
        password = fg_password_read(config->redis_sentinel_password_file, audit->message,
                                    sizeof(audit->message));
        if (!password)
            return FG_EXIT_CONFIG;
    }
    struct fg_redis_config redis = {.sentinels = (const char *const *)config->redis_sentinels,
                                    .sentinels_count = config->redis_sentinels_count,
                                    .master = config->redis_master,
                                    .sentinel_password = password,
                                    .timeout_ms = config->redis_timeout_ms};
    struct fg_redis_address master;
    unsigned turn = 0;
    enum fg_redis_answer answer =
        fg_redis_master_ask(&redis, &turn, &master, audit->message, sizeof(audit->message));
    fg_password_free(password);
    snprintf(address, size, "%s:%u", master.host, master.port);
    return answer == FG_REDIS_OK ? FG_EXIT_OK : FG_EXIT_FAILED;
}

static int login(struct audit *audit, const struct fg_config *config, redisContext *redis)
{
    char *password = NULL;
    if (config->redis_password_file) {
        password =
            fg_password_read(config->redis_password_file, audit->message, sizeof(audit->message));
        if (!password)
            return FG_EXIT_CONFIG;
    }
    int rc = fg_sale_streams_login(redis, config->redis_user, password, config->redis_database,
                                   audit->message, sizeof(audit->message));
    fg_password_free(password);
    return rc == 0 ? FG_EXIT_OK : FG_EXIT_FAILED;
}

/* By --redis (which address), --config (which address, user and database), or both. */
static int connect_redis(struct audit *audit, redisContext **redis)
{
    const char *file = audit->call->options[FG_CLI_CONFIG];
    const char *given = audit->call->options[FG_CLI_REDIS];
    struct fg_config config = {0};
    char address[400];
    int status = FG_EXIT_OK;

    if (file && fg_config_load(&config, file, audit->message, sizeof(audit->message)) != 0)
        return FG_EXIT_CONFIG;
    if (given) {
        snprintf(address, sizeof(address), "%s", given);
    } else if (!fg_config_delivers(&config)) {
        snprintf(audit->message, sizeof(audit->message),
                 "%s names no Redis; give --redis ADDRESS, or leave --config out", file);
        status = FG_EXIT_CONFIG;
    } else {
        status = find_address(&config, address, sizeof(address), audit);
    }
    *redis = status == FG_EXIT_OK
                 ? fg_sale_streams_connect(address, audit->message, sizeof(audit->message))
                 : NULL;
    if (status == FG_EXIT_OK)
        status = *redis ? login(audit, &config, *redis) : FG_EXIT_FAILED;
    fg_config_free(&config);
    return status;
}

/* --- the streams --- */

struct page {
    struct audit *audit;
    struct audit_stream *stream;
};

static int take_page(void *arg, const struct fg_sale_stream_entry *entries, uint64_t count)
{
    const struct page *page = arg;
    return fg_compare_entries(&page->stream->compare,
                              &page->audit->book.streams[page->stream->sale], entries, count);
}

/* One stream: its last id, its entries, its first id. 0, or a negative errno with a sentence. */
static int read_stream(struct audit *audit, redisContext *redis, struct audit_stream *stream)
{
    const struct fg_sale_stream *log = &audit->book.streams[stream->sale];
    struct page page = {audit, stream};
    struct fg_stream_id last;
    char *message = audit->message;
    size_t size = sizeof(audit->message);

    memcpy(stream->name, log->sale, sizeof(stream->name));
    int rc = fg_sale_stream_last(redis, log->sale, &last, message, size);
    stream->never = rc == 0 && last.epoch == 0 && last.sale_seq == 0;
    fg_compare_begin(&stream->compare, log, last, &audit->findings);
    if (rc == 0)
        rc = fg_sale_stream_walk(redis, log->sale, take_page, &page, message, size);
    if (rc == 0)
        rc = fg_sale_stream_first(redis, log->sale, &stream->first, message, size);
    stream->readable = rc == 0;
    if (rc == -EBADMSG) {
        fg_found(&audit->findings, FG_CHECK_STREAM_BAD_KEY,
                 "sale %s: the key flashgate:{%s}:orders is not a stream", log->sale, log->sale);
        rc = 0;
    } else if (rc == -ENOMEM) {
        snprintf(message, size, "memory is short for the stream of sale %s", log->sale);
    }
    return rc;
}

int audit_streams_read(struct audit *audit)
{
    redisContext *redis = NULL;
    unsigned count = audit->book.sales_count;

    audit->streams_begun = audit->book.begun;
    signal(SIGPIPE, SIG_IGN); /* hiredis writes to a socket that may go */
    audit->streams = calloc(count + 1, sizeof(*audit->streams));
    if (!audit->streams) {
        snprintf(audit->message, sizeof(audit->message), "memory is short");
        return FG_EXIT_MEMORY;
    }
    int status = connect_redis(audit, &redis);
    for (unsigned i = 0; status == FG_EXIT_OK && i < count; i++) {
        if (!audit->book.sales[i].defined)
            continue; /* archived and gone: its name went with it */
        struct audit_stream *stream = &audit->streams[audit->streams_count++];
        stream->sale = i;
        int rc = read_stream(audit, redis, stream);
        status = rc == 0 ? FG_EXIT_OK : rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_FAILED;
    }
    redisFree(redis);
    return status;
}

int audit_streams_judge(struct audit *audit)
{
    bool drained = audit->call->options[FG_CLI_DRAINED];

    for (unsigned i = 0; i < audit->streams_count; i++) {
        struct audit_stream *stream = &audit->streams[i];
        int place = fg_log_book_sale(&audit->book, stream->name);
        if (!stream->readable || place < 0)
            continue; /* told already; or archived, and gone while the audit ran */
        /* Events of it went while the audit ran: the places in the log are others now. */
        if (audit->book.begun != audit->streams_begun &&
            audit->book.streams[place].passed.sale_seq > 0)
            continue;
        /* The stream of an archived sale may have been removed: its consumer is done with it. */
        bool removed = stream->never && audit->book.sales[place].archived_lsn != 0;
        if (fg_compare_end(&stream->compare, &audit->book.streams[place], stream->first,
                           drained && !removed) != 0) {
            snprintf(audit->message, sizeof(audit->message), "memory is short");
            return FG_EXIT_MEMORY;
        }
        if (removed) {
            stream->compare.trimmed += stream->compare.lag;
            stream->compare.lag = 0;
        }
    }
    return FG_EXIT_OK;
}

void audit_streams_free(struct audit *audit)
{
    for (unsigned i = 0; i < audit->streams_count; i++)
        fg_compare_free(&audit->streams[i].compare);
    free(audit->streams);
}
