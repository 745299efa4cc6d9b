/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's configuration. One option table (config.c) makes the parser, --check,
 * --describe-config and conf/flashgate.yaml. Read once at start; read-only after it.
 */
#ifndef FG_CONTROL_CONFIG_H
#define FG_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/admission/lists.h"
#include "dataplane/ip.h"
#include "flashgate/limits.h"
#include "flashgate/protocol.h"

enum fg_ack { FG_ACK_DURABLE, FG_ACK_MEMORY };
/* X(NAME, text, help): what becomes of system calls that the engine does not need */
#define FG_SECCOMP_MODES(X)                                                                        \
    X(DENY, "deny", "they are refused")                                                            \
    X(LOG, "log", "the kernel's log tells them")                                                   \
    X(OFF, "off", "nobody looks")

enum fg_seccomp_mode {
#define X(name, text, help) FG_SECCOMP_##name,
    FG_SECCOMP_MODES(X)
#undef X
};
enum fg_idle { FG_IDLE_POLL, FG_IDLE_YIELD, FG_IDLE_SLEEP };

struct fg_option_table;

struct fg_port_config {
    char *device;          /* PCI address, or an EAL vdev string: "net_vhost0,iface=/run/x.sock" */
    struct fg_ip address;  /* the engine's IPv4 address on it; zero: none */
    struct fg_ip address6; /* its IPv6 address; zero: none. One of the two is there */
    uint8_t prefix_bits, prefix6_bits; /* of 128 */
};

/* Some users and groups, and what they may. */
struct fg_role_config {
    unsigned place; /* of the role in the list of those that can be given: enum fg_role, less one */
    char **users, **groups; /* names, or numbers */
    unsigned users_count, groups_count;
};

/* What unsigned datagrams may do where the configuration does not say: nothing that touches
 * another's order. */
#define FG_UNSIGNED_OPS (1 << FG_OP_ORDER | 1 << FG_OP_QUERY | 1 << FG_OP_STOCK | 1 << FG_OP_PING)

struct fg_config {
    char *user; /* whom the engine becomes when root starts it; NULL: as dataplane/privilege.h has
                   it */

    /* EAL */
    char **eal; /* arguments as given, without cores, --file-prefix and --vdev, which we add */
    unsigned eal_count;
    char *file_prefix;
    struct fg_port_config ports[FG_PORTS_MAX];
    unsigned ports_count;
    uint32_t mbufs; /* buffers of each worker */
    uint32_t rx_descriptors, tx_descriptors;

    /* workers */
    unsigned workers;
    int worker_cores[FG_WORKERS_MAX]; /* several workers may share a core */
    unsigned worker_cores_count;      /* equals workers */
    int control_core, journal_core, storage_core, delivery_core; /* -1: not pinned */
    enum fg_idle idle;

    /* protocol */
    uint16_t base_port; /* a multiple of partitions */
    uint32_t partitions;
    unsigned node;
    char *key_file;        /* NULL: no keys */
    bool unsigned_allowed; /* take unsigned datagrams (key id 0): rehearsals only */
    unsigned unsigned_op_places[FG_OP_MAX]; /* as they are listed ... */
    unsigned unsigned_ops_count;
    uint8_t unsigned_ops; /* ... and as bits; 0: not given, see fg_config_unsigned_ops() */
    uint32_t freshness_ms;

    /* orders */
    char *log_dir;
    uint64_t log_budget, log_segment; /* bytes */
    uint64_t log_keep_ms;             /* of what is delivered and not consumed */
    enum fg_ack ack;
    uint32_t lane_records;
    uint32_t restart_grace_ms; /* 0: by the rule (down time, at most the hold, at least 60 s) */

    /* limits */
    uint32_t limit_orders; /* remembered orders, all workers together */
    uint32_t limit_items;  /* items of live sales */
    uint32_t orders_per_buyer;
    uint32_t limit_parked; /* datagrams of each worker that may wait */
    uint32_t queue_age_ms; /* of a datagram with a new order when it is decided; 0: any */

    /* penalties of buyers */
    uint32_t penalty_after; /* 0: there are none */
    uint32_t penalty_within_ms, penalty_first_ms, penalty_most_ms;

    /* redis; with none of socket, host and sentinels there is no delivery */
    char *redis_socket, *redis_host, *redis_user, *redis_password_file;
    char **redis_sentinels, *redis_master, *redis_sentinel_password_file;
    unsigned redis_sentinels_count;
    uint16_t redis_port;
    uint32_t redis_database, redis_timeout_ms, redis_retry_max_ms, redis_batch;
    bool stock_page; /* a hash of each sale's stock in Redis */

    /* metrics */
    char *metrics_listen; /* "ADDRESS:PORT" or "unix:PATH"; NULL: no metrics page */
    bool metrics_remote_allowed, metrics_telemetry;

    /* control */
    char *control_socket;
    char *control_group;                  /* of the socket's file; NULL: the engine's own */
    struct fg_role_config *control_roles; /* none: root and the engine's user are owners */
    unsigned control_roles_count;

    char *list_files[FG_LIST_COUNT]; /* NULL: the list is empty */

    /* security */
    enum fg_seccomp_mode seccomp; /* dataplane/seccomp.h */
    bool core_dumps;
};

/* Is there a Redis to deliver to? */
static inline bool fg_config_delivers(const struct fg_config *config)
{
    return config->redis_socket || config->redis_host || config->redis_sentinels_count;
}

/* Bit (1 << op) for each op that unsigned datagrams may use; 0: they are silence. */
static inline uint8_t fg_config_unsigned_ops(const struct fg_config *config)
{
    if (!config->unsigned_allowed)
        return 0;
    return config->unsigned_ops ? config->unsigned_ops : FG_UNSIGNED_OPS;
}

/* The whole file, over struct fg_config. */
extern const struct fg_option_table fg_config_options;

/* Reads a file; on failure a sentence "FILE:LINE:COLUMN: ..." in `message` and -1. Checks what
 * fields say about each other too (base_port against partitions, cores against workers ...). */
int fg_config_load(struct fg_config *config, const char *path, char *message, size_t size);
void fg_config_free(struct fg_config *config);

/* The commented reference configuration, as YAML, a table of all options, and the options as a part
 * of a manual page, from the one list. */
void fg_config_reference(FILE *out);
void fg_config_describe(FILE *out);
void fg_config_manual(FILE *out);

#endif
