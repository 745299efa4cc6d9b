/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of figures. Workers' counters, verdicts and states come from the lists that define
 * them; where the others come from, figures/read.c knows.
 */
#include "control/figures/figures.h"

#include "control/figures/read.h"
#include "control/figures/stock_page.h"
#include "flashgate/version.h"

/* --- parts --- */

static const struct fg_figure_part DROPS[] = {
#define X(name, text, help)                                                                        \
    {text, &(text)[sizeof("drop_") - 1], help,                                                     \
     offsetof(struct fg_counters, count[FG_COUNTER_##name])},
    FG_DROPS(X)
#undef X
};

static const struct fg_figure_part VERDICTS[] = {
#define X(name, code, help)                                                                        \
    {#name, #name, help, offsetof(struct fg_counters, verdicts[FG_VERDICT_##name])},
    FG_VERDICTS(X)
#undef X
};

static const struct fg_figure_part LATENCIES[] = {
#define X(name, text, help) {text, text, help, FG_LATENCY_##name},
    FG_LATENCIES(X)
#undef X
};

static const struct fg_figure_part STAGES[] = {
#define X(name, text, help)                                                                        \
    {text, text, help, offsetof(struct fg_counters, stages[FG_STAGE_##name])},
    FG_STAGES(X)
#undef X
};

static const struct fg_figure_part PER_DECISION[] = {
    {"all", "all", NULL, offsetof(struct fg_counters, busy_cycles)},
#define X(name, text, help)                                                                        \
    {text, text, NULL, offsetof(struct fg_counters, stages[FG_STAGE_##name])},
    FG_STAGES(X)
#undef X
};

static const struct fg_figure_part FILLS[] = {
#define X(frames, text, help)                                                                      \
    {text, text, help, offsetof(struct fg_counters, bursts[FG_FILL_##frames])},
    FG_FILLS(X)
#undef X
};

static const struct fg_figure_part LISTS[] = {
#define X(name, text) {text, text, NULL, offsetof(struct fg_list_figures, entries[FG_LIST_##name])},
    FG_LISTS(X)
#undef X
};

static const struct fg_figure_part LOSSES[] = {
    {"missed", "missed", "its receive queue was full: the workers did not come to it in time",
     offsetof(struct fg_port_figures, missed)},
    {"errors", "errors", "it was broken: a wrong frame checksum, a wrong length",
     offsetof(struct fg_port_figures, errors)},
    {"no_buffers", "no_buffers", "there was no packet buffer for it",
     offsetof(struct fg_port_figures, no_buffers)},
};

static const struct fg_figure_part BUILD[] = {{NULL, FG_VERSION_TEXT, "the program's version", 0}};

#define STATE_PART(text, help)                                                                     \
    {                                                                                              \
        text, text, help, 0                                                                        \
    }

static const struct fg_figure_part MODES[] = {
#define X(name, text, help) STATE_PART(text, help),
    FG_ENGINE_MODES(X)
#undef X
};

static const struct fg_figure_part SECCOMP_MODES[] = {
#define X(name, text, help) STATE_PART(text, help),
    FG_SECCOMP_MODES(X)
#undef X
};

static const struct fg_figure_part ACKS[] = {
    STATE_PART("durable", "an order is answered when it is on disk"),
    STATE_PART("memory", "an order is answered before it is on disk"),
};

static const struct fg_figure_part WORKER_STATES[] = {
    STATE_PART("starting", "its loop has not begun"),
    STATE_PART("running", "it serves"),
    STATE_PART("drained", "the engine stops, and it has nothing left to do"),
    STATE_PART("ended", "its loop has ended"),
};

static const struct fg_figure_part ROOMS[] = {
    STATE_PART("open", "there is room for everything"),
    STATE_PART("settles", "new orders are answered BUSY"),
    STATE_PART("shut", "CONFIRM and CANCEL are answered BUSY too"),
};

static const struct fg_figure_part DELIVERY_STATES[] = {
    STATE_PART("connecting", "Redis is looked for"),
    STATE_PART("running", "entries are appended"),
    STATE_PART("fenced", "another engine has taken over; this one stops"),
    STATE_PART("failed", "the log cannot be read; the engine stops"),
};

static const struct fg_figure_part CIRCUIT_STATES[] = {
#define X(name, text, help) STATE_PART(text, help),
    FG_CIRCUIT_STATES(X)
#undef X
};

static const struct fg_figure_part STREAM_STATES[] = {
#define X(name, text) STATE_PART(text, NULL),
    FG_STREAM_STATES(X)
#undef X
};

static const struct fg_figure_part SALE_STATES[] = {
#define X(name, text) STATE_PART(text, NULL),
    FG_SALE_STATES(X)
#undef X
};

/* --- the table --- */

#define FIGURE(metric_, path_, name_, kind_, unit_, of_, read_, source_, help_)                    \
    {                                                                                              \
        .metric = (metric_), .path = (path_), .name = (name_), .help = (help_),                    \
        .kind = FG_FIGURE_##kind_, .unit = FG_UNIT_##unit_, .of = FG_OF_##of_,                     \
        .source = (source_), .read = (read_)                                                       \
    }
#define PARTS(label_, list)                                                                        \
    .label = (label_), .parts = (list), .parts_count = sizeof(list) / sizeof((list)[0])
/* One of several states. */
#define STATE(metric_, path_, name_, of_, label_, list, read_, source_, help_)                     \
    {                                                                                              \
        .metric = (metric_), .path = (path_), .name = (name_), .help = (help_),                    \
        .kind = FG_FIGURE_STATE, .of = FG_OF_##of_, PARTS(label_, list), .source = (source_),      \
        .read = (read_)                                                                            \
    }
/* Several values. */
#define PARTED(metric_, path_, kind_, of_, label_, list, read_, help_)                             \
    {                                                                                              \
        .metric = (metric_), .path = (path_), .help = (help_), .kind = FG_FIGURE_##kind_,          \
        .of = FG_OF_##of_, PARTS(label_, list), .read = (read_)                                    \
    }
/* ... of a unit. */
#define PARTED_OF(metric_, path_, kind_, unit_, of_, label_, list, read_, help_)                   \
    {                                                                                              \
        .metric = (metric_), .path = (path_), .help = (help_), .kind = FG_FIGURE_##kind_,          \
        .unit = FG_UNIT_##unit_, .of = FG_OF_##of_, PARTS(label_, list), .read = (read_)           \
    }
#define HISTOGRAMS(metric_, path_, of_, label_, list, gather_, help_)                              \
    {                                                                                              \
        .metric = (metric_), .path = (path_), .help = (help_), .kind = FG_FIGURE_HISTOGRAM,        \
        .unit = FG_UNIT_NS, .of = FG_OF_##of_, PARTS(label_, list), .gather = (gather_)            \
    }
#define HISTOGRAM(metric_, path_, name_, gather_, help_)                                           \
    {                                                                                              \
        .metric = (metric_), .path = (path_), .name = (name_), .help = (help_),                    \
        .kind = FG_FIGURE_HISTOGRAM, .unit = FG_UNIT_NS, .gather = (gather_)                       \
    }
#define WORKER_COUNTER(name_, text, help)                                                          \
    FIGURE("flashgate_" text, "counters", text, COUNTER, NONE, WORKER, fg_figure_read_counter,     \
           offsetof(struct fg_counters, count[FG_COUNTER_##name_]), help),

const struct fg_figure fg_figures[] = {
    /* the engine */
    PARTED("flashgate_build_info", NULL, GAUGE, ENGINE, "version", BUILD, fg_figure_read_one,
           "the program's version, as a label; always 1"),
    FIGURE("flashgate_revision", "", "revision", GAUGE, NONE, ENGINE, fg_figure_read_board,
           BOARD_REVISION, "revision of the catalogue"),
    FIGURE("flashgate_epoch", "", "epoch", GAUGE, NONE, ENGINE, fg_figure_read_epoch, 0,
           "number of this start, over all starts on this log"),
    FIGURE("flashgate_uptime_seconds", "", "uptime_ms", GAUGE, MS, ENGINE, fg_figure_read_board,
           BOARD_UPTIME, "time since the engine was started"),
    FIGURE("flashgate_serving_since_timestamp_seconds", "", "serving_since", GAUGE, TIME, ENGINE,
           fg_figure_read_board, BOARD_SERVING,
           "when it began to serve; requests named before it are met with silence"),
    STATE("flashgate_mode", "", "mode", ENGINE, "mode", MODES, fg_figure_read_board, BOARD_MODE,
          "what the whole engine does, by an operator's word"),
    FIGURE("flashgate_workers", "config", "workers", GAUGE, NONE, ENGINE, fg_figure_read_config,
           CONFIG_WORKERS, "threads that decide orders"),
    FIGURE("flashgate_unsigned_allowed", "config", "unsigned", GAUGE, NONE, ENGINE,
           fg_figure_read_config, CONFIG_UNSIGNED,
           "1: datagrams without a signature are taken, which is for rehearsals only"),
    STATE("flashgate_seccomp", "process", "seccomp", ENGINE, "mode", SECCOMP_MODES,
          fg_figure_read_guard, GUARD_SECCOMP,
          "what becomes of system calls that the engine does not need"),
    FIGURE("flashgate_core_dumps", "process", "core_dumps", GAUGE, NONE, ENGINE,
           fg_figure_read_guard, GUARD_CORES,
           "1: a crash leaves a core, with orders and perhaps keys in it"),
    FIGURE("flashgate_clock_held", "clock", "held", GAUGE, NONE, ENGINE, fg_figure_read_clock,
           offsetof(struct fg_clock_figures, held),
           "1: the machine's clock has stepped by more than a second, and is not followed"),
    FIGURE("flashgate_clock_suspect", "clock", "suspect", GAUGE, NONE, ENGINE, fg_figure_read_clock,
           offsetof(struct fg_clock_figures, suspect),
           "1: most authentic datagrams of the last 10 s were stale, so the engine's clock may be "
           "wrong"),
    FIGURE("flashgate_clock_suspect_skew_seconds", "clock", "suspect_skew_ms", GAUGE, SKEW, ENGINE,
           fg_figure_read_clock, offsetof(struct fg_clock_figures, suspect_skew_ns),
           "then: the senders' time less the engine's, the median; else 0"),
    FIGURE("flashgate_clock_steps", "clock", "steps", COUNTER, NONE, ENGINE, fg_figure_read_clock,
           offsetof(struct fg_clock_figures, steps),
           "steps of the machine's clock by more than a second"),
    FIGURE("flashgate_clock_error_p999_seconds", "clock", "error_us_p999", GAUGE, NS, ENGINE,
           fg_figure_read_clock, offsetof(struct fg_clock_figures, error_ns_p999),
           "how far the workers' clock was from the machine's in the last minute, at most in 999 "
           "of 1000 looks"),
    FIGURE("flashgate_clock_error_max_seconds", "clock", "error_us_max", GAUGE, NS, ENGINE,
           fg_figure_read_clock, offsetof(struct fg_clock_figures, error_ns_max),
           "the same, at most in all looks"),
    FIGURE("flashgate_clock_page_age_max_seconds", "clock", "page_age_us_max", GAUGE, NS, ENGINE,
           fg_figure_read_clock, offsetof(struct fg_clock_figures, age_ns_max),
           "the longest time in the last minute that control did not write the clock page"),
    PARTED("flashgate_list_entries", "lists", GAUGE, ENGINE, "list", LISTS, fg_figure_read_lists,
           "different entries on each block and allow list in force"),
    FIGURE("flashgate_lists_loaded_timestamp_seconds", "lists", "loaded", GAUGE, TIME, ENGINE,
           fg_figure_read_lists, offsetof(struct fg_list_figures, loaded_ns),
           "when the lists in force were read from their files"),
    FIGURE("flashgate_lists_bytes", "lists", "memory_bytes", GAUGE, BYTES, ENGINE,
           fg_figure_read_lists, offsetof(struct fg_list_figures, bytes), "memory of these lists"),

    /* ports */
    PARTED("flashgate_port_lost", "ports[]", COUNTER, PORT, "cause", LOSSES, fg_figure_read_port,
           "frames that a port has lost before a worker saw them, as far as its driver tells"),
    FIGURE("flashgate_port_flow_rules", "ports[]", "flow_rules", GAUGE, NONE, PORT,
           fg_figure_read_rules, 0,
           "rules by which the port puts datagrams on the queue of their partition's owner; 0: it "
           "does not steer"),

    /* the workers: frames, then decisions */
    FG_FRAME_COUNTERS(WORKER_COUNTER)
        PARTED("flashgate_drops", "counters", COUNTER, WORKER, "reason", DROPS,
               fg_figure_read_counter, "frames that were met with silence, by reason"),
    FG_WORK_COUNTERS(WORKER_COUNTER)
        PARTED("flashgate_decisions", "verdicts", COUNTER, WORKER, "verdict", VERDICTS,
               fg_figure_read_counter, "answers to entries, by verdict"),
    HISTOGRAMS("flashgate_reply_seconds", "latency", WORKER, "how", LATENCIES,
               fg_figure_gather_latency,
               "time from the receipt of a datagram by a worker to its finished reply"),
    FIGURE("flashgate_orders", "gauges", "orders", GAUGE, NONE, WORKER, fg_figure_read_gauge,
           offsetof(struct fg_admission_gauges, orders), "orders and void requests remembered"),
    FIGURE("flashgate_holds", "gauges", "holds", GAUGE, NONE, WORKER, fg_figure_read_gauge,
           offsetof(struct fg_admission_gauges, holds), "holds outstanding"),
    FIGURE("flashgate_replies_waiting", "gauges", "parked", GAUGE, NONE, WORKER,
           fg_figure_read_gauge, offsetof(struct fg_admission_gauges, parked),
           "replies that wait for durability now"),
    FIGURE("flashgate_requests_waiting", "gauges", "unsettled", GAUGE, NONE, WORKER,
           fg_figure_read_gauge, offsetof(struct fg_admission_gauges, unsettled),
           "datagrams that wait for other workers' orders to settle now"),
    FIGURE("flashgate_loops", "workers[]", "loops", COUNTER, NONE, WORKER, fg_figure_read_counter,
           offsetof(struct fg_counters, loops), "rounds of the worker's loop"),
    FIGURE("flashgate_busy_cycles", "workers[]", "busy_cycles", COUNTER, CYCLES, WORKER,
           fg_figure_read_counter, offsetof(struct fg_counters, busy_cycles),
           "TSC cycles of loops that had work"),
    FIGURE("flashgate_cycles", "workers[]", "total_cycles", COUNTER, CYCLES, WORKER,
           fg_figure_read_counter, offsetof(struct fg_counters, total_cycles),
           "TSC cycles of all loops"),
    FIGURE(NULL, "workers[]", "busy_share", GAUGE, SHARE, WORKER, fg_figure_read_busy, 0,
           "busy_cycles of total_cycles since the start; of a period: from two looks"),
    FIGURE(NULL, "workers[]", "burst_mean", GAUGE, MEAN, WORKER, fg_figure_read_fill, 0,
           "frames that a port gave at once, the mean of those bursts that had one"),
    FIGURE("flashgate_worker_decisions_ratio", "workers[]", "decisions_share", GAUGE, SHARE, WORKER,
           fg_figure_read_decided, 0,
           "entries that it decided, of all workers', since the start; of a period: from two looks "
           "at entries"),
    FIGURE("flashgate_worker_taken_over_ratio", "workers[]", "taken_over_share", GAUGE, SHARE,
           WORKER, fg_figure_read_taken_over, 0,
           "of the datagrams that it decided, those that another worker had received, since the "
           "start; of a period: from two looks at taken_over and requests"),
    PARTED_OF("flashgate_stage_cycles", "stages", COUNTER, CYCLES, WORKER, "stage", STAGES,
              fg_figure_read_counter,
              "TSC cycles of loops that had work, by what was done; their sum is busy_cycles"),
    PARTED_OF(NULL, "cycles_per_decision", GAUGE, MEAN, WORKER, "stage", PER_DECISION,
              fg_figure_read_per_decision,
              "TSC cycles of each stage, and `all` of them, for each entry decided since the "
              "start; of a period: from two looks at stages and entries"),
    PARTED("flashgate_bursts", "bursts", COUNTER, WORKER, "frames", FILLS, fg_figure_read_counter,
           "bursts that had a frame, by how many a port gave at once"),
    FIGURE(NULL, "workers[]", "lcore", GAUGE, NONE, WORKER, fg_figure_read_lcore, 0,
           "DPDK's number of its thread"),
    FIGURE("flashgate_worker_core", "workers[]", "core", GAUGE, NONE, WORKER, fg_figure_read_lcore,
           1, "the core it is pinned to"),
    STATE("flashgate_worker_state", "workers[]", "state", WORKER, "state", WORKER_STATES,
          fg_figure_read_worker_state, 0, "what its loop does"),
    FIGURE("flashgate_seen_revision", "workers[]", "seen_revision", GAUGE, NONE, WORKER,
           fg_figure_read_seen, 0, "revision of the catalogue that it decides by"),

    /* the log */
    STATE("flashgate_ack", "journal", "ack", ENGINE, "ack", ACKS, fg_figure_read_config, CONFIG_ACK,
          "when an order is answered"),
    FIGURE("flashgate_journal_durable_frame", "journal", "durable", GAUGE, NONE, ENGINE,
           fg_figure_read_durable, 0, "number of the last durable frame of the log"),
    FIGURE("flashgate_journal_frames", "journal", "frames", COUNTER, NONE, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, frames),
           "frames written and flushed"),
    FIGURE("flashgate_journal_records", "journal", "records", COUNTER, NONE, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, records), "records in them"),
    FIGURE("flashgate_journal_bytes", "journal", "bytes", COUNTER, BYTES, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, bytes),
           "bytes written to the log"),
    HISTOGRAM("flashgate_journal_flush_seconds", "journal", "flush_time", fg_figure_gather_flush,
              "time to write and flush a frame"),
    FIGURE(NULL, "journal", "flush_us_last", GAUGE, NS, ENGINE, fg_figure_read_journal,
           offsetof(struct fg_journal_stats, flush_ns_last), "the last flush"),
    FIGURE(NULL, "journal", "flush_us_mean", GAUGE, NS, ENGINE, fg_figure_read_flush_mean, 0,
           "the mean of all flushes"),
    FIGURE("flashgate_journal_flush_max_seconds", "journal", "flush_us_max", GAUGE, NS, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, flush_ns_max),
           "the longest flush since the start"),
    FIGURE("flashgate_journal_flush_wait_seconds", "journal", "flush_us_wait", GAUGE, NS, ENGINE,
           fg_figure_read_flush_wait, 0,
           "how long the write and flush under way has taken by now; 0: none is"),
    FIGURE("flashgate_log_oldest_segment", "journal", "oldest_segment", GAUGE, NONE, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, oldest_segment),
           "number of the first segment that is left"),
    FIGURE("flashgate_log_segment", "journal", "segment", GAUGE, NONE, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, segment),
           "number of the segment being written"),
    FIGURE("flashgate_log_bytes", "journal", "log_bytes", GAUGE, BYTES, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, log_bytes),
           "size of all segments on disk"),
    FIGURE("flashgate_log_budget_bytes", "journal", "log_budget", GAUGE, BYTES, ENGINE,
           fg_figure_read_config, CONFIG_LOG_BUDGET, "what the log may take"),
    FIGURE("flashgate_log_room_bytes", "journal", "room_bytes", GAUGE, BYTES, ENGINE,
           fg_figure_read_journal, offsetof(struct fg_journal_stats, room_bytes),
           "what frames may still take before the log is full"),
    FIGURE("flashgate_log_room_ratio", "journal", "room_share", GAUGE, SHARE, ENGINE,
           fg_figure_read_room_share, 0, "room of the budget"),
    STATE("flashgate_log_room_state", "journal", "room_state", ENGINE, "state", ROOMS,
          fg_figure_read_journal, offsetof(struct fg_journal_stats, log_room),
          "what the log has room for"),
    FIGURE("flashgate_log_stuck_errno", NULL, NULL, GAUGE, NONE, ENGINE, fg_figure_read_journal,
           offsetof(struct fg_journal_stats, stuck),
           "why the disk gives no further segment, as an errno; 0: it does. status has it in "
           "words, as journal.stuck"),
    FIGURE("flashgate_log_retire_errno", NULL, NULL, GAUGE, NONE, ENGINE, fg_figure_read_journal,
           offsetof(struct fg_journal_stats, retire_error),
           "why the oldest segment cannot be removed, as an errno; 0: it can"),

    /* delivery */
    STATE("flashgate_delivery_state", "delivery", "state", ENGINE, "state", DELIVERY_STATES,
          fg_figure_read_delivery_state, 0, "the link to Redis"),
    FIGURE("flashgate_delivered", "delivery", "delivered", COUNTER, NONE, ENGINE,
           fg_figure_read_delivery, offsetof(struct fg_delivery_stats, delivered),
           "entries appended to streams"),
    FIGURE("flashgate_delivery_lag", "delivery", "lag", GAUGE, NONE, ENGINE,
           fg_figure_read_delivery, offsetof(struct fg_delivery_stats, lag),
           "order events that are durable and not in their stream, as of the last call to Redis "
           "that ended"),
    FIGURE("flashgate_delivery_connects", "delivery", "connects", COUNTER, NONE, ENGINE,
           fg_figure_read_delivery, offsetof(struct fg_delivery_stats, connects),
           "connections made"),
    FIGURE("flashgate_delivery_gaps", "delivery", "gaps", COUNTER, NONE, ENGINE,
           fg_figure_read_delivery, offsetof(struct fg_delivery_stats, gaps),
           "streams found not to end with what was last appended"),
    FIGURE("flashgate_delivery_errors", "delivery", "errors", COUNTER, NONE, ENGINE,
           fg_figure_read_delivery, offsetof(struct fg_delivery_stats, errors),
           "answers of Redis that were neither OK nor GAP"),
    STATE("flashgate_delivery_circuit", "delivery", "circuit", ENGINE, "state", CIRCUIT_STATES,
          fg_figure_read_circuit, CIRCUIT_STATE, "the circuit breaker before delivery's Redis"),
    FIGURE("flashgate_delivery_circuit_openings", "delivery", "circuit_openings", COUNTER, NONE,
           ENGINE, fg_figure_read_circuit, CIRCUIT_OPENINGS, "how often it opened"),
    FIGURE("flashgate_delivery_circuit_retry_seconds", "delivery", "circuit_retry_us", GAUGE, NS,
           ENGINE, fg_figure_read_circuit, CIRCUIT_LEFT,
           "time until Redis is tried again; 0: it may be called"),
    FIGURE("flashgate_stock_pages", "stock_page", "pages", COUNTER, NONE, ENGINE,
           fg_figure_read_page, offsetof(struct fg_stock_page_stats, pages),
           "stock hashes refreshed, one for each sale and second"),
    FIGURE("flashgate_stock_page_errors", "stock_page", "errors", COUNTER, NONE, ENGINE,
           fg_figure_read_page, offsetof(struct fg_stock_page_stats, errors),
           "refreshes of a stock hash that failed"),
    STATE("flashgate_stock_page_circuit", "stock_page", "circuit", ENGINE, "state", CIRCUIT_STATES,
          fg_figure_read_page_circuit, CIRCUIT_STATE,
          "the circuit breaker before the stock page's Redis"),
    FIGURE("flashgate_stock_page_circuit_openings", "stock_page", "circuit_openings", COUNTER, NONE,
           ENGINE, fg_figure_read_page_circuit, CIRCUIT_OPENINGS, "how often it opened"),
    FIGURE("flashgate_stock_page_circuit_retry_seconds", "stock_page", "circuit_retry_us", GAUGE,
           NS, ENGINE, fg_figure_read_page_circuit, CIRCUIT_LEFT,
           "time until Redis is tried again; 0: it may be called"),

    /* sales */
    STATE("flashgate_sale_state", "sales[]", "state", SALE, "state", SALE_STATES,
          fg_figure_read_sale_state, 0, "the sale's state"),
    FIGURE("flashgate_sale_opens_timestamp_seconds", "sales[]", "opens", GAUGE, TIME, SALE,
           fg_figure_read_sale_time, 0, "when it opens or opened; none: by hand"),
    FIGURE("flashgate_sale_closes_timestamp_seconds", "sales[]", "closes", GAUGE, TIME, SALE,
           fg_figure_read_sale_time, 1, "when it closes; none: by hand"),
    FIGURE("flashgate_sale_items", "sales[]", "items_count", GAUGE, NONE, SALE,
           fg_figure_read_sale_items, 0, "its items"),
    FIGURE("flashgate_sale_stock", "sales[]", "stock", GAUGE, NONE, SALE, fg_figure_read_sale_units,
           UNITS_STOCK, "units ever to be sold"),
    FIGURE("flashgate_sale_available", "sales[]", "available", GAUGE, NONE, SALE,
           fg_figure_read_sale_units, UNITS_AVAILABLE, "units on sale now"),
    FIGURE("flashgate_sale_given", "sales[]", "given", GAUGE, NONE, SALE, fg_figure_read_sale_units,
           UNITS_GIVEN, "units that orders have: held, final, or being decided"),
    STATE("flashgate_stream_state", "sales[]", "stream", SALE, "state", STREAM_STATES,
          fg_figure_read_stream_state, 0, "the sale's stream in Redis"),
    FIGURE("flashgate_stream_logged", NULL, NULL, GAUGE, NONE, SALE, fg_figure_read_stream, 0,
           "last durable event of the sale that delivery has read"),
    FIGURE("flashgate_stream_delivered", NULL, NULL, GAUGE, NONE, SALE, fg_figure_read_stream, 1,
           "event up to which the stream has all, for certain"),
    FIGURE("flashgate_stream_consumed", NULL, NULL, GAUGE, NONE, SALE, fg_figure_read_stream, 2,
           "event up to which the consumer is done"),
    FIGURE("flashgate_stream_lag", NULL, NULL, GAUGE, NONE, SALE, fg_figure_read_stream, 3,
           "events read and not in the stream"),

    /* items */
    FIGURE("flashgate_item_stock", "sales[].items[]", "stock", GAUGE, NONE, ITEM,
           fg_figure_read_item_units, UNITS_STOCK, "units ever to be sold"),
    FIGURE("flashgate_item_available", "sales[].items[]", "available", GAUGE, NONE, ITEM,
           fg_figure_read_item_units, UNITS_AVAILABLE, "units on sale now"),
    FIGURE("flashgate_item_given", "sales[].items[]", "given", GAUGE, NONE, ITEM,
           fg_figure_read_item_units, UNITS_GIVEN,
           "units that orders have: held, final, or being decided"),

    /* keys; status has them as keys[] */
    FIGURE("flashgate_key_datagrams", NULL, NULL, COUNTER, NONE, KEY, fg_figure_read_key,
           KEY_ACCEPTED, "authentic datagrams of the key; key 0: unsigned ones"),
    FIGURE("flashgate_key_seen_timestamp_seconds", NULL, NULL, GAUGE, TIME, KEY, fg_figure_read_key,
           KEY_SEEN, "when the last one came"),
    FIGURE("flashgate_key_asked", NULL, NULL, COUNTER, NONE, KEY, fg_figure_read_key, KEY_ASKED,
           "requests that a key with a rate was asked for, without what may be copies"),
    FIGURE("flashgate_key_throttled", NULL, NULL, COUNTER, NONE, KEY, fg_figure_read_key,
           KEY_THROTTLED, "of these, those that were THROTTLED for the key's rate"),
    FIGURE("flashgate_key_stale", NULL, NULL, COUNTER, NONE, KEY, fg_figure_read_key, KEY_STALE,
           "datagrams of the key with the right mac and a time outside the freshness window"),
    FIGURE("flashgate_key_skew_seconds", NULL, NULL, GAUGE, SKEW, KEY, fg_figure_read_key, KEY_SKEW,
           "time of the last stale one less the engine's"),
    FIGURE("flashgate_key_stale_source", NULL, NULL, GAUGE, NONE, STALE_SOURCE, fg_figure_read_key,
           KEY_STALE_SOURCE, "where the last stale one came from, as a label; always 1"),
};
const unsigned fg_figures_count = sizeof(fg_figures) / sizeof(fg_figures[0]);
