/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/checks.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/admission/internal.h"
#include "perf/check/compare.h"
#include "perf/check/log_book.h"
#include "tests/sim/lists.h"

static void found(void *arg, enum fg_check check, const char *sentence)
{
    world_fail(arg, "%s %s: %s", fg_check_invariant(check), fg_check_name(check), sentence);
}

/* The log as it was followed since the last start. */
static struct {
    struct fg_log_book book;
    struct fg_findings findings;
    bool open;
} followed;

void checks_leave(struct world *world)
{
    (void)world;
    if (followed.open)
        fg_log_book_close(&followed.book);
    followed.open = false;
}

/* Reads with no fault of the disk's: what a check sees is what there is. */
static void read_book(struct sim_engine *e, struct fg_log_book *book, uint64_t limit)
{
    struct disk_faults faults = e->disk->faults;
    char message[512] = "";

    e->disk->faults = (struct disk_faults){0};
    int rc = fg_log_book_read(book, limit, message, sizeof(message));
    e->disk->faults = faults;
    if (rc != FG_LOG_END)
        world_fail(e->world, "the log cannot be read up to frame %" PRIu64 ": %s", limit, message);
}

static bool open_book(struct sim_engine *e, struct fg_log_book *book, struct fg_findings *findings)
{
    char message[512];

    *findings = (struct fg_findings){.found = found, .arg = e->world};
    if (fg_log_book_open(book, &e->disk->seam, "log", findings, message, sizeof(message)) == 0)
        return true;
    world_fail(e->world, "the log cannot be opened: %s", message);
    return false;
}

void checks_follow(struct sim_engine *e)
{
    checks_leave(e->world);
    followed.open = open_book(e, &followed.book, &followed.findings);
    checks_durable(e);
}

void checks_durable(struct sim_engine *e)
{
    if (followed.open)
        read_book(e, &followed.book, fg_journal_durable(e->engine.journal));
}

/* Units that the log gives away, by item. */
static void count_given(int64_t given[SIM_ITEMS_MAX + 1])
{
    memset(given, 0, (SIM_ITEMS_MAX + 1) * sizeof(given[0]));
    for (unsigned s = 0; s < followed.book.sales_count; s++) {
        const struct fg_sale_stream *stream = &followed.book.streams[s];
        for (uint64_t i = 0; i < stream->count; i++) {
            const struct fg_order_event *event = &stream->entries[i].event;
            assert(event->item <= SIM_ITEMS_MAX);
            if (event->kind == FG_EVENT_ADMIT || event->kind == FG_EVENT_REACQUIRE)
                given[event->item] += event->quantity;
            if (event->kind == FG_EVENT_CANCEL || event->kind == FG_EVENT_EXPIRE)
                given[event->item] -= event->quantity;
        }
    }
}

int64_t checks_given(const struct world *world, uint32_t item)
{
    int64_t given[SIM_ITEMS_MAX + 1];

    (void)world;
    count_given(given);
    return given[item];
}

void checks_supply(struct sim_engine *e)
{
    int64_t given[SIM_ITEMS_MAX + 1];

    if (!followed.open)
        return;
    count_given(given);
    for (uint32_t id = 1; id <= e->world->profile.items; id++) {
        const struct fg_model_item *item = fg_model_item(&e->engine.control->model, id);
        int64_t left = item ? fg_stock_free_units(&e->engine.stock, item->item.slot) : 0;
        if (item && left + given[id] > item->pooled)
            world_fail(e->world,
                       "I1: of %" PRIu32 " units of item %" PRIu32 " on sale durable orders have "
                       "%" PRId64 ", and %" PRId64 " are free",
                       item->pooled, id, given[id], left);
    }
}

void checks_before_worker(struct sim_engine *e)
{
    memset(e->returning, 0, sizeof(e->returning));
    for (unsigned w = 0; w < e->engine.config.workers; w++) {
        const struct fg_admission *a = e->plan.admissions[w];
        for (uint64_t ticket = a->settled + 1; ticket <= fg_lane_durable(a->lane); ticket++) {
            const struct pending *record = &a->pending[ticket & a->pending_mask];
            if (record->settlement == SETTLE_RETURN || record->settlement == SETTLE_RELEASE)
                e->returning[record->slot] += record->quantity;
        }
    }
}

