/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every figure that the engine shows, in one table (figures.c): what status calls it, what metrics
 * call it, its kind and unit, where it comes from, and what it means. Status, the metrics page,
 * the telemetry commands and docs/metrics.md are made from it.
 *
 * Threads: any. What a figure reads is published by its owner: counters and gauges, read relaxed,
 * and the board. No worker is asked, and none waits.
 */
#ifndef FG_CONTROL_FIGURES_H
#define FG_CONTROL_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "control/board.h"
#include "dataplane/engine.h"
#include "dataplane/histogram.h"

enum fg_figure_kind {
    FG_FIGURE_COUNTER, /* only grows, from 0 at the start */
    FG_FIGURE_GAUGE,
    FG_FIGURE_STATE, /* one of its parts at a time: a gauge for each, 1 for the one that is */
    FG_FIGURE_HISTOGRAM,
};

/* What a value counts as it is read, how status shows it, and how metrics do. */
enum fg_figure_unit {
    FG_UNIT_NONE,
    FG_UNIT_BYTES,
    FG_UNIT_CYCLES, /* of the TSC */
    FG_UNIT_NS,     /* status: us, its name ends in _us; metrics: seconds */
    FG_UNIT_MS,     /* status: ms; metrics: seconds */
    FG_UNIT_TIME,   /* wall clock ns; status: RFC 3339 or null; metrics: seconds since 1970 */
    FG_UNIT_SHARE,  /* millionths; 0 to 1 in both */
    FG_UNIT_MEAN,   /* thousandths; a number with a fraction in both */
    FG_UNIT_SKEW,   /* ns, an int64_t; status: ms; metrics: seconds */
};

/* What there is one of it for; each is a label of its metric. */
enum fg_figure_of {
    FG_OF_ENGINE,
    FG_OF_WORKER, /* status has it of each worker and, but for the last ones, of all together */
    FG_OF_SALE,
    FG_OF_ITEM, /* metrics show at most FG_FIGURE_ITEMS_MAX */
    FG_OF_KEY,
    FG_OF_PORT,
    FG_OF_STALE_SOURCE, /* a key, and where its last stale datagram came from */
};

#define FG_FIGURE_ITEMS_MAX                                                                        \
    1000 /* series of each item figure: a sale may have a hundred times more */
#define FG_FIGURE_ALL_WORKERS UINT32_MAX

/* Whose figure is read. Of a worker: its index or FG_FIGURE_ALL_WORKERS. Of a port: its
 * place in the configuration. Of a sale, an item or a key: its place on the board. */
struct fg_figure_at {
    const struct fg_engine *engine;
    const struct fg_board *board;
    uint32_t place;
};

/* One of a figure's values, told from the others by a label, or one of its states. */
struct fg_figure_part {
    const char *name;  /* in status */
    const char *label; /* in metrics: the label's value */
    const char *help;
    uint32_t place; /* for `read` */
};

struct fg_figure {
    const char *metric; /* a counter's without _total; NULL: status alone has it */
    const char *path; /* the object in status: "totals.counters"; "[]" stands for each of a list */
    const char *name; /* its key there; NULL: its parts' names are the keys, or status has not */
    const char *help;
    const char *label; /* of the parts */
    const struct fg_figure_part *parts;
    unsigned parts_count;
    enum fg_figure_kind kind;
    enum fg_figure_unit unit;
    enum fg_figure_of of;
    uint32_t source; /* for `read`, without parts */
    /* False: there is none now. A STATE's value is the number of its part. */
    bool (*read)(const struct fg_figure_at *at, uint32_t source, uint64_t *value);
    bool (*gather)(const struct fg_figure_at *at, uint32_t source, struct fg_histogram_view *view);
};

extern const struct fg_figure fg_figures[];
extern const unsigned fg_figures_count;

/* "seconds", "bytes" or "" */
const char *fg_figure_metric_unit(const struct fg_figure *figure);

/* --- status (figures/json.c) --- */

/* All figures of that path, as an object; `at` says whose. A new reference; NULL when memory is
 * short. */
json_t *fg_figures_json(const char *path, const struct fg_figure_at *at);

/* --- metrics (figures/text.c) --- */

enum fg_figures_format {
    FG_FIGURES_TEXT,       /* text/plain; version=0.0.4 */
    FG_FIGURES_OPENMETRICS /* application/openmetrics-text; version=1.0.0 */
};

/* All figures that metrics show, as a page. `board` is the one in force, or NULL. Any thread. */
void fg_figures_text(const struct fg_engine *engine, const struct fg_board *board,
                     enum fg_figures_format format, FILE *out);

/* docs/metrics.md */
void fg_figures_describe(FILE *out);

#endif
