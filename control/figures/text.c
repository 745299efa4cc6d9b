/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Figures as the metrics page shows them, in the two dresses that scrapers ask for: OpenMetrics 1.0
 * names a counter's family without _total and tells units; the older text format does neither.
 */
#include <inttypes.h>

#include <rte_common.h>

#include "control/figures/figures.h"
#include "control/key_figures.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* The edges that are shown: each doubling from a microsecond on. The finer ones stay inside. */
#define FIRST_EDGE 10

/* Bytes of a device's name on the page: the longest PCI address has 13. */
#define PORT_SHOWN(device) (int)RTE_MIN(fg_port_name_bytes(device), 100)

struct page {
    const struct fg_engine *engine;
    const struct fg_board *board;
    enum fg_figures_format format;
    FILE *out;
};

const char *fg_figure_metric_unit(const struct fg_figure *figure)
{
    static const char *const units[] = {
        [FG_UNIT_NONE] = "",       [FG_UNIT_BYTES] = "bytes",  [FG_UNIT_CYCLES] = "cycles",
        [FG_UNIT_NS] = "seconds",  [FG_UNIT_MS] = "seconds",   [FG_UNIT_TIME] = "seconds",
        [FG_UNIT_SHARE] = "ratio", [FG_UNIT_SKEW] = "seconds", [FG_UNIT_MEAN] = "",
    };
    return units[figure->unit];
}

static void put_help(const struct page *page, const struct fg_figure *figure)
{
    static const char *const kinds[] = {
        [FG_FIGURE_COUNTER] = "counter",
        [FG_FIGURE_GAUGE] = "gauge",
        [FG_FIGURE_STATE] = "gauge",
        [FG_FIGURE_HISTOGRAM] = "histogram",
    };
    bool open = page->format == FG_FIGURES_OPENMETRICS;
    const char *unit = fg_figure_metric_unit(figure);
    const char *total = figure->kind == FG_FIGURE_COUNTER && !open ? "_total" : "";
    fprintf(page->out, "# HELP %s%s %s\n", figure->metric, total, figure->help);
    fprintf(page->out, "# TYPE %s%s %s\n", figure->metric, total, kinds[figure->kind]);
    if (open && unit[0] != '\0')
        fprintf(page->out, "# UNIT %s %s\n", figure->metric, unit);
}

static uint32_t instances(const struct page *page, const struct fg_figure *figure)
{
    switch (figure->of) {
    case FG_OF_ENGINE:
        return 1;
    case FG_OF_WORKER:
        return page->engine->config.workers;
    case FG_OF_PORT:
        return page->engine->config.ports_count;
    case FG_OF_SALE:
        return page->board ? page->board->sales_count : 0;
    case FG_OF_KEY:
    case FG_OF_STALE_SOURCE:
        return page->board ? page->board->keys_count : 0;
    case FG_OF_ITEM:
        break;
    }
    if (!page->board)
        return 0;
    return page->board->items_count < FG_FIGURE_ITEMS_MAX ? page->board->items_count
                                                          : FG_FIGURE_ITEMS_MAX;
}

static const char *sale_of_item(const struct fg_board *board, uint32_t place)
{
    unsigned sale = 0;
    while (sale + 1 < board->sales_count && place >= board->sales[sale + 1].first_item)
        sale++;
    return board->sales[sale].name;
}

static const char *stale_source(const struct page *page, uint32_t place, char *text)
{
    const struct fg_board_key *key = &page->board->keys[place];
    struct fg_key_figures figures = fg_key_figures_of(page->engine, key->place, key->id);
    return fg_ip_text(figures.sight.source, text);
}

/* A label in quotes, of a text that may hold anything printable. */
static int put_device(const char *device, char *labels, size_t size)
{
    int used = snprintf(labels, size, ",port=\"%.*s\"", PORT_SHOWN(device), device);
    for (char *at = labels + sizeof(",port=\"") - 1; at < labels + used - 1; at++)
        if (*at == '"' || *at == '\\')
            *at = '?';
    return used;
}

/* Names of sales and parts hold nothing that would have to be escaped. */
static void put_labels(const struct page *page, const struct fg_figure *figure, uint32_t place,
                       const char *part, const char *more)
{
    char labels[256], source[FG_IP_TEXT_MAX];
    int used = 0;
    switch (figure->of) {
    case FG_OF_ENGINE:
        break;
    case FG_OF_WORKER:
        used = snprintf(labels, sizeof(labels), ",worker=\"%u\"", place);
        break;
    case FG_OF_PORT:
        used = put_device(page->engine->config.ports[place].device, labels, sizeof(labels));
        break;
    case FG_OF_SALE:
        used = snprintf(labels, sizeof(labels), ",sale=\"%s\"", page->board->sales[place].name);
        break;
    case FG_OF_ITEM:
        used = snprintf(labels, sizeof(labels), ",sale=\"%s\",item=\"%u\"",
                        sale_of_item(page->board, place), page->board->items[place].id);
        break;
    case FG_OF_KEY:
        used = snprintf(labels, sizeof(labels), ",key=\"%u\"", page->board->keys[place].id);
        break;
    case FG_OF_STALE_SOURCE:
        used = snprintf(labels, sizeof(labels), ",key=\"%u\",source=\"%s\"",
                        page->board->keys[place].id, stale_source(page, place, source));
        break;
    }
    if (part)
        used += snprintf(labels + used, sizeof(labels) - (size_t)used, ",%s=\"%s\"", figure->label,
                         part);
    if (more)
        used += snprintf(labels + used, sizeof(labels) - (size_t)used, ",le=\"%s\"", more);
    if (used > 0)
        fprintf(page->out, "{%s}", labels + 1);
}

