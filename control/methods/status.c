/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What status and sale show tell. Everything here reads per-core counters, gauges and
 * the model; no worker is asked, none waits.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/figures/figures.h"
#include "control/figures/stock_page.h"
#include "control/internal.h"
#include "control/text.h"
#include "dataplane/seccomp.h"

#define STATUS_ITEMS_MAX 100 /* items of a sale in status; sale show tells all */

/* --- workers --- */

static json_t *part_json(const struct fg_engine *engine, const char *path, uint32_t worker)
{
    struct fg_figure_at at = {.engine = engine, .place = worker};
    return fg_figures_json(path, &at);
}

/* Of one worker, or of all. */
static json_t *sums_json(const struct fg_engine *engine, uint32_t worker)
{
    static const char *const paths[] = {
        "counters", "verdicts", "latency", "gauges", "stages", "cycles_per_decision", "bursts"};
    json_t *sums = json_object();
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        json_object_set_new(sums, paths[i], part_json(engine, paths[i], worker));
    return sums;
}

static json_t *worker_json(const struct fg_engine *engine, unsigned w)
{
    json_t *json = json_pack("{s:I}", "worker", (json_int_t)w);
    json_t *figures = part_json(engine, "workers[]", w), *sums = sums_json(engine, w);
    if (json && figures && sums) {
        json_object_update(json, figures);
        json_object_update(json, sums);
    }
    json_decref(figures);
    json_decref(sums);
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

struct units {
    json_int_t stock, available,
        given; /* ever; on sale now; orders have, held, final or undecided */
};

static struct units units_of(const struct fg_control *control, const struct fg_model_item *item)
{
    uint32_t free_units = fg_stock_free_units(&control->engine->stock, item->item.slot);
    return (struct units){
        .stock = fg_model_supply(item),
        .available = free_units,
        .given = item->pooled > free_units ? item->pooled - free_units : 0,
    };
}

static json_t *item_json(const struct fg_sale_item *definition, const struct fg_model_item *item,
                         const struct units *units)
{
    return json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:I,s:i,s:I}", "id", (json_int_t)definition->id,
                     "name", item->name, "state", fg_item_state_name(item->state), "stock",
                     units->stock, "available", units->available, "given", units->given, "limit",
                     (json_int_t)definition->limit, "max_per_order", definition->max_per_order,
                     "hold_ms", (json_int_t)definition->hold_ms);
}

json_t *fg_status_sale(const struct fg_control *control, const struct fg_sale *sale,
                       uint32_t items_max)
{
    struct units sum = {0};
    json_t *items = json_array();
    for (uint32_t i = 0; i < sale->items_count; i++) {
        const struct fg_model_item *item = fg_model_item(&control->model, sale->items[i].id);
        struct units units = units_of(control, item);
        sum.stock += units.stock;
        sum.available += units.available;
        sum.given += units.given;
        if (i < items_max)
            json_array_append_new(items, item_json(&sale->items[i], item, &units));
    }
    json_t *json =
        json_pack("{s:s,s:I,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:o}", "name", sale->name, "number",
                  (json_int_t)sale->number, "state", fg_sale_state_name(sale->state), "opens",
                  fg_json_time(sale->opens_ns), "closes", fg_json_time(sale->closes_ns), "stock",
                  sum.stock, "available", sum.available, "given", sum.given, "items_count",
                  (json_int_t)sale->items_count, "items", items);
    json_object_set_new(json, "limit", json_integer(sale->limit));
    json_object_set_new(json, "rate", json_integer(sale->rate));
    json_object_set_new(json, "burst", json_integer(sale->burst));
    json_object_set_new(json, "cancel_final", json_boolean(sale->cancel_final));
    json_object_set_new(json, "late_confirm",
                        json_string(fg_sale_late_confirm_name(sale->late_confirm)));
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
    int stuck = (int)fg_count_read(&stats->stuck);
    json_t *json = json_pack(
        "{s:s,s:s,s:s?}", "flush", fg_count_read(&stats->flushes_direct) ? "direct" : "fdatasync",
        "log_dir", engine->config.log_dir, "stuck", stuck ? strerror(stuck) : NULL);
    json_t *figures = part_json(engine, "journal", 0);
    if (json && figures)
        json_object_update(json, figures);
    json_decref(figures);
    return json;
}

