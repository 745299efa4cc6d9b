/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of the log.
 *
 * It holds a window of the current segment in memory. On a live log the window may have been read
 * before the journal wrote there, so whatever does not look like a sound frame is read once more
 * before it is judged. A frame is the next one only if it is sound by itself (CRC) and fits the
 * chain: sequence, CRC of its predecessor, journal id, LSN, epoch.
 *
 * Where no sound frame is found, the next segment may begin with it. If not, the limit decides:
 * below a limit known durable this is damage; without a limit all that follows is read, block by
 * block. Nothing but zeros: the end. A sound frame: damage, for the journal never writes a frame
 * before the last one is durable. Anything else: the torn write of a crash.
 */
#include "dataplane/orders/log.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/orders/frame.h"
#include "dataplane/orders/segment.h"

#define WINDOW_BYTES (256u << 10) /* of one read: far more than a usual frame */

struct fg_log_reader {
    const struct fg_disk *disk;
    int dir;
    int file; /* of the current segment, or -1 */
    bool direct;
    int error;
    struct fg_log_position at; /* where the next frame is expected */

    /* the chain so far; `sequence` 0: no frame yet */
    uint64_t journal_id, sequence, next_lsn;
    uint32_t crc, epoch;

    /* window of the file */
    uint8_t *window; /* FG_FRAME_MAX bytes */
    uint64_t window_offset;
    size_t window_length;
    bool fresh; /* read during this call */

    /* records of the frame last returned that are still to be walked */
    const uint8_t *record;
    uint32_t records_left;
    uint64_t lsn;
};

/* What stands at a place of the log. */
enum found { SOUND, UNKNOWN_VERSION, ZEROS, UNSOUND, PAST_END, FAILED };

static void enter(struct fg_log_reader *reader, int file, struct fg_log_position at)
{
    reader->file = file;
    reader->at = at;
    reader->window_length = 0;
}

static void leave(struct fg_log_reader *reader)
{
    if (reader->file >= 0)
        reader->disk->close(reader->disk->context, reader->file);
    reader->file = -1;
}

static int open_segment(struct fg_log_reader *reader, uint32_t number)
{
    char name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, number);
    return reader->disk->open_read(reader->disk->context, reader->dir, name, reader->direct);
}

struct fg_log_reader *fg_log_reader_open(const struct fg_disk *disk, const char *dir, bool direct,
                                         int *error)
{
    struct fg_log_reader *reader = calloc(1, sizeof(*reader));
    *error = -ENOMEM;
    if (!reader)
        return NULL;
    reader->disk = disk;
    reader->direct = direct;
    reader->file = -1;
    reader->window = aligned_alloc(FG_BLOCK_BYTES, FG_FRAME_MAX);
    if (!reader->window)
        goto free_reader;
    reader->dir = disk->open_dir(disk->context, dir, false);
    if (reader->dir < 0) {
        *error = reader->dir;
        goto free_window;
    }
    *error = 0;
    return reader;

free_window:
    free(reader->window);
free_reader:
    free(reader);
    return NULL;
}

void fg_log_reader_close(struct fg_log_reader *reader)
{
    if (!reader)
        return;
    leave(reader);
    reader->disk->close(reader->disk->context, reader->dir);
    free(reader->window);
    free(reader);
}

void fg_log_reader_rewind(struct fg_log_reader *reader)
{
    leave(reader);
    reader->at = (struct fg_log_position){0};
    reader->sequence = 0;
    reader->records_left = 0;
}

uint64_t fg_log_reader_sequence(const struct fg_log_reader *reader)
{
    return reader->sequence;
}

struct fg_log_position fg_log_reader_position(const struct fg_log_reader *reader)
{
    return reader->at;
}

int fg_log_reader_error(const struct fg_log_reader *reader)
{
    return reader->error;
}

