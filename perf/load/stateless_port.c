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

void load_stateless_port_init(struct load_stateless_port *ours, struct load_port *port,
                              struct load_stateless *load)
{
    uint8_t frame[LOAD_WIRE_HEADERS_BYTES + FG_REQUEST_BYTES(FG_ENTRIES_MAX)];
    size_t length = load_stateless_bytes(load);

    ours->port = port;
    ours->load = load;
    if (port->wire.ipv6)
        return;
    memset(ours->payloads[0], 0, length);
    load_wire_datagram(&port->wire, frame, (uint16_t)port->target_base_port, ours->payloads[0],
                       length);
    memcpy(ours->headers, frame, sizeof(ours->headers));
    memset(ours->headers + UDP_AT + offsetof(struct rte_udp_hdr, dgram_cksum), 0, 2);
}

/* Writes what stands before the payload; the frame's length. */
static size_t finish(struct load_stateless_port *ours, uint8_t *frame,
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
    return PAYLOAD_AT + length;
}

unsigned load_stateless_port_send(struct load_stateless_port *ours, uint64_t now_ns)
{
    struct load_port *port = ours->port;
    struct load_place places[LOAD_STATELESS_BURST];

    if (port->unplugged || load_port_is_full(port))
        return 0;
    unsigned most = load_port_stock(port);
    struct rte_mbuf **frames = port->spare.frames + port->spare.count;
    if (most > LOAD_STATELESS_BURST)
        most = LOAD_STATELESS_BURST;
    /* The spare frames are a stack: frames[-1] is the next one. */
    for (unsigned i = 0; i < most; i++)
        places[i].payload = port->wire.ipv6
                                ? ours->payloads[i]
                                : rte_pktmbuf_mtod(frames[-1 - (int)i], uint8_t *) + PAYLOAD_AT;
    unsigned written = load_stateless_write(ours->load, now_ns, places, most);
    port->spare.count = (uint16_t)(port->spare.count - written);
    for (unsigned i = 0; i < written; i++) {
        struct rte_mbuf *frame = frames[-1 - (int)i];
        size_t length = finish(ours, rte_pktmbuf_mtod(frame, uint8_t *), &places[i]);
        load_port_add(port, load_port_queue(port, places[i].partition), frame, length);
    }
    load_port_flush(port);
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

unsigned load_stateless_port_receive(struct load_stateless_port *ours)
{
    struct load_port *port = ours->port;
    struct rte_mbuf *frames[FG_BURST];
    unsigned taken = 0;

    for (uint16_t queue = 0; queue < port->queues && !port->unplugged; queue++) {
        uint16_t count = rte_eth_rx_burst(port->id, queue, frames, FG_BURST);
        if (count == 0)
            continue;
        uint64_t arrived_ns = load_port_now_ns(&port->link);
        for (uint16_t i = 0; i < count; i++)
            load_port_prefetch(rte_pktmbuf_mtod(frames[i], const uint8_t *));
        for (uint16_t i = 0; i < count; i++)
            take(ours, frames[i], arrived_ns);
        rte_pktmbuf_free_bulk(frames, count);
        taken += count;
    }
    return taken;
}