/*
 * I7, exactly: at the step that says SOLD_OUT for q units, what was put on sale less what durable
 * orders hold is less than q. Durable, because what is not might be gone after a crash. A unit
 * whose return is durable is on sale when its worker has put it back.
 */
static void check_sold_out(struct sim_engine *e, const struct fg_reply *reply)
{
    const struct fg_model_item *item = fg_model_item(&e->engine.control->model, reply->item);

    e->world->stats->sold_out++;
    if (!item || !followed.open)
        return;
    int64_t left =
        (int64_t)item->pooled - checks_given(e->world, reply->item) - e->returning[item->item.slot];
    if (left >= reply->quantity)
        world_fail(e->world,
                   "I7: SOLD_OUT was said for %u of item %" PRIu32 ", but of %" PRIu32
                   " units on sale the durable log leaves %" PRId64,
                   reply->quantity, reply->item, item->pooled, left);
}

/* Kinds of event of an order that are durable, a bit for each; ADMIT_FINAL: it has no hold. */
#define ADMIT_FINAL 1u

static unsigned durable_kinds(uint64_t order)
{
    unsigned kinds = 0;

    for (unsigned s = 0; s < followed.book.sales_count; s++) {
        const struct fg_sale_stream *stream = &followed.book.streams[s];
        for (uint64_t i = stream->count; i-- > 0;) {
            const struct fg_order_event *event = &stream->entries[i].event;
            if (event->order == order) {
                kinds |= 1u << event->kind;
                if (event->kind == FG_EVENT_ADMIT && event->hold_ms == 0)
                    kinds |= ADMIT_FINAL;
            }
        }
    }
    return kinds;
}

/* Rule 2 of the protocol: what a reply tells of an order is on disk. */
static void check_told(struct sim_engine *e, const struct fg_reply *reply)
{
    static const unsigned wanted[] = {
        [FG_VERDICT_ADMITTED] = 1u << FG_EVENT_ADMIT,
        [FG_VERDICT_CONFIRMED] = 1u << FG_EVENT_CONFIRM | 1u << FG_EVENT_REACQUIRE | ADMIT_FINAL,
        [FG_VERDICT_CANCELLED] = 1u << FG_EVENT_CANCEL,
        [FG_VERDICT_EXPIRED] = 1u << FG_EVENT_EXPIRE,
    };

    if (followed.open && !(durable_kinds(reply->order) & wanted[reply->verdict]))
        world_fail(e->world,
                   "I2: order %" PRIu64 " was told %s, and no event that says so is on disk",
                   reply->order, fg_verdict_name(reply->verdict));
}

void checks_reply(struct sim_engine *e, const uint8_t *payload)
{
    struct fg_header header;
    struct fg_reply reply;

    memcpy(&header, payload, sizeof(header));
    for (unsigned i = 0; i < header.count && e == e->world->engine; i++) {
        memcpy(&reply, payload + FG_REPLY_BYTES(i), sizeof(reply));
        if (reply.order != 0 && reply.verdict <= FG_VERDICT_EXPIRED)
            check_told(e, &reply);
        /* In a datagram of several entries one may have waited for another's record meanwhile. */
        if (reply.verdict == FG_VERDICT_SOLD_OUT && header.count == 1)
            check_sold_out(e, &reply);
        if (header.count == 1)
            lists_check_reply(e, &header, &reply);
    }
}

/* --- What an operator was told --- */