/* Reads the window anew from the current position. 0 or a negative errno. */
static int refill(struct fg_log_reader *reader, size_t length)
{
    ssize_t n =
        reader->disk->read(reader->disk->context, reader->file, reader->window,
                           length > WINDOW_BYTES ? length : WINDOW_BYTES, reader->at.offset);
    reader->window_offset = reader->at.offset;
    reader->window_length = n > 0 ? (size_t)n : 0;
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

/* Judges what stands at the current position by itself. */
static enum found examine(struct fg_log_reader *reader, const struct fg_frame **frame)
{
    enum found found = UNSOUND;
    const struct fg_frame *head = view(reader, FG_BLOCK_BYTES, &found);

    if (!head)
        return found;
    if (head->magic != FG_FRAME_MAGIC)
        return fg_all_zero(head, FG_BLOCK_BYTES) ? ZEROS : UNSOUND;
    if (head->length > FG_FRAME_MAX - sizeof(*head))
        return UNSOUND;
    head = view(reader, fg_frame_span(head->length), &found);
    if (!head)
        return found == PAST_END ? UNSOUND : found;
    if (head->magic != FG_FRAME_MAGIC || fg_frame_crc(head) != head->crc)
        return UNSOUND;
    if (head->version != FG_FRAME_VERSION)
        return UNKNOWN_VERSION;
    *frame = head;
    return well_formed(head) ? SOUND : UNSOUND;
}

/* Whether a sound frame at the current position follows the last one. */
static bool follows(const struct fg_log_reader *reader, const struct fg_frame *frame)
{
    bool begins_segment = reader->at.offset == 0;

    if (begins_segment && !(frame->flags & FG_FRAME_BASE))
        return false;
    if (reader->sequence == 0)
        return reader->at.segment > 1 || frame->sequence == 1;
    return frame->sequence == reader->sequence + 1 && frame->previous_crc == reader->crc &&
           frame->journal_id == reader->journal_id && frame->first_lsn == reader->next_lsn &&
           frame->epoch >= reader->epoch;
}

static void accept(struct fg_log_reader *reader, const struct fg_frame *frame)
{
    reader->journal_id = frame->journal_id;
    reader->sequence = frame->sequence;
    reader->next_lsn = frame->first_lsn + frame->count;
    reader->crc = frame->crc;
    reader->epoch = frame->epoch;
    reader->at.offset += fg_frame_span(frame->length);
    reader->record = (const uint8_t *)(frame + 1);
    reader->records_left = frame->count;
    reader->lsn = frame->first_lsn;
}

/* Moves to the next segment if it begins with the frame that follows (SOUND); else stays and tells
 * what stands there. */
static enum found step_over(struct fg_log_reader *reader, const struct fg_frame **frame)
{
    int file = reader->file;
    struct fg_log_position at = reader->at;
    int next = open_segment(reader, at.segment + 1);

    if (next == -ENOENT)
        return PAST_END;
    if (next < 0) {
        reader->error = next;
        return FAILED;
    }
    enter(reader, next, (struct fg_log_position){at.segment + 1, 0});
    enum found found = examine(reader, frame);
    if (found == SOUND && follows(reader, *frame)) {
        reader->disk->close(reader->disk->context, file);
        return SOUND;
    }
    leave(reader);
    enter(reader, file, at);
    return found == SOUND ? UNSOUND : found;
}

/* Reads on from the current position, at which no sound frame stands, to the segment's end.
 * FG_LOG_END: only zeros. */
static enum fg_log_end scan_segment(struct fg_log_reader *reader)
{
    const struct fg_frame *frame;
    enum fg_log_end end = FG_LOG_END;

    for (;; reader->at.offset += FG_BLOCK_BYTES) {
        switch (examine(reader, &frame)) {
        case SOUND:
        case UNKNOWN_VERSION:
            return FG_LOG_CORRUPT;
        case UNSOUND:
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

/* Tells the end of the log from a torn tail and from damage; the position becomes that of the
 * invalid frame if it is damage, and stays if not. */
static enum fg_log_end classify(struct fg_log_reader *reader)
{
    struct fg_log_position start = reader->at, invalid = {0};
    uint32_t first, last;
    enum fg_log_end end = FG_LOG_END;

    reader->error = fg_segment_range(reader->disk, reader->dir, &first, &last);
    if (reader->error != 0)
        return FG_LOG_ERROR;
    for (uint32_t number = start.segment; number <= last; number++) {
        struct fg_log_position from = {number, number == start.segment ? start.offset : 0};
        int file = open_segment(reader, number);
        if (file == -ENOENT)
            continue;
        leave(reader);
        enter(reader, file, from);
        reader->error = file < 0 ? file : 0;
        enum fg_log_end here = file < 0 ? FG_LOG_ERROR : scan_segment(reader);
        if (here != FG_LOG_END && end == FG_LOG_END) {
            end = here;
            invalid = from;
        } else if (here == FG_LOG_CORRUPT || here == FG_LOG_ERROR) {
            end = here;
        }
        if (end == FG_LOG_CORRUPT || end == FG_LOG_ERROR)
            break;
    }
    leave(reader);
    enter(reader, open_segment(reader, start.segment), end == FG_LOG_CORRUPT ? invalid : start);
    return end;
}

/* Opens the first segment that exists. FG_LOG_MORE: there is one. */
static enum fg_log_end begin(struct fg_log_reader *reader)
{
    uint32_t first, last;

    reader->error = fg_segment_range(reader->disk, reader->dir, &first, &last);
    if (reader->error != 0)
        return FG_LOG_ERROR;
    if (first == 0)
        return FG_LOG_END;
    int file = open_segment(reader, first);
    if (file < 0) {
        reader->error = file;
        return FG_LOG_ERROR;
    }
    enter(reader, file, (struct fg_log_position){first, 0});
    return FG_LOG_MORE;
}

enum fg_log_end fg_log_reader_next(struct fg_log_reader *reader, uint64_t limit,
                                   const struct fg_frame **frame)
{
    reader->records_left = 0;
    if (limit <= reader->sequence)
        return FG_LOG_END;
    if (reader->file < 0) {
        enum fg_log_end begun = begin(reader);
        if (begun != FG_LOG_MORE)
            return begun;
    }

    reader->fresh = false;
    enum found found = examine(reader, frame);
    if (found != SOUND && found != FAILED && !reader->fresh) {
        reader->window_length = 0;
        found = examine(reader, frame);
    }
    if (found == SOUND && !follows(reader, *frame))
        return FG_LOG_CORRUPT;
    if (found == ZEROS || found == PAST_END)
        found = step_over(reader, frame);
    switch (found) {
    case SOUND:
        accept(reader, *frame);
        return FG_LOG_MORE;
    case FAILED:
        return FG_LOG_ERROR;
    case UNKNOWN_VERSION:
        return FG_LOG_VERSION;
    default:
        return limit == UINT64_MAX ? classify(reader) : FG_LOG_CORRUPT;
    }
}

bool fg_log_reader_record(struct fg_log_reader *reader, struct fg_record *record)
{
    if (reader->records_left == 0)
        return false;
    record->lsn = reader->lsn++;
    record->epoch = reader->epoch;
    record->unit = reader->record;
    record->body =
        fg_event_is_control(reader->record) ? (const char *)reader->record + FG_RECORD_BYTES : NULL;
    reader->record += fg_record_bytes(reader->record);
    reader->records_left--;
    return true;
}
