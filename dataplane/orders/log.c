/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of the log.
 *
 * It holds a window of the current segment in memory. On a live log the window may have been read
 * before the journal wrote there, so whatever does not look like a sound frame is read once more
 * before it is judged. A frame is the next one only if it is sound by itself (CRC) and fits the
 * chain: segment, sequence, CRC of its predecessor, journal id, LSN, epoch.
 *
 * Old segments may go while they are read. The open file of one stays readable; when the next one
 * is not there, and all that are left are younger, the reader has been overtaken and goes on with
 * the oldest that is left.
 */
#include "dataplane/orders/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "dataplane/orders/log_reader.h"
#include "dataplane/orders/segment.h"

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
    reader_leave(reader);
    reader->disk->close(reader->disk->context, reader->dir);
    free(reader->window);
    free(reader);
}

void fg_log_reader_rewind(struct fg_log_reader *reader)
{
    fg_log_reader_seek(reader, 0);
}

void fg_log_reader_seek(struct fg_log_reader *reader, uint32_t number)
{
    reader_leave(reader);
    reader->at = (struct fg_log_position){0};
    reader->first = number;
    reader->sequence = 0;
    reader->overtaken = false;
    reader->records_left = 0;
}

int fg_log_reader_range(const struct fg_log_reader *reader, uint32_t *first, uint32_t *last)
{
    return fg_segment_range(reader->disk, reader->dir, first, last);
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

const char *fg_log_reader_reason(const struct fg_log_reader *reader)
{
    return reader->reason;
}

/* Whether a sound frame may stand where it does. */
static bool in_place(struct fg_log_reader *reader, const struct fg_frame *frame)
{
    if (frame->version >= 2 && frame->segment != reader->at.segment)
        reader_blame(reader, "was written in segment %" PRIu32 ": the file has another one's name",
                     frame->segment);
    else if (reader->at.offset == 0 && !(frame->flags & FG_FRAME_BASE))
        reader_blame(reader, "begins its segment, but is not the base that it should begin with");
    else
        return true;
    return false;
}

/* Whether it is the successor of the last one. */
static bool chained(struct fg_log_reader *reader, const struct fg_frame *frame)
{
    if (frame->sequence != reader->sequence + 1)
        reader_blame(reader, "has sequence %" PRIu64 " and not %" PRIu64, frame->sequence,
                     reader->sequence + 1);
    else if (frame->previous_crc != reader->crc)
        reader_blame(reader, "was written after another frame %" PRIu64 " than the one before it",
                     reader->sequence);
    else if (frame->first_lsn != reader->next_lsn || frame->epoch < reader->epoch)
        reader_blame(reader, "goes back in records or epochs");
    else
        return true;
    return false;
}

/* Whether a sound frame at the current position follows the last one. */
static bool follows(struct fg_log_reader *reader, const struct fg_frame *frame)
{
    if (!in_place(reader, frame))
        return false;
    if (reader->sequence == 0) {
        if (reader->at.segment == 1 && frame->sequence != 1)
            reader_blame(reader, "has sequence %" PRIu64 ", and the log begins with 1",
                         frame->sequence);
        return reader->at.segment > 1 || frame->sequence == 1;
    }
    if (frame->journal_id != reader->journal_id) {
        reader_blame(reader, "is of another log: its id is %016" PRIx64 " and not %016" PRIx64,
                     frame->journal_id, reader->journal_id);
        return false;
    }
    return reader->overtaken || chained(reader, frame);
}

static void accept(struct fg_log_reader *reader, const struct fg_frame *frame)
{
    reader->journal_id = frame->journal_id;
    reader->sequence = frame->sequence;
    reader->next_lsn = frame->first_lsn + frame->count;
    reader->crc = frame->crc;
    reader->epoch = frame->epoch;
    reader->overtaken = false;
    reader->at.offset += fg_frame_span(frame->length);
    reader->record = (const uint8_t *)(frame + 1);
    reader->records_left = frame->count;
    reader->lsn = frame->first_lsn;
    reader->base = frame->flags & FG_FRAME_BASE;
}

/* Opens the segment after `number`, or, where all that are left are younger, the oldest of them:
 * `number` becomes its number. A negative errno; -ENOENT: there is none. */
static int open_following(struct fg_log_reader *reader, uint32_t *number)
{
    uint32_t first, last, wanted = *number + 1;

    for (;;) {
        int file = reader_open_segment(reader, wanted);
        if (file != -ENOENT) {
            *number = wanted;
            return file;
        }
        int rc = fg_segment_range(reader->disk, reader->dir, &first, &last);
        if (rc != 0)
            return rc;
        if (first <= wanted) /* nothing younger, or a gap */
            return -ENOENT;
        wanted = first;
    }
}

/* Moves to the next segment if it begins with the frame that follows (SOUND); else stays and tells
 * what stands there. */
static enum found step_over(struct fg_log_reader *reader, const struct fg_frame **frame)
{
    int file = reader->file;
    struct fg_log_position at = reader->at;
    uint32_t number = at.segment;
    int next = open_following(reader, &number);

    if (next == -ENOENT)
        return PAST_END;
    if (next < 0) {
        reader->error = next;
        return FAILED;
    }
    reader->overtaken = number != at.segment + 1;
    reader_enter(reader, next, (struct fg_log_position){number, 0});
    enum found found = reader_examine(reader, frame);
    if (found == SOUND && follows(reader, *frame)) {
        reader->disk->close(reader->disk->context, file);
        return SOUND;
    }
    reader_leave(reader);
    reader_enter(reader, file, at);
    reader->overtaken = false;
    return found == SOUND ? UNSOUND : found;
}

/* Opens the segment to begin with. FG_LOG_MORE: there is one. */
static enum fg_log_end begin(struct fg_log_reader *reader)
{
    uint32_t first = reader->first, last, gone = 0;

    for (;;) {
        reader->error = 0;
        if (reader->first == 0)
            reader->error = fg_segment_range(reader->disk, reader->dir, &first, &last);
        if (reader->error != 0)
            return FG_LOG_ERROR;
        if (first == 0)
            return FG_LOG_END;
        int file = reader_open_segment(reader, first);
        if (file >= 0) {
            reader_enter(reader, file, (struct fg_log_position){first, 0});
            return FG_LOG_MORE;
        }
        /* It was removed after it was listed: list anew. */
        if (file != -ENOENT || first == gone || reader->first != 0) {
            reader->error = file;
            return FG_LOG_ERROR;
        }
        gone = first;
    }
}

/* Reads what stands at the current position, or at the beginning of the next segment. */
static enum found find_next(struct fg_log_reader *reader, const struct fg_frame **frame)
{
    reader->fresh = false;
    enum found found = reader_examine(reader, frame);

    if (found != SOUND && found != FAILED && !reader->fresh) {
        reader->window_length = 0;
        reader->reason[0] = '\0';
        found = reader_examine(reader, frame);
    }
    if (found == ZEROS || found == PAST_END)
        return step_over(reader, frame);
    return found;
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
    struct fg_log_position at = reader->at;
    reader->reason[0] = '\0';
    enum found found = find_next(reader, frame);

    if (found == SOUND && reader->at.segment == at.segment && !follows(reader, *frame))
        return FG_LOG_CORRUPT;
    switch (found) {
    case SOUND:
        accept(reader, *frame);
        return FG_LOG_MORE;
    case FAILED:
        return FG_LOG_ERROR;
    case UNKNOWN_VERSION:
        return FG_LOG_VERSION;
    default:
        if (limit == UINT64_MAX)
            return reader_classify(reader);
        reader_blame(reader, "is missing, though it was durable");
        return FG_LOG_CORRUPT;
    }
}

bool fg_log_reader_record(struct fg_log_reader *reader, struct fg_record *record)
{
    if (reader->records_left == 0)
        return false;
    record->lsn = reader->lsn++;
    record->epoch = reader->epoch;
    record->base = reader->base;
    record->unit = reader->record;
    record->body =
        fg_event_is_control(reader->record) ? (const char *)reader->record + FG_RECORD_BYTES : NULL;
    reader->record += fg_record_bytes(reader->record);
    reader->records_left--;
    return true;
}

void fg_log_reader_put_back(struct fg_log_reader *reader, const struct fg_record *record)
{
    reader->record = record->unit;
    reader->lsn = record->lsn;
    reader->records_left++;
}
