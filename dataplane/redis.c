/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/redis.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "control/config/options.h"
#include "control/figures/stock_page.h"
#include "flashgate/exit_status.h"

#define STOP_LIMIT_MS 2000 /* for what Redis has not got at a stop; the rest follows later */
#define NS_PER_MS     UINT64_C(1000000)

/* --- links --- */

static struct fg_redis_link *link_of(const struct fg_config *config, unsigned epoch,
                                     uint64_t instance, bool pages_only, char *message, size_t size)
{
    struct fg_redis_config redis = {
        .socket = config->redis_socket,
        .host = config->redis_host,
        .port = config->redis_port,
        .sentinels = (const char *const *)config->redis_sentinels,
        .sentinels_count = config->redis_sentinels_count,
        .master = config->redis_master,
        .user = config->redis_user,
        .database = config->redis_database,
        .timeout_ms = config->redis_timeout_ms,
        .epoch = epoch,
        .instance = instance,
        .pages_only = pages_only,
    };
    const char *file = config->redis_password_file;
    const char *sentinel_file = config->redis_sentinel_password_file;
    char *password = NULL, *sentinel_password = NULL;
    struct fg_redis_link *link = NULL;

    if (file && !(password = fg_password_read(file, message, size)))
        return NULL;
    if (sentinel_file && !(sentinel_password = fg_password_read(sentinel_file, message, size)))
        goto erase_passwords;
    redis.password = password;
    redis.sentinel_password = sentinel_password;
    link = fg_redis_link_create(&redis);
    if (!link)
        snprintf(message, size, "no memory for the link to Redis");
erase_passwords:
    fg_password_free(password);
    fg_password_free(sentinel_password);
    return link;
}

struct fg_redis_link *fg_redis_make_link(const struct fg_config *config, unsigned epoch,
                                         uint64_t instance, char *message, size_t size)
{
    return link_of(config, epoch, instance, false, message, size);
}

struct fg_redis_link *fg_redis_make_look(const struct fg_config *config, char *message, size_t size)
{
    return link_of(config, 0, 0, true, message, size);
}

/* The engine's own: its fence is told from another's of the same epoch by a random number. */
static struct fg_redis_link *make_link(const struct fg_config *config, unsigned epoch,
                                       uint64_t *instance, char *message, size_t size)
{
    if (getrandom(instance, sizeof(*instance), 0) == sizeof(*instance))
        return fg_redis_make_link(config, epoch, *instance, message, size);
    snprintf(message, size, "the system gives no random numbers");
    return NULL;
}

/* --- recovery's question --- */

static int open_question(struct fg_redis_question *question)
{
    char message[512];
    uint64_t instance;

    question->link = make_link(question->config, 0, &instance, message, sizeof(message));
    if (!question->link) {
        fprintf(stderr, "redis: %s\n", message);
        return -EINVAL;
    }
    if (question->link->connect(question->link->context) == FG_REDIS_OK)
        return 0;
    fprintf(stderr, "redis: %s\n", question->link->error(question->link->context));
    return -EHOSTUNREACH;
}

int fg_redis_tail_known(void *arg, const char *sale, struct fg_stream_id last)
{
    struct fg_redis_question *question = arg;
    struct fg_stream_id end;

    if (!question->link && question->failed == 0)
        question->failed = open_question(question);
    if (question->failed != 0)
        return question->failed;
    if (question->link->last(question->link->context, sale, &end) != FG_REDIS_OK) {
        fprintf(stderr, "redis: sale %s: %s\n", sale,
                question->link->error(question->link->context));
        /* The link may be broken, and every further question would wait for its time limit. */
        return question->failed = -EIO;
    }
    return end.epoch > last.epoch || (end.epoch == last.epoch && end.sale_seq > last.sale_seq);
}

void fg_redis_question_end(struct fg_redis_question *question)
{
    if (question->link)
        fg_redis_link_destroy(question->link);
    question->link = NULL;
}

