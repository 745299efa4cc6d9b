/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire over IPv6, for wire.c: as load_wire_...() of wire.h, where wire->ipv6 is set. */
#ifndef LOAD_WIRE6_H
#define LOAD_WIRE6_H

#include "perf/load/wire.h"

size_t load_wire6_datagram(const struct load_wire *wire, uint8_t *frame, uint16_t udp_port,
                           const void *payload, size_t length);
size_t load_wire6_question(const struct load_wire *wire, uint8_t *frame);
size_t load_wire6_answer(const struct load_wire *wire, uint8_t *frame);
enum load_frame load_wire6_parse(struct load_wire *wire, const uint8_t *frame, size_t length,
                                 const uint8_t **payload, size_t *payload_length,
                                 enum load_drop *drop);

#endif
