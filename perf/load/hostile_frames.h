/* SPDX-License-Identifier: BSD-3-Clause */
/* What hostile datagrams are made of: between hostile.c, hostile_frames.c and
 * hostile_headers.c. */
#ifndef LOAD_HOSTILE_FRAMES_H
#define LOAD_HOSTILE_FRAMES_H

#include "perf/load/hostile.h"

/* A request of one entry, as on the wire. */
struct load_hostile_payload {
    struct fg_header header;
    struct fg_request entry;
};
static_assert(sizeof(struct load_hostile_payload) == FG_REQUEST_BYTES(1), "as on the wire");

/* A frame under way. */
struct hostile_builder {
    struct load_hostile *hostile;
    const struct load_client *client;
    enum load_hostile_kind kind;
    uint32_t variant;
    struct load_wire wire; /* of the variant */
    uint64_t number;       /* of random words drawn */
    struct load_hostile_frame *frame;
};

/* An ORDER of a buyer (its index in the client's mix) for an item that `draw` draws; neither named
 * nor signed. */
struct load_hostile_payload load_hostile_request(const struct load_client *client, uint32_t buyer,
                                                 uint64_t request, uint64_t draw);

/* Signs a payload with the client's key. */
void load_hostile_sign(const struct load_client *client, void *payload, size_t length);

/* Makes the builder's frame a right one: a request of the load's beginning, signed. */
void load_hostile_signed_frame(struct hostile_builder *builder);

/* A frame of a kind with something wrong in front of the payload; of other kinds none. */
void load_hostile_build_headers(struct hostile_builder *builder);

/* Fills `wires` and `frames`. */
void load_hostile_build(struct load_hostile *hostile, const struct load_wire *honest);

#endif
