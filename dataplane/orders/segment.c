/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/faults.h"
#include "flashgate/limits.h"

void fg_segment_name(char name[FG_SEGMENT_NAME_BYTES], uint32_t number)
{
    snprintf(name, FG_SEGMENT_NAME_BYTES, FG_SEGMENT_PREFIX "%08" PRIu32 ".fgl", number);
}

bool fg_all_zero(const void *data, size_t length)
{
    const uint64_t *words = data;

    for (size_t i = 0; i < length / sizeof(*words); i++)
        if (words[i] != 0)
            return false;
    return true;
}

struct range {
    uint32_t first, last;
};

static void widen(void *arg, const char *name)
{
    struct range *range = arg;
    char exact[FG_SEGMENT_NAME_BYTES];
    unsigned long number = strtoul(name + strlen(FG_SEGMENT_PREFIX), NULL, 10);

    if (number == 0 || number > UINT32_MAX)
        return;
    fg_segment_name(exact, (uint32_t)number);
    if (strcmp(name, exact) != 0)
        return;
    if (range->first == 0 || number < range->first)
        range->first = (uint32_t)number;
    if (number > range->last)
        range->last = (uint32_t)number;
}

int fg_segment_range(const struct fg_disk *disk, int dir, uint32_t *first, uint32_t *last)
{
    struct range range = {0};
    int rc = disk->list(disk->context, dir, FG_SEGMENT_PREFIX, widen, &range);

    *first = range.first;
    *last = range.last;
    return rc;
}

int fg_segment_bytes(const struct fg_disk *disk, int dir, uint32_t first, uint32_t last,
                     uint64_t *bytes)
{
    *bytes = 0;
    for (uint32_t number = first; first != 0 && number <= last; number++) {
        char name[FG_SEGMENT_NAME_BYTES];
        fg_segment_name(name, number);
        int file = disk->open_read(disk->context, dir, name, false);
        if (file == -ENOENT)
            continue;
        if (file < 0)
            return file;
        int64_t size = disk->size(disk->context, file);
        disk->close(disk->context, file);
        if (size < 0)
            return (int)size;
        *bytes += (uint64_t)size;
    }
    return 0;
}

bool fg_segment_exists(const struct fg_disk *disk, int dir, uint32_t number)
{
    char name[FG_SEGMENT_NAME_BYTES];
    fg_segment_name(name, number);
    int file = disk->open_read(disk->context, dir, name, false);
    if (file >= 0)
        disk->close(disk->context, file);
    return file != -ENOENT;
}

/* Zeroes a new file; writing blocks now means that a later write changes no extent. */
static int zero_fill(const struct fg_disk *disk, int file, uint64_t bytes, bool flushes,
                     void (*piece)(void *arg), void *arg)
{
    void *zeros = aligned_alloc(FG_BLOCK_BYTES, FG_SEGMENT_CHUNK);
    if (!zeros)
        return -ENOMEM;
    memset(zeros, 0, FG_SEGMENT_CHUNK);

    int rc = disk->allocate(disk->context, file, bytes);
    for (uint64_t at = 0; rc == 0 && at < bytes; at += FG_SEGMENT_CHUNK) {
        size_t length = bytes - at < FG_SEGMENT_CHUNK ? (size_t)(bytes - at) : FG_SEGMENT_CHUNK;
        rc = disk->write(disk->context, file, zeros, length, at);
        if (rc == 0 && piece)
            piece(arg);
    }
    if (rc == 0 && !flushes)
        rc = disk->flush(disk->context, file);
    free(zeros);
    return rc;
}

int fg_segment_prepare(const struct fg_disk *disk, int dir, uint32_t number, uint64_t bytes,
                       void (*piece)(void *arg), void *arg)
{
    char name[FG_SEGMENT_NAME_BYTES];
    bool flushes;

    /* What a crash left half made may have another size. */
    int rc = disk->remove(disk->context, dir, FG_SEGMENT_UNFINISHED);
    if (rc != 0 && rc != -ENOENT)
        return rc;
    int file = disk->open(disk->context, dir, FG_SEGMENT_UNFINISHED, true, &flushes);
    if (file < 0)
        return file;
    rc = zero_fill(disk, file, bytes, flushes, piece, arg);
    disk->close(disk->context, file);
    if (rc == 0) {
        FG_CRASH_POINT(SEGMENT_ZEROED);
        fg_segment_name(name, number);
        rc = disk->rename(disk->context, dir, FG_SEGMENT_UNFINISHED, name);
    }
    if (rc != 0) {
        disk->remove(disk->context, dir, FG_SEGMENT_UNFINISHED);
        return rc;
    }
    FG_CRASH_POINT(SEGMENT_RENAMED);
    return 0;
}

/* One chunk of a cut: counts its blocks that are not zero, and writes zeros if there are any. */
static int cut_chunk(const struct fg_disk *disk, int file, void *data, size_t length, uint64_t at,
                     uint64_t *cut)
{
    bool dirty = false;

    for (size_t block = 0; block < length; block += FG_BLOCK_BYTES)
        if (!fg_all_zero((char *)data + block, FG_BLOCK_BYTES)) {
            *cut += FG_BLOCK_BYTES;
            dirty = true;
        }
    if (!dirty)
        return 0;
    memset(data, 0, length);
    return disk->write(disk->context, file, data, length, at);
}

int fg_segment_cut(const struct fg_disk *disk, int dir, uint32_t number, uint64_t offset,
                   uint64_t *cut)
{
    char name[FG_SEGMENT_NAME_BYTES];
    uint64_t before = *cut;
    bool flushes;

    fg_segment_name(name, number);
    int file = disk->open(disk->context, dir, name, false, &flushes);
    if (file < 0)
        return file;
    int rc = -ENOMEM;
    void *data = aligned_alloc(FG_BLOCK_BYTES, FG_SEGMENT_CHUNK);
    if (!data)
        goto close_file;
    for (rc = 0; rc == 0; offset += FG_SEGMENT_CHUNK) {
        ssize_t n = disk->read(disk->context, file, data, FG_SEGMENT_CHUNK, offset);
        size_t length = n > 0 ? (size_t)n / FG_BLOCK_BYTES * FG_BLOCK_BYTES : 0;
        rc = n < 0 ? (int)n : cut_chunk(disk, file, data, length, offset, cut);
        if (length < FG_SEGMENT_CHUNK)
            break;
    }
    if (rc == 0 && !flushes && *cut != before)
        rc = disk->flush(disk->context, file);
    free(data);
close_file:
    disk->close(disk->context, file);
    return rc;
}
