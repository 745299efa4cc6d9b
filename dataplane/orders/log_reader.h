/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader's inside, shared by log.c and log_examine.c. */
#ifndef FG_ORDERS_LOG_READER_H
#define FG_ORDERS_LOG_READER_H

#include "dataplane/orders/frame.h"

struct fg_log_reader {
    const struct fg_disk *disk;
    int dir;
    int file; /* of the current segment, or -1 */
    bool direct;
    int error;
    struct fg_log_position at; /* where the next frame is expected */
    char reason[160];          /* why the first frame that was refused was refused */
    uint32_t first;            /* segment to begin with; 0: the first that exists */

    /* the chain so far; `sequence` 0: no frame yet */
    uint64_t journal_id, sequence, next_lsn;
    uint32_t crc, epoch;
    bool overtaken; /* the next frame is not the successor of the last */

    /* window of the file */
    uint8_t *window; /* FG_FRAME_MAX bytes */
    uint64_t window_offset;
    size_t window_length;
    bool fresh; /* read during this call */

    /* records of the frame last returned that are still to be walked */
    const uint8_t *record;
    uint32_t records_left;
    uint64_t lsn;
    bool base;
};

/* What stands at a place of the log. */
enum found { SOUND, UNKNOWN_VERSION, ZEROS, UNSOUND, PAST_END, FAILED };

/* The reader now stands at `at` of the segment that is open as `file`. */
void reader_enter(struct fg_log_reader *reader, int file, struct fg_log_position at);
/* Closes its segment. */
void reader_leave(struct fg_log_reader *reader);
/* A file to read from, or a negative errno. */
int reader_open_segment(struct fg_log_reader *reader, uint32_t number);

/* Notes why a frame is refused, unless an earlier one was in this call. */
__attribute__((format(printf, 2, 3))) void reader_blame(struct fg_log_reader *reader,
                                                        const char *format, ...);

/* Judges what stands at the current position by itself; *frame is set if it is SOUND. */
enum found reader_examine(struct fg_log_reader *reader, const struct fg_frame **frame);

/* Tells the end of the log from a torn tail and from damage; the position becomes that of the
 * invalid frame if it is damage, and stays if not. */
enum fg_log_end reader_classify(struct fg_log_reader *reader);

#endif
