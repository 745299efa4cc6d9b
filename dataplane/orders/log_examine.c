/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands at a place of the log, and what that makes of the log's end.
 *
 * Where no sound frame is found, the next segment may begin with it. If not, the limit decides:
 * below a limit known durable this is damage; without a limit all that follows is read, block by
 * block. Nothing but zeros: the end. A sound frame: damage, for the journal never writes a frame
 * before the last one is durable. Anything else: the torn write of a crash.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "dataplane/orders/log_reader.h"
#include "dataplane/orders/segment.h"

/* Of one read: far more than a usual frame. */
#define WINDOW_BYTES (FG_FRAME_MAX < 256u << 10 ? FG_FRAME_MAX : 256u << 10)

void reader_blame(struct fg_log_reader *reader, const char *format, ...)
{
    va_list args;

    if (reader->reason[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(reader->reason, sizeof(reader->reason), format, args);
    va_end(args);
}

void reader_enter(struct fg_log_reader *reader, int file, struct fg_log_position at)
{
    reader->file = file;
    reader->at = at;
    reader->window_length = 0;
}

void reader_leave(struct fg_log_reader *reader)
{
    if (reader->file >= 0)
        reader->disk->close(reader->disk->context, reader->file);
    reader->file = -1;
}

int reader_open_segment(struct fg_log_reader *reader, uint32_t number)
{
    char name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, number);
    return reader->disk->open_read(reader->disk->context, reader->dir, name, reader->direct);
}

/* What this call has read from the current position on: the first blocks of a frame that is greater
 * than the window. Whole blocks, for reads past the page cache begin with one. */
static size_t read_already(const struct fg_log_reader *reader)
{
    if (!reader->fresh || reader->window_offset != reader->at.offset)
        return 0;
    return reader->window_length - reader->window_length % FG_BLOCK_BYTES;
}

/* Reads the window anew from the current position. 0 or a negative errno. */
static int refill(struct fg_log_reader *reader, size_t length)
{
    size_t kept = read_already(reader), wanted = length > WINDOW_BYTES ? length : WINDOW_BYTES;
    ssize_t n = reader->disk->read(reader->disk->context, reader->file, reader->window + kept,
                                   wanted - kept, reader->at.offset + kept);
    reader->window_offset = reader->at.offset;
    reader->window_length = n >= 0 ? kept + (size_t)n : 0;
    reader->fresh = true;
    return n < 0 ? (int)n : 0;
}

/* The next `length` bytes from the current position, or NULL: *found says why. */
static const void *view(struct fg_log_reader *reader, size_t length, enum found *found)
{
    uint64_t offset = reader->at.offset;

    if (offset < reader->window_offset ||
        offset + length > reader->window_offset + reader->window_length) {
        reader->error = refill(reader, length);
        if (reader->error != 0) {
            *found = FAILED;
            return NULL;
        }
        if (length > reader->window_length) {
            *found = PAST_END;
            return NULL;
        }
    }
    return reader->window + (offset - reader->window_offset);
}

/* Whether the records fill the frame exactly. */
static bool well_formed(const struct fg_frame *frame)
{
    const uint8_t *at = (const uint8_t *)(frame + 1), *end = at + frame->length;

    for (uint32_t i = 0; i < frame->count; i++) {
        if (end - at < FG_RECORD_BYTES || (size_t)(end - at) < fg_record_bytes(at))
            return false;
        at += fg_record_bytes(at);
    }
    return at == end;
}

/* What is wrong with a block that begins as a frame does; NULL if its records are all there. */
static const char *unsound(const struct fg_frame *frame)
{
    if (fg_frame_crc(frame) != frame->crc)
        return "fails its checksum";
    return well_formed(frame) ? NULL : "has a length that its records do not fill";
}

enum found reader_examine(struct fg_log_reader *reader, const struct fg_frame **frame)
{
    enum found found = UNSOUND;
    const struct fg_frame *head = view(reader, FG_BLOCK_BYTES, &found);

    if (!head)
        return found;
    if (head->magic != FG_FRAME_MAGIC && fg_all_zero(head, FG_BLOCK_BYTES))
        return ZEROS;
    if (head->magic != FG_FRAME_MAGIC || head->length > FG_FRAME_MAX - sizeof(*head)) {
        reader_blame(reader, "is not one: its first block holds something else");
        return UNSOUND;
    }
    head = view(reader, fg_frame_span(head->length), &found);
    if (!head && found == PAST_END)
        reader_blame(reader, "goes on beyond the end of its segment");
    if (!head)
        return found == PAST_END ? UNSOUND : found;
    if (head->version < FG_FRAME_OLDEST || head->version > FG_FRAME_VERSION) {
        if (fg_frame_crc(head) == head->crc) {
            reader_blame(reader,
                         "is of format version %u, and this program knows versions %d to %d",
                         head->version, FG_FRAME_OLDEST, FG_FRAME_VERSION);
            return UNKNOWN_VERSION;
        }
    }
    const char *wrong = unsound(head);
    if (wrong) {
        reader_blame(reader, "%s", wrong);
        return UNSOUND;
    }
    *frame = head;
    return SOUND;
}

/* Reads on from the current position, at which no sound frame stands, to the segment's end.
 * FG_LOG_END: only zeros. A crash tears one write, which is a frame at most: more than that is
 * damage, whatever it was. */
static enum fg_log_end scan_segment(struct fg_log_reader *reader)
{
    const struct fg_frame *frame;
    enum fg_log_end end = FG_LOG_END;
    uint64_t torn_from = 0;

    for (;; reader->at.offset += FG_BLOCK_BYTES) {
        switch (reader_examine(reader, &frame)) {
        case SOUND:
        case UNKNOWN_VERSION:
            reader_blame(reader, "is missing: zeros stand there, and a frame follows them");
            return FG_LOG_CORRUPT;
        case UNSOUND:
            if (end == FG_LOG_END)
                torn_from = reader->at.offset;
            else if (reader->at.offset - torn_from >= FG_FRAME_MAX)
                return FG_LOG_CORRUPT;
            end = FG_LOG_TORN;
            break;
        case FAILED:
            return FG_LOG_ERROR;
        case PAST_END:
            return end;
        case ZEROS:
            break;
        }
    }
}

enum fg_log_end reader_classify(struct fg_log_reader *reader)
{
    struct fg_log_position start = reader->at, invalid = {0};
    uint32_t first, last;
    enum fg_log_end end = FG_LOG_END;

    reader->error = fg_segment_range(reader->disk, reader->dir, &first, &last);
    if (reader->error != 0)
        return FG_LOG_ERROR;
    for (uint32_t number = start.segment; number <= last; number++) {
        struct fg_log_position from = {number, number == start.segment ? start.offset : 0};
        int file = reader_open_segment(reader, number);
        if (file == -ENOENT)
            continue;
        reader_leave(reader);
        reader_enter(reader, file, from);
        reader->error = file < 0 ? file : 0;
        enum fg_log_end here = file < 0 ? FG_LOG_ERROR : scan_segment(reader);
        if (here != FG_LOG_END && end == FG_LOG_END) {
            end = here;
            invalid = from;
        } else if (here == FG_LOG_CORRUPT || here == FG_LOG_ERROR) {
            end = here;
        } else if (here == FG_LOG_TORN) { /* in two segments: no one write did that */
            end = FG_LOG_CORRUPT;
        }
        if (end == FG_LOG_CORRUPT || end == FG_LOG_ERROR)
            break;
    }
    reader_leave(reader);
    reader_enter(reader, reader_open_segment(reader, start.segment),
                 end == FG_LOG_CORRUPT ? invalid : start);
    return end;
}
