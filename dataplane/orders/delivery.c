/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery: from the log into the streams.
 *
 * What a stream must hold is a function of the log alone, so no cursor is kept anywhere. Delivery
 * is in one of three phases:
 *
 *   AWAY    there is no connection, or no use in one until `wait_until_ns`. Meanwhile the log
 *           is read on, only to count what is not delivered.
 *   CLAIM   connected: every known sale's fence is claimed and its stream's last id is read.
 *   READ    the log is rewound and read up to the durable mark. streams.c finds each stream's
 *           place; records that it lacks are gathered in batches of one sale, and a batch is
 *           appended when it is full or the log has no more. A sale that the log brings up for
 *           the first time is claimed there and then.
 *
 * Whatever makes a place uncertain (GAP, a lost link, another last id at the poll) leads back to
 * CLAIM, by way of AWAY where the connection is in doubt, and every stream is sought anew. Only an
 * append that is to be tried again (RETRY) keeps its place, until the poll, about a second later,
 * is refused as well: then counting the lag is worth more. A late command of a dropped connection
 * does no harm: by then its `expected` no longer fits, or ours does not, which is a GAP.
 */
#include "dataplane/orders/delivery_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS              UINT64_C(1000000)
#define BACKOFF_MIN_NS  (10 * MS)
#define BACKOFF_MAX_NS  (1000 * MS)
#define REFUSED_WAIT_NS (5000 * MS) /* a person must act first */
#define POLL_NS         (1000 * MS)
#define POLL_SALES      FG_SALES_LIVE_MAX /* at one poll: with more sales, polls take turns */

static void bump(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void set_state(struct fg_delivery *delivery, enum fg_delivery_state state)
{
    atomic_store_explicit(&delivery->stats.state, state, memory_order_relaxed);
}

static bool stopped(const struct fg_delivery *delivery)
{
    uint32_t state = atomic_load_explicit(&delivery->stats.state, memory_order_relaxed);
    return state == FG_DELIVERY_FENCED || state == FG_DELIVERY_FAILED;
}

__attribute__((format(printf, 2, 3))) static void set_error(struct fg_delivery *delivery,
                                                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&delivery->error_lock);
    vsnprintf(delivery->error, sizeof(delivery->error), format, arguments);
    pthread_mutex_unlock(&delivery->error_lock);
    va_end(arguments);
}

/* The log cannot be what it is: says what is wrong where, and stops for good. */
static void fail(struct fg_delivery *delivery, const char *what)
{
    struct fg_log_position at = fg_log_reader_position(delivery->reader);
    set_error(delivery, "the log at segment %u before offset %" PRIu64 ": %s", at.segment,
              at.offset, what);
    set_state(delivery, FG_DELIVERY_FAILED);
}

/* --- Redis --- */

/* Waits before the next try; the wait doubles each time until something has been appended. */
static void back_off(struct fg_delivery *delivery)
{
    delivery->wait_until_ns = delivery->now_ns + delivery->backoff_ns;
    delivery->backoff_ns *= 2;
    if (delivery->backoff_ns > BACKOFF_MAX_NS)
        delivery->backoff_ns = BACKOFF_MAX_NS;
}

static void go_away(struct fg_delivery *delivery)
{
    struct fg_redis_link *link = delivery->config.link;
    link->close(link->context);
    fg_batches_clear(&delivery->batches);
    delivery->phase = FG_PHASE_AWAY;
    set_state(delivery, FG_DELIVERY_CONNECTING);
}

static void begin_claims(struct fg_delivery *delivery)
{
    fg_batches_clear(&delivery->batches);
    delivery->claim_next = 1;
    delivery->phase = FG_PHASE_CLAIM;
}

