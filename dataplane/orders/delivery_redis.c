/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery's calls to Redis, and what follows from each answer. Nothing counts as delivered but
 * what an OK told.
 */
#include <string.h>

#include "dataplane/faults.h"
#include "dataplane/orders/delivery_internal.h"

#define MS              UINT64_C(1000000)
#define REFUSED_WAIT_NS (5000 * MS)       /* a person must act first */
#define POLL_CALLS      FG_SALES_LIVE_MAX /* of one round: with more sales, they take turns */

static void bump(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The attempt came to nothing: the next one waits. */
static void back_off(struct fg_delivery *delivery)
{
    fg_circuit_failed(&delivery->circuit, delivery->now_ns);
}

/* What the streams hold is to be asked anew; until then nobody can say that they hold everything.
 */
static void forget(struct fg_delivery *delivery)
{
    fg_batches_clear(&delivery->batches);
    fg_streams_forget(&delivery->streams);
    atomic_store_explicit(&delivery->stats.caught_up, 0, memory_order_relaxed);
}

static void go_away(struct fg_delivery *delivery)
{
    struct fg_redis_link *link = delivery->config.link;
    link->close(link->context);
    forget(delivery);
    delivery->phase = FG_PHASE_AWAY;
    fg_delivery_set_state(delivery, FG_DELIVERY_CONNECTING);
}

static void begin_claims(struct fg_delivery *delivery)
{
    forget(delivery);
    delivery->phase = FG_PHASE_CLAIM;
}

static void tell(struct fg_delivery *delivery, const struct fg_stream *stream)
{
    struct fg_redis_link *link = delivery->config.link;
    fg_delivery_set_error(delivery, "%s%s%s", stream ? stream->name : "", stream ? ": " : "",
                          link->error(link->context));
}

/* Gives one stream up; the others go on. */
static void give_up(struct fg_delivery *delivery, struct fg_stream *stream,
                    enum fg_stream_state state)
{
    fg_batches_drop(&delivery->batches, stream);
    fg_stream_stop(&delivery->streams, stream, state);
    stream->retry_at_ns = delivery->now_ns + REFUSED_WAIT_NS;
}

/* What follows from an answer other than OK; `stream` is NULL if none was asked about. */
static void react(struct fg_delivery *delivery, struct fg_stream *stream,
                  enum fg_redis_answer answer)
{
    tell(delivery, stream);
    if (answer != FG_REDIS_GAP)
        bump(&delivery->stats.errors, 1);
    switch (answer) {
    case FG_REDIS_OK:
        assert(!"OK calls for no reaction");
        break;
    case FG_REDIS_GAP:
        bump(&delivery->stats.gaps, 1);
        begin_claims(delivery);
        /* A second one, with nothing appended in between, would go on as fast as the log can be
         * read. */
        if (delivery->gaps++ > 0)
            back_off(delivery);
        break;
    case FG_REDIS_FENCED:
        go_away(delivery);
        fg_delivery_set_state(delivery, FG_DELIVERY_FENCED);
        if (delivery->config.fenced)
            delivery->config.fenced(delivery->config.fenced_arg);
        break;
    case FG_REDIS_RETRY:
    case FG_REDIS_RELOAD:
    case FG_REDIS_LOST:
        go_away(delivery);
        back_off(delivery);
        break;
    case FG_REDIS_BAD_KEY:
        give_up(delivery, stream, FG_STREAM_BAD_KEY);
        break;
    case FG_REDIS_REFUSED:
        if (stream) {
            give_up(delivery, stream, FG_STREAM_REFUSED);
            break;
        }
        go_away(delivery);
        fg_circuit_refused(&delivery->circuit, delivery->now_ns, REFUSED_WAIT_NS);
        break;
    }
}

void fg_delivery_connect(struct fg_delivery *delivery)
{
    struct fg_redis_link *link = delivery->config.link;
    enum fg_redis_answer answer = link->connect(link->context);
    if (answer == FG_REDIS_OK) {
        bump(&delivery->stats.connects, 1);
        begin_claims(delivery);
    } else if (answer == FG_REDIS_GAP || answer == FG_REDIS_BAD_KEY) {
        react(delivery, NULL, FG_REDIS_REFUSED); /* no key was asked about */
    } else {
        react(delivery, NULL, answer);
    }
}

/* --- claims --- */

static enum fg_redis_answer ask(struct fg_delivery *delivery, struct fg_stream *stream,
                                struct fg_redis_append *claim)
{
    struct fg_redis_link *link = delivery->config.link;
    *claim = (struct fg_redis_append){.sale = stream->name, .expected = stream->last};
    enum fg_redis_answer answer = link->append(link->context, claim);
    if (answer != FG_REDIS_OK)
        return answer;
    FG_CRASH_POINT(FENCE_CLAIMED);
    if (claim->consumed_odd && !stream->odd_told)
        tell(delivery, stream);
    stream->odd_told = claim->consumed_odd;
    return answer;
}

void fg_delivery_claim(struct fg_delivery *delivery, struct fg_stream *stream)
{
    struct fg_redis_append claim;
    /* [ask.1] */
    enum fg_redis_answer answer = ask(delivery, stream, &claim);
    stream->asked = true; /* react() may take it back */
    if (answer == FG_REDIS_OK)
        fg_stream_claimed(&delivery->streams, stream, claim.last); /* [ask.2] */
    else
        react(delivery, stream, answer);
}

/* --- appends --- */

static struct fg_redis_append append_of(const struct fg_batch *batch, struct fg_stream_id expected)
{
    return (struct fg_redis_append){.sale = batch->stream->name,
                                    .expected = expected,
                                    .count = batch->count,
                                    .records = batch->records};
}

static struct fg_stream_id end_of(const struct fg_batch *batch)
{
    const struct fg_record *end = &batch->records[batch->count - 1];
    return (struct fg_stream_id){end->epoch, end->order->sale_seq};
}

/* Sends the batch that is full by now behind the one under way, if that is the same sale's: its
 * predecessor in the log is the other's last record, and so it is refused when that is. Not when
 * something else is to be asked. */
static void follow(struct fg_delivery *delivery)
{
    struct fg_redis_link *link = delivery->config.link;
    const struct fg_batch *flying = delivery->batches.flying, *full = delivery->batches.full;
    if (!link->follow || !full || full->stream != flying->stream || fg_delivery_stopped(delivery) ||
        delivery->now_ns >= delivery->poll_at_ns ||
        atomic_load_explicit(&delivery->rebuilds, memory_order_relaxed))
        return;
    struct fg_redis_append append = append_of(full, end_of(flying));
    link->follow(link->context, &append); /* [follow.1] */
    delivery->followed = true;
}

/* While Redis works on a batch. */
static void meanwhile(void *arg)
{
    fg_delivery_read_ahead(arg);
    follow(arg);
}

void fg_delivery_append(struct fg_delivery *delivery, struct fg_batch *batch)
{
    struct fg_redis_link *link = delivery->config.link;
    struct fg_stream *stream = batch->stream;
    struct fg_redis_append append = append_of(batch, stream->last);
    append.meanwhile = meanwhile;
    append.meanwhile_arg = delivery;
    delivery->followed = false;
    fg_batches_fly(&delivery->batches, batch);
    enum fg_redis_answer answer = link->append(link->context, &append); /* [append.1] */
    if (answer != FG_REDIS_OK)
        delivery->followed = false;
    if (fg_delivery_stopped(delivery))
        return; /* the log could not be read on: nothing follows from any answer */
    if (answer == FG_REDIS_RETRY) {
        tell(delivery, stream);
        bump(&delivery->stats.errors, 1);
        back_off(delivery);
        return;
    }
    if (answer != FG_REDIS_OK) {
        react(delivery, stream, answer);
        return;
    }
    FG_CRASH_POINT(BATCH_APPENDED);
    fg_stream_appended(&delivery->streams, stream, end_of(batch)); /* [append.2] */
    bump(&delivery->stats.delivered, batch->count);
    fg_batches_land(&delivery->batches);
    fg_circuit_worked(&delivery->circuit);
    delivery->gaps = 0;
}

/* --- the poll --- */

void fg_delivery_poll_begin(struct fg_delivery *delivery)
{
    delivery->poll_sales = delivery->streams.greatest;
    delivery->poll_calls = POLL_CALLS;
    delivery->poll_at_ns = delivery->now_ns + FG_DELIVERY_POLL_NS;
}

/* The next stream of this round that Redis is to be asked about, or NULL. */
static struct fg_stream *next_polled(struct fg_delivery *delivery)
{
    while (delivery->poll_calls > 0 && delivery->poll_sales > 0) {
        delivery->poll_sales--;
        delivery->poll_next = delivery->poll_next % delivery->streams.greatest + 1;
        struct fg_stream *stream = fg_streams_lookup(&delivery->streams, delivery->poll_next);
        if (!stream || !stream->asked || stream->state == FG_STREAM_DONE)
            continue;
        if (stream->state == FG_STREAM_REFUSED && delivery->now_ns < stream->retry_at_ns)
            continue;
        delivery->poll_calls--;
        return stream;
    }
    return NULL;
}

/* Redis refuses something beside delivery itself, for want of a right: delivery goes on. */
static void refused_aside(struct fg_delivery *delivery, const struct fg_stream *stream)
{
    tell(delivery, stream);
    bump(&delivery->stats.errors, 1);
}

static void trim(struct fg_delivery *delivery, struct fg_stream *stream, uint64_t key)
{
    struct fg_redis_link *link = delivery->config.link;
    struct fg_stream_id first;
    if (!fg_stream_consumed(&delivery->streams, stream, key, &first))
        return;
    enum fg_redis_answer answer = link->trim(link->context, stream->name, first);
    if (answer == FG_REDIS_OK)
        fg_stream_trimmed(stream);
    else if (answer == FG_REDIS_REFUSED)
        refused_aside(delivery, stream);
    else
        react(delivery, stream, answer);
}

bool fg_delivery_poll(struct fg_delivery *delivery)
{
    struct fg_stream *stream = next_polled(delivery);
    if (!stream)
        return false;
    struct fg_redis_append claim;
    enum fg_redis_answer answer = ask(delivery, stream, &claim);
    bool known = (answer == FG_REDIS_BAD_KEY && stream->state == FG_STREAM_BAD_KEY);
    if (answer != FG_REDIS_OK) {
        if (!known)
            react(delivery, stream, answer);
    } else if (fg_stream_moved(stream, claim.last)) {
        begin_claims(delivery);
    } else {
        trim(delivery, stream, claim.consumed);
    }
    return true;
}

/* --- rebuilding --- */

static struct fg_stream *next_rebuilt(const struct fg_streams *streams)
{
    for (uint32_t sale = 1; sale <= streams->greatest; sale++)
        if (atomic_load_explicit(&streams->boards[sale].rebuild, memory_order_relaxed))
            return streams->by_sale[sale];
    return NULL;
}

static void note_aside(struct fg_delivery *delivery, const char *key)
{
    pthread_mutex_lock(&delivery->text_lock);
    memcpy(delivery->aside, key, sizeof(delivery->aside));
    pthread_mutex_unlock(&delivery->text_lock);
}

static void settle_rebuild(struct fg_delivery *delivery, const struct fg_stream *stream)
{
    atomic_store_explicit(&delivery->streams.boards[stream->sale].rebuild, false,
                          memory_order_relaxed);
}

/* Can the log refill the stream? Segments may have gone since it was asked for, and since this pass
 * read where the log begins: then it is read again first. True: do what was asked for. */
static bool refillable(struct fg_delivery *delivery, const struct fg_stream *stream)
{
    uint32_t first, last;
    if (fg_log_reader_range(delivery->reader, &first, &last) != 0 ||
        first != delivery->pass_first) {
        begin_claims(delivery);
        return false;
    }
    if (stream->base == 0 && stream->state != FG_STREAM_DONE)
        return true;
    settle_rebuild(delivery, stream);
    fg_delivery_set_error(delivery,
                          "%s: not rebuilt: the log has lost events of it to retention since that "
                          "was asked for, and the stream is the only place that has them",
                          stream->name);
    return false;
}

bool fg_delivery_move_aside(struct fg_delivery *delivery)
{
    if (!delivery->pass_over)
        return false;
    /* acquire: pairs with the release in fg_delivery_rebuild(). Cleared before the boards are
     * looked at: what is asked for later sets it again. */
    if (!atomic_load_explicit(&delivery->rebuilds, memory_order_relaxed) ||
        !atomic_exchange_explicit(&delivery->rebuilds, false, memory_order_acquire))
        return false;
    struct fg_stream *stream = next_rebuilt(&delivery->streams);
    if (!stream)
        return false;
    atomic_store_explicit(&delivery->rebuilds, true, memory_order_relaxed); /* there may be more */
    if (!refillable(delivery, stream))
        return true;
    struct fg_redis_link *link = delivery->config.link;
    char aside[sizeof(delivery->aside)] = {0};
    enum fg_redis_answer answer =
        link->set_aside(link->context, stream->name, aside, sizeof(aside));
    /* When the answer was lost, or Redis cannot now, it is asked again. */
    bool again = answer == FG_REDIS_RETRY || answer == FG_REDIS_RELOAD || answer == FG_REDIS_LOST;
    if (!again)
        settle_rebuild(delivery, stream);
    if (answer == FG_REDIS_OK) {
        note_aside(delivery, aside);
        begin_claims(delivery);
    } else if (answer == FG_REDIS_REFUSED) {
        refused_aside(delivery, stream);
    } else {
        react(delivery, stream, answer);
    }
    return true;
}
