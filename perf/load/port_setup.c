/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start and stop of the generator's port, and what keeps it alive when the engine goes away.
 *
 * A kernel wire (veth and the like) needs nothing: it stays up without an engine. The engine's end
 * of a vhost wire is a socket. When its process dies a virtio-user port never works again, and in
 * its server mode it fails later, so the port is closed, its device removed, and once an engine
 * listens again both are made anew, in about a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/orders/clock.h"
#include "flashgate/exit_status.h"
#include "perf/load/port.h"

/* Deep queues, where the port has them: on a shared core the generator is away for milliseconds,
 * and what comes meanwhile must wait somewhere. */
enum { DESCRIPTORS = 4096, POOL_CACHE = 256 };

#define VIRTIO_USER "net_virtio_user"

static bool has_option(const struct load_options *options, const char *name)
{
    for (unsigned i = 0; i < options->eal_count; i++)
        if (strncmp(options->eal[i], name, strlen(name)) == 0)
            return true;
    return false;
}

/* EAL's own arguments around the user's. It keeps the strings, so they are static. */
static int start_eal(struct load_port *port, const struct load_options *options, char *message,
                     size_t size)
{
    static char program[] = "flashgate-load", no_telemetry[] = "--no-telemetry";
    static char no_shconf[] = "--no-shconf", no_pci[] = "--no-pci", device[512], prefix[64];
    char *argv[LOAD_EAL_ARGS_MAX + 8] = {program, no_telemetry, no_shconf};
    int argc = 3;

    bool virtual_device = strncmp(options->port, "net_", 4) == 0;
    if (virtual_device)
        argv[argc++] = no_pci;
    int length = snprintf(device, sizeof(device), "%s=%s", virtual_device ? "--vdev" : "--allow",
                          options->port);
    if (length >= (int)sizeof(device)) {
        snprintf(message, size, "--port is longer than EAL takes; give a shorter path");
        return FG_EXIT_USAGE;
    }
    argv[argc++] = device;
    /* Generators may run side by side. */
    if (!has_option(options, "--file-prefix")) {
        snprintf(prefix, sizeof(prefix), "--file-prefix=flashgate-load-%d", getpid());
        argv[argc++] = prefix;
    }
    for (unsigned i = 0; i < options->eal_count; i++)
        argv[argc++] = (char *)(uintptr_t)options->eal[i];
    if (rte_eal_init(argc, argv) < 0) {
        snprintf(message, size,
                 "DPDK's EAL does not start (%s); its lines above say why; compare the arguments "
                 "given by --eal",
                 rte_strerror(rte_errno));
        return FG_EXIT_NETWORK;
    }
    port->eal_runs = true;
    return 0;
}

/* The device's name, without its arguments. */
static void port_name(const struct load_port *port, char name[RTE_ETH_NAME_MAX_LEN])
{
    snprintf(name, RTE_ETH_NAME_MAX_LEN, "%.*s", (int)strcspn(port->device, ","), port->device);
}

static int find_port(struct load_port *port)
{
    char name[RTE_ETH_NAME_MAX_LEN];

    port_name(port, name);
    return rte_eth_dev_get_port_by_name(name, &port->id);
}

/* As many queues as a shared-memory wire has, one elsewhere: only there a queue steers. */
static void choose_queues(struct load_port *port, const struct rte_eth_dev_info *info)
{
    port->shared_memory = strcmp(info->driver_name, VIRTIO_USER) == 0 ||
                          strcmp(info->driver_name, "net_vhost") == 0 ||
                          strcmp(info->driver_name, "net_memif") == 0;
    port->queues = 1;
    if (port->shared_memory) {
        port->queues =
            info->max_rx_queues < info->max_tx_queues ? info->max_rx_queues : info->max_tx_queues;
        if (port->queues > FG_WORKERS_MAX)
            port->queues = FG_WORKERS_MAX;
    }
}

/* The frames' pools outlive the port when it is plugged in again. There are two, so that a frame to
 * send has never been one that the peer wrote: the line before its first byte, where the driver
 * puts a header, then stays in this core's cache. */
static int make_pools(struct load_port *port, unsigned in, unsigned out)
{
    if (!port->pool)
        port->pool = rte_pktmbuf_pool_create("load-in", in + 2 * POOL_CACHE, POOL_CACHE, 0,
                                             RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!port->pool_out)
        port->pool_out = rte_pktmbuf_pool_create("load-out", out + 2 * POOL_CACHE, POOL_CACHE, 0,
                                                 RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    return port->pool && port->pool_out ? 0 : -1;
}

/* Of virtio's ring: what the driver is asked for, or its default. Not what it says in its info. */
static unsigned long ring_size(const struct load_port *port)
{
    static const char option[] = "queue_size=";
    const char *at = strstr(port->device, option);

    return at ? strtoul(at + sizeof(option) - 1, NULL, 10) : 256;
}

/* virtio's vector path (AVX-512) gives a queue no more descriptors back after a burst than its free
 * threshold, 32 if nobody says: a burst of 64 taken again and again would leave it dry, and the
 * peer's replies without room. The threshold must be less than the ring. */
static struct rte_eth_rxconf receive_conf(const struct load_port *port,
                                          const struct rte_eth_dev_info *info)
{
    struct rte_eth_rxconf conf = info->default_rxconf;

    if (strcmp(info->driver_name, VIRTIO_USER) == 0 && ring_size(port) > FG_BURST)
        conf.rx_free_thresh = FG_BURST;
    return conf;
}

static int start_port(struct load_port *port)
{
    struct rte_eth_conf conf = {0};
    struct rte_eth_dev_info info;
    uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;

    if (rte_eth_dev_info_get(port->id, &info) < 0)
        return -1;
    choose_queues(port, &info);
    if (rte_eth_dev_configure(port->id, port->queues, port->queues, &conf) < 0 ||
        rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx) < 0)
        return -1;
    struct rte_eth_rxconf rx_conf = receive_conf(port, &info);
    if (make_pools(port, port->queues * (unsigned)rx + FG_BURST,
                   port->queues * (unsigned)(tx + LOAD_BIN) + LOAD_BIN) < 0)
        return -1;
    for (uint16_t queue = 0; queue < port->queues; queue++)
        if (rte_eth_rx_queue_setup(port->id, queue, rx, SOCKET_ID_ANY, &rx_conf, port->pool) < 0 ||
            rte_eth_tx_queue_setup(port->id, queue, tx, SOCKET_ID_ANY, NULL) < 0)
            return -1;
    if (rte_eth_dev_start(port->id) < 0)
        return -1;
    port->started = true;
    return rte_eth_macaddr_get(port->id, &port->wire.mac);
}

