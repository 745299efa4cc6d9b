/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segment files: their names, which there are, and making a new one. Whoever reads logs from
 * outside the engine (control/journal/, perf/check) uses what names and counts them; only orders
 * makes and cuts them.
 */
#ifndef FG_ORDERS_SEGMENT_H
#define FG_ORDERS_SEGMENT_H

#include "dataplane/orders/disk.h"

#define FG_SEGMENT_PREFIX     "segment-"
#define FG_SEGMENT_NAME_BYTES 32
#define FG_SEGMENT_UNFINISHED "preparing.fgl" /* a segment not yet zeroed to its end */
#define FG_SEGMENT_CHUNK      (1u << 20)      /* bytes of one write of zeros */

/* Stands in a directory while a log is copied into it (control/journal/copy.h). */
#define FG_COPY_UNFINISHED "unfinished-copy"

/* Writes the name of segment `number` into `name`. */
void fg_segment_name(char name[FG_SEGMENT_NAME_BYTES], uint32_t number);

/* Least and greatest number in a directory; 0 and 0 if it has no segment. 0 or a negative errno. */
int fg_segment_range(const struct fg_disk *disk, int dir, uint32_t *first, uint32_t *last);

/* Sum of the sizes of segments first..last. 0 or a negative errno. */
int fg_segment_bytes(const struct fg_disk *disk, int dir, uint32_t first, uint32_t last,
                     uint64_t *bytes);

/* Is there a file, or what passes for one, with the segment's name? */
bool fg_segment_exists(const struct fg_disk *disk, int dir, uint32_t number);

/*
 * Makes segment `number`: allocated, zero-written and flushed under another name, then renamed. So
 * a segment that has its name is whole, and writes to it change no metadata. The caller syncs the
 * directory before it relies on it. `piece`, unless NULL, is called after each piece of zeros: a
 * chance to rest. 0 or a negative errno; on failure nothing with the segment's name is left.
 */
int fg_segment_prepare(const struct fg_disk *disk, int dir, uint32_t number, uint64_t bytes,
                       void (*piece)(void *arg), void *arg);

/* Makes everything from `offset` on in segment `number` zero again and flushes it, writing only
 * where it is not; adds the bytes that were not zero, in blocks, to *cut. 0 or a negative errno. */
int fg_segment_cut(const struct fg_disk *disk, int dir, uint32_t number, uint64_t offset,
                   uint64_t *cut);

/* Whether `length` bytes (a multiple of 8) are zero. */
bool fg_all_zero(const void *data, size_t length);

#endif
