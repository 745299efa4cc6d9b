/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/figures/read.h"

#include "control/figures/stock_page.h"
#include "control/key_figures.h"
#include "dataplane/seccomp.h"

#define NS_PER_MS UINT64_C(1000000)

/* A count that an offset names in a struct of counts. */
static uint64_t count_at(const void *base, uint32_t offset)
{
    return fg_count_read((const _Atomic uint64_t *)((const char *)base + offset));
}

/* --- of workers: one's, or the sum of all --- */

static unsigned first_worker(const struct fg_figure_at *at)
{
    return at->place == FG_FIGURE_ALL_WORKERS ? 0 : at->place;
}

static unsigned end_worker(const struct fg_figure_at *at)
{
    return at->place == FG_FIGURE_ALL_WORKERS ? at->engine->config.workers : at->place + 1;
}

bool fg_figure_read_counter(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    *value = 0;
    for (unsigned w = first_worker(at); w < end_worker(at); w++) {
        const struct fg_worker *worker = at->engine->workers[w];
        if (worker && worker->counters)
            *value += count_at(worker->counters, offset);
    }
    return true;
}

bool fg_figure_read_gauge(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    *value = 0;
    for (unsigned w = first_worker(at); w < end_worker(at); w++) {
        const struct fg_worker *worker = at->engine->workers[w];
        if (worker && worker->admission)
            *value += count_at(fg_admission_gauges(worker->admission), offset);
    }
    return true;
}

bool fg_figure_gather_latency(const struct fg_figure_at *at, uint32_t which,
                              struct fg_histogram_view *view)
{
    for (unsigned w = first_worker(at); w < end_worker(at); w++) {
        const struct fg_worker *worker = at->engine->workers[w];
        if (worker && worker->counters)
            fg_histogram_gather(view, &worker->counters->latency[which]);
    }
    return true;
}

/* In millionths; of nothing: 0. */
static uint64_t share_of(uint64_t part, uint64_t whole)
{
    return whole ? (uint64_t)((unsigned __int128)part * 1000000 / whole) : 0;
}

bool fg_figure_read_busy(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    uint64_t busy, total;
    (void)source;
    fg_figure_read_counter(at, offsetof(struct fg_counters, busy_cycles), &busy);
    fg_figure_read_counter(at, offsetof(struct fg_counters, total_cycles), &total);
    *value = share_of(busy, total);
    return true;
}

/* Cycles for each entry decided, in thousandths; `offset`: of the cycles. */
bool fg_figure_read_per_decision(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    uint64_t cycles, entries;
    fg_figure_read_counter(at, offset, &cycles);
    fg_figure_read_counter(at, offsetof(struct fg_counters, count[FG_COUNTER_ENTRIES]), &entries);
    *value = entries ? (uint64_t)((unsigned __int128)cycles * 1000 / entries) : 0;
    return true;
}

/* Frames for each burst that had one, in thousandths. */
bool fg_figure_read_fill(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    uint64_t frames, bursts = 0;
    (void)source;
    fg_figure_read_counter(at, offsetof(struct fg_counters, count[FG_COUNTER_RX_FRAMES]), &frames);
    for (uint32_t i = 0; i < FG_FILL_COUNT; i++) {
        uint64_t some;
        fg_figure_read_counter(
            at, (uint32_t)(offsetof(struct fg_counters, bursts) + i * sizeof(uint64_t)), &some);
        bursts += some;
    }
    *value = bursts ? (uint64_t)((unsigned __int128)frames * 1000 / bursts) : 0;
    return true;
}

static uint64_t counted(const struct fg_figure_at *at, enum fg_counter which)
{
    uint64_t count;
    fg_figure_read_counter(at, (uint32_t)offsetof(struct fg_counters, count[which]), &count);
    return count;
}

bool fg_figure_read_decided(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_figure_at all = {.engine = at->engine, .place = FG_FIGURE_ALL_WORKERS};
    uint64_t own = counted(at, FG_COUNTER_ENTRIES);
    (void)source;
    *value = share_of(own, counted(&all, FG_COUNTER_ENTRIES));
    return true;
}

bool fg_figure_read_taken_over(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    uint64_t taken_over = counted(at, FG_COUNTER_TAKEN_OVER);
    (void)source;
    *value = share_of(taken_over, counted(at, FG_COUNTER_REQUESTS));
    return true;
}

static const struct fg_worker *worker_of(const struct fg_figure_at *at)
{
    return at->place < at->engine->config.workers ? at->engine->workers[at->place] : NULL;
}

