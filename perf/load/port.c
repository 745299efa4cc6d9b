/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/port.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "flashgate/exit_status.h"

/* Deep queues, where the port has them: on a shared core the generator is away for milliseconds,
 * and what comes meanwhile must wait somewhere. */
enum { DESCRIPTORS = 4096, POOL_CACHE = 256 };

static uint64_t port_now_ns(struct load_link *link)
{
    const struct load_port *port = (const struct load_port *)link;

    return (uint64_t)(((unsigned __int128)(rte_rdtsc() - port->tsc_origin) * port->ns_per_tsc_32) >>
                      32);
}

/* Empty frames come in bulk, and early enough that the other core's copies of their lines are gone
 * when they are written. */
static void stock_up(struct load_port *port)
{
    struct load_bin *spare = &port->spare;

    if (rte_pktmbuf_alloc_bulk(port->pool, spare->frames, LOAD_BIN) < 0)
        return;
    spare->count = LOAD_BIN;
    for (unsigned i = 0; i < LOAD_BIN; i++) {
        uint8_t *at = rte_pktmbuf_mtod(spare->frames[i], uint8_t *);
        __builtin_prefetch(at, 1);
        __builtin_prefetch(at + RTE_CACHE_LINE_SIZE, 1);
    }
}

/* A place for a frame on a queue, or NULL. */
static uint8_t *next_frame(struct load_port *port, uint16_t queue, struct rte_mbuf **frame)
{
    if (port->bins[queue].count == LOAD_BIN)
        load_port_flush(port);
    if (port->spare.count == 0)
        stock_up(port);
    if (port->bins[queue].count == LOAD_BIN || port->spare.count == 0)
        return NULL;
    *frame = port->spare.frames[--port->spare.count];
    return rte_pktmbuf_mtod(*frame, uint8_t *);
}

static void add_frame(struct load_port *port, uint16_t queue, struct rte_mbuf *frame, size_t length)
{
    struct load_bin *bin = &port->bins[queue];

    frame->data_len = (uint16_t)length;
    frame->pkt_len = (uint32_t)length;
    bin->frames[bin->count++] = frame;
}

/* On a shared-memory wire the queue is what steers, elsewhere the UDP port may. */
static bool port_send(struct load_link *link, uint32_t partition, const void *payload,
                      size_t length)
{
    struct load_port *port = (struct load_port *)link;
    uint32_t workers = port->client->workers;
    uint16_t queue = (uint16_t)(workers > 1 ? partition % workers % port->queues : 0);
    struct rte_mbuf *frame;
    uint8_t *at = next_frame(port, queue, &frame);

    if (!at)
        return false;
    add_frame(port, queue, frame,
              load_wire_datagram(&port->wire, at, (uint16_t)(port->target_base_port + partition),
                                 payload, length));
    return true;
}

void load_port_ask_target(struct load_port *port)
{
    struct rte_mbuf *frame;
    uint8_t *at = next_frame(port, 0, &frame);

    if (at)
        add_frame(port, 0, frame, load_wire_arp_question(&port->wire, at));
}

static void answer_arp(struct load_port *port, const uint8_t *question)
{
    struct rte_mbuf *frame;
    uint8_t *at = next_frame(port, 0, &frame);

    if (!at)
        return;
    memcpy(at, question, LOAD_WIRE_HEADERS_BYTES);
    add_frame(port, 0, frame, load_wire_arp_answer(&port->wire, at));
}

void load_port_flush(struct load_port *port)
{
    for (uint16_t queue = 0; queue < port->queues; queue++) {
        struct load_bin *bin = &port->bins[queue];
        if (bin->count == 0)
            continue;
        uint16_t taken = rte_eth_tx_burst(port->id, queue, bin->frames, bin->count);
        bin->count -= taken;
        memmove(bin->frames, bin->frames + taken, bin->count * sizeof(bin->frames[0]));
    }
}