static void start_clock(struct load_port *port)
{
    port->ns_per_tsc_32 = (uint64_t)(((unsigned __int128)1000000000 << 32) / rte_get_tsc_hz());
    port->tsc_origin = rte_rdtsc();
    port->client->origin_ns = fg_clock_ns(CLOCK_REALTIME);
}

int load_port_open(struct load_port *port, const struct load_options *options,
                   struct load_client *client, char *message, size_t size)
{
    *port = (struct load_port){
        .link = {.send = load_port_send, .now_ns = load_port_now_ns},
        .hostile_link = {.send = load_port_send_hostile},
        .client = client,
        .device = options->port,
        .wire = {.address = (uint32_t)options->source.low,
                 .target = (uint32_t)options->target.low,
                 .ipv6 = !fg_ip_is_v4(options->source),
                 .address6 = options->source,
                 .target6 = options->target,
                 .udp_port = (uint16_t)options->source_port},
        .target_base_port = (uint32_t)options->base_port,
    };
    int status = start_eal(port, options, message, size);
    if (status != 0)
        return status;
    if (find_port(port) < 0) {
        snprintf(
            message, size,
            "port \"%s\" cannot be had; DPDK's lines above say why: is the engine running, and "
            "are the path and name right?",
            options->port);
        return FG_EXIT_NETWORK;
    }
    if (start_port(port) < 0) {
        snprintf(message, size, "port \"%s\" does not start (%s); DPDK's lines above say why",
                 options->port, rte_strerror(rte_errno));
        return FG_EXIT_NETWORK;
    }
    start_clock(port);
    client->link = &port->link;
    return 0;
}

static void stop_port(struct load_port *port)
{
    if (port->started) {
        rte_eth_dev_stop(port->id);
        rte_eth_dev_close(port->id);
    }
    port->started = false;
}

static bool is_up(const struct load_port *port)
{
    struct rte_eth_link link;

    return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static bool is_virtio_user(const struct load_port *port)
{
    return strncmp(port->device, VIRTIO_USER, strlen(VIRTIO_USER)) == 0;
}

static void unplug(struct load_port *port)
{
    char name[RTE_ETH_NAME_MAX_LEN];

    for (uint16_t queue = 0; queue < port->queues; queue++) {
        struct load_bin *bin = &port->bins[queue];
        rte_pktmbuf_free_bulk(bin->frames, bin->count);
        port->lost += bin->count;
        bin->count = 0;
    }
    stop_port(port);
    port_name(port, name);
    (void)rte_eal_hotplug_remove("vdev", name);
    port->unplugged = true;
}

/* Does an engine listen at the device's socket? A file of a dead one may still lie there, and to
 * plug in costs much more than this. */
static bool engine_listens(const struct load_port *port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = strstr(port->device, ",path=");
    bool listens = false;

    if (!path)
        return true;
    path += strlen(",path=");
    snprintf(address.sun_path, sizeof(address.sun_path), "%.*s", (int)strcspn(path, ","), path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe >= 0) {
        listens = connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(probe);
    }
    return listens;
}

static void plug_in(struct load_port *port)
{
    char name[RTE_ETH_NAME_MAX_LEN];
    const char *arguments = strchr(port->device, ',');

    port_name(port, name);
    if (!engine_listens(port) ||
        rte_eal_hotplug_add("vdev", name, arguments ? arguments + 1 : "") < 0)
        return;
    if (find_port(port) < 0 || start_port(port) < 0 || !is_up(port)) {
        unplug(port); /* the next engine, or the next attempt */
        return;
    }
    port->unplugged = false;
}

void load_port_watch(struct load_port *port)
{
    if (!is_virtio_user(port))
        return;
    if (!port->unplugged && !is_up(port))
        unplug(port);
    else if (port->unplugged)
        plug_in(port);
}

void load_port_close(struct load_port *port)
{
    stop_port(port);
    if (!port->eal_runs)
        return;
    /* EAL leaves its directory; without a shared configuration it is empty. */
    const char *directory = rte_eal_get_runtime_dir();
    rte_eal_cleanup();
    rmdir(directory);
}
