/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery: from the log into the streams.
 *
 * What a stream must hold is a function of the log alone, so no cursor is kept anywhere. Delivery
 * is in one of three phases:
 *
 *   AWAY    there is no connection, or its circuit breaker lets none through. Meanwhile the log
 *           is read on, only to count what is not delivered.
 *   CLAIM   connected: every known live sale's fence is claimed and its stream's last id is read.
 *   READ    the log is rewound and read up to the durable mark. streams.c finds each stream's
 *           place; records that it lacks are gathered in batches of one sale, and a batch is
 *           appended when it is full or the log has no more. A sale that was not claimed yet is
 *           when its first order event comes up, or, if it is not archived, when the log has no
 *           more. While Redis works on a batch the next ones are gathered, and a full one of the
 *           same sale is sent behind it. Whatever the first one's answer makes uncertain throws
 *           away what was gathered, too.
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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LOAD(field) atomic_load_explicit(&(field), memory_order_relaxed)

void fg_delivery_set_state(struct fg_delivery *delivery, enum fg_delivery_state state)
{
    atomic_store_explicit(&delivery->stats.state, state, memory_order_relaxed);
}

bool fg_delivery_stopped(const struct fg_delivery *delivery)
{
    uint32_t state = LOAD(delivery->stats.state);
    return state == FG_DELIVERY_FENCED || state == FG_DELIVERY_FAILED;
}

void fg_delivery_set_error(struct fg_delivery *delivery, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&delivery->text_lock);
    vsnprintf(delivery->error, sizeof(delivery->error), format, arguments);
    pthread_mutex_unlock(&delivery->text_lock);
    va_end(arguments);
}

/* --- steps --- */

/* The place of a stream was found, and it does not fit the log. */
static void tell_stopped(struct fg_delivery *delivery)
{
    const struct fg_stream *stream = delivery->streams.stopped;
    if (!stream)
        return;
    delivery->streams.stopped = NULL;
    if (stream->state == FG_STREAM_FOREIGN)
        fg_delivery_set_error(
            delivery,
            "%s: its stream ends with %" PRIu64 "-%" PRIu64
            ", which this log does not have: somebody else writes to it, or the log is not the one "
            "it was filled from; find out, then rebuild the stream",
            stream->name, stream->last.epoch, stream->last.sale_seq);
    else
        fg_delivery_set_error(delivery,
                              "%s: its stream has lost the events after %" PRIu64
                              ", and the log has none before %" PRIu64
                              " any more: restore the stream from a copy of Redis",
                              stream->name, stream->last.sale_seq, stream->base + 1);
}

static int step_away(struct fg_delivery *delivery)
{
    if (fg_circuit_may_call(&delivery->circuit, delivery->now_ns)) {
        fg_delivery_connect(delivery);
        return 1;
    }
    if (fg_delivery_read_on(delivery))
        return 1;
    fg_streams_end(&delivery->streams);
    return 0;
}

static int step_claim(struct fg_delivery *delivery)
{
    if (!fg_circuit_may_call(&delivery->circuit, delivery->now_ns))
        return 0;
    struct fg_stream *stream = fg_streams_unasked(&delivery->streams);
    if (stream) {
        fg_delivery_claim(delivery, stream);
        return 1;
    }
    fg_log_reader_rewind(delivery->reader);
    fg_streams_rewind(&delivery->streams);
    delivery->in_frame = false;
    delivery->pass_over = false;
    delivery->pass_first = 0;
    delivery->phase = FG_PHASE_READ;
    delivery->poll_sales = 0;
    delivery->poll_at_ns = delivery->now_ns + FG_DELIVERY_POLL_NS;
    fg_delivery_set_state(delivery, FG_DELIVERY_RUNNING);
    return 1;
}

static int step_read(struct fg_delivery *delivery)
{
    if (!fg_circuit_may_call(&delivery->circuit, delivery->now_ns))
        return 0;
    if (!delivery->followed && fg_delivery_move_aside(delivery))
        return 1;
    if (!delivery->followed && delivery->now_ns >= delivery->poll_at_ns)
        fg_delivery_poll_begin(delivery);
    if (!delivery->followed && fg_delivery_poll(delivery))
        return 1;
    struct fg_batch *batch = fg_batches_next(&delivery->batches);
    if (batch) {
        fg_delivery_append(delivery, batch);
        return 1;
    }
    if (fg_delivery_read_on(delivery))
        return 1;
    struct fg_stream *stream = fg_streams_unasked(&delivery->streams);
    if (stream) {
        fg_delivery_claim(delivery, stream);
        return 1;
    }
    fg_streams_end(&delivery->streams);
    delivery->pass_over = true;
    fg_batches_flush(&delivery->batches);
    delivery->caught_up = !fg_batches_next(&delivery->batches);
    if (delivery->caught_up)
        fg_circuit_worked(&delivery->circuit);
    return !delivery->caught_up;
}

