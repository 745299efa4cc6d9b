/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dataplane/net/port.h"

#define DEVICE_NAME_MAX 128
#define RSS_KEY_MAX     128
#define POOL_CACHE      256
/* Several workers may share a core, and then a ring whose writers must not be preempted stalls:
 * this one lets the others go on. */
#define POOL_OPS "ring_mt_rts"

/* The device's name: what stands before its arguments. */
static void device_name(const char *device, char name[DEVICE_NAME_MAX])
{
    snprintf(name, DEVICE_NAME_MAX, "%.*s", fg_port_name_bytes(device), device);
}

/* A PCI address may leave out its domain. */
static int find_device(const char *name, uint16_t *id)
{
    char full[DEVICE_NAME_MAX + 8];

    if (rte_eth_dev_get_port_by_name(name, id) == 0)
        return 0;
    snprintf(full, sizeof(full), "0000:%s", name);
    return rte_eth_dev_get_port_by_name(full, id);
}

struct rte_mempool *fg_port_pool_create(const struct fg_config *config, unsigned w, int socket,
                                        char *message, size_t size)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    snprintf(name, sizeof(name), "worker%u", w);
    struct rte_mempool *pool = rte_pktmbuf_pool_create_by_ops(
        name, config->mbufs, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, socket, POOL_OPS);
    if (!pool)
        snprintf(message, size,
                 "no memory for the %u packet buffers of worker %u (%s); lower mbufs, or give EAL "
                 "more memory",
                 config->mbufs, w, rte_strerror(rte_errno));
    return pool;
}

static int refuse(const char *name, const char *what, int rc, char *message, size_t size)
{
    snprintf(message, size, "port %s: %s: %s", name, what, rte_strerror(-rc));
    return -1;
}

#define RSS_UDP (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

/* Spreads UDP datagrams by a key of our own: the usual one is known to everybody. */
static void ask_for_rss(const struct rte_eth_dev_info *info, struct rte_eth_conf *conf,
                        uint8_t key[RSS_KEY_MAX])
{
    if (!(info->flow_type_rss_offloads & RSS_UDP))
        return;
    conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf->rx_adv_conf.rss_conf.rss_hf = RSS_UDP & info->flow_type_rss_offloads;
    if (info->hash_key_size > 0 && info->hash_key_size <= RSS_KEY_MAX &&
        getrandom(key, info->hash_key_size, 0) == info->hash_key_size) {
        conf->rx_adv_conf.rss_conf.rss_key = key;
        conf->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size;
    }
}

/* What puts a datagram for which there is no rule on a queue of this port, in words. */
static const char *spread_of(const struct rte_eth_dev_info *info, unsigned queues, bool rss)
{
    if (rss)
        return "rss";
    if (queues == 1)
        return "one queue";
    if (strcmp(info->driver_name, "net_vhost") == 0)
        return "sender's queue";
    return strcmp(info->driver_name, "net_af_packet") == 0 ? "kernel's fan-out" : "driver's choice";
}

/* "rss + hand-over (net_ice: it refused ...)", "flow rules, else rss + hand-over (net_ice: ...)" */
static void ask_for_rules(struct fg_port *port, const struct fg_config *config)
{
    const struct fg_steering_plan plan = {
        .address = &port->address, .workers = config->workers, .queues = port->queues};
    bool steers = fg_steering_start(&port->rules, port->id, &plan);
    const char *words = port->rules.words;

    snprintf(port->steering, sizeof(port->steering), "%s%s%s (%s%s%s)",
             steers ? "flow rules, else " : "", port->spread,
             config->workers > 1 ? " + hand-over" : "", port->driver, *words ? ": " : "", words);
}

static int set_up_queues(const struct fg_port *port, const struct fg_config *config,
                         struct rte_mempool *const *pools, const char *name, char *message,
                         size_t size)
{
    uint16_t rx = (uint16_t)config->rx_descriptors, tx = (uint16_t)config->tx_descriptors;
    int socket = rte_eth_dev_socket_id(port->id);
    int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);

    if (rc != 0)
        return refuse(name, "its descriptor counts cannot be set", rc, message, size);
    for (uint16_t q = 0; q < port->queues; q++) {
        rc = rte_eth_rx_queue_setup(port->id, q, rx, (unsigned)socket, NULL, pools[q]);
        if (rc != 0)
            return refuse(name, "a receive queue cannot be set up", rc, message, size);
        rc = rte_eth_tx_queue_setup(port->id, q, tx, (unsigned)socket, NULL);
        if (rc != 0)
            return refuse(name, "a transmit queue cannot be set up", rc, message, size);
    }
    return 0;
}

static void set_address(struct fg_port *port, const struct fg_config *config, unsigned index)
{
    const struct fg_port_config *wanted = &config->ports[index];

    port->address.address = (uint32_t)wanted->address.low; /* 0 where there is none */
    port->address.mask = (uint32_t)fg_ip_mask(wanted->prefix_bits).low;
    port->address.address6 = wanted->address6;
    port->address.first_port = config->base_port;
    port->address.last_port = config->base_port + config->partitions - 1;
}

