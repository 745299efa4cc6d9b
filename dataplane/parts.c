/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's parts in the order in which they start, each with its start and its stop.
 *
 * The log's lock and the control socket come before DPDK: a second engine must be refused before it
 * can harm the first, whose vhost sockets DPDK would take away.
 */
#include "dataplane/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "control/control.h"
#include "control/doctor/doctor.h"
#include "control/figures/metrics.h"
#include "control/figures/telemetry.h"
#include "dataplane/admission/rates.h"
#include "dataplane/net/eal.h"
#include "dataplane/redis.h"
#include "dataplane/seccomp.h"
#include "dataplane/workers.h"
#include "flashgate/exit_status.h"

#define DRAIN_LIMIT_MS 2000 /* for what waits at a stop: a flush takes less than one of them */

static int user_start(struct fg_process *p)
{
    int status =
        fg_privilege_begin(&p->engine.privilege, &p->engine.config, p->message, sizeof(p->message));

    /* Before the keys are read. */
    if (status == FG_EXIT_OK)
        status = fg_privilege_forbid_cores(&p->engine.config, p->message, sizeof(p->message));
    return status;
}

static void nothing_to_stop(struct fg_process *p)
{
    (void)p;
}

static int preflight_start(struct fg_process *p)
{
    return fg_doctor_start(&p->engine.config, stderr, p->message, sizeof(p->message));
}

static int control_start(struct fg_process *p)
{
    int status = FG_EXIT_FAILED;

    p->engine.control = fg_control_create(&p->engine, &status, p->message, sizeof(p->message));
    return p->engine.control ? FG_EXIT_OK : status;
}

static void control_stop(struct fg_process *p)
{
    fg_control_destroy(p->engine.control);
}

static int out_of_memory(struct fg_process *p, const char *what)
{
    snprintf(p->message, sizeof(p->message), "no memory for %s; lower the limits", what);
    return FG_EXIT_MEMORY;
}

static int stock_start(struct fg_process *p)
{
    const struct fg_config *config = &p->engine.config;

    if (fg_stock_init(&p->engine.stock, config->workers, config->limit_items) != 0)
        return out_of_memory(p, "the stock of limits.items items");
    return FG_EXIT_OK;
}

static void stock_stop(struct fg_process *p)
{
    fg_stock_fini(&p->engine.stock);
}

/* A worker's share of the remembered orders: by its partitions, and a sixteenth more, because
 * buyers do not fall on partitions evenly. */
static uint32_t share_of_orders(const struct fg_config *config)
{
    uint64_t partitions = (config->partitions + config->workers - 1) / config->workers;
    uint64_t share = config->limit_orders * partitions / config->partitions;

    return (uint32_t)(share + share / 16 + 1024);
}

static void admissions_stop(struct fg_process *p)
{
    for (unsigned w = 0; w < p->engine.config.workers; w++) {
        fg_admission_destroy(p->plan.admissions[w]);
        free(p->counters[w]);
        p->plan.admissions[w] = NULL;
        p->counters[w] = NULL;
    }
}

static int admissions_start(struct fg_process *p)
{
    const struct fg_config *config = &p->engine.config;

    p->plan.engine = &p->engine;
    for (unsigned w = 0; w < config->workers; w++) {
        struct fg_counters *counters =
            aligned_alloc(alignof(struct fg_counters), sizeof(*counters));
        struct fg_admission_config admission = {
            .worker = w,
            .workers = config->workers,
            .node = config->node,
            .partitions = config->partitions,
            .base_port = config->base_port,
            .orders = share_of_orders(config),
            .orders_per_buyer = config->orders_per_buyer,
            .parked = config->limit_parked,
            .lane_records = config->lane_records,
            .penalty = {config->penalty_after, config->penalty_within_ms, config->penalty_first_ms,
                        config->penalty_most_ms},
            .buyer_buckets = fg_rates_buyers(sysconf(_SC_LEVEL2_CACHE_SIZE)),
            .source = fg_worker_source,
            .stock = &p->engine.stock,
            .counters = counters,
        };
        p->counters[w] = counters;
        if (counters) {
            memset(counters, 0, sizeof(*counters));
            if (getrandom(&admission.seed, sizeof(admission.seed), 0) == sizeof(admission.seed))
                p->plan.admissions[w] = fg_admission_create(&admission);
        }
        if (!p->plan.admissions[w]) {
            admissions_stop(p);
            return out_of_memory(p, "the tables of limits.orders orders");
        }
    }
    return FG_EXIT_OK;
}

static void log_stop(struct fg_process *p)
{
    if (p->engine.journal)
        fg_journal_close(p->engine.journal);
    p->engine.journal = NULL;
}

static int log_start(struct fg_process *p)
{
    int status =
        fg_recovery_run(&p->plan, &fg_disk_files, &fg_clock_system, p->message, sizeof(p->message));
    if (status != FG_EXIT_OK) {
        log_stop(p);
        return status;
    }
    fg_recovery_tell(&p->engine, stderr);
    return FG_EXIT_OK;
}

static int socket_start(struct fg_process *p)
{
    return fg_control_listen(p->engine.control, p->message, sizeof(p->message));
}

static void socket_stop(struct fg_process *p)
{
    fg_control_close(p->engine.control);
}

static int eal_start(struct fg_process *p)
{
    int status = fg_privilege_raise(&p->engine.privilege, p->message, sizeof(p->message));

    if (status == FG_EXIT_OK)
        status = fg_eal_start(&p->engine.config, p->message, sizeof(p->message));
    if (status == FG_EXIT_OK)
        fg_clock_page_init(&p->engine.clock, rte_get_tsc_hz());
    return status;
}

