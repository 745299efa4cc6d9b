/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/figures/telemetry.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include "control/control.h"
#include "control/figures/figures.h"

/* An answer of DPDK's telemetry takes 16 KiB at most, a dictionary in it 256 entries; its keys hold
 * only letters, digits, _ and /, so that a sale is named within its own. Lists hold no
 * dictionaries.
 */
#define WORKERS_SHOWN 48
#define ITEMS_SHOWN   RTE_TEL_MAX_DICT_ENTRIES

/* A command cannot be withdrawn: without an engine it answers that there is none. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fg_engine *served; /* under the lock */

/* --- figures as dictionaries --- */

static void add_value(struct rte_tel_data *dict, const char *name, const struct fg_figure *figure,
                      uint64_t value)
{
    char text[32];
    if (figure->kind == FG_FIGURE_STATE) {
        rte_tel_data_add_dict_string(dict, name,
                                     value < figure->parts_count ? figure->parts[value].name : "?");
    } else if (figure->unit == FG_UNIT_SHARE) {
        snprintf(text, sizeof(text), "%.6f", (double)value / 1e6);
        rte_tel_data_add_dict_string(dict, name, text);
    } else if (figure->unit == FG_UNIT_MEAN) {
        snprintf(text, sizeof(text), "%.3f", (double)value / 1e3);
        rte_tel_data_add_dict_string(dict, name, text);
    } else if (figure->unit == FG_UNIT_SKEW) {
        snprintf(text, sizeof(text), "%" PRId64, (int64_t)value / 1000000);
        rte_tel_data_add_dict_string(dict, name, text);
    } else {
        rte_tel_data_add_dict_u64(dict, name, figure->unit == FG_UNIT_NS ? value / 1000 : value);
    }
}

/* Figures of one path, but histograms, into a dictionary that has begun. */
static void add_path(struct rte_tel_data *dict, const char *path, const struct fg_figure_at *at)
{
    for (unsigned i = 0; i < fg_figures_count; i++) {
        const struct fg_figure *figure = &fg_figures[i];
        uint64_t value = 0;
        if (!figure->path || strcmp(figure->path, path) != 0 || !figure->read)
            continue;
        if (figure->name && figure->read(at, figure->source, &value))
            add_value(dict, figure->name, figure, value);
        for (unsigned p = 0; !figure->name && p < figure->parts_count; p++)
            if (figure->read(at, figure->parts[p].place, &value))
                add_value(dict, figure->parts[p].name, figure, value);
    }
}

/* An empty dictionary, or NULL when memory is short. */
static struct rte_tel_data *new_dict(void)
{
    struct rte_tel_data *dict = rte_tel_data_alloc();
    if (dict)
        rte_tel_data_start_dict(dict);
    return dict;
}

static void add_section(struct rte_tel_data *dict, const char *name, const char *path,
                        const struct fg_figure_at *at)
{
    struct rte_tel_data *section = new_dict();
    if (!section)
        return;
    add_path(section, path, at);
    rte_tel_data_add_dict_container(dict, name, section, 0);
}

/* --- the commands; each has the engine and its board --- */

static int answer_status(const struct fg_figure_at *at, const char *params,
                         struct rte_tel_data *answer)
{
    (void)params;
    rte_tel_data_start_dict(answer);
    add_path(answer, "", at);
    add_section(answer, "config", "config", at);
    add_section(answer, "counters", "counters", at);
    add_section(answer, "verdicts", "verdicts", at);
    add_section(answer, "gauges", "gauges", at);
    add_section(answer, "stages", "stages", at);
    add_section(answer, "cycles_per_decision", "cycles_per_decision", at);
    add_section(answer, "bursts", "bursts", at);
    add_section(answer, "journal", "journal", at);
    add_section(answer, "delivery", "delivery", at);
    add_section(answer, "stock_page", "stock_page", at);
    return 0;
}

static int answer_worker(struct fg_figure_at at, const char *params, struct rte_tel_data *answer)
{
    char *end;
    unsigned long worker = strtoul(params, &end, 10);
    if (*end != '\0' || worker >= at.engine->config.workers)
        return -EINVAL;
    at.place = (uint32_t)worker;
    rte_tel_data_start_dict(answer);
    add_path(answer, "workers[]", &at);
    add_section(answer, "counters", "counters", &at);
    add_section(answer, "verdicts", "verdicts", &at);
    add_section(answer, "gauges", "gauges", &at);
    add_section(answer, "stages", "stages", &at);
    add_section(answer, "cycles_per_decision", "cycles_per_decision", &at);
    add_section(answer, "bursts", "bursts", &at);
    return 0;
}

static int answer_workers(const struct fg_figure_at *all, const char *params,
                          struct rte_tel_data *answer)
{
    struct fg_figure_at at = *all;
    if (params && *params != '\0')
        return answer_worker(at, params, answer);
    rte_tel_data_start_dict(answer);
    for (at.place = 0; at.place < at.engine->config.workers && at.place < WORKERS_SHOWN;
         at.place++) {
        struct rte_tel_data *worker = new_dict();
        if (!worker)
            break;
        char name[12];
        snprintf(name, sizeof(name), "%" PRIu32, at.place);
        add_path(worker, "workers[]", &at);
        rte_tel_data_add_dict_container(answer, name, worker, 0);
    }
    return 0;
}

