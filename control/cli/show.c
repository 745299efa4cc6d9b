/* SPDX-License-Identifier: BSD-3-Clause */
/* Results of the control protocol, laid out for people. What is missing in a result shows as 0. */
#include <stdbool.h>
#include <string.h>

#include "control/cli/show.h"

/* --- sales --- */

static void sales_table(const json_t *sales, FILE *out)
{
    size_t i;
    json_t *sale;
    int width = 4;
    json_array_foreach(sales, i, sale)
    {
        int length = (int)strlen(text(sale, "name"));
        width = length > width ? length : width;
    }
    fprintf(out, "%-*s  %-9s  %-24s  %-24s  %6s  %13s  %13s  %13s  %s\n", width, "SALE", "STATE",
            "OPENS", "CLOSES", "ITEMS", "STOCK", "AVAILABLE", "GIVEN", "STREAM");
    json_array_foreach(sales, i, sale)
    {
        fprintf(out, "%-*s  %-9s  %-24s  %-24s", width, text(sale, "name"), text(sale, "state"),
                text_or(sale, "opens", "by hand"), text_or(sale, "closes", "by hand"));
        cell(out, 6, number(sale, "items_count"));
        cell(out, 13, number(sale, "stock"));
        cell(out, 13, number(sale, "available"));
        cell(out, 13, number(sale, "given"));
        fprintf(out, "  %s\n", text(sale, "stream"));
    }
}

static bool is_archived(const json_t *sale)
{
    return strcmp(text(sale, "state"), "archived") == 0;
}

/* Of which only the name is left, and the number while the log has something of it. */
static void archived_table(const json_t *sales, FILE *out)
{
    size_t i;
    json_t *sale;
    fprintf(out, "%6s  %-9s  %s\n", "NUMBER", "STATE", "SALE");
    json_array_foreach(sales, i, sale)
    {
        if (json_is_integer(json_object_get(sale, "number")))
            cell(out, 4, number(sale, "number"));
        else
            fprintf(out, "%6s", "-");
        fprintf(out, "  %-9s  %s\n", text(sale, "state"), text(sale, "name"));
    }
    if (i == 500)
        fprintf(out, "There may be more: --after %s shows them\n",
                text(json_array_get(sales, i - 1), "name"));
}

void fg_show_sales(const json_t *result, FILE *out)
{
    if (is_archived(json_array_get(result, 0)))
        archived_table(result, out);
    else if (json_array_size(result) == 0)
        fprintf(
            out,
            "There is no sale yet to list; to put one in force: flashgatectl sale apply FILE\n");
    else
        sales_table(result, out);
}

static void items_table(const json_t *items, FILE *out)
{
    size_t i;
    json_t *item;
    fprintf(out, "%10s  %13s  %13s  %13s  %7s  %9s  %9s  %-7s  %s\n", "ITEM", "STOCK", "AVAILABLE",
            "GIVEN", "LIMIT", "PER ORDER", "HOLD s", "STATE", "NAME");
    json_array_foreach(items, i, item)
    {
        fprintf(out, "%10" JSON_INTEGER_FORMAT, number(item, "id"));
        cell(out, 13, number(item, "stock"));
        cell(out, 13, number(item, "available"));
        cell(out, 13, number(item, "given"));
        if (number(item, "limit"))
            cell(out, 7, number(item, "limit"));
        else
            fprintf(out, "  %7s", "none");
        cell(out, 9, number(item, "max_per_order"));
        if (number(item, "hold_ms"))
            fprintf(out, "  %9.1f", (double)number(item, "hold_ms") / 1000);
        else
            fprintf(out, "  %9s", "none");
        fprintf(out, "  %-7s  %s\n", text(item, "state"), text(item, "name"));
    }
}

/* What holds for the whole sale. */
static void show_rules(const json_t *sale, FILE *out)
{
    if (number(sale, "limit"))
        fprintf(out, "A buyer may have %" JSON_INTEGER_FORMAT " units over all items. ",
                number(sale, "limit"));
    if (number(sale, "rate")) {
        json_int_t burst = number(sale, "burst");
        fprintf(out,
                "A buyer may ask %" JSON_INTEGER_FORMAT " times a second, %" JSON_INTEGER_FORMAT
                " at once. ",
                number(sale, "rate"), burst ? burst : number(sale, "rate"));
    }
    fprintf(out, "Final orders %s be cancelled; a late CONFIRM: %s.\n",
            json_is_true(json_object_get(sale, "cancel_final")) ? "can" : "cannot",
            text(sale, "late_confirm"));
}