/* null without one */
static json_t *stock_page_json(const struct fg_engine *engine)
{
    if (!engine->stock_page)
        return json_null();
    char error[256];
    fg_stock_page_last_error(engine->stock_page, error, sizeof(error));
    json_t *json = part_json(engine, "stock_page", 0);
    if (json)
        json_object_set_new(json, "last_error", json_string(error));
    return json;
}

/* Whose rights the control thread has; every thread after it has no more. */
static json_t *process_json(const struct fg_engine *engine)
{
    char names[1024];
    uint64_t left = fg_privilege_left();
    return json_pack("{s:i,s:s,s:i,s:i,s:s,s:s,s:i}", "pid", (int)getpid(), "user",
                     engine->privilege.user, "uid", (int)geteuid(), "gid", (int)getegid(),
                     "capabilities", fg_capability_names(left, names, sizeof(names)), "seccomp",
                     fg_seccomp_mode_name(fg_seccomp_in_force(&engine->config)), "core_dumps",
                     (int)fg_privilege_cores_possible());
}

/* In the order of config.ports. */
static json_t *ports_json(const struct fg_engine *engine)
{
    json_t *json = json_array();
    for (unsigned i = 0; i < engine->config.ports_count; i++) {
        const char *device = engine->config.ports[i].device;
        json_t *port = part_json(engine, "ports[]", i);
        if (port) {
            json_object_set_new(port, "port",
                                json_stringn(device, (size_t)fg_port_name_bytes(device)));
            json_object_set_new(port, "steering", json_string(engine->ports[i].steering));
        }
        json_array_append_new(json, port);
    }
    return json;
}

/* null where the port has none. */
static json_t *address_json(struct fg_ip address, unsigned bits)
{
    char text[FG_IP_TEXT_MAX];
    return fg_ip_is_zero(address) ? json_null() : json_string(fg_prefix_text(address, bits, text));
}

static json_t *config_json(const struct fg_control *control)
{
    const struct fg_config *config = &control->engine->config;
    json_t *ports = json_array();
    for (unsigned i = 0; i < config->ports_count; i++) {
        const struct fg_port_config *port = &config->ports[i];
        json_array_append_new(ports,
                              json_pack("{s:s?,s:o,s:o}", "device", port->device, "address",
                                        address_json(port->address, port->prefix_bits), "address6",
                                        address_json(port->address6, port->prefix6_bits)));
    }
    return json_pack("{s:i,s:I,s:i,s:i,s:b,s:i,s:o}", "workers", (int)config->workers, "partitions",
                     (json_int_t)config->partitions, "base_port", config->base_port, "node",
                     (int)config->node, "unsigned", config->unsigned_allowed, "keys",
                     (int)fg_key_file_count(control->keys), "ports", ports);
}

json_t *fg_status_json(const struct fg_control *control)
{
    const struct fg_engine *engine = control->engine;
    return json_pack(
        "{s:I,s:s,s:i,s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
        "revision", (json_int_t)control->model.revision, "mode",
        fg_engine_mode_name(control->model.mode), "epoch", (int)fg_journal_epoch(engine->journal),
        "uptime_ms", (json_int_t)(fg_control_now_ms() - control->started_ms), "serving_since",
        fg_json_time(control->serving_since_ns), "steering", engine->steering, "warnings",
        fg_alarms_json(control), "clock", fg_status_clock(control), "lists",
        part_json(engine, "lists", 0), "config", config_json(control), "process",
        process_json(engine), "ports", ports_json(engine), "control", fg_status_control(control),
        "totals", sums_json(engine, FG_FIGURE_ALL_WORKERS), "workers", workers_json(engine),
        "journal", journal_json(engine), "delivery", fg_status_delivery(control), "stock_page",
        stock_page_json(engine), "keys", fg_status_keys(control), "sales", sales_json(control));
}