/* What follows from an answer other than OK; `stream` is NULL if none was asked about. */
static void react(struct fg_delivery *delivery, struct fg_stream *stream,
                  enum fg_redis_answer answer)
{
    struct fg_redis_link *link = delivery->config.link;
    set_error(delivery, "%s%s%s", stream ? stream->name : "", stream ? ": " : "",
              link->error(link->context));
    if (answer != FG_REDIS_GAP)
        bump(&delivery->stats.errors, 1);
    switch (answer) {
    case FG_REDIS_OK:
        assert(!"OK calls for no reaction");
        break;
    case FG_REDIS_GAP:
        bump(&delivery->stats.gaps, 1);
        begin_claims(delivery);
        break;
    case FG_REDIS_FENCED:
        go_away(delivery);
        set_state(delivery, FG_DELIVERY_FENCED);
        break;
    case FG_REDIS_BAD_KEY:
        fg_batches_drop(&delivery->batches, stream);
        fg_stream_stop(&delivery->streams, stream, FG_STREAM_BAD_KEY);
        break;
    case FG_REDIS_RETRY:
    case FG_REDIS_RELOAD:
    case FG_REDIS_LOST:
        go_away(delivery);
        back_off(delivery);
        break;
    case FG_REDIS_REFUSED:
        go_away(delivery);
        delivery->wait_until_ns = delivery->now_ns + REFUSED_WAIT_NS;
        break;
    }
}

static enum fg_redis_answer ask_last(struct fg_delivery *delivery, const struct fg_stream *stream,
                                     struct fg_stream_id *last)
{
    struct fg_redis_link *link = delivery->config.link;
    struct fg_redis_append claim = {.sale = stream->name, .expected = stream->last};
    enum fg_redis_answer answer = link->append(link->context, &claim);
    *last = claim.last;
    return answer;
}

static void claim(struct fg_delivery *delivery, struct fg_stream *stream)
{
    struct fg_stream_id last;
    enum fg_redis_answer answer = ask_last(delivery, stream, &last);
    if (answer == FG_REDIS_OK)
        fg_stream_claimed(&delivery->streams, stream, last);
    else
        react(delivery, stream, answer);
}

static void append(struct fg_delivery *delivery, struct fg_batch *batch)
{
    struct fg_redis_link *link = delivery->config.link;
    struct fg_stream *stream = batch->stream;
    struct fg_redis_append append = {.sale = stream->name,
                                     .expected = stream->last,
                                     .count = batch->count,
                                     .records = batch->records};
    enum fg_redis_answer answer = link->append(link->context, &append);
    if (answer == FG_REDIS_RETRY) {
        set_error(delivery, "%s: %s", stream->name, link->error(link->context));
        bump(&delivery->stats.errors, 1);
        back_off(delivery);
        return;
    }
    if (answer != FG_REDIS_OK) {
        react(delivery, stream, answer);
        return;
    }
    const struct fg_record *end = &batch->records[batch->count - 1];
    fg_stream_appended(&delivery->streams, stream,
                       (struct fg_stream_id){end->epoch, end->order->sale_seq});
    bump(&delivery->stats.delivered, batch->count);
    fg_batches_drop(&delivery->batches, stream);
    delivery->backoff_ns = BACKOFF_MIN_NS;
}

/* Asks one stream whether it still ends with what we appended last. */
static void poll_one(struct fg_delivery *delivery)
{
    delivery->poll_left--;
    delivery->poll_next = delivery->poll_next % delivery->streams.greatest + 1;
    struct fg_stream *stream = fg_streams_lookup(&delivery->streams, delivery->poll_next);
    if (!stream || stream->name[0] == '\0')
        return;
    struct fg_stream_id last;
    enum fg_redis_answer answer = ask_last(delivery, stream, &last);
    if (answer == FG_REDIS_BAD_KEY && stream->state == FG_STREAM_BAD_KEY)
        return;
    if (answer != FG_REDIS_OK)
        react(delivery, stream, answer);
    else if (fg_stream_moved(stream, last))
        begin_claims(delivery);
}

/* --- the log --- */

static void learn_name(struct fg_delivery *delivery, struct fg_stream *stream,
                       const struct fg_record *record)
{
    json_t *sale = json_loadb(record->body, record->control->body_length, 0, NULL);
    const char *name = json_string_value(json_object_get(sale, "name"));
    size_t length = name ? strlen(name) : 0;
    if (length > 0 && length <= FG_SALE_NAME_MAX) {
        memcpy(stream->name, name, length + 1);
        if (delivery->phase == FG_PHASE_READ)
            claim(delivery, stream);
    } else {
        fail(delivery, "a SALE event has no name, or one that is too long");
    }
    json_decref(sale);
}