void fg_show_sale(const json_t *result, FILE *out)
{
    json_t *one = json_pack("[O]", result);
    sales_table(one, out);
    json_decref(one);
    fg_show_opening_line(json_object_get(result, "opening"), out);
    show_rules(result, out);
    fputc('\n', out);
    items_table(json_object_get(result, "items"), out);
}

void fg_show_state(const json_t *result, FILE *out)
{
    bool changed = json_is_true(json_object_get(result, "changed"));
    fprintf(out, "Sale %s: %s%s, revision %" JSON_INTEGER_FORMAT "\n", text(result, "sale"),
            changed ? "" : "was already ", text(result, "state"), number(result, "revision"));
}

/* --- status --- */

static void show_process(const json_t *process, FILE *out)
{
    const char *capabilities = text(process, "capabilities");
    fprintf(out,
            "Process   %" JSON_INTEGER_FORMAT ", user %s (%" JSON_INTEGER_FORMAT
            "), capabilities: ",
            number(process, "pid"), text(process, "user"), number(process, "uid"));
    fprintf(out, "%s; system calls: %s; core dumps: %s\n", *capabilities ? capabilities : "none",
            strcmp(text(process, "seccomp"), "deny") == 0 ? "filtered" : text(process, "seccomp"),
            number(process, "core_dumps") ? "on" : "off");
}

/* Nothing as long as it has lost none. */
static void show_losses(const json_t *port, FILE *out)
{
    json_int_t missed = number(port, "missed"), errors = number(port, "errors"),
               no_buffers = number(port, "no_buffers");
    if (missed + errors + no_buffers > 0)
        fprintf(out,
                "          has lost before a worker saw them: %" JSON_INTEGER_FORMAT
                " missed by full queues, %" JSON_INTEGER_FORMAT " broken, %" JSON_INTEGER_FORMAT
                " without a packet buffer\n",
                missed, errors, no_buffers);
}

static void show_engine(const json_t *result, FILE *out)
{
    const json_t *config = json_object_get(result, "config");
    size_t i;
    json_t *value;
    json_int_t seconds = number(result, "uptime_ms") / 1000;
    json_array_foreach(json_object_get(result, "warnings"), i, value)
    {
        fprintf(out, "WARNING   %s\n", json_string_value(value));
    }
    fprintf(out,
            "Engine    revision %" JSON_INTEGER_FORMAT ", epoch %" JSON_INTEGER_FORMAT
            ", up %" JSON_INTEGER_FORMAT ":%02d:%02d, node %" JSON_INTEGER_FORMAT
            ", %" JSON_INTEGER_FORMAT " key%s\n",
            number(result, "revision"), number(result, "epoch"), seconds / 3600,
            (int)(seconds / 60 % 60), (int)(seconds % 60), number(config, "node"),
            number(config, "keys"), number(config, "keys") == 1 ? "" : "s");
    fprintf(out,
            "Network   UDP ports %" JSON_INTEGER_FORMAT " + %" JSON_INTEGER_FORMAT
            " partitions, %" JSON_INTEGER_FORMAT " worker%s; %s\n",
            number(config, "base_port"), number(config, "partitions"), number(config, "workers"),
            number(config, "workers") == 1 ? "" : "s", text(result, "steering"));
    json_array_foreach(json_object_get(config, "ports"), i, value)
    {
        const char *address = json_string_value(json_object_get(value, "address"));
        const char *address6 = json_string_value(json_object_get(value, "address6"));
        fprintf(out, "          %s at %s%s%s\n", text(value, "device"), address ? address : "",
                address && address6 ? ", " : "", address6 ? address6 : "");
        show_losses(json_array_get(json_object_get(result, "ports"), i), out);
    }
}

static void show_log(const json_t *result, FILE *out)
{
    const json_t *journal = json_object_get(result, "journal");
    char records[32], frames[32];
    fprintf(out,
            "Log       %s, %s, %s records in %s frames; flush mean %" JSON_INTEGER_FORMAT
            " us, max %" JSON_INTEGER_FORMAT " us\n",
            text(journal, "log_dir"), text(journal, "flush"),
            grouped(number(journal, "records"), records),
            grouped(number(journal, "frames"), frames), number(journal, "flush_us_mean"),
            number(journal, "flush_us_max"));
    fprintf(out,
            "          segments %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT
            ", %.1f MiB of %.1f; room for %.1f MiB (%.0f%%); answers when %s\n",
            number(journal, "oldest_segment"), number(journal, "segment"),
            (double)number(journal, "log_bytes") / (1 << 20),
            (double)number(journal, "log_budget") / (1 << 20),
            (double)number(journal, "room_bytes") / (1 << 20),
            100 * json_number_value(json_object_get(journal, "room_share")),
            strcmp(text(journal, "ack"), "memory") == 0 ? "IN MEMORY" : "durable");
    fg_show_delivery_line(json_object_get(result, "delivery"), out);
}

