/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's configuration as tables of options. */
#include "control/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "control/config/config_check.h"
#include "control/config/ops.h"
#include "flashgate/protocol.h"

#define CORE_MAX 1023

/* --- elements of lists --- */

static const struct fg_option EAL_ELEMENT = {
    .kind = FG_OPTION_TEXT, .size = sizeof(char *), .min = 1, .max = 1000};
static const struct fg_option PORT_ELEMENT = {.kind = FG_OPTION_SECTION,
                                              .table = &fg_config_port_table};
static const struct fg_option CORE_ELEMENT = {
    .kind = FG_OPTION_INTEGER, .size = sizeof(int), .max = CORE_MAX};

/* --- sections --- */

#define CORE_OPTION(word, field, text)                                                             \
    {                                                                                              \
        .name = word, .kind = FG_OPTION_INTEGER, FIELD(field), .min = -1, .max = CORE_MAX,         \
        .standard = "-1", .help = text                                                             \
    }

static const struct fg_option CORES_OPTIONS[] = {
    CORE_OPTION("control", control_core, "Core of the control thread; -1: not pinned."),
    CORE_OPTION("journal", journal_core,
                "Core of the journal thread; -1: not pinned. Keep it off the workers' cores."),
    CORE_OPTION("storage", storage_core,
                "Core of the thread that prepares the log's segments; -1: not pinned."),
    CORE_OPTION("delivery", delivery_core,
                "Core of the thread that delivers to Redis; -1: not pinned."),
};
static const struct fg_option_table CORES_TABLE = {CORES_OPTIONS, COUNT(CORES_OPTIONS),
                                                   "a table of cores", NULL};

static const struct fg_option LIMITS_OPTIONS[] = {
    {.name = "orders",
     .kind = FG_OPTION_INTEGER,
     FIELD(limit_orders),
     .min = 1024,
     .max = 1000000000,
     .standard = "1000000",
     .help = "Orders remembered at once, of all live sales and workers together. Cancelled and "
             "expired ones and void requests count."},
    {.name = "items",
     .kind = FG_OPTION_INTEGER,
     FIELD(limit_items),
     .min = 1,
     .max = FG_SALES_LIVE_MAX * FG_ITEMS_PER_SALE_MAX,
     .standard = "10000",
     .help = "Items of all live sales; each takes a line of 64 bytes for every worker."},
    {.name = "orders_per_buyer",
     .kind = FG_OPTION_INTEGER,
     FIELD(orders_per_buyer),
     .min = 1,
     .max = 255,
     .standard = "16",
     .help = "Orders of one buyer that are remembered in one sale; cancelled and expired ones "
             "count. More are answered LIMIT_REACHED."},
    {.name = "parked",
     .kind = FG_OPTION_INTEGER,
     FIELD(limit_parked),
     .unit = "datagrams",
     .min = 64,
     .max = 1 << 20,
     .standard = "4096",
     .help = "Datagrams of each worker that may wait until their records are durable; at most half "
             "of mbufs. More are answered BUSY."},
    {.name = "queue_age",
     .kind = FG_OPTION_DURATION,
     FIELD(queue_age_ms),
     .max = 60000,
     .standard = "20ms",
     .zero = "no limit",
     .help = "How long a datagram with a new order may have waited in the engine, from when a "
             "worker took it off the port, until it is decided. An older one is answered BUSY, and "
             "nothing about it is changed. How long it lay in the NIC's own ring is not known, and "
             "does not count. 0: no limit."},
};
static const struct fg_option_table LIMITS_TABLE = {LIMITS_OPTIONS, COUNT(LIMITS_OPTIONS),
                                                    "a table of limits", NULL};

/* --- the whole --- */

static const char *const IDLE_NAMES[] = {
    [FG_IDLE_POLL] = "poll", [FG_IDLE_YIELD] = "yield", [FG_IDLE_SLEEP] = "sleep", NULL};

static const char *const ACK_NAMES[] = {
    [FG_ACK_DURABLE] = "durable", [FG_ACK_MEMORY] = "memory", NULL};

