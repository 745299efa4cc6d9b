/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of the generator: Ethernet, IPv4 or IPv6 (wire6.c), UDP around payloads, and just enough
 * ARP or neighbour discovery to live on a network (it finds its target's MAC and answers who asks
 * for its own). Pure: bytes in and out.
 */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "dataplane/ip.h"
#include "perf/load/client.h"

#define LOAD_WIRE_HEADERS_BYTES 42 /* Ethernet 14, IPv4 20, UDP 8 */
#define LOAD_WIRE_ARP_BYTES     60 /* padded to the least frame */

#define LOAD_WIRE6_HEADERS_BYTES     62 /* Ethernet 14, IPv6 40, UDP 8 */
#define LOAD_WIRE_QUESTION_BYTES_MAX 86 /* of whoever asks for a MAC, or tells it */

struct load_wire {
    struct rte_ether_addr mac, target_mac;
    bool target_known;        /* ARP has found target_mac */
    uint32_t address, target; /* IPv4, host order */
    bool ipv6;                /* the wire's addresses are these instead */
    struct fg_ip address6, target6;
    uint16_t udp_port; /* own, for all datagrams */
};

/* What a frame is to us. */
enum load_frame {
    LOAD_FRAME_DROPPED,  /* why is in *drop */
    LOAD_FRAME_IGNORED,  /* the network's own chatter: other ARP, IPv6 neighbours ... */
    LOAD_FRAME_PAYLOAD,  /* a datagram of the target's: *payload, *payload_length */
    LOAD_FRAME_ARP_ASKS, /* somebody asks for our MAC: send it load_wire_arp_answer() */
    LOAD_FRAME_ARP_TOLD, /* target_mac is known now */
};

/* Writes a frame around a payload; its length, LOAD_WIRE_HEADERS_BYTES (LOAD_WIRE6_...) more than
 * the payload's. All checksums are right. */
size_t load_wire_datagram(const struct load_wire *wire, uint8_t *frame, uint16_t udp_port,
                          const void *payload, size_t length);

/* Writes the question for the target's MAC; its length, LOAD_WIRE_QUESTION_BYTES_MAX at most. */
size_t load_wire_arp_question(const struct load_wire *wire, uint8_t *frame);

/* Turns the question in `frame` into our answer; its length, LOAD_WIRE_QUESTION_BYTES_MAX at most.
 */
size_t load_wire_arp_answer(const struct load_wire *wire, uint8_t *frame);

enum load_frame load_wire_parse(struct load_wire *wire, const uint8_t *frame, size_t length,
                                const uint8_t **payload, size_t *payload_length,
                                enum load_drop *drop);

#endif
