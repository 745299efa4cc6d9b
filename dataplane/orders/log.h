/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log on disk and how it is read.
 *
 * A log is a directory of segments, segment-00000001.fgl and so on, each preallocated and zeroed to
 * one size. A segment is a run of frames, each beginning on a FG_BLOCK_BYTES boundary and padded
 * with zeros to the next. A frame is a header and whole records. Each segment begins with a base
 * (FG_FRAME_BASE): control events that tell all that the earlier segments would be needed for
 * besides orders (live sales, their supply, positions, names used), in one frame, or in several of
 * which all but the last are flagged FG_FRAME_BASE_MORE. (A segment whose base a crash cut short
 * holds nothing else.) A frame that does not fit the rest of a segment begins the next one, after
 * its base. What follows the last frame is zeros.
 *
 * Frames are chained: sequence counts 1, 2, 3 ... over all segments, and each header carries the
 * CRC of the frame before it. Since version 2 it also names its segment, so that a segment file
 * under another's name is told as such. A log may begin with frames of version 1 and go on with
 * those of version 2.
 *
 * The oldest segments may be gone. The base of the first that is left stands for them.
 */
#ifndef FG_ORDERS_LOG_H
#define FG_ORDERS_LOG_H

#include "dataplane/orders/disk.h"
#include "dataplane/orders/event.h"

#define FG_FRAME_MAGIC     0x4c474746u /* "FGGL" */
#define FG_FRAME_VERSION   2           /* what is written */
#define FG_FRAME_OLDEST    1           /* the oldest version that is read */
#define FG_FRAME_BASE      0x0001      /* a base frame of a segment */
#define FG_FRAME_EPOCH     0x0002      /* begins serving in an epoch; holds no records */
#define FG_FRAME_CLOSING   0x0004      /* written when idle and at a clean stop; holds no records */
#define FG_FRAME_BASE_MORE 0x0008      /* another base frame follows */
/* The simulator is built with small frames: then segments are small and many, and a base takes
 * more than one frame. */
#ifndef FG_SMALL_FRAMES
#define FG_FRAME_MAX (8u << 20) /* bytes, header and padding included */
#else
#define FG_FRAME_MAX (12u << 10)
#endif

/* Every version keeps magic, version, length and crc where they are, and the crc's meaning. */
struct fg_frame {
    uint32_t magic;
    uint16_t version;
    uint16_t flags;
    uint64_t journal_id; /* random, one per log */
    uint64_t sequence;   /* of this frame in the log, from 1 */
    uint64_t durable;    /* greatest sequence known durable when this one was written */
    uint64_t first_lsn;  /* of its first record (or of the next record, if it has none) */
    uint32_t epoch;
    uint32_t count;  /* records */
    uint32_t length; /* bytes of records after the header */
    uint32_t previous_crc;
    uint32_t crc;     /* CRC-32C of header (this field zero) and records */
    uint32_t segment; /* number of the segment it was written in; version 1: 0 */
};
static_assert(sizeof(struct fg_frame) == 64, "a frame header is one unit");

/* Why reading stopped. */
enum fg_log_end {
    FG_LOG_MORE,    /* a frame was read */
    FG_LOG_END,     /* zeros, or the durable limit: nothing more now */
    FG_LOG_TORN,    /* an invalid frame and nothing valid after it */
    FG_LOG_CORRUPT, /* an invalid frame with a valid one after it, or a broken chain */
    FG_LOG_VERSION, /* a sound frame of a version that this program does not know */
    FG_LOG_ERROR,   /* the disk failed: `error` holds the negative errno */
};

struct fg_log_position {
    uint32_t segment; /* its number; 0 before the first frame */
    uint64_t offset;  /* bytes from the segment's start, of the next frame */
};

/*
 * Reads the frames of a log in order. One thread. Recovery and delivery both read through it.
 * `limit` is the greatest sequence it may return (UINT64_MAX: all there is).
 */
struct fg_log_reader;

/* `direct` reads past the page cache. NULL with *error (negative errno) when it cannot start. */
struct fg_log_reader *fg_log_reader_open(const struct fg_disk *disk, const char *dir, bool direct,
                                         int *error);
void fg_log_reader_close(struct fg_log_reader *reader);

/* Goes back to the first segment that exists. The oldest may be removed at any time: a reader that
 * finds its next segment gone goes on with the first that is left, whose base stands for what went
 * before (a jump in `sequence`). */
void fg_log_reader_rewind(struct fg_log_reader *reader);

/* Numbers of the first and last segment that exist; 0 and 0: none. 0 or a negative errno. */
int fg_log_reader_range(const struct fg_log_reader *reader, uint32_t *first, uint32_t *last);

/* As rewind, but to segment `number`, which must exist by the time of the next read. */
void fg_log_reader_seek(struct fg_log_reader *reader, uint32_t number);

/*
 * Reads and checks the next frame. After FG_LOG_MORE, *frame is valid until the next call and its
 * records are walked with fg_log_reader_record(). A tail is classified (END, TORN or CORRUPT) only
 * when limit is UINT64_MAX, by reading all that follows it; up to a smaller limit everything must
 * be valid, else CORRUPT. A limit that has been reached costs nothing; it may grow while the log is
 * being written, if it is a sequence known durable.
 */
enum fg_log_end fg_log_reader_next(struct fg_log_reader *reader, uint64_t limit,
                                   const struct fg_frame **frame);

/* Next record of the frame just read; false after its last. */
bool fg_log_reader_record(struct fg_log_reader *reader, struct fg_record *record);

/* The record that was returned last will be returned again. */
void fg_log_reader_put_back(struct fg_log_reader *reader, const struct fg_record *record);

/* Sequence of the last frame returned; 0 before the first. */
uint64_t fg_log_reader_sequence(const struct fg_log_reader *reader);

/* Where the next frame is expected (or where the invalid one stands), and the errno of ERROR. */
struct fg_log_position fg_log_reader_position(const struct fg_log_reader *reader);
int fg_log_reader_error(const struct fg_log_reader *reader);

/* After TORN, CORRUPT or VERSION: what is wrong with the frame at the position, as the end of a
 * sentence that begins with "the frame" ("fails its checksum"). Valid until the next call. */
const char *fg_log_reader_reason(const struct fg_log_reader *reader);

#endif