static const struct fg_option CONFIG_OPTIONS[] = {
    {.name = "user",
     .kind = FG_OPTION_TEXT,
     FIELD(user),
     .min = 1,
     .max = 255,
     .suggested = true,
     .example = "flashgate",
     .help = "Whom the engine becomes when root starts it: log, sockets and secrets are this "
             "user's. root stays root, which is for rehearsals. If it is not given: flashgate "
             "where there is that user, else root. Started by anybody else (the service is: by "
             "flashgate itself) it stays that."},
    {.name = "eal",
     .kind = FG_OPTION_LIST,
     .offset = OFFSET(eal),
     .second = OFFSET(eal_count),
     .size = sizeof(char *),
     .allocated = true,
     .max = 64,
     .element = &EAL_ELEMENT,
     .example = "[\"--in-memory\", \"-m\", \"1024\"]",
     .help = "More arguments for DPDK's EAL. Cores, --file-prefix and devices are not among them: "
             "they follow from the options below."},
    {.name = "file_prefix",
     .kind = FG_OPTION_TEXT,
     FIELD(file_prefix),
     .min = 1,
     .max = 63,
     .standard = "flashgate",
     .help = "EAL's --file-prefix: two DPDK processes on one machine need two of them."},
    {.name = "ports",
     .kind = FG_OPTION_LIST,
     .offset = OFFSET(ports),
     .second = OFFSET(ports_count),
     .size = sizeof(struct fg_port_config),
     .min = 1,
     .max = FG_PORTS_MAX,
     .required = true,
     .element = &PORT_ELEMENT,
     .help = "The network ports the engine serves. A worker receives by its own queue of "
             "each; on a port with fewer queues than workers the others get theirs handed over."},
    {.name = "mbufs",
     .kind = FG_OPTION_INTEGER,
     FIELD(mbufs),
     .unit = "buffers",
     .min = 1024,
     .max = 1 << 20,
     .standard = "16384",
     .help = "Packet buffers of each worker, about 2.3 KiB each: for the descriptors of all ports, "
             "and for what is parked."},
    {.name = "rx_descriptors",
     .kind = FG_OPTION_INTEGER,
     FIELD(rx_descriptors),
     .min = 64,
     .max = 32768,
     .power_of_two = true,
     .standard = "1024",
     .help = "Descriptors of each receive queue."},
    {.name = "tx_descriptors",
     .kind = FG_OPTION_INTEGER,
     FIELD(tx_descriptors),
     .min = 64,
     .max = 32768,
     .power_of_two = true,
     .standard = "1024",
     .help = "Descriptors of each transmit queue."},
    {.name = "workers",
     .kind = FG_OPTION_INTEGER,
     FIELD(workers),
     .unit = "threads",
     .min = 1,
     .max = FG_WORKERS_MAX,
     .standard = "1",
     .help = "Threads that decide orders, one for each receive queue."},
    {.name = "worker_cores",
     .kind = FG_OPTION_LIST,
     .offset = OFFSET(worker_cores),
     .second = OFFSET(worker_cores_count),
     .size = sizeof(int),
     .min = 1,
     .max = FG_WORKERS_MAX,
     .element = &CORE_ELEMENT,
     .example = "[1]",
     .help =
         "The workers' cores, one for each; several may share a core. If they are not given: 1, "
         "2, 3 ..., which leaves core 0 to the other threads; on a machine with too few cores "
         "for that, all of its cores in turn."},
    {.name = "cores",
     .kind = FG_OPTION_SECTION,
     .table = &CORES_TABLE,
     .help = "Cores of the other threads."},
    {.name = "idle",
     .kind = FG_OPTION_CHOICE,
     FIELD(idle),
     .choices = IDLE_NAMES,
     .standard = "yield",
     .help =
         "What a worker does after many empty polls: poll on (for cores that nothing else needs, "
         "the kernel's own threads included), yield the core (and nap 20 us in a thousand "
         "polls), or sleep 50 us, and 1 ms after 0.1 s without work. Around an opening a worker "
         "with a core of its own polls."},
    {.name = "base_port",
     .kind = FG_OPTION_INTEGER,
     FIELD(base_port),
     .min = PORT_FIRST,
     .max = 65535,
     .standard = "20480",
     .help = "First UDP port; the engine has `partitions` of them. A multiple of partitions."},
    {.name = "partitions",
     .kind = FG_OPTION_INTEGER,
     FIELD(partitions),
     .min = FG_PARTITIONS_MIN,
     .max = 32768,
     .power_of_two = true,
     .standard = "256",
     .help =
         "Shares that buyers are divided into; each belongs to one worker. A NIC that steers by "
         "flow rules has one for each, or, if workers are a power of two and the NIC can, one "
         "for each worker."},
    {.name = "node",
     .kind = FG_OPTION_INTEGER,
     FIELD(node),
     .max = FG_NODE_MAX,
     .standard = "0",
     .help =
         "Number of this engine; part of every order id, so no two engines of a site share it."},
    {.name = "key_file",
     .kind = FG_OPTION_TEXT,
     FIELD(key_file),
     .min = 1,
     .max = PATH_BYTES,
     .suggested = true,
     .example = "/etc/flashgate/keys.yaml",
     .help = "The keys that sign datagrams, in a file of mode 0600."},
    {.name = "unsigned_allowed",
     .kind = FG_OPTION_BOOL,
     FIELD(unsigned_allowed),
     .standard = "false",
     .help = "Take unsigned datagrams too: for rehearsals only, as anyone who reaches the port can "
             "then order."},
    {.name = "unsigned_ops",
     .kind = FG_OPTION_LIST,
     .offset = OFFSET(unsigned_op_places),
     .second = OFFSET(unsigned_ops_count),
     .size = sizeof(unsigned),
     .min = 1,
     .max = FG_OP_MAX,
     .element = &fg_op_element,
     .example = "[ORDER, QUERY, STOCK, PING]",
     .help = "The ops that unsigned datagrams may use, where they are allowed. If they are not "
             "given: ORDER, QUERY, STOCK and PING. With CONFIRM or CANCEL anyone can settle "
             "anybody's order."},
    {.name = "freshness",
     .kind = FG_OPTION_DURATION,
     FIELD(freshness_ms),
     .min = 100,
     .max = FG_FRESHNESS_MS_MAX,
     .standard = "30s",
     .help = "How far a datagram's time may be from the engine's, either way."},
    {.name = "log",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_log_table,
     .help = "The durable order log."},
    {.name = "ack",
     .kind = FG_OPTION_CHOICE,
     FIELD(ack),
     .choices = ACK_NAMES,
     .standard = "durable",
     .help = "When an order is answered: once it is on disk (durable), or before (memory). With "
             "memory a crash forgets orders that buyers were told of: for rehearsals only."},
    {.name = "restart_grace",
     .kind = FG_OPTION_DURATION,
     FIELD(restart_grace_ms),
     .max = FG_HOLD_MS_MAX,
     .standard = "0",
     .help = "After a restart no hold expires for so long. 0: as long as the engine was down, at "
             "most the hold itself, at least 60s."},
    {.name = "limits",
     .kind = FG_OPTION_SECTION,
     .table = &LIMITS_TABLE,
     .help = "What is allocated at start; what is full answers BUSY."},
    {.name = "penalty",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_penalty_table,
     .help =
         "What comes of a buyer who is refused for its sale's rate again and again: for a while "
         "all its new orders in that sale are THROTTLED. What repeats or settles an order has "
         "its rate as ever."},
    {.name = "redis",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_redis_table,
     .help = "Where admitted orders are delivered."},
    {.name = "control",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_control_table,
     .help = "The control plane."},
    {.name = "metrics",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_metrics_table,
     .help = "What monitoring reads; docs/metrics.md lists the figures."},
    {.name = "lists",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_lists_table,
     .help = "Files of who is blocked, and who is exempt. flashgatectl lists reload reads them "
             "again; a list without a file is empty."},
    {.name = "security",
     .kind = FG_OPTION_SECTION,
     .table = &fg_config_security_table,
     .help = "What the engine forbids itself."},
};

const struct fg_option_table fg_config_options = {
    CONFIG_OPTIONS, COUNT(CONFIG_OPTIONS),
    "a table with at least ports, log.directory and control.socket", fg_config_check_all};

int fg_config_load(struct fg_config *config, const char *path, char *message, size_t size)
{
    struct fg_options_input input = {.source = path, .message = message, .size = size};
    memset(config, 0, sizeof(*config));
    char *text = fg_options_file(path, false, &input.length, message, size);
    if (!text)
        return -1;
    input.text = text;
    int result = fg_options_read(&fg_config_options, config, &input);
    free(text);
    if (result != 0)
        fg_config_free(config);
    return result;
}

void fg_config_free(struct fg_config *config)
{
    fg_options_free(&fg_config_options, config);
}

void fg_config_reference(FILE *out)
{
    fputs("# Reference configuration of flashgated: every option with its default.\n"
          "# Printed by `flashgated --reference-config`.\n\n",
          out);
    fg_options_reference(&fg_config_options, out);
}

void fg_config_describe(FILE *out)
{
    fg_options_describe(&fg_config_options, out);
}

void fg_config_manual(FILE *out)
{
    fg_options_manual(&fg_config_options, true, out);
}