void checks_mode(struct sim_engine *e, unsigned w, uint64_t queued)
{
    enum fg_engine_mode mode = e->desk.mode;
    const struct fg_lane *lane = fg_journal_lane(e->engine.journal, w);
    const struct rte_ring *ring = lane->ring;
    const struct fg_order_event *records = (const void *)(ring + 1);

    if (mode == FG_ENGINE_RUNNING || e->engine.control->model.mode != mode)
        return;
    for (uint32_t back = 1; back <= lane->queued - queued; back++) {
        const struct fg_order_event *event = &records[(ring->prod.tail - back) & ring->mask];
        if (event->kind == FG_EVENT_ADMIT || mode == FG_ENGINE_KILLED)
            world_fail(e->world, "an engine that is %s queued %s of order %" PRIu64,
                       fg_engine_mode_name(mode), fg_event_name(event->kind), event->order);
    }
}

/* Whatever an order's state is by the log, Redis has been told. */
static void check_all_delivered(struct sim_engine *e)
{
    struct world *world = e->world;

    for (unsigned s = 0; s < followed.book.sales_count; s++) {
        const struct fg_sale_stream *log = &followed.book.streams[s];
        struct fg_stream_id last = redis_stream(&world->redis, log->sale)->last;
        if (log->count > 0 && last.sale_seq < log->entries[log->count - 1].event.sale_seq)
            world_fail(world, "I9: drained, but %s ends with %" PRIu64 " of %" PRIu64 " events",
                       log->sale, last.sale_seq, log->entries[log->count - 1].event.sale_seq);
    }
}

void checks_drained(struct sim_engine *e)
{
    for (unsigned w = 0; w < e->engine.config.workers; w++) {
        const struct fg_lane *lane = fg_journal_lane(e->engine.journal, w);
        if (fg_admission_waiting(e->plan.admissions[w]) > 0 || fg_lane_durable(lane) < lane->queued)
            world_fail(e->world,
                       "I9: drained, but %u replies and %" PRIu64 " records of worker %u wait",
                       fg_admission_waiting(e->plan.admissions[w]),
                       lane->queued - fg_lane_durable(lane), w);
    }
    checks_durable(e);
    /* What Redis loses afterwards, delivery learns at its next poll. */
    if (followed.open && !e->world->redis.emptied)
        check_all_delivered(e);
}

void checks_cancelled(struct sim_engine *e, uint64_t order)
{
    checks_durable(e);
    if (followed.open && !(durable_kinds(order) & 1u << FG_EVENT_CANCEL))
        world_fail(e->world,
                   "I2: an operator was told that order %" PRIu64
                   " is cancelled, and no event that says so is on disk",
                   order);
}

/* --- The end --- */

/* I3: each stream is the sale's log. */
static void check_streams(struct sim_engine *e, const struct fg_check_input *input,
                          struct fg_findings *findings)
{
    struct world *world = e->world;

    for (unsigned s = 0; s < input->streams_count; s++) {
        const struct fg_sale_stream *log = &input->streams[s];
        const struct redis_stream *stream = redis_stream(&world->redis, log->sale);
        struct fg_sale_stream seen = {.entries = stream->entries + stream->trimmed,
                                      .count = stream->count - stream->trimmed,
                                      .last = stream->last};
        struct fg_compare compare;
        memcpy(seen.sale, log->sale, sizeof(seen.sale));
        bool archived = input->sales && input->sales[s].state == FG_SALE_ARCHIVED;
        if (archived && world->redis.emptied)
            continue; /* what the log has forgotten nobody can bring back */
        if (fg_compare_stream(&compare, log, &seen, true, findings) != 0)
            abort();
        world->stats->entries += compare.equal;
    }
}

/* I5: pool and cells, and what orders hold or have, are the supply. Nothing is unsettled but holds.
 */
