/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What status and sale show tell. Everything here reads per-core counters, gauges and
 * the model; no worker is asked, none waits.
 */
#include <stdio.h>
#include <string.h>

#include "control/internal.h"
#include "control/text.h"

#define STATUS_ITEMS_MAX 100 /* items of a sale in status; sale show tells all */

static json_int_t read_count(const _Atomic uint64_t *count)
{
    return (json_int_t)atomic_load_explicit(count, memory_order_relaxed);
}

/* --- counters --- */

/* Sums of all workers, or of one. */
static uint64_t sum_counter(const struct fg_engine *engine, unsigned first, unsigned end,
                            size_t offset)
{
    uint64_t sum = 0;
    for (unsigned w = first; w < end; w++) {
        const struct fg_worker *worker = engine->workers[w];
        if (worker && worker->counters)
            sum += (uint64_t)read_count(
                (const _Atomic uint64_t *)((const char *)worker->counters + offset));
    }
    return sum;
}

static json_t *counters_json(const struct fg_engine *engine, unsigned first, unsigned end)
{
    json_t *json = json_object();
#define X(name, text, help)                                                                        \
    json_object_set_new(                                                                           \
        json, text,                                                                                \
        json_integer((json_int_t)sum_counter(                                                      \
            engine, first, end, offsetof(struct fg_counters, count[FG_COUNTER_##name]))));
    FG_COUNTERS(X)
#undef X
    return json;
}

static json_t *verdicts_json(const struct fg_engine *engine, unsigned first, unsigned end)
{
    json_t *json = json_object();
#define X(name, code, help)                                                                        \
    json_object_set_new(                                                                           \
        json, #name,                                                                               \
        json_integer((json_int_t)sum_counter(                                                      \
            engine, first, end, offsetof(struct fg_counters, verdicts[FG_VERDICT_##name]))));
    FG_VERDICTS(X)
#undef X
    return json;
}

/* X(name) of struct fg_admission_gauges */
#define GAUGES(X) X(orders) X(holds) X(parked) X(unsettled)

static json_t *gauges_json(const struct fg_engine *engine, unsigned first, unsigned end)
{
    json_int_t sums[4] = {0};
    for (unsigned w = first; w < end; w++) {
        const struct fg_worker *worker = engine->workers[w];
        if (!worker || !worker->admission)
            continue;
        const struct fg_admission_gauges *gauges = fg_admission_gauges(worker->admission);
        json_int_t *sum = sums;
#define X(name) *sum++ += read_count(&gauges->name);
        GAUGES(X)
#undef X
    }
    json_t *json = json_object();
    const json_int_t *sum = sums;
#define X(name) json_object_set_new(json, #name, json_integer(*sum++));
    GAUGES(X)
#undef X
    return json;
}

static json_t *sums_json(const struct fg_engine *engine, unsigned first, unsigned end)
{
    return json_pack("{s:o,s:o,s:o}", "counters", counters_json(engine, first, end), "verdicts",
                     verdicts_json(engine, first, end), "gauges", gauges_json(engine, first, end));
}

static const char *worker_state_name(uint32_t state)
{
    static const char *const names[] = {
        [FG_WORKER_STARTING] = "starting", [FG_WORKER_RUNNING] = "running",
        [FG_WORKER_DRAINED] = "drained",   [FG_WORKER_DECIDED] = "drained",
        [FG_WORKER_ANSWERED] = "drained",  [FG_WORKER_ENDED] = "ended",
    };
    return state < sizeof(names) / sizeof(*names) ? names[state] : "?";
}

static json_t *worker_json(const struct fg_engine *engine, unsigned w)
{
    const struct fg_worker *worker = engine->workers[w];
    json_t *json = sums_json(engine, w, w + 1);
    if (!json || !worker)
        return json;
    json_object_set_new(json, "worker", json_integer(w));
    json_object_set_new(json, "lcore", json_integer(worker->lcore));
    json_object_set_new(json, "core", json_integer(engine->config.worker_cores[w]));
    json_object_set_new(
        json, "state",
        json_string(worker_state_name(atomic_load_explicit(&worker->state, memory_order_relaxed))));
    json_object_set_new(json, "seen_revision", json_integer(read_count(&worker->seen_revision)));
    if (worker->counters) {
        json_object_set_new(json, "loops", json_integer(read_count(&worker->counters->loops)));
        json_object_set_new(json, "busy_cycles",
                            json_integer(read_count(&worker->counters->busy_cycles)));
        json_object_set_new(json, "total_cycles",
                            json_integer(read_count(&worker->counters->total_cycles)));
    }
    return json;
}

static json_t *workers_json(const struct fg_engine *engine)
{
    json_t *json = json_array();
    for (unsigned w = 0; w < engine->config.workers; w++)
        json_array_append_new(json, worker_json(engine, w));
    return json;
}

/* --- sales --- */

/* Units on sale now, and units that orders have: held, final, or being decided. */
static json_t *item_json(const struct fg_control *control, const struct fg_sale_item *definition)
{
    const struct fg_model_item *item = fg_model_item(&control->model, definition->id);
    uint32_t free_units = fg_stock_free_units(&control->engine->stock, item->item.slot);
    uint32_t given = item->pooled > free_units ? item->pooled - free_units : 0;
    return json_pack("{s:I,s:s,s:I,s:I,s:I,s:I,s:i,s:I}", "id", (json_int_t)definition->id, "name",
                     item->name, "stock", (json_int_t)fg_model_supply(item), "available",
                     (json_int_t)free_units, "given", (json_int_t)given, "limit",
                     (json_int_t)definition->limit, "max_per_order", definition->max_per_order,
                     "hold_ms", (json_int_t)definition->hold_ms);
}

json_t *fg_status_sale(const struct fg_control *control, const struct fg_sale *sale,
                       uint32_t items_max)
{
    json_int_t stock = 0, available = 0, given = 0;
    json_t *items = json_array();
    for (uint32_t i = 0; i < sale->items_count; i++) {
        json_t *item = item_json(control, &sale->items[i]);
        stock += json_integer_value(json_object_get(item, "stock"));
        available += json_integer_value(json_object_get(item, "available"));
        given += json_integer_value(json_object_get(item, "given"));
        if (i < items_max)
            json_array_append(items, item);
        json_decref(item);
    }
    json_t *json =
        json_pack("{s:s,s:I,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:o}", "name", sale->name, "number",
                  (json_int_t)sale->number, "state", fg_sale_state_name(sale->state), "opens",
                  fg_json_time(sale->opens_ns), "closes", fg_json_time(sale->closes_ns), "stock",
                  stock, "available", available, "given", given, "items_count",
                  (json_int_t)sale->items_count, "items", items);
    json_object_set_new(json, "opening", fg_openings_json(control, sale->number));
    if (json && control->engine->delivery)
        json_object_set_new(json, "stream",
                            json_string(fg_stream_state_name(fg_delivery_stream_state(
                                control->engine->delivery, sale->number))));
    return json;
}

static json_t *sales_json(const struct fg_control *control)
{
    json_t *json = json_array();
    for (unsigned i = 0; i < control->model.sales_count; i++)
        json_array_append_new(json,
                              fg_status_sale(control, control->model.sales[i], STATUS_ITEMS_MAX));
    return json;
}

/* --- the parts --- */

static json_t *journal_json(const struct fg_engine *engine)
{
    const struct fg_journal_stats *stats = fg_journal_stats(engine->journal);
    json_int_t frames = read_count(&stats->frames);
    json_int_t total_us = read_count(&stats->flush_ns_total) / 1000;
    json_int_t budget = (json_int_t)engine->config.log_budget;
    json_int_t room = read_count(&stats->room_bytes);
    int stuck = (int)read_count(&stats->stuck);
    return json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:I,s:I,s:f,s:s?}", "flush",
        read_count(&stats->flushes_direct) ? "direct" : "fdatasync", "ack",
        engine->config.ack == FG_ACK_MEMORY ? "memory" : "durable", "durable",
        (json_int_t)fg_journal_durable(engine->journal), "frames", frames, "records",
        read_count(&stats->records), "bytes", read_count(&stats->bytes), "flush_us_last",
        read_count(&stats->flush_ns_last) / 1000, "flush_us_mean", frames ? total_us / frames : 0,
        "flush_us_max", read_count(&stats->flush_ns_max) / 1000, "oldest_segment",
        read_count(&stats->oldest_segment), "segment", read_count(&stats->segment), "log_bytes",
        read_count(&stats->log_bytes), "log_dir", engine->config.log_dir, "log_budget", budget,
        "room_bytes", room, "room_share", budget ? (double)room / (double)budget : 0, "stuck",
        stuck ? strerror(stuck) : NULL);
}

static json_t *config_json(const struct fg_control *control)
{
    const struct fg_config *config = &control->engine->config;
    json_t *ports = json_array();
    for (unsigned i = 0; i < config->ports_count; i++) {
        uint32_t address = config->ports[i].address;
        char text[32];
        snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", address >> 24, address >> 16 & 255,
                 address >> 8 & 255, address & 255, config->ports[i].prefix_bits);
        json_array_append_new(
            ports, json_pack("{s:s?,s:s}", "device", config->ports[i].device, "address", text));
    }
    return json_pack("{s:i,s:I,s:i,s:i,s:b,s:i,s:o}", "workers", (int)config->workers, "partitions",
                     (json_int_t)config->partitions, "base_port", config->base_port, "node",
                     (int)config->node, "unsigned", config->unsigned_allowed, "keys",
                     (int)control->keys.ring.count, "ports", ports);
}

json_t *fg_status_json(const struct fg_control *control)
{
    const struct fg_engine *engine = control->engine;
    return json_pack(
        "{s:I,s:i,s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "revision",
        (json_int_t)control->model.revision, "epoch", (int)fg_journal_epoch(engine->journal),
        "uptime_ms", (json_int_t)(fg_control_now_ms() - control->started_ms), "serving_since",
        fg_json_time(control->serving_since_ns), "steering", engine->steering, "warnings",
        fg_alarms_json(control), "clock", fg_status_clock(control), "config", config_json(control),
        "totals", sums_json(engine, 0, engine->config.workers), "workers", workers_json(engine),
        "journal", journal_json(engine), "delivery", fg_status_delivery(control), "sales",
        sales_json(control));
}