/* --- what may be forgotten --- */

static uint64_t delivered(void *arg, uint32_t sale)
{
    const struct fg_engine *engine = arg;

    /* Without a Redis nothing waits for the log's events: an archived sale's go by age alone. */
    return engine->delivery ? fg_delivery_stream(engine->delivery, sale).delivered : UINT64_MAX;
}

static uint64_t consumed(void *arg, uint32_t sale)
{
    const struct fg_engine *engine = arg;

    return engine->delivery ? fg_delivery_stream(engine->delivery, sale).consumed : 0;
}

/* --- delivery --- */

static uint64_t durable(void *engine)
{
    return fg_journal_durable(((const struct fg_engine *)engine)->journal);
}

/* The delivery thread, at once: control would take up to its next tick. */
static void fenced(void *engine)
{
    fg_journal_fence(((const struct fg_engine *)engine)->journal);
}

static int start_delivery(struct fg_engine *engine, char *message, size_t size)
{
    const struct fg_config *config = &engine->config;
    struct fg_delivery_config delivery = {
        .dir = config->log_dir,
        .disk = &fg_disk_files,
        .clock = &fg_clock_system,
        .batch = config->redis_batch,
        .retry_max_ns = config->redis_retry_max_ms * NS_PER_MS,
        .durable = durable,
        .durable_arg = engine,
        .fenced = fenced,
        .fenced_arg = engine,
    };
    int error = 0;

    engine->redis =
        make_link(config, fg_journal_epoch(engine->journal), &delivery.seed, message, size);
    if (!engine->redis)
        return FG_EXIT_CONFIG;
    delivery.link = engine->redis;
    engine->delivery = fg_delivery_create(&delivery, &error);
    if (engine->delivery)
        error = fg_delivery_start(engine->delivery, config->delivery_core);
    if (error == 0)
        return FG_EXIT_OK;
    snprintf(message, size, "delivery to Redis cannot start: %s", strerror(-error));
    return FG_EXIT_FAILED;
}

int fg_redis_start(struct fg_engine *engine, char *message, size_t size)
{
    struct fg_retention retention = {
        .arg = engine,
        .delivered = delivered,
        .consumed = consumed,
        .keep_ns = engine->config.log_keep_ms * NS_PER_MS,
    };
    int status = FG_EXIT_OK;

    if (fg_config_delivers(&engine->config))
        status = start_delivery(engine, message, size);
    if (status == FG_EXIT_OK)
        fg_journal_retain(engine->journal, &retention);
    else
        fg_redis_free(engine);
    return status;
}

void fg_redis_stop(struct fg_engine *engine)
{
    if (engine->delivery)
        fg_delivery_stop(engine->delivery, STOP_LIMIT_MS);
}

void fg_redis_free(struct fg_engine *engine)
{
    if (engine->delivery)
        fg_delivery_destroy(engine->delivery);
    engine->delivery = NULL;
    if (engine->redis)
        fg_redis_link_destroy(engine->redis);
    engine->redis = NULL;
}

/* --- the stock page --- */

int fg_redis_page_start(struct fg_engine *engine, char *message, size_t size)
{
    if (!engine->config.stock_page || !fg_config_delivers(&engine->config))
        return FG_EXIT_OK;
    engine->page_link = link_of(&engine->config, 0, 0, true, message, size);
    if (!engine->page_link)
        return FG_EXIT_CONFIG;
    int status =
        fg_stock_page_start(engine, engine->page_link, FG_STOCK_PAGE_PERIOD_MS, message, size);
    if (status != FG_EXIT_OK)
        fg_redis_page_stop(engine);
    return status;
}

void fg_redis_page_stop(struct fg_engine *engine)
{
    fg_stock_page_stop(engine);
    fg_redis_link_destroy(engine->page_link);
    engine->page_link = NULL;
}
