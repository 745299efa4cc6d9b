/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk over a log that may be alive.
 *
 * The reader classifies what it cannot read on the picture of one moment: a frame that is on its
 * way to the disk looks torn, and if the next one follows while it looks, even damaged. Both are
 * gone at a second look. So whatever is not the plain end is looked at again before it is believed,
 * first from where it stands and then, because the reader may have gone past something, from the
 * start.
 */
#include "control/journal/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/orders/frame.h"
#include "dataplane/orders/segment.h"

#define LOOKS_MAX    5 /* at a tail that looks torn or damaged, without a frame between them */
#define LOOK_WAIT_NS 5000000 /* a frame's write takes less */
#define AGAIN_MAX    8       /* walks that the engine's removals may cut short */

struct walk {
    const struct fg_disk *disk;
    const char *dir;
    const struct fg_journal_visitor *visitor;
    struct fg_journal_facts *facts;
    struct fg_log_reader *reader;
    bool doubted; /* damage to a log that is being written was seen once already */
};

static void note_time(struct fg_journal_facts *facts, uint64_t at_ns)
{
    if (facts->first_ns == 0 || at_ns < facts->first_ns)
        facts->first_ns = at_ns;
    if (at_ns > facts->last_ns)
        facts->last_ns = at_ns;
}

static void note_frame(struct fg_journal_facts *facts, const struct fg_journal_frame *frame)
{
    const struct fg_frame *header = frame->header;

    if (facts->frames == 0) {
        facts->journal_id = header->journal_id;
        facts->first_segment = frame->segment;
        facts->first_sequence = header->sequence;
        facts->first_lsn = header->first_lsn;
        facts->first_epoch = header->epoch;
    }
    facts->last_segment = frame->segment;
    facts->last_sequence = header->sequence;
    facts->last_lsn = header->first_lsn + header->count - 1;
    facts->last_epoch = header->epoch;
    facts->last_flags = header->flags;
    if (header->durable > facts->durable)
        facts->durable = header->durable;
    facts->frames++;
    facts->records += header->count;
    facts->bytes += frame->span;
}

static int visit_records(const struct walk *walk, const struct fg_journal_frame *frame)
{
    const struct fg_journal_visitor *visitor = walk->visitor;
    struct fg_record record;
    int rc = 0;

    while (rc == 0 && fg_log_reader_record(walk->reader, &record)) {
        bool control = fg_event_is_control(record.unit);
        note_time(walk->facts, control ? record.control->at_ns : record.order->at_ns);
        if (visitor->record)
            rc = visitor->record(visitor->arg, frame, &record);
    }
    return rc;
}

static int visit(const struct walk *walk, const struct fg_frame *header)
{
    const struct fg_journal_visitor *visitor = walk->visitor;
    struct fg_log_position next = fg_log_reader_position(walk->reader);
    struct fg_journal_frame frame = {
        .header = header, .segment = next.segment, .span = fg_frame_span(header->length)};

    frame.offset = next.offset - frame.span;
    note_frame(walk->facts, &frame);
    int rc = visitor->frame ? visitor->frame(visitor->arg, &frame) : 0;
    return rc != 0 ? rc : visit_records(walk, &frame);
}

/* Has the engine removed the segment that was to be read next? */
static bool overtaken(const struct walk *walk, int error)
{
    const struct fg_disk *disk = walk->disk;
    uint32_t first, last;

    if (walk->facts->frames == 0)
        return error == -ENOENT;
    int dir = disk->open_dir(disk->context, walk->dir, false);
    if (dir < 0)
        return false;
    int rc = fg_segment_range(disk, dir, &first, &last);
    disk->close(disk->context, dir);
    return rc == 0 && first > walk->facts->last_segment + 1;
}

static void note_end(const struct walk *walk, enum fg_log_end end)
{
    struct fg_log_position at = fg_log_reader_position(walk->reader);

    walk->facts->end = end;
    walk->facts->error = end == FG_LOG_ERROR ? fg_log_reader_error(walk->reader) : 0;
    walk->facts->segment = at.segment;
    walk->facts->offset = at.offset;
    if (end == FG_LOG_TORN || end == FG_LOG_CORRUPT || end == FG_LOG_VERSION)
        snprintf(walk->facts->reason, sizeof(walk->facts->reason), "%s",
                 fg_log_reader_reason(walk->reader));
}

/* From the first segment to the end. True: the end is known. False: what the reader wants has gone,
 * or may have; it is to begin again. */
