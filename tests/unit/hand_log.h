/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log written by hand: frame by frame, under any epoch and from any segment on, into a directory
 * of its own. Records gather until hand_log_frame().
 */
#ifndef FG_TESTS_HAND_LOG_H
#define FG_TESTS_HAND_LOG_H

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/orders/frame.h"

#define HAND_LOG_BYTES (16u << 20) /* of its one segment: the least that an engine makes */

struct hand_log {
    char dir[64], path[112];
    int file;
    uint64_t offset;
    uint32_t segment, epoch, count, length, previous_crc;
    uint64_t sequence, lsn;
    uint8_t *frame;           /* header and records under way */
    _Atomic uint64_t durable; /* what delivery may read */
};

static inline void *hand_log_unit(struct hand_log *log, size_t bytes)
{
    void *unit = log->frame + sizeof(struct fg_frame) + log->length;
    memset(unit, 0, bytes);
    log->length += (uint32_t)bytes;
    log->count++;
    return unit;
}

static inline void hand_log_frame(struct hand_log *log, uint16_t flags)
{
    struct fg_frame *frame = (struct fg_frame *)log->frame;
    *frame = (struct fg_frame){.magic = FG_FRAME_MAGIC,
                               .version = FG_FRAME_VERSION,
                               .flags = flags,
                               .journal_id = 77,
                               .sequence = ++log->sequence,
                               .durable = log->sequence - 1,
                               .first_lsn = log->lsn,
                               .epoch = log->epoch,
                               .count = log->count,
                               .length = log->length,
                               .previous_crc = log->previous_crc,
                               .segment = log->segment};
    log->previous_crc = frame->crc = fg_frame_crc(frame);
    size_t used = sizeof(*frame) + log->length, span = fg_frame_span(log->length);
    memset(log->frame + used, 0, span - used);
    if (pwrite(log->file, log->frame, span, (off_t)log->offset) != (ssize_t)span)
        abort();
    log->offset += span;
    log->lsn += log->count;
    log->count = log->length = 0;
    atomic_store(&log->durable, log->sequence);
}

/* The log begins with segment `segment`; its base is what is put before the first frame. */
static inline void hand_log_open(struct hand_log *log, uint32_t segment, uint32_t epoch)
{
    *log = (struct hand_log){.dir = "/dev/shm/flashgate-log-XXXXXX",
                             .segment = segment,
                             .epoch = epoch,
                             .sequence = segment == 1 ? 0 : 100 * segment,
                             .lsn = segment == 1 ? 1 : 10000 * segment};
    log->frame = malloc(FG_FRAME_MAX);
    if (!log->frame || !mkdtemp(log->dir))
        abort();
    snprintf(log->path, sizeof(log->path), "%s/segment-%08u.fgl", log->dir, segment);
    log->file = open(log->path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (log->file < 0 || ftruncate(log->file, HAND_LOG_BYTES) != 0)
        abort();
}

static inline void hand_log_close(struct hand_log *log)
{
    close(log->file);
    unlink(log->path);
    rmdir(log->dir);
    free(log->frame);
}

static inline void hand_log_sale(struct hand_log *log, uint32_t sale, const char *name)
{
    char body[256];
    int bytes =
        snprintf(body, sizeof(body), "{\"name\": \"%s\", \"number\": %u, \"x\": 1}", name, sale);
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE, .body_length = (uint32_t)bytes, .sale = sale};
    uint8_t *unit = hand_log_unit(log, fg_record_bytes(&event));
    memcpy(unit, &event, sizeof(event));
    memcpy(unit + sizeof(event), body, (size_t)bytes);
}

static inline void hand_log_position(struct hand_log *log, uint32_t sale, uint64_t next_seq,
                                     uint32_t epoch)
{
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE_POSITION, .sale = sale, .value = next_seq, .value2 = epoch};
    memcpy(hand_log_unit(log, sizeof(event)), &event, sizeof(event));
}

static inline void hand_log_state(struct hand_log *log, uint32_t sale, uint64_t sale_state)
{
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE_STATE, .sale = sale, .value = sale_state};
    memcpy(hand_log_unit(log, sizeof(event)), &event, sizeof(event));
}

/* The order id is a function of sale and number, so that a stream can be checked by itself. */
static inline uint64_t hand_log_order_id(uint32_t sale, uint64_t sale_seq)
{
    return (uint64_t)sale << 40 | sale_seq;
}

static inline void hand_log_order(struct hand_log *log, uint32_t sale, uint64_t sale_seq)
{
    struct fg_order_event event = {.kind = FG_EVENT_ADMIT,
                                   .quantity = 1,
                                   .item = 9,
                                   .sale = sale,
                                   .sale_seq = sale_seq,
                                   .order = hand_log_order_id(sale, sale_seq),
                                   .request = sale_seq};
    memcpy(hand_log_unit(log, sizeof(event)), &event, sizeof(event));
}

static inline uint64_t hand_log_durable(void *log)
{
    return atomic_load(&((struct hand_log *)log)->durable);
}

#endif