bool fg_figure_read_worker_state(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    static const uint8_t parts[] = {
        [FG_WORKER_STARTING] = 0, [FG_WORKER_RUNNING] = 1,  [FG_WORKER_DRAINED] = 2,
        [FG_WORKER_DECIDED] = 2,  [FG_WORKER_ANSWERED] = 2, [FG_WORKER_ENDED] = 3,
    };
    const struct fg_worker *worker = worker_of(at);
    (void)source;
    if (worker)
        *value = parts[atomic_load_explicit(&worker->state, memory_order_relaxed)];
    return worker != NULL;
}

bool fg_figure_read_seen(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_worker *worker = worker_of(at);
    (void)source;
    if (worker)
        *value = fg_count_read(&worker->seen_revision);
    return worker != NULL;
}

bool fg_figure_read_lcore(const struct fg_figure_at *at, uint32_t core, uint64_t *value)
{
    const struct fg_worker *worker = worker_of(at);
    if (worker)
        *value = core ? (uint64_t)at->engine->config.worker_cores[at->place] : worker->lcore;
    return worker != NULL;
}

/* --- of the engine --- */

bool fg_figure_read_one(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)at;
    (void)source;
    *value = 1;
    return true;
}

bool fg_figure_read_board(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_board *board = at->board;
    if (!board)
        return false;
    switch ((enum board_source)source) {
    case BOARD_REVISION:
        *value = board->revision;
        break;
    case BOARD_UPTIME:
        *value =
            fg_clock_system.monotonic_ns(fg_clock_system.context) / NS_PER_MS - board->started_ms;
        break;
    case BOARD_SERVING:
        *value = board->serving_since_ns;
        break;
    case BOARD_MODE:
        *value = board->mode;
        break;
    }
    return true;
}

bool fg_figure_read_epoch(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    *value = fg_journal_epoch(at->engine->journal);
    return true;
}

bool fg_figure_read_clock(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    *value = count_at(&at->engine->clock_figures, offset);
    return true;
}

bool fg_figure_read_lists(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    *value = count_at(&at->engine->list_figures, offset);
    return true;
}

bool fg_figure_read_port(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    const struct fg_port_figures *figures = &at->engine->port_figures[at->place];
    *value = count_at(figures, offset);
    return fg_count_read(&figures->told) != 0;
}

bool fg_figure_read_rules(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    *value = at->engine->ports[at->place].rules.count;
    return true;
}

bool fg_figure_read_config(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_config *config = &at->engine->config;
    const uint64_t values[] = {
        [CONFIG_WORKERS] = config->workers,
        [CONFIG_UNSIGNED] = config->unsigned_allowed,
        [CONFIG_ACK] = config->ack,
        [CONFIG_LOG_BUDGET] = config->log_budget,
    };
    *value = values[source];
    return true;
}

bool fg_figure_read_guard(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    *value = source == GUARD_CORES ? fg_privilege_cores_possible()
                                   : fg_seccomp_in_force(&at->engine->config);
    return true;
}

/* --- of the log --- */

bool fg_figure_read_journal(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    *value = count_at(fg_journal_stats(at->engine->journal), offset);
    return true;
}

bool fg_figure_read_durable(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    *value = fg_journal_durable(at->engine->journal);
    return true;
}

bool fg_figure_read_flush_mean(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_journal_stats *stats = fg_journal_stats(at->engine->journal);
    uint64_t frames = fg_count_read(&stats->frames);
    (void)source;
    *value = frames ? fg_count_read(&stats->flush_ns_total) / frames : 0;
    return true;
}

bool fg_figure_read_flush_wait(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    uint64_t began_ns = fg_count_read(&fg_journal_stats(at->engine->journal)->flush_began_ns);
    uint64_t now_ns = fg_clock_system.monotonic_ns(fg_clock_system.context);
    (void)source;
    *value = began_ns != 0 && now_ns > began_ns ? now_ns - began_ns : 0;
    return true;
}

bool fg_figure_gather_flush(const struct fg_figure_at *at, uint32_t source,
                            struct fg_histogram_view *view)
{
    (void)source;
    fg_histogram_gather(view, &fg_journal_stats(at->engine->journal)->flush);
    return true;
}

bool fg_figure_read_room_share(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    uint64_t budget = at->engine->config.log_budget;
    uint64_t room = fg_count_read(&fg_journal_stats(at->engine->journal)->room_bytes);
    (void)source;
    *value = share_of(room, budget);
    return true;
}

/* --- of delivery: nothing without a Redis --- */

