/* SPDX-License-Identifier: BSD-3-Clause */
/* docs/metrics.md, from the table of figures. */
#include <string.h>

#include "control/figures/figures.h"

static const char *kind_name(const struct fg_figure *figure)
{
    static const char *const names[] = {
        [FG_FIGURE_COUNTER] = "counter",
        [FG_FIGURE_GAUGE] = "gauge",
        [FG_FIGURE_STATE] = "state",
        [FG_FIGURE_HISTOGRAM] = "histogram",
    };
    return names[figure->kind];
}

/* In status; in metrics it is fg_figure_metric_unit(). */
static const char *status_unit(const struct fg_figure *figure)
{
    static const char *const units[] = {
        [FG_UNIT_NONE] = "",        [FG_UNIT_BYTES] = "bytes", [FG_UNIT_CYCLES] = "TSC cycles",
        [FG_UNIT_NS] = "us",        [FG_UNIT_MS] = "ms",       [FG_UNIT_TIME] = "RFC 3339",
        [FG_UNIT_SHARE] = "0 to 1", [FG_UNIT_SKEW] = "ms",     [FG_UNIT_MEAN] = "",
    };
    return units[figure->unit];
}

static void put_labels(const struct fg_figure *figure, FILE *out)
{
    static const char *const of[] = {
        [FG_OF_ENGINE] = "",
        [FG_OF_WORKER] = "worker",
        [FG_OF_SALE] = "sale",
        [FG_OF_ITEM] = "sale, item",
        [FG_OF_PORT] = "port",
        [FG_OF_KEY] = "key",
        [FG_OF_STALE_SOURCE] = "key, source",
    };
    const char *labels = of[figure->of];
    fprintf(out, " | %s%s%s", labels, labels[0] && figure->label ? ", " : "",
            figure->label ? figure->label : "");
}

static void put_figure(const struct fg_figure *figure, FILE *out)
{
    const char *dot = figure->path && figure->path[0] ? "." : "";
    const char *name = figure->name ? figure->name : "*";
    if (figure->path)
        fprintf(out, "| `%s%s%s`", figure->path, dot, name);
    else
        fprintf(out, "| ");
    if (figure->metric)
        fprintf(out, " | `%s%s`", figure->metric,
                figure->kind == FG_FIGURE_COUNTER ? "_total" : "");
    else
        fprintf(out, " | ");
    put_labels(figure, out);
    fprintf(out, " | %s | %s | %s | %s |\n", kind_name(figure), status_unit(figure),
            figure->metric ? fg_figure_metric_unit(figure) : "", figure->help);
}

static bool parts_have_help(const struct fg_figure *figure)
{
    return figure->metric && figure->parts_count > 0 && figure->parts[0].name &&
           figure->parts[0].help;
}

static void put_parts(const struct fg_figure *figure, FILE *out)
{
    fprintf(out, "\n### %s\n\n| status | label `%s` | what |\n|---|---|---|\n", figure->metric,
            figure->label);
    for (unsigned p = 0; p < figure->parts_count; p++)
        fprintf(out, "| `%s` | `%s` | %s |\n", figure->parts[p].name, figure->parts[p].label,
                figure->parts[p].help);
}

void fg_figures_describe(FILE *out)
{
    fputs(
        "# Figures\n"
        "\n"
        "What `flashgatectl --json status`, the metrics page (`metrics.listen`, path `/metrics`)\n"
        "and DPDK's telemetry (`/flashgate/...`) show. Printed by `flashgated "
        "--describe-metrics`.\n"
        "\n"
        "The first column is the place in status; `[]` stands for each of a list, `*` for the\n"
        "names listed below. `counters`, `verdicts`, `gauges`, `latency`, `stages`,\n"
        "`cycles_per_decision` and `bursts` stand under `totals` and under each of `workers`.\n"
        "A counter grows from 0 at each start. A state is one text in status; in metrics it is a\n"
        "gauge for each of its values, 1 for the one that is. A histogram is an object in status\n"
        "(count, sum_us, mean_us, p50_us, p99_us, p999_us, max_us; right to an eighth). Of items\n"
        "the page shows the first 1000.\n"
        "\n"
        "| status | metric | labels | kind | status unit | metric unit | what |\n"
        "|---|---|---|---|---|---|---|\n",
        out);
    static_assert(FG_FIGURE_ITEMS_MAX == 1000, "as the text says");
    for (unsigned i = 0; i < fg_figures_count; i++)
        put_figure(&fg_figures[i], out);
    fputs("\n## The names of those with several\n", out);
    for (unsigned i = 0; i < fg_figures_count; i++)
        if (parts_have_help(&fg_figures[i]))
            put_parts(&fg_figures[i], out);
}
