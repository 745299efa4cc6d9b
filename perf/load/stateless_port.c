/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/stateless_port.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

enum {
    IP_AT = sizeof(struct rte_ether_hdr),
    UDP_AT = IP_AT + sizeof(struct rte_ipv4_hdr),
    PAYLOAD_AT = LOAD_WIRE_HEADERS_BYTES,
};

/* Behind a full burst there are others, and a peer whose replies stand there loses the next ones.
 * A driver may end a burst a little before its time, at a line of its descriptors. */
enum { FULL = FG_BURST - 3, BURSTS_MOST = 4 };

void load_stateless_port_init(struct load_stateless_port *ours, struct load_port *port,
                              struct load_stateless *load)
{
    uint8_t frame[LOAD_WIRE_HEADERS_BYTES + FG_REQUEST_BYTES(FG_ENTRIES_MAX)];
    size_t length = load_stateless_bytes(load);

    ours->port = port;
    ours->load = load;
    for (unsigned i = 0; i < LOAD_STATELESS_BURST; i++)
        ours->places[i].room = ours->payloads + i * length;
    if (port->wire.ipv6)
        return;
    memset(ours->payloads, 0, length);
    load_wire_datagram(&port->wire, frame, (uint16_t)port->target_base_port, ours->payloads,
                       length);
    memcpy(ours->headers, frame, sizeof(ours->headers));
    memset(ours->headers + UDP_AT + offsetof(struct rte_udp_hdr, dgram_cksum), 0, 2);
}

/* Writes a frame; its length. */
static size_t write_frame(const struct load_stateless_port *ours, uint8_t *frame,
                          const struct load_place *place)
{
    size_t length = load_stateless_bytes(ours->load);
    uint16_t udp_port = (uint16_t)(ours->port->target_base_port + place->partition);

    if (ours->port->wire.ipv6)
        return load_wire_datagram(&ours->port->wire, frame, udp_port, place->payload, length);
    uint16_t big_endian = rte_cpu_to_be_16(udp_port);
    memcpy(frame, ours->headers, sizeof(ours->headers));
    memcpy(frame + UDP_AT + offsetof(struct rte_udp_hdr, dst_port), &big_endian,
           sizeof(big_endian));
    memcpy(frame + PAYLOAD_AT, place->payload, length);
    return PAYLOAD_AT + length;
}

static unsigned send_due(struct load_stateless_port *ours, uint64_t now_ns)
{
    struct load_port *port = ours->port;

    if (port->unplugged || load_port_is_full(port))
        return 0;
    unsigned most = load_port_stock(port);
    unsigned written = load_stateless_write(ours->load, now_ns, ours->places, most);
    for (unsigned i = 0; i < written; i++) {
        struct rte_mbuf *frame = port->spare.frames[--port->spare.count];
        const struct load_place *place = &ours->places[i];
        size_t length = write_frame(ours, rte_pktmbuf_mtod(frame, uint8_t *), place);
        load_port_add(port, load_port_queue(port, place->partition), frame, length);
    }
    load_port_flush(port);
    if (written > 0)
        (void)load_port_stock(port);
    return written;
}

/* Is it a UDP datagram from the engine to our port, over IPv4 without options, that needs no closer
 * look? Its payload's length, or 0. */
static size_t plain_payload(const struct load_port *port, const uint8_t *frame, size_t length)
{
    struct rte_ether_hdr ether;
    struct rte_ipv4_hdr ip;
    struct rte_udp_hdr udp;

    if (length < PAYLOAD_AT + sizeof(struct fg_header))
        return 0;
    memcpy(&ether, frame, sizeof(ether));
    memcpy(&ip, frame + IP_AT, sizeof(ip));
    memcpy(&udp, frame + UDP_AT, sizeof(udp));
    size_t datagram = rte_be_to_cpu_16(udp.dgram_len);
    bool plain = ether.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
                 ip.version_ihl == RTE_IPV4_VHL_DEF && ip.next_proto_id == IPPROTO_UDP &&
                 (ip.fragment_offset & rte_cpu_to_be_16((uint16_t)~RTE_IPV4_HDR_DF_FLAG)) == 0 &&
                 ip.src_addr == rte_cpu_to_be_32(port->wire.target) &&
                 ip.dst_addr == rte_cpu_to_be_32(port->wire.address) &&
                 udp.dst_port == rte_cpu_to_be_16(port->wire.udp_port) && datagram > sizeof(udp) &&
                 UDP_AT + datagram <= length && !load_stateless_is_sample(frame + PAYLOAD_AT);
    return plain ? datagram - sizeof(udp) : 0;
}

static void take(struct load_stateless_port *ours, const struct rte_mbuf *frame,
                 uint64_t arrived_ns)
{
    const uint8_t *at = rte_pktmbuf_mtod(frame, const uint8_t *);
    size_t length = ours->load->echo ? load_echo_payload(ours->headers, at, frame->data_len)
                                     : plain_payload(ours->port, at, frame->data_len);

    if (length == 0)
        load_port_take(ours->port, frame, arrived_ns);
    else if (!load_stateless_hear(ours->load, arrived_ns, at + PAYLOAD_AT, length))
        load_client_receive(ours->port->client, arrived_ns, at + PAYLOAD_AT, length);
}

/* The second line of an echo holds nothing that is looked at, but in a sample. */
static void prefetch(const struct load_stateless_port *ours, const struct rte_mbuf *frame)
{
    const uint8_t *at = rte_pktmbuf_mtod(frame, const uint8_t *);

    if (ours->load->echo)
        rte_prefetch0(at);
    else
        load_port_prefetch(at);
}

/* A burst of what came in on a queue is on its way into the cache. */
static unsigned fetch(struct load_stateless_port *ours, uint16_t queue, struct rte_mbuf **frames)
{
    uint16_t count = rte_eth_rx_burst(ours->port->id, queue, frames, FG_BURST);

    for (uint16_t i = 0; i < count; i++)
        prefetch(ours, frames[i]);
    return count;
}

static void take_all(struct load_stateless_port *ours, struct rte_mbuf **frames, unsigned count,
                     uint64_t arrived_ns)
{
    for (unsigned i = 0; i < count; i++)
        take(ours, frames[i], arrived_ns);
    rte_pktmbuf_free_bulk(frames, count);
}

struct load_stateless_turn load_stateless_port_turn(struct load_stateless_port *ours,
                                                    uint64_t now_ns, bool sending)
{
    struct load_stateless_turn turn = {0};
    struct load_port *port = ours->port;
    struct rte_mbuf *frames[FG_BURST];

    for (uint16_t queue = 0; queue < port->queues && !port->unplugged; queue++) {
        for (unsigned burst = 0; burst < BURSTS_MOST; burst++) {
            unsigned count = fetch(ours, queue, frames);
            uint64_t arrived_ns = count > 0 ? load_port_now_ns(&port->link) : 0;
            if (sending) {
                turn.sent = send_due(ours, now_ns);
                sending = false;
            }
            take_all(ours, frames, count, arrived_ns);
            turn.received += count;
            if (count < FULL)
                break;
        }
    }
    load_port_flush(port); /* what was left of the last burst, and answers to the network */
    return turn;
}