void checks_stock(struct sim_engine *e)
{
    struct fg_check_input everything = {0}, *input = &everything;

    if (!followed.open)
        return;
    checks_durable(e);
    fg_log_book_input(&followed.book, input);
    const struct fg_stock *stock = &e->engine.stock;

    for (uint32_t i = 0; i < input->items_count; i++) {
        const struct fg_model_item *item =
            fg_model_item(&e->engine.control->model, input->items[i].id);
        if (!item)
            continue;
        uint32_t slot = item->item.slot, free_units = fg_stock_free_units(stock, slot);
        int64_t given = checks_given(e->world, input->items[i].id);
        if (free_units + given != fg_model_supply(item))
            world_fail(e->world,
                       "I5: item %" PRIu32 " has %" PRIu32 " free units, orders have %" PRId64
                       ", the supply is %" PRIu32,
                       input->items[i].id, free_units, given, fg_model_supply(item));
        uint32_t open = 0, held = 0;
        for (unsigned w = 0; w <= stock->workers; w++) {
            open += atomic_load(&stock->lines[w][slot].open);
            held += atomic_load(&stock->lines[w][slot].held);
        }
        if (open != held)
            world_fail(e->world,
                       "I5: item %" PRIu32 " is at rest, but %u are open, %u of them held",
                       input->items[i].id, open, held);
    }
}

/* Demand has outlived the last return. */
static void check_sold(struct sim_engine *e, const struct fg_check_input *input)
{
    for (uint32_t i = 0; i < input->items_count; i++) {
        const struct fg_model_item *item =
            fg_model_item(&e->engine.control->model, input->items[i].id);
        if (!item || item->item.id != input->items[i].id || item->item.state != FG_SALE_OPEN ||
            item->state != FG_ITEM_RUNNING)
            continue;
        uint32_t left = fg_stock_free_units(&e->engine.stock, item->item.slot);
        if (left > 0)
            world_fail(e->world,
                       "I8: %" PRIu32 " units of item %" PRIu32
                       " are left though more were asked for",
                       left, input->items[i].id);
    }
}

/* A client that was told CANCELLED without an order owns none for that request. */
static void check_voids(struct world *world, const struct fg_check_input *input)
{
    if (world->wall_went_back) /* docs/architecture.md, Known limits */
        return;
    for (uint32_t r = 0; r < world->clients.requests_count; r++) {
        const struct client_request *request = &world->clients.requests[r];
        if (!request->told_void)
            continue;
        for (unsigned s = 0; s < input->streams_count; s++)
            for (uint64_t i = 0; i < input->streams[s].count; i++) {
                const struct fg_order_event *event = &input->streams[s].entries[i].event;
                /* Archiving a sale ends its idempotency. */
                bool archived = input->sales && input->sales[s].state == FG_SALE_ARCHIVED;
                if (!archived && event->kind == FG_EVENT_ADMIT &&
                    event->request == request->request)
                    world_fail(world,
                               "request %" PRIu64 " was told to be void, and has order "
                               "%" PRIu64,
                               request->request, event->order);
            }
    }
}

/* What the supply was before the first segment that is left, nobody can tell: then only the check
 * of the moment judges a SOLD_OUT. */
static void leave_out_refusals(struct fg_check_input *input, const struct fg_log_book *book)
{
    struct fg_history_record *records = (void *)(uintptr_t)input->records;

    for (uint64_t i = 0; book->first_segment > 1 && i < input->records_count; i++)
        if (records[i].verdict == FG_VERDICT_SOLD_OUT)
            records[i].verdict = FG_VERDICT_BUSY;
}

void checks_end(struct sim_engine *e)
{
    struct world *world = e->world;
    struct fg_check_input input = {.records = world->clients.history.records,
                                   .records_count = world->clients.history.header.records,
                                   .settle_ns = 100000 * SIM_S};
    struct fg_check_result result = {0};
    struct fg_findings findings;
    struct fg_log_book book;

    checks_durable(e);
    if (!open_book(e, &book, &findings))
        return;
    read_book(e, &book, UINT64_MAX);
    fg_log_book_input(&book, &input);
    leave_out_refusals(&input, &book);
    if (fg_check_run(&input, &result, &findings) != 0)
        abort();
    check_streams(e, &input, &findings);
    checks_stock(e);
    check_sold(e, &input);
    check_voids(world, &input);
    world->stats->orders += result.redis_orders;
    for (uint64_t i = 0; i < input.records_count; i++)
        world->stats->told += input.records[i].replied_ns != 0 && input.records[i].order != 0;
    fg_check_result_free(&result);
    fg_log_book_close(&book);
}