static int answer_items(const struct fg_figure_at *at, const struct fg_board_sale *sale,
                        struct rte_tel_data *answer)
{
    rte_tel_data_start_dict(answer);
    for (uint32_t i = 0; i < sale->items_count && i < ITEMS_SHOWN; i++) {
        const struct fg_board_item *item = &at->board->items[sale->first_item + i];
        char id[12];
        snprintf(id, sizeof(id), "%" PRIu32, item->id);
        rte_tel_data_add_dict_u64(
            answer, id,
            atomic_load_explicit(&at->engine->stock.available[item->slot], memory_order_relaxed));
    }
    return 0;
}

static int answer_sales(const struct fg_figure_at *all, const char *params,
                        struct rte_tel_data *answer)
{
    struct fg_figure_at at = *all;
    bool one = params && *params != '\0';
    if (!one)
        rte_tel_data_start_dict(answer);
    for (at.place = 0; at.board && at.place < at.board->sales_count; at.place++) {
        const struct fg_board_sale *sale = &at.board->sales[at.place];
        if (one && strcmp(params, sale->name) == 0)
            return answer_items(&at, sale, answer);
        struct rte_tel_data *dict = one ? NULL : new_dict();
        if (!dict)
            continue;
        char number[12];
        snprintf(number, sizeof(number), "%" PRIu32, sale->number);
        rte_tel_data_add_dict_string(dict, "name", sale->name);
        add_path(dict, "sales[]", &at);
        rte_tel_data_add_dict_container(answer, number, dict, 0);
    }
    return one ? -ENOENT : 0;
}

static void add_histogram(struct rte_tel_data *answer, const char *name,
                          const struct fg_figure *figure, uint32_t source,
                          const struct fg_figure_at *at)
{
    struct fg_histogram_view view = {.count = 0};
    struct rte_tel_data *dict = new_dict();
    if (!dict)
        return;
    figure->gather(at, source, &view);
    rte_tel_data_add_dict_u64(dict, "count", view.count);
    rte_tel_data_add_dict_u64(dict, "mean_us", view.count ? view.sum_ns / view.count / 1000 : 0);
    rte_tel_data_add_dict_u64(dict, "p50_us", fg_histogram_quantile(&view, 500) / 1000);
    rte_tel_data_add_dict_u64(dict, "p99_us", fg_histogram_quantile(&view, 990) / 1000);
    rte_tel_data_add_dict_u64(dict, "p999_us", fg_histogram_quantile(&view, 999) / 1000);
    rte_tel_data_add_dict_u64(dict, "max_us", view.max_ns / 1000);
    rte_tel_data_add_dict_container(answer, name, dict, 0);
}

static int answer_histograms(const struct fg_figure_at *at, const char *params,
                             struct rte_tel_data *answer)
{
    (void)params;
    rte_tel_data_start_dict(answer);
    for (unsigned i = 0; i < fg_figures_count; i++) {
        const struct fg_figure *figure = &fg_figures[i];
        if (!figure->gather)
            continue;
        if (figure->name)
            add_histogram(answer, figure->name, figure, figure->source, at);
        for (unsigned p = 0; !figure->name && p < figure->parts_count; p++)
            add_histogram(answer, figure->parts[p].name, figure, figure->parts[p].place, at);
    }
    return 0;
}

/* --- the way to them --- */

static const struct command {
    const char *name;
    const char *help;
    int (*answer)(const struct fg_figure_at *at, const char *params, struct rte_tel_data *answer);
} commands[] = {
    {"/flashgate/status", "The engine, its log and delivery. No parameter.", answer_status},
    {"/flashgate/workers", "Each worker. With a worker's number: all of that one.", answer_workers},
    {"/flashgate/sales", "Each live sale. With a sale's name: units on sale of its items.",
     answer_sales},
    {"/flashgate/histograms", "How long answers and flushes take. No parameter.",
     answer_histograms},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int run_command(const char *name, const char *params, struct rte_tel_data *answer)
{
    int rc = -ENODEV;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; served && i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        const struct fg_board *board = fg_control_board(served->control);
        struct fg_figure_at at = {served, board, FG_FIGURE_ALL_WORKERS};
        rc = commands[i].answer(&at, params, answer);
        if (board)
            fg_control_board_return(served->control, board);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

void fg_telemetry_start(struct fg_engine *engine)
{
    pthread_mutex_lock(&lock);
    served = engine;
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; engine->config.metrics_telemetry && i < COMMANDS; i++)
        (void)rte_telemetry_register_cmd(commands[i].name, run_command, commands[i].help);
}

void fg_telemetry_stop(void)
{
    pthread_mutex_lock(&lock);
    served = NULL;
    pthread_mutex_unlock(&lock);
}