static void take_frame(struct load_port *port, const struct rte_mbuf *frame, uint64_t arrived_ns)
{
    const uint8_t *at = rte_pktmbuf_mtod(frame, const uint8_t *), *payload;
    size_t length;
    enum load_drop drop;

    switch (load_wire_parse(&port->wire, at, frame->data_len, &payload, &length, &drop)) {
    case LOAD_FRAME_PAYLOAD:
        load_client_receive(port->client, arrived_ns, payload, length);
        break;
    case LOAD_FRAME_ARP_ASKS:
        answer_arp(port, at);
        break;
    case LOAD_FRAME_DROPPED:
        port->client->stats.drops[drop]++;
        break;
    case LOAD_FRAME_ARP_TOLD:
    case LOAD_FRAME_IGNORED:
        break;
    }
}

/* A reply to one request lies in two cache lines. */
static inline void prefetch_frame(const uint8_t *at)
{
    rte_prefetch0(at);
    rte_prefetch0(at + RTE_CACHE_LINE_SIZE);
}

unsigned load_port_receive(struct load_port *port)
{
    struct rte_mbuf *frames[FG_BURST];
    unsigned taken = 0;

    for (uint16_t queue = 0; queue < port->queues; queue++) {
        uint16_t count = rte_eth_rx_burst(port->id, queue, frames, FG_BURST);
        if (count == 0)
            continue;
        uint64_t arrived_ns = port_now_ns(&port->link);
        for (uint16_t i = 0; i < count; i++)
            prefetch_frame(rte_pktmbuf_mtod(frames[i], const uint8_t *));
        for (uint16_t i = 0; i < count; i++)
            take_frame(port, frames[i], arrived_ns);
        rte_pktmbuf_free_bulk(frames, count);
        taken += count;
    }
    return taken;
}

bool load_port_is_up(const struct load_port *port)
{
    struct rte_eth_link link;

    return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

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

static int find_port(struct load_port *port, const char *device)
{
    char name[RTE_ETH_NAME_MAX_LEN];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
    return rte_eth_dev_get_port_by_name(name, &port->id);
}

/* As many queues as a shared-memory wire has, one elsewhere: only there a queue steers. */
static void choose_queues(struct load_port *port, const struct rte_eth_dev_info *info)
{
    port->shared_memory = strcmp(info->driver_name, "net_virtio_user") == 0 ||
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
    unsigned mbufs =
        port->queues * (unsigned)(rx + tx + LOAD_BIN) + FG_BURST + LOAD_BIN + 2 * POOL_CACHE;
    port->pool = rte_pktmbuf_pool_create("load", mbufs, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                         SOCKET_ID_ANY);
    if (!port->pool)
        return -1;
    for (uint16_t queue = 0; queue < port->queues; queue++)
        if (rte_eth_rx_queue_setup(port->id, queue, rx, SOCKET_ID_ANY, NULL, port->pool) < 0 ||
            rte_eth_tx_queue_setup(port->id, queue, tx, SOCKET_ID_ANY, NULL) < 0)
            return -1;
    if (rte_eth_dev_start(port->id) < 0)
        return -1;
    port->started = true;
    return rte_eth_macaddr_get(port->id, &port->wire.mac);
}

static void start_clock(struct load_port *port)
{
    struct timespec wall;

    port->ns_per_tsc_32 = (uint64_t)(((unsigned __int128)1000000000 << 32) / rte_get_tsc_hz());
    port->tsc_origin = rte_rdtsc();
    clock_gettime(CLOCK_REALTIME, &wall);
    port->client->origin_ns = (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec;
}

int load_port_open(struct load_port *port, const struct load_options *options,
                   struct load_client *client, char *message, size_t size)
{
    *port = (struct load_port){
        .link = {.send = port_send, .now_ns = port_now_ns},
        .client = client,
        .wire = {.address = options->source,
                 .target = options->target,
                 .udp_port = (uint16_t)options->source_port},
        .target_base_port = (uint32_t)options->base_port,
    };
    int status = start_eal(port, options, message, size);
    if (status != 0)
        return status;
    if (find_port(port, options->port) < 0) {
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

void load_port_close(struct load_port *port)
{
    if (port->started) {
        rte_eth_dev_stop(port->id);
        rte_eth_dev_close(port->id);
    }
    if (!port->eal_runs)
        return;
    /* EAL leaves its directory; without a shared configuration it is empty. */
    const char *directory = rte_eal_get_runtime_dir();
    rte_eal_cleanup();
    rmdir(directory);
}