static void eal_stop(struct fg_process *p)
{
    (void)p;
    fg_eal_stop();
}

static void memory_stop(struct fg_process *p)
{
    fg_workers_free(&p->engine);
}

static int memory_start(struct fg_process *p)
{
    int status = fg_workers_make(&p->engine, p->plan.admissions, p->counters, p->message,
                                 sizeof(p->message));
    if (status != FG_EXIT_OK)
        memory_stop(p);
    return status;
}

static void ports_stop(struct fg_process *p)
{
    for (unsigned i = 0; i < p->engine.config.ports_count; i++)
        fg_port_stop(&p->engine.ports[i]);
}

/* "sender's queue (net_vhost); flow rules, else rss + hand-over (net_ice: 4 for IPv4)" */
static void add_steering(struct fg_engine *engine, const struct fg_port *port)
{
    size_t length = strlen(engine->steering);

    snprintf(engine->steering + length, sizeof(engine->steering) - length, "%s%s",
             length > 0 ? "; " : "", port->steering);
}

static int ports_start(struct fg_process *p)
{
    struct fg_engine *engine = &p->engine;
    struct rte_mempool *pools[FG_WORKERS_MAX];
    char facts[768];

    for (unsigned w = 0; w < engine->config.workers; w++)
        pools[w] = engine->workers[w]->pool;
    for (unsigned i = 0; i < engine->config.ports_count; i++) {
        if (fg_port_start(&engine->ports[i], &engine->config, i, pools, p->message,
                          sizeof(p->message)) != 0) {
            ports_stop(p);
            return FG_EXIT_NETWORK;
        }
        add_steering(engine, &engine->ports[i]);
        fg_port_describe(&engine->ports[i], &engine->config.ports[i], facts, sizeof(facts));
        fprintf(stderr, "%s\n", facts);
    }
    return FG_EXIT_OK;
}

/* Before the threads that outsiders talk to; those of DPDK lose their rights with this one. */
static int rights_start(struct fg_process *p)
{
    return fg_privilege_drop(&p->engine.privilege, p->message, sizeof(p->message));
}

/* What fails while the engine stops is told as well. */
static void check_stop(struct fg_process *p)
{
    if (p->status != FG_EXIT_OK)
        return;
    p->status = fg_control_check(p->engine.control, p->message, sizeof(p->message));
    if (p->status != FG_EXIT_OK)
        fprintf(stderr, "flashgated: %s\n", p->message);
}

static void delivery_stop(struct fg_process *p)
{
    fg_redis_stop(&p->engine);
    if (p->engine.delivery)
        check_stop(p);
    fg_redis_free(&p->engine);
}

static int delivery_start(struct fg_process *p)
{
    return fg_redis_start(&p->engine, p->message, sizeof(p->message));
}

static int journal_start(struct fg_process *p)
{
    const struct fg_config *config = &p->engine.config;
    int rc = fg_journal_start(p->engine.journal, config->journal_core, config->storage_core);

    if (rc == 0)
        return FG_EXIT_OK;
    snprintf(p->message, sizeof(p->message), "the journal's threads cannot start: %s",
             strerror(-rc));
    return FG_EXIT_FAILED;
}

static void journal_stop(struct fg_process *p)
{
    fg_journal_stop(p->engine.journal);
    check_stop(p);
}

static void seen_stop(struct fg_process *p)
{
    fg_telemetry_stop();
    fg_metrics_stop(&p->engine);
    fg_redis_page_stop(&p->engine);
}

/* What others see of the engine. */
static int seen_start(struct fg_process *p)
{
    int status = fg_metrics_start(&p->engine, p->message, sizeof(p->message));

    if (status == FG_EXIT_OK)
        status = fg_redis_page_start(&p->engine, p->message, sizeof(p->message));
    if (status == FG_EXIT_OK)
        fg_telemetry_start(&p->engine);
    else
        seen_stop(p);
    return status;
}

/* A clean stop answers what waits. After a failure nothing may be acknowledged any more. */
static void workers_stop(struct fg_process *p)
{
    if (p->status == FG_EXIT_OK && !fg_workers_drain(&p->engine, DRAIN_LIMIT_MS))
        fprintf(stderr,
                "stop: some replies did not become durable within %d ms and were not "
                "sent\n",
                DRAIN_LIMIT_MS);
    fg_workers_stop(&p->engine);
}

static int workers_start(struct fg_process *p)
{
    int status = fg_workers_launch(&p->engine, p->message, sizeof(p->message));

    if (status != FG_EXIT_OK)
        fg_workers_stop(&p->engine);
    return status;
}

/* When all threads are there: what only a start needs is over. It stays on while the parts stop. */
static int calls_start(struct fg_process *p)
{
    return fg_seccomp_start(&p->engine.config, p->message, sizeof(p->message));
}

const struct fg_part fg_parts[] = {
    {"user", user_start, nothing_to_stop},
    {"preflight", preflight_start, nothing_to_stop},
    {"control", control_start, control_stop},
    {"stock", stock_start, stock_stop},
    {"admission", admissions_start, admissions_stop},
    {"log", log_start, log_stop},
    {"control socket", socket_start, socket_stop},
    {"DPDK", eal_start, eal_stop},
    {"memory", memory_start, memory_stop},
    {"ports", ports_start, ports_stop},
    {"rights", rights_start, nothing_to_stop},
    {"delivery", delivery_start, delivery_stop},
    {"journal", journal_start, journal_stop},
    {"metrics", seen_start, seen_stop},
    {"workers", workers_start, workers_stop},
    {"system calls", calls_start, nothing_to_stop},
};
const size_t fg_parts_count = sizeof(fg_parts) / sizeof(fg_parts[0]);