bool fg_figure_read_delivery(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    if (at->engine->delivery)
        *value = count_at(fg_delivery_stats(at->engine->delivery), offset);
    return at->engine->delivery != NULL;
}

bool fg_figure_read_delivery_state(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    if (at->engine->delivery)
        *value = atomic_load_explicit(&fg_delivery_stats(at->engine->delivery)->state,
                                      memory_order_relaxed);
    return at->engine->delivery != NULL;
}

static uint64_t circuit_value(const struct fg_circuit_stats *stats, enum circuit_source source)
{
    if (source == CIRCUIT_LEFT)
        return fg_circuit_left_ns(stats, fg_clock_system.monotonic_ns(fg_clock_system.context));
    return fg_count_read(source == CIRCUIT_STATE ? &stats->state : &stats->openings);
}

bool fg_figure_read_circuit(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    if (at->engine->delivery)
        *value = circuit_value(fg_delivery_circuit(at->engine->delivery), source);
    return at->engine->delivery != NULL;
}

bool fg_figure_read_page_circuit(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    if (at->engine->stock_page)
        *value = circuit_value(fg_stock_page_circuit(at->engine->stock_page), source);
    return at->engine->stock_page != NULL;
}

bool fg_figure_read_page(const struct fg_figure_at *at, uint32_t offset, uint64_t *value)
{
    if (at->engine->stock_page)
        *value = count_at(fg_stock_page_stats(at->engine->stock_page), offset);
    return at->engine->stock_page != NULL;
}

/* --- of sales and items --- */

static uint64_t available_of(const struct fg_figure_at *at, const struct fg_board_item *item)
{
    return atomic_load_explicit(&at->engine->stock.available[item->slot], memory_order_relaxed);
}

static uint64_t units_of(const struct fg_figure_at *at, const struct fg_board_item *item,
                         uint32_t source)
{
    uint64_t available = available_of(at, item);
    switch ((enum units_source)source) {
    case UNITS_STOCK:
        return item->stock;
    case UNITS_AVAILABLE:
        return available;
    case UNITS_GIVEN:
        return item->pooled > available ? item->pooled - available : 0;
    }
    return 0;
}

bool fg_figure_read_sale_units(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_board_sale *sale = &at->board->sales[at->place];
    *value = 0;
    for (uint32_t i = 0; i < sale->items_count; i++)
        *value += units_of(at, &at->board->items[sale->first_item + i], source);
    return true;
}

bool fg_figure_read_item_units(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    *value = units_of(at, &at->board->items[at->place], source);
    return true;
}

bool fg_figure_read_sale_state(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    *value = at->board->sales[at->place].state;
    return true;
}

bool fg_figure_read_sale_items(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    *value = at->board->sales[at->place].items_count;
    return true;
}

bool fg_figure_read_sale_time(const struct fg_figure_at *at, uint32_t closes, uint64_t *value)
{
    const struct fg_board_sale *sale = &at->board->sales[at->place];
    *value = closes ? sale->closes_ns : sale->opens_ns;
    return *value != 0;
}

bool fg_figure_read_stream_state(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    (void)source;
    if (at->engine->delivery)
        *value = fg_delivery_stream_state(at->engine->delivery, at->board->sales[at->place].number);
    return at->engine->delivery != NULL;
}

bool fg_figure_read_stream(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    if (!at->engine->delivery)
        return false;
    struct fg_stream_view view =
        fg_delivery_stream(at->engine->delivery, at->board->sales[at->place].number);
    const uint64_t values[] = {view.logged, view.delivered, view.consumed, view.lag};
    *value = values[source];
    return true;
}

/* --- of keys --- */

bool fg_figure_read_key(const struct fg_figure_at *at, uint32_t source, uint64_t *value)
{
    const struct fg_board_key *key = &at->board->keys[at->place];
    struct fg_key_figures figures = fg_key_figures_of(at->engine, key->place, key->id);
    const uint64_t values[] = {
        [KEY_ACCEPTED] = figures.sight.accepted,
        [KEY_SEEN] = figures.sight.seen_ns,
        [KEY_STALE] = figures.sight.stale,
        [KEY_SKEW] = (uint64_t)figures.sight.skew_ns,
        [KEY_STALE_SOURCE] = 1,
        [KEY_ASKED] = figures.asked,
        [KEY_THROTTLED] = figures.throttled,
    };
    *value = values[source];
    switch ((enum key_source)source) {
    case KEY_SEEN:
        return *value != 0;
    case KEY_SKEW:
    case KEY_STALE_SOURCE:
        return figures.sight.stale_ns != 0;
    default:
        return true;
    }
}