static bool walk_once(struct walk *walk)
{
    struct fg_journal_facts *facts = walk->facts;
    const struct fg_frame *header;
    unsigned looks = 0;

    for (;;) {
        enum fg_log_end end = fg_log_reader_next(walk->reader, UINT64_MAX, &header);
        if (end == FG_LOG_MORE) {
            if (facts->frames > 0 && header->sequence != facts->last_sequence + 1)
                return false;
            facts->stopped = visit(walk, header);
            if (facts->stopped != 0)
                break;
            looks = 0;
            continue;
        }
        note_end(walk, end);
        if (end != FG_LOG_TORN && end != FG_LOG_CORRUPT && facts->error != -ENOENT)
            break;
        if (overtaken(walk, facts->error))
            return false;
        if (++looks == LOOKS_MAX) {
            bool believed = end != FG_LOG_CORRUPT || facts->writer == 0 || walk->doubted;
            walk->doubted = true;
            return believed;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOOK_WAIT_NS}, NULL);
    }
    return true;
}

/* Bytes of one segment from `offset` on that are not zero, in blocks. 0 or a negative errno. */
static int count_torn(const struct walk *walk, int dir, uint32_t number, uint64_t offset,
                      uint8_t *data)
{
    const struct fg_disk *disk = walk->disk;
    char name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, number);
    int file = disk->open_read(disk->context, dir, name, true);
    if (file < 0)
        return file == -ENOENT ? 0 : file;
    ssize_t n;
    do {
        n = disk->read(disk->context, file, data, FG_SEGMENT_CHUNK, offset);
        for (ssize_t block = 0; block + FG_BLOCK_BYTES <= n; block += FG_BLOCK_BYTES)
            if (!fg_all_zero(data + block, FG_BLOCK_BYTES))
                walk->facts->torn_bytes += FG_BLOCK_BYTES;
        offset += FG_SEGMENT_CHUNK;
    } while (n == FG_SEGMENT_CHUNK);
    disk->close(disk->context, file);
    return n < 0 ? (int)n : 0;
}

/* How much a start would cut. */
static int measure_torn(const struct walk *walk)
{
    const struct fg_disk *disk = walk->disk;
    const struct fg_journal_facts *facts = walk->facts;
    uint32_t first, last;
    uint8_t *data = aligned_alloc(FG_BLOCK_BYTES, FG_SEGMENT_CHUNK);
    int dir = disk->open_dir(disk->context, walk->dir, false);
    int rc = !data ? -ENOMEM : dir < 0 ? dir : fg_segment_range(disk, dir, &first, &last);

    for (uint32_t number = facts->segment; rc == 0 && number <= last; number++)
        rc = count_torn(walk, dir, number, number == facts->segment ? facts->offset : 0, data);
    if (dir >= 0)
        disk->close(disk->context, dir);
    free(data);
    return rc;
}

static bool is_unfinished(const struct fg_disk *disk, const char *path)
{
    int dir = disk->open_dir(disk->context, path, false);
    int mark = dir < 0 ? dir : disk->open_read(disk->context, dir, FG_COPY_UNFINISHED, false);

    if (mark >= 0)
        disk->close(disk->context, mark);
    if (dir >= 0)
        disk->close(disk->context, dir);
    return mark >= 0;
}

int fg_journal_walk(const struct fg_disk *disk, const char *dir,
                    const struct fg_journal_visitor *visitor, struct fg_journal_facts *facts)
{
    struct walk walk = {.disk = disk, .dir = dir, .visitor = visitor, .facts = facts};
    int rc = 0;

    *facts = (struct fg_journal_facts){.writer = fg_journal_writer(dir)};
    walk.reader = fg_log_reader_open(disk, dir, true, &rc);
    if (!walk.reader)
        return rc;
    for (unsigned round = 0; !walk_once(&walk); round++) {
        fg_log_reader_rewind(walk.reader);
        *facts = (struct fg_journal_facts){.writer = facts->writer};
        facts->stopped = visitor->again ? visitor->again(visitor->arg) : 0;
        if (facts->stopped != 0)
            break;
        if (round == AGAIN_MAX) {
            facts->end = FG_LOG_ERROR;
            facts->error = -EAGAIN;
            break;
        }
    }
    fg_log_reader_close(walk.reader);
    facts->unfinished = is_unfinished(disk, dir);
    return facts->end == FG_LOG_TORN ? measure_torn(&walk) : 0;
}
