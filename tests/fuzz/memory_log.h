/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log on a disk in memory, put there frame by frame with any header: the chain (sequence, LSN,
 * CRCs) goes on by itself, and whoever builds a frame may bend it. Records gather until
 * memory_log_frame().
 */
#ifndef FG_TESTS_FUZZ_MEMORY_LOG_H
#define FG_TESTS_FUZZ_MEMORY_LOG_H

#include "tests/unit/memory_disk.h"

#include "tests/fuzz/fuzz.h"

struct memory_log {
    struct memory_disk disk;
    struct fg_frame next; /* header of the frame under way; crc and length are made */
    uint32_t segment;     /* it goes into; 0: none yet */
    uint64_t offset;
    uint8_t bytes[FG_FRAME_MAX]; /* header and records under way */
};

static inline struct memory_file *memory_log_file(struct memory_log *log)
{
    char name[FG_SEGMENT_NAME_BYTES];
    bool flushes;

    fg_segment_name(name, log->segment);
    int file = memory_open(&log->disk, MEMORY_DIRECTORY, name, true, &flushes);
    FUZZ_CHECK(file >= 0);
    log->disk.files[file].size = MEMORY_FILE_MAX;
    return &log->disk.files[file];
}

static inline void memory_log_segment(struct memory_log *log, uint32_t segment)
{
    log->segment = log->next.segment = segment;
    log->offset = 0;
    (void)memory_log_file(log);
}

/* An empty disk, and a chain that begins in segment 1. */
static inline void memory_log_begin(struct memory_log *log, uint32_t epoch)
{
    memory_disk_reset(&log->disk);
    log->next = (struct fg_frame){.magic = FG_FRAME_MAGIC,
                                  .version = FG_FRAME_VERSION,
                                  .journal_id = 77,
                                  .sequence = 1,
                                  .first_lsn = 1,
                                  .epoch = epoch};
    memory_log_segment(log, 1);
}

/* Room for a record of so many bytes (whole units), zeroed; NULL: the frame is full. */
static inline void *memory_log_unit(struct memory_log *log, size_t bytes)
{
    size_t used = sizeof(struct fg_frame) + log->next.length;

    if (bytes > sizeof(log->bytes) - used)
        return NULL;
    log->next.length += (uint32_t)bytes;
    log->next.count++;
    return memset(log->bytes + used, 0, bytes);
}

/* Writes bytes where the next frame belongs; false: the segment has no room for them. */
static inline bool memory_log_write(struct memory_log *log, const void *bytes, size_t length)
{
    struct memory_file *file = memory_log_file(log);

    if (length > file->size - log->offset)
        return false;
    memcpy(file->data + log->offset, bytes, length);
    if (log->offset + length > file->dirty)
        file->dirty = log->offset + length;
    return true;
}

/* Ends the frame under way and begins the next one. False: there was no room. */
static inline bool memory_log_frame(struct memory_log *log, uint16_t flags)
{
    struct fg_frame *frame = (struct fg_frame *)log->bytes;
    uint64_t span = fg_frame_span(log->next.length);

    log->next.flags = flags;
    *frame = log->next;
    frame->crc = fg_frame_crc(frame);
    bool written = memory_log_write(log, log->bytes, sizeof(*frame) + frame->length);
    if (written) {
        log->offset += span;
        log->next.first_lsn += log->next.count;
        log->next.durable = log->next.sequence++;
        log->next.previous_crc = frame->crc;
    }
    log->next.count = log->next.length = 0;
    return written;
}

/* A control event with a body, NULL for none. */
static inline void memory_log_control(struct memory_log *log, struct fg_control_event event,
                                      const void *body, size_t length)
{
    event.body_length = (uint32_t)length;
    uint8_t *unit = memory_log_unit(log, fg_record_bytes(&event));

    if (!unit)
        return;
    memcpy(unit, &event, sizeof(event));
    if (length > 0)
        memcpy(unit + sizeof(event), body, length);
}

static inline void memory_log_order(struct memory_log *log, const struct fg_order_event *event)
{
    void *unit = memory_log_unit(log, sizeof(*event));

    if (unit)
        memcpy(unit, event, sizeof(*event));
}

#endif
