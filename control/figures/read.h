/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where figures come from: each function reads what a source names. Any thread.
 */
#ifndef FG_CONTROL_FIGURES_READ_H
#define FG_CONTROL_FIGURES_READ_H

#include "control/figures/figures.h"

/* Sources, where no offset of a field names one. */
enum board_source { BOARD_REVISION, BOARD_UPTIME, BOARD_SERVING, BOARD_MODE };

enum config_source { CONFIG_WORKERS, CONFIG_UNSIGNED, CONFIG_ACK, CONFIG_LOG_BUDGET };

enum guard_source { GUARD_SECCOMP, GUARD_CORES };

enum circuit_source { CIRCUIT_STATE, CIRCUIT_OPENINGS, CIRCUIT_LEFT };

enum units_source { UNITS_STOCK, UNITS_AVAILABLE, UNITS_GIVEN };

enum key_source {
    KEY_ACCEPTED,
    KEY_SEEN,
    KEY_STALE,
    KEY_SKEW,
    KEY_STALE_SOURCE,
    KEY_ASKED,
    KEY_THROTTLED
};

typedef bool fg_figure_read_fn(const struct fg_figure_at *at, uint32_t source, uint64_t *value);
typedef bool fg_figure_gather_fn(const struct fg_figure_at *at, uint32_t source,
                                 struct fg_histogram_view *view);

fg_figure_read_fn fg_figure_read_counter;
fg_figure_read_fn fg_figure_read_gauge;
fg_figure_gather_fn fg_figure_gather_latency;
fg_figure_read_fn fg_figure_read_busy;
fg_figure_read_fn fg_figure_read_per_decision;
fg_figure_read_fn fg_figure_read_fill;
fg_figure_read_fn fg_figure_read_decided;
fg_figure_read_fn fg_figure_read_taken_over;
fg_figure_read_fn fg_figure_read_worker_state;
fg_figure_read_fn fg_figure_read_seen;
fg_figure_read_fn fg_figure_read_lcore;
fg_figure_read_fn fg_figure_read_one;
fg_figure_read_fn fg_figure_read_board;
fg_figure_read_fn fg_figure_read_epoch;
fg_figure_read_fn fg_figure_read_clock;
fg_figure_read_fn fg_figure_read_lists;
fg_figure_read_fn fg_figure_read_port;
fg_figure_read_fn fg_figure_read_rules;
fg_figure_read_fn fg_figure_read_config;
fg_figure_read_fn fg_figure_read_guard;
fg_figure_read_fn fg_figure_read_journal;
fg_figure_read_fn fg_figure_read_durable;
fg_figure_read_fn fg_figure_read_flush_mean;
fg_figure_read_fn fg_figure_read_flush_wait;
fg_figure_gather_fn fg_figure_gather_flush;
fg_figure_read_fn fg_figure_read_room_share;
fg_figure_read_fn fg_figure_read_delivery;
fg_figure_read_fn fg_figure_read_delivery_state;
fg_figure_read_fn fg_figure_read_circuit;
fg_figure_read_fn fg_figure_read_page;
fg_figure_read_fn fg_figure_read_page_circuit;
fg_figure_read_fn fg_figure_read_sale_units;
fg_figure_read_fn fg_figure_read_item_units;
fg_figure_read_fn fg_figure_read_sale_state;
fg_figure_read_fn fg_figure_read_sale_items;
fg_figure_read_fn fg_figure_read_sale_time;
fg_figure_read_fn fg_figure_read_stream_state;
fg_figure_read_fn fg_figure_read_stream;
fg_figure_read_fn fg_figure_read_key;

#endif