/* A value of the unit as it is read, in the metric's unit. */
static void put_value(const struct fg_figure *figure, uint64_t value, FILE *out)
{
    switch (figure->unit) {
    case FG_UNIT_NS:
    case FG_UNIT_TIME:
        fprintf(out, " %" PRIu64 ".%09" PRIu64 "\n", value / NS_PER_SECOND, value % NS_PER_SECOND);
        break;
    case FG_UNIT_MS:
    case FG_UNIT_MEAN:
        fprintf(out, " %" PRIu64 ".%03" PRIu64 "\n", value / 1000, value % 1000);
        break;
    case FG_UNIT_SHARE:
        fprintf(out, " %" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
        break;
    case FG_UNIT_SKEW: {
        uint64_t off = (int64_t)value < 0 ? -value : value;
        fprintf(out, " %s%" PRIu64 ".%09" PRIu64 "\n", (int64_t)value < 0 ? "-" : "",
                off / NS_PER_SECOND, off % NS_PER_SECOND);
        break;
    }
    case FG_UNIT_NONE:
    case FG_UNIT_BYTES:
    case FG_UNIT_CYCLES:
        fprintf(out, " %" PRIu64 "\n", value);
        break;
    }
}

static void put_histogram(const struct page *page, const struct fg_figure *figure, uint32_t place,
                          const char *part, const struct fg_histogram_view *view)
{
    for (unsigned edge = FIRST_EDGE; edge <= FG_HISTOGRAM_LAST; edge++) {
        char text[32];
        snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64,
                 (UINT64_C(1) << edge) / NS_PER_SECOND, (UINT64_C(1) << edge) % NS_PER_SECOND);
        fprintf(page->out, "%s_bucket", figure->metric);
        put_labels(page, figure, place, part, text);
        fprintf(page->out, " %" PRIu64 "\n", fg_histogram_below(view, edge));
    }
    fprintf(page->out, "%s_bucket", figure->metric);
    put_labels(page, figure, place, part, "+Inf");
    fprintf(page->out, " %" PRIu64 "\n%s_sum", view->count, figure->metric);
    put_labels(page, figure, place, part, NULL);
    put_value(figure, view->sum_ns, page->out);
    fprintf(page->out, "%s_count", figure->metric);
    put_labels(page, figure, place, part, NULL);
    fprintf(page->out, " %" PRIu64 "\n", view->count);
}

static void put_sample(const struct page *page, const struct fg_figure *figure, uint32_t place,
                       const char *part, uint64_t value)
{
    fprintf(page->out, "%s%s", figure->metric, figure->kind == FG_FIGURE_COUNTER ? "_total" : "");
    put_labels(page, figure, place, part, NULL);
    put_value(figure, value, page->out);
}

/* One figure of one place: as many samples as it has parts, or one. */
static void put_instance(const struct page *page, const struct fg_figure *figure, uint32_t place)
{
    struct fg_figure_at at = {page->engine, page->board, place};
    unsigned parts = figure->parts_count > 0 ? figure->parts_count : 1;
    uint64_t state = 0;
    if (figure->kind == FG_FIGURE_STATE && !figure->read(&at, figure->source, &state))
        return;
    for (unsigned p = 0; p < parts; p++) {
        const struct fg_figure_part *part = figure->parts_count > 0 ? &figure->parts[p] : NULL;
        const char *label = part ? part->label : NULL;
        uint32_t source = part ? part->place : figure->source;
        uint64_t value = 0;
        if (figure->kind == FG_FIGURE_STATE) {
            put_sample(page, figure, place, label, state == p);
        } else if (figure->kind == FG_FIGURE_HISTOGRAM) {
            struct fg_histogram_view view = {.count = 0};
            if (figure->gather(&at, source, &view))
                put_histogram(page, figure, place, label, &view);
        } else if (figure->read(&at, source, &value)) {
            put_sample(page, figure, place, label, value);
        }
    }
}

void fg_figures_text(const struct fg_engine *engine, const struct fg_board *board,
                     enum fg_figures_format format, FILE *out)
{
    struct page page = {engine, board, format, out};
    for (unsigned i = 0; i < fg_figures_count; i++) {
        const struct fg_figure *figure = &fg_figures[i];
        if (!figure->metric)
            continue;
        put_help(&page, figure);
        for (uint32_t place = 0; place < instances(&page, figure); place++)
            put_instance(&page, figure, place);
    }
    fputs("# EOF\n", out);
}