static void take_control(struct fg_delivery *delivery, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    if (event->kind != FG_EVENT_SALE && event->kind != FG_EVENT_SALE_POSITION)
        return;
    struct fg_stream *stream = fg_streams_insert(&delivery->streams, event->sale);
    if (!stream)
        fail(delivery, "an event's sale number is out of range, or memory is short");
    else if (event->kind == FG_EVENT_SALE && stream->name[0] == '\0')
        learn_name(delivery, stream, record);
    else if (event->kind == FG_EVENT_SALE_POSITION && event->value > 0)
        fg_stream_based(&delivery->streams, stream,
                        (struct fg_stream_id){event->value2, event->value - 1});
}

static void take_order(struct fg_delivery *delivery, const struct fg_record *record)
{
    const struct fg_order_event *event = record->order;
    struct fg_stream *stream = fg_streams_lookup(&delivery->streams, event->sale);
    if (!stream || stream->name[0] == '\0') {
        fail(delivery, "an order event comes before its sale's definition");
        return;
    }
    struct fg_stream_id id = {record->epoch, event->sale_seq};
    switch (fg_stream_pass(&delivery->streams, stream, id, delivery->phase == FG_PHASE_READ)) {
    case FG_STREAM_SKIP:
        break;
    case FG_STREAM_TAKE:
        fg_batches_gather(&delivery->batches, stream, record);
        break;
    case FG_STREAM_BROKEN:
        fail(delivery, "a sale's order events are not numbered one after another");
        break;
    }
}

/* Takes records of the frame at hand until it ends or something must be done first. */
static void take_records(struct fg_delivery *delivery)
{
    enum fg_delivery_phase phase = delivery->phase;
    while (!fg_batches_next(&delivery->batches) && delivery->phase == phase && !stopped(delivery)) {
        struct fg_record record;
        if (!fg_log_reader_record(delivery->reader, &record)) {
            delivery->in_frame = false;
            return;
        }
        if (fg_event_is_control(record.unit))
            take_control(delivery, &record);
        else
            take_order(delivery, &record);
    }
}

/* One frame, or what is left of it. 1, or 0 when there is no more up to the durable mark. */
static int read_on(struct fg_delivery *delivery)
{
    if (!delivery->in_frame) {
        const struct fg_frame *frame;
        uint64_t limit = delivery->config.durable(delivery->config.durable_arg);
        switch (fg_log_reader_next(delivery->reader, limit, &frame)) {
        case FG_LOG_MORE:
            break;
        case FG_LOG_END:
            return 0;
        case FG_LOG_TORN:
        case FG_LOG_CORRUPT:
            fail(delivery, "a frame that was durable is damaged");
            return 1;
        case FG_LOG_VERSION:
            fail(delivery, "a frame of a format version that this engine does not know");
            return 1;
        case FG_LOG_ERROR:
            fail(delivery, strerror(-fg_log_reader_error(delivery->reader)));
            return 1;
        }
        delivery->in_frame = true;
    }
    take_records(delivery);
    return 1;
}

/* --- steps --- */

static int step_away(struct fg_delivery *delivery)
{
    if (delivery->now_ns < delivery->wait_until_ns)
        return read_on(delivery);
    struct fg_redis_link *link = delivery->config.link;
    enum fg_redis_answer answer = link->connect(link->context);
    if (answer == FG_REDIS_OK) {
        bump(&delivery->stats.connects, 1);
        begin_claims(delivery);
    } else {
        react(delivery, NULL, answer);
    }
    return 1;
}

static int step_claim(struct fg_delivery *delivery)
{
    while (delivery->claim_next <= delivery->streams.greatest) {
        struct fg_stream *stream = fg_streams_lookup(&delivery->streams, delivery->claim_next++);
        if (stream && stream->name[0] != '\0') {
            claim(delivery, stream);
            return 1;
        }
    }
    fg_log_reader_rewind(delivery->reader);
    fg_streams_rewind(&delivery->streams);
    delivery->in_frame = false;
    delivery->phase = FG_PHASE_READ;
    delivery->poll_left = 0;
    delivery->poll_at_ns = delivery->now_ns + POLL_NS;
    set_state(delivery, FG_DELIVERY_RUNNING);
    return 1;
}