/* Configures the device for as many queue pairs as it has and workers can use. */
static int configure(struct fg_port *port, const struct fg_config *config, const char *name,
                     char *message, size_t size)
{
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf = {0};
    uint8_t key[RSS_KEY_MAX];
    int rc = rte_eth_dev_info_get(port->id, &info);

    if (rc != 0)
        return refuse(name, "it tells nothing of itself", rc, message, size);
    unsigned queues = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
    port->queues = (uint16_t)RTE_MIN(config->workers, queues);
    if (port->queues == 0)
        return refuse(name, "it offers no queue pair", -ENOTSUP, message, size);
    if (port->queues > 1)
        ask_for_rss(&info, &conf, key);
    conf.rxmode.offloads =
        info.rx_offload_capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
    rc = rte_eth_dev_configure(port->id, port->queues, port->queues, &conf);
    if (rc != 0)
        return refuse(name, "it cannot be configured", rc, message, size);

    bool peer_chooses = strcmp(info.driver_name, "net_vhost") == 0;
    bool rss = conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS;
    port->reply_by_receiver =
        config->workers > 1 && (port->queues < config->workers || peer_chooses);
    port->spread = spread_of(&info, port->queues, rss);
    port->driver = info.driver_name;
    return 0;
}

/* Neighbour solicitations go to a group's MAC, which a device drops unless it is told. Drivers of
 * software wires refuse both, and pass everything on. */
static void listen_to_solicitations(struct fg_port *port)
{
    struct rte_ether_addr group = fg_frame_solicited_mac(port->address.address6);

    if (fg_ip_is_zero(port->address.address6))
        return;
    port->multicast = "as the driver has it";
    if (rte_eth_dev_set_mc_addr_list(port->id, &group, 1) == 0)
        port->multicast = "filtered";
    else if (rte_eth_allmulticast_enable(port->id) == 0)
        port->multicast = "all";
}

int fg_port_start(struct fg_port *port, const struct fg_config *config, unsigned index,
                  struct rte_mempool *const *pools, char *message, size_t size)
{
    char name[DEVICE_NAME_MAX];
    int rc;

    device_name(config->ports[index].device, name);
    if (find_device(name, &port->id) != 0) {
        snprintf(message, size,
                 "port %s: DPDK has no such device, or its lines above say why it has not; wanted "
                 "a PCI address that is bound to a DPDK "
                 "driver, or a vdev such as net_vhost0,iface=PATH",
                 name);
        return -1;
    }
    if (configure(port, config, name, message, size) != 0 ||
        set_up_queues(port, config, pools, name, message, size) != 0)
        return -1;
    set_address(port, config, index);
    rc = rte_eth_macaddr_get(port->id, &port->address.mac);
    if (rc != 0)
        return refuse(name, "its MAC address cannot be read", rc, message, size);
    rc = rte_eth_dev_start(port->id);
    if (rc != 0)
        return refuse(name, "it cannot be started", rc, message, size);
    port->started = true;
    ask_for_rules(port, config);
    listen_to_solicitations(port);
    return 0;
}

void fg_port_stop(struct fg_port *port)
{
    if (!port->started)
        return;
    port->started = false;
    fg_steering_stop(&port->rules);
    /* A device that does not stop is closed all the same: nothing better can be done. */
    (void)rte_eth_dev_stop(port->id);
    (void)rte_eth_dev_close(port->id);
}

/* "192.0.2.10/24, 2001:db8::10/64": what there is of both. */
static void describe_addresses(const struct fg_port_config *config, char text[2 * FG_IP_TEXT_MAX])
{
    size_t used = 0;

    text[0] = '\0';
    if (!fg_ip_is_zero(config->address))
        used = strlen(fg_prefix_text(config->address, config->prefix_bits, text));
    if (fg_ip_is_zero(config->address6))
        return;
    if (used > 0)
        used += (size_t)snprintf(text + used, FG_IP_TEXT_MAX, ", ");
    fg_prefix_text(config->address6, config->prefix6_bits, text + used);
}

void fg_port_describe(const struct fg_port *port, const struct fg_port_config *config, char *text,
                      size_t size)
{
    const struct rte_ether_addr *mac = &port->address.mac;
    char name[DEVICE_NAME_MAX], speed[32] = "", addresses[2 * FG_IP_TEXT_MAX];
    struct rte_eth_link link = {0};

    device_name(config->device, name);
    describe_addresses(config, addresses);
    rte_eth_link_get_nowait(port->id, &link);
    if (link.link_status && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
        snprintf(speed, sizeof(speed), " at %u Mbit/s", link.link_speed);
    snprintf(text, size,
             "port %s: %s, UDP %u-%u, MAC " RTE_ETHER_ADDR_PRT_FMT
             ", link %s%s, %u queue pair%s, steering: %s%s%s",
             name, addresses, port->address.first_port, port->address.last_port,
             RTE_ETHER_ADDR_BYTES(mac), link.link_status ? "up" : "down", speed, port->queues,
             port->queues == 1 ? "" : "s", port->steering, port->multicast ? ", multicast: " : "",
             port->multicast ? port->multicast : "");
}