static void show_latency(const json_t *latency, FILE *out)
{
    const json_t *at_once = json_object_get(latency, "at_once");
    const json_t *parked = json_object_get(latency, "parked");
    fprintf(out,
            "Answers   at once: p50 %" JSON_INTEGER_FORMAT " us, p99 %" JSON_INTEGER_FORMAT
            " us; after the log: p50 %" JSON_INTEGER_FORMAT " us, p99 %" JSON_INTEGER_FORMAT
            " us, max %" JSON_INTEGER_FORMAT " us\n",
            number(at_once, "p50_us"), number(at_once, "p99_us"), number(parked, "p50_us"),
            number(parked, "p99_us"), number(parked, "max_us"));
}

/* What a decision costs, from the start on, by stage; nothing before the first one. */
static void show_stages(const json_t *cycles, FILE *out)
{
    const char *name;
    json_t *value;
    double all = json_number_value(json_object_get(cycles, "all"));
    if (all <= 0)
        return;
    fprintf(out, "Cycles    %.0f a decision:", all);
    const char *before = " ";
    json_object_foreach((json_t *)cycles, name, value)
    {
        if (strcmp(name, "all") == 0)
            continue;
        fprintf(out, "%s%s %.1f", before, name, json_number_value(value));
        before = ", ";
    }
    fputc('\n', out);
}

/* Names with a count, three to a line; those at 0 are left out. */
/* How many there were to show. */
static unsigned show_counts(const char *title, const json_t *counts, FILE *out)
{
    const char *name;
    json_t *value;
    unsigned shown = 0;
    json_object_foreach((json_t *)counts, name, value)
    {
        char buffer[32];
        if (json_integer_value(value) == 0)
            continue;
        if (shown++ % 3 == 0)
            fprintf(out, "%s%-9s", shown > 1 ? "\n" : "", shown > 1 ? "" : title);
        fprintf(out, " %-18s %13s ", name, grouped(json_integer_value(value), buffer));
    }
    if (shown > 0)
        fputc('\n', out);
    return shown;
}

static void show_workers(const json_t *result, FILE *out)
{
    size_t i;
    json_t *worker;
    fprintf(out, "\n%6s  %5s  %-8s  %8s  %6s  %6s  %6s  %15s  %15s  %13s  %13s\n", "WORKER", "CORE",
            "STATE", "REVISION", "BUSY", "SHARE", "TAKEN", "RECEIVED", "REPLIES", "ORDERS",
            "HOLDS");
    json_array_foreach(json_object_get(result, "workers"), i, worker)
    {
        const json_t *counters = json_object_get(worker, "counters");
        const json_t *gauges = json_object_get(worker, "gauges");
        json_int_t total = number(worker, "total_cycles");
        fprintf(out, "%6" JSON_INTEGER_FORMAT "  %5" JSON_INTEGER_FORMAT "  %-8s",
                number(worker, "worker"), number(worker, "core"), text(worker, "state"));
        cell(out, 8, number(worker, "seen_revision"));
        fprintf(out, "  %5.1f%%",
                total ? 100.0 * (double)number(worker, "busy_cycles") / (double)total : 0.0);
        fprintf(out, "  %5.1f%%  %5.1f%%",
                100 * json_number_value(json_object_get(worker, "decisions_share")),
                100 * json_number_value(json_object_get(worker, "taken_over_share")));
        cell(out, 15, number(counters, "rx_frames"));
        cell(out, 15, number(counters, "tx_replies"));
        cell(out, 13, number(gauges, "orders"));
        cell(out, 13, number(gauges, "holds"));
        fputc('\n', out);
    }
}

void fg_show_status(const json_t *result, FILE *out)
{
    const json_t *totals = json_object_get(result, "totals");
    show_engine(result, out);
    show_process(json_object_get(result, "process"), out);
    fg_show_clock_line(json_object_get(result, "clock"), out);
    fg_show_lists_line(json_object_get(result, "lists"), out);
    show_log(result, out);
    show_latency(json_object_get(totals, "latency"), out);
    show_stages(json_object_get(totals, "cycles_per_decision"), out);
    show_workers(result, out);
    fputc('\n', out);
    unsigned shown = show_counts("Verdicts", json_object_get(totals, "verdicts"), out);
    shown += show_counts("Counters", json_object_get(totals, "counters"), out);
    shown += show_counts("Gauges", json_object_get(totals, "gauges"), out);
    if (shown > 0)
        fputc('\n', out);
    fg_show_sales(json_object_get(result, "sales"), out);
}