int fg_delivery_step(struct fg_delivery *delivery)
{
    static int (*const steps[])(struct fg_delivery *) = {step_away, step_claim, step_read};
    if (fg_delivery_stopped(delivery))
        return -1;
    const struct fg_clock *clock = delivery->config.clock;
    delivery->now_ns = clock->monotonic_ns(clock->context);
    delivery->caught_up = false;
    uint64_t durable = delivery->config.durable(delivery->config.durable_arg);
    int rc = steps[delivery->phase](delivery);
    tell_stopped(delivery);
    atomic_store_explicit(&delivery->stats.lag, delivery->streams.lag, memory_order_relaxed);
    if (delivery->caught_up)
        /* release: who sees it sees the lag that belongs to it; pairs with control's acquire */
        atomic_store_explicit(&delivery->stats.caught_up, durable, memory_order_release);
    return fg_delivery_stopped(delivery) ? -1 : rc;
}

/* --- life --- */

struct fg_delivery *fg_delivery_create(const struct fg_delivery_config *config, int *error)
{
    struct fg_delivery *delivery = calloc(1, sizeof(*delivery));
    *error = -ENOMEM;
    if (!delivery)
        return NULL;
    delivery->config = *config;
    fg_circuit_init(&delivery->circuit, config->retry_max_ns, config->seed);
    pthread_mutex_init(&delivery->text_lock, NULL);
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
    pthread_mutex_destroy(&delivery->text_lock);
    free(delivery);
}

/* --- what others read --- */

const struct fg_delivery_stats *fg_delivery_stats(const struct fg_delivery *delivery)
{
    return &delivery->stats;
}

const struct fg_circuit_stats *fg_delivery_circuit(const struct fg_delivery *delivery)
{
    return &delivery->circuit.stats;
}

struct fg_stream_view fg_delivery_stream(const struct fg_delivery *delivery, uint32_t sale)
{
    const struct fg_stream_board *board = fg_streams_board(&delivery->streams, sale);
    if (!board)
        return (struct fg_stream_view){0};
    uint64_t consumed = LOAD(board->consumed), told = LOAD(board->told);
    return (struct fg_stream_view){.state = LOAD(board->state),
                                   .logged = LOAD(board->logged),
                                   .delivered = LOAD(board->rebuild) ? 0 : LOAD(board->delivered),
                                   /* delivery sees what was told at its next poll */
                                   .consumed = told > consumed ? told : consumed,
                                   .lag = LOAD(board->lag)};
}

enum fg_stream_state fg_delivery_stream_state(const struct fg_delivery *delivery, uint32_t sale)
{
    return fg_delivery_stream(delivery, sale).state;
}

void fg_delivery_last_error(struct fg_delivery *delivery, char *text, size_t size)
{
    pthread_mutex_lock(&delivery->text_lock);
    snprintf(text, size, "%s", delivery->error);
    pthread_mutex_unlock(&delivery->text_lock);
}

void fg_delivery_last_aside(struct fg_delivery *delivery, char *text, size_t size)
{
    pthread_mutex_lock(&delivery->text_lock);
    snprintf(text, size, "%s", delivery->aside);
    pthread_mutex_unlock(&delivery->text_lock);
}

/* --- what control asks --- */

int fg_delivery_consumed(struct fg_delivery *delivery, uint32_t sale, uint64_t sale_seq)
{
    struct fg_stream_board *board = fg_streams_board(&delivery->streams, sale);
    if (!board || !LOAD(board->known))
        return -ENOENT;
    if (sale_seq > LOAD(board->delivered))
        return -ERANGE;
    if (sale_seq > LOAD(board->told))
        atomic_store_explicit(&board->told, sale_seq, memory_order_relaxed);
    return 0;
}

int fg_delivery_may_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    const struct fg_stream_board *board = fg_streams_board(&delivery->streams, sale);
    if (!board || !LOAD(board->known))
        return -ENOENT;
    return LOAD(board->base) > 0 || LOAD(board->state) == FG_STREAM_DONE ? -ERANGE : 0;
}

int fg_delivery_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    int rc = fg_delivery_may_rebuild(delivery, sale);
    if (rc != 0)
        return rc;
    struct fg_stream_board *board = fg_streams_board(&delivery->streams, sale);
    atomic_store_explicit(&board->rebuild, true, memory_order_relaxed);
    /* release: pairs with the acquire in fg_delivery_move_aside(). */
    atomic_store_explicit(&delivery->rebuilds, true, memory_order_release);
    return 0;
}