static int step_read(struct fg_delivery *delivery)
{
    if (delivery->now_ns < delivery->wait_until_ns)
        return 0;
    if (delivery->now_ns >= delivery->poll_at_ns) {
        uint32_t known = delivery->streams.greatest;
        delivery->poll_left = known < POLL_SALES ? known : POLL_SALES;
        delivery->poll_at_ns = delivery->now_ns + POLL_NS;
    }
    if (delivery->poll_left > 0) {
        poll_one(delivery);
        return 1;
    }
    struct fg_batch *batch = fg_batches_next(&delivery->batches);
    if (batch) {
        append(delivery, batch);
        return 1;
    }
    if (read_on(delivery))
        return 1;
    fg_streams_end(&delivery->streams);
    fg_batches_flush(&delivery->batches);
    delivery->caught_up = !fg_batches_next(&delivery->batches);
    return !delivery->caught_up;
}

int fg_delivery_step(struct fg_delivery *delivery)
{
    static int (*const steps[])(struct fg_delivery *) = {step_away, step_claim, step_read};
    if (stopped(delivery))
        return -1;
    const struct fg_clock *clock = delivery->config.clock;
    delivery->now_ns = clock->monotonic_ns(clock->context);
    delivery->caught_up = false;
    int rc = steps[delivery->phase](delivery);
    atomic_store_explicit(&delivery->stats.lag, delivery->streams.lag, memory_order_relaxed);
    return stopped(delivery) ? -1 : rc;
}

/* --- life --- */

struct fg_delivery *fg_delivery_create(const struct fg_delivery_config *config, int *error)
{
    struct fg_delivery *delivery = calloc(1, sizeof(*delivery));
    *error = -ENOMEM;
    if (!delivery)
        return NULL;
    delivery->config = *config;
    delivery->backoff_ns = BACKOFF_MIN_NS;
    pthread_mutex_init(&delivery->error_lock, NULL);
    unsigned batch = config->batch < FG_REDIS_APPEND_MAX ? config->batch : FG_REDIS_APPEND_MAX;
    if (fg_batches_init(&delivery->batches, batch) != 0 || fg_streams_init(&delivery->streams) != 0)
        goto destroy;
    /* Past the page cache: the journal writes past it too, and must not find its pages there. */
    delivery->reader = fg_log_reader_open(config->disk, config->dir, true, error);
    if (delivery->reader)
        return delivery;
destroy:
    fg_delivery_destroy(delivery);
    return NULL;
}

void fg_delivery_destroy(struct fg_delivery *delivery)
{
    if (!delivery)
        return;
    assert(!delivery->started);
    if (delivery->reader)
        fg_log_reader_close(delivery->reader);
    if (delivery->streams.by_sale)
        fg_streams_fini(&delivery->streams);
    fg_batches_fini(&delivery->batches);
    pthread_mutex_destroy(&delivery->error_lock);
    free(delivery);
}

/* --- what others read --- */

const struct fg_delivery_stats *fg_delivery_stats(const struct fg_delivery *delivery)
{
    return &delivery->stats;
}

enum fg_stream_state fg_delivery_stream_state(const struct fg_delivery *delivery, uint32_t sale)
{
    return fg_streams_state(&delivery->streams, sale);
}

void fg_delivery_last_error(struct fg_delivery *delivery, char *text, size_t size)
{
    pthread_mutex_lock(&delivery->error_lock);
    snprintf(text, size, "%s", delivery->error);
    pthread_mutex_unlock(&delivery->error_lock);
}

struct fg_stream_view fg_delivery_stream(const struct fg_delivery *delivery, uint32_t sale)
{
    return (struct fg_stream_view){.state = fg_streams_state(&delivery->streams, sale)};
}

int fg_delivery_consumed(struct fg_delivery *delivery, uint32_t sale, uint64_t sale_seq)
{
    (void)delivery, (void)sale, (void)sale_seq;
    return -ENOENT;
}

int fg_delivery_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery, (void)sale;
    return -ENOENT;
}
