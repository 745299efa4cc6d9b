/* SPDX-License-Identifier: BSD-3-Clause */
/* Built frames in mbufs of the test's own: of no pool, so that what becomes of them can be seen. */
#ifndef FG_TESTS_MBUFS_H
#define FG_TESTS_MBUFS_H

#include <rte_mbuf.h>

#include "tests/unit/frames.h"

/* A mbuf and the bytes of its frame. */
struct own_mbuf {
    struct rte_mbuf mbuf;
    uint8_t room[RTE_PKTMBUF_HEADROOM + FRAME_ROOM];
} __attribute__((aligned(RTE_CACHE_LINE_SIZE)));

/* The frame, as if it had come in by the port with this id of DPDK's. Who frees the mbuf gives up
 * one of two references: the test keeps it. */
static inline struct rte_mbuf *own_mbuf_fill(struct own_mbuf *own, const struct built *built,
                                             uint16_t port)
{
    memset(own, 0, sizeof(*own));
    own->mbuf = (struct rte_mbuf){.buf_addr = own->room,
                                  .data_off = RTE_PKTMBUF_HEADROOM,
                                  .buf_len = sizeof(own->room),
                                  .nb_segs = 1,
                                  .refcnt = 2,
                                  .port = port,
                                  .data_len = (uint16_t)built->length,
                                  .pkt_len = (uint32_t)built->length};
    memcpy(own->room + RTE_PKTMBUF_HEADROOM, built->bytes, built->length);
    return &own->mbuf;
}

#endif
