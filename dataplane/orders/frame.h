/* SPDX-License-Identifier: BSD-3-Clause */
/* What writing and reading frames share. Inside orders only. */
#ifndef FG_ORDERS_FRAME_H
#define FG_ORDERS_FRAME_H

#include <string.h>

#include "dataplane/orders/log.h"

/* Bytes that a frame takes on disk, header and padding included. */
static inline uint64_t fg_frame_span(uint64_t length)
{
    uint64_t bytes = sizeof(struct fg_frame) + length;
    return (bytes + FG_BLOCK_BYTES - 1) / FG_BLOCK_BYTES * FG_BLOCK_BYTES;
}

/* The CRC of a frame whose records follow its header in memory. */
static inline uint32_t fg_frame_crc(const struct fg_frame *frame)
{
    struct fg_frame header = *frame;

    header.crc = 0;
    return fg_crc32c(fg_crc32c(0, &header, sizeof(header)), frame + 1, frame->length);
}

#endif
