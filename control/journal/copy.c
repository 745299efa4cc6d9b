/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/orders/segment.h"
#include "flashgate/exit_status.h"

#define DIR_MODE 0750

/* The first block of a segment, kept back. */
struct head {
    uint32_t segment;
    uint8_t *block; /* FG_BLOCK_BYTES */
};

struct job {
    const struct fg_journal_copy *copy;
    struct fg_journal_copied *copied;
    char *message;
    size_t size;
    int from, to; /* directories; `to` is locked */
    bool made;    /* `to` was made here */

    uint8_t *buffer; /* FG_FRAME_MAX bytes, on their way to the segment being made */
    uint64_t at;     /* offset in the segment of the buffer's beginning */
    size_t used;
    int file; /* of the segment, or -1 */
    bool flushes;
    struct head *heads;
    unsigned heads_count, heads_room;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct job *job, int status,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(job->message, job->size, format, arguments);
    va_end(arguments);
    return status;
}

static int fail_writing(const struct job *job, int rc)
{
    return fail(job, rc == -ENOMEM ? FG_EXIT_MEMORY : FG_EXIT_DISK, "%s: writing failed: %s",
                job->copy->to, strerror(-rc));
}

/* --- the directory to copy to --- */

struct entries {
    const char *keep;
    bool unfinished;
    char foreign[256], segment[FG_SEGMENT_NAME_BYTES]; /* one of each, or empty */
};

static void look_at(void *arg, const char *name)
{
    struct entries *entries = arg;

    if (strcmp(name, FG_COPY_UNFINISHED) == 0)
        entries->unfinished = true;
    else if (strncmp(name, FG_SEGMENT_PREFIX, strlen(FG_SEGMENT_PREFIX)) == 0 &&
             strlen(name) < sizeof(entries->segment))
        snprintf(entries->segment, sizeof(entries->segment), "%s", name);
    else if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "lost+found") != 0 &&
             strcmp(name, FG_SEGMENT_UNFINISHED) != 0 &&
             (!entries->keep || strcmp(name, entries->keep) != 0))
        snprintf(entries->foreign, sizeof(entries->foreign), "%s", name);
}

/* 0 or a negative errno. */
static int look(const struct job *job, struct entries *entries)
{
    *entries = (struct entries){.keep = job->copy->keep};
    return job->copy->disk->list(job->copy->disk->context, job->to, "", look_at, entries);
}

/* Removes all segments. 0 or a negative errno. */
static int remove_segments(const struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;
    struct entries entries;
    int rc;

    while ((rc = look(job, &entries)) == 0 && entries.segment[0] != '\0') {
        rc = disk->remove(disk->context, job->to, entries.segment);
        if (rc != 0)
            return rc;
    }
    return rc;
}

static int put_mark(const struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;
    bool flushes;
    int file = disk->open(disk->context, job->to, FG_COPY_UNFINISHED, true, &flushes);

    if (file < 0)
        return file;
    disk->close(disk->context, file);
    return disk->sync_dir(disk->context, job->to);
}

static int take_mark(const struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;
    int rc = disk->remove(disk->context, job->to, FG_COPY_UNFINISHED);

    return rc != 0 ? rc : disk->sync_dir(disk->context, job->to);
}

/* Makes `to` if it is missing, and its name durable. 0 or a negative errno. */
static int make_directory(struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;

    job->made = mkdir(job->copy->to, DIR_MODE) == 0;
    if (!job->made)
        return errno == EEXIST ? 0 : -errno;
    char *path = strdup(job->copy->to);
    int parent = path ? disk->open_dir(disk->context, dirname(path), false) : -ENOMEM;
    int rc = parent < 0 ? parent : disk->sync_dir(disk->context, parent);
    if (parent >= 0)
        disk->close(disk->context, parent);
    free(path);
    return rc;
}

/* Opens and locks `to`, and sees that nothing of value is in it. */
static int open_target(struct job *job)
{
    const struct fg_journal_copy *copy = job->copy;
    struct entries entries;

    job->to = copy->disk->open_dir(copy->disk->context, copy->to, true);
    if (job->to == -EWOULDBLOCK)
        return fail(job, FG_EXIT_IN_USE, "an engine, or another copy, has the directory %s",
                    copy->to);
    int rc = job->to < 0 ? job->to : look(job, &entries);
    if (rc != 0)
        return fail(job, FG_EXIT_FAILED, "%s: %s", copy->to, strerror(-rc));
    bool taken = entries.segment[0] != '\0' && !entries.unfinished &&
                 !(copy->replace && copy->replace(copy->arg));
    if (entries.foreign[0] == '\0' && !taken)
        return FG_EXIT_OK;
    return fail(job, FG_EXIT_FAILED, "%s is not empty (%s): a copy wants a directory of its own",
                copy->to, entries.foreign[0] ? entries.foreign : entries.segment);
}

/* Opens, locks and empties the directory to copy to. */
static int take_target(struct job *job)
{
    int rc = make_directory(job);
    if (rc != 0)
        return fail(job, FG_EXIT_FAILED, "%s cannot be made: %s", job->copy->to, strerror(-rc));
    int status = open_target(job);
    if (status != FG_EXIT_OK)
        return status;
    rc = put_mark(job);
    if (rc == 0)
        rc = remove_segments(job);
    return rc == 0 ? FG_EXIT_OK : fail_writing(job, rc);
}

int fg_journal_copy_check(const struct fg_journal_copy *copy, char *message, size_t size)
{
    struct job job = {.copy = copy, .message = message, .size = size};
    struct stat status;

    if (stat(copy->to, &status) != 0 && errno == ENOENT)
        return FG_EXIT_OK;
    int answer = open_target(&job);
    if (job.to >= 0)
        copy->disk->close(copy->disk->context, job.to);
    return answer;
}

/* --- segments --- */

static int write_out(struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;
    int rc = 0;

    if (job->used > 0)
        rc = disk->write(disk->context, job->file, job->buffer, job->used, job->at);
    job->at += job->used;
    job->used = 0;
    return rc;
}

/* Puts what is left of the current segment on the disk. 0 or a negative errno. */
static int end_segment(struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;

    if (job->file < 0)
        return 0;
    int rc = write_out(job);
    if (rc == 0 && !job->flushes)
        rc = disk->flush(disk->context, job->file);
    disk->close(disk->context, job->file);
    job->file = -1;
    return rc;
}

/* Makes a segment of the source's size. -EAGAIN: the source has removed it meanwhile. */
static int begin_segment(struct job *job, uint32_t number)
{
    const struct fg_disk *disk = job->copy->disk;
    char name[FG_SEGMENT_NAME_BYTES];
    uint64_t bytes;

    int rc = end_segment(job);
    if (rc == 0)
        rc = fg_segment_bytes(disk, job->from, number, number, &bytes);
    if (rc == 0 && bytes == 0)
        rc = -EAGAIN;
    if (rc == 0)
        rc = fg_segment_prepare(disk, job->to, number, bytes, NULL, NULL);
    if (rc != 0)
        return rc;
    fg_segment_name(name, number);
    job->file = disk->open(disk->context, job->to, name, false, &job->flushes);
    job->at = job->used = 0;
    job->copied->bytes += bytes;
    return job->file < 0 ? job->file : 0;
}

/* Keeps back the first block, which is on top of the buffer. */
static int keep_head(struct job *job, uint32_t number)
{
    if (job->heads_count == job->heads_room) {
        unsigned room = job->heads_room ? 2 * job->heads_room : 16;
        struct head *bigger = realloc(job->heads, room * sizeof(*bigger));
        if (!bigger)
            return -ENOMEM;
        job->heads = bigger;
        job->heads_room = room;
    }
    uint8_t *block = aligned_alloc(FG_BLOCK_BYTES, FG_BLOCK_BYTES);
    if (!block)
        return -ENOMEM;
    memcpy(block, job->buffer, FG_BLOCK_BYTES);
    memset(job->buffer, 0, FG_BLOCK_BYTES);
    job->heads[job->heads_count].segment = number;
    job->heads[job->heads_count++].block = block;
    return 0;
}

static void drop_heads(struct job *job)
{
    while (job->heads_count > 0)
        free(job->heads[--job->heads_count].block);
}

/* The first blocks, first segment first: however far this comes, what is there is either damage to
 * the eye of a start, or lacks a segment at the end that has nothing but its base. */
static int put_heads(const struct job *job)
{
    const struct fg_disk *disk = job->copy->disk;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < job->heads_count; i++) {
        char name[FG_SEGMENT_NAME_BYTES];
        bool flushes;
        fg_segment_name(name, job->heads[i].segment);
        int file = disk->open(disk->context, job->to, name, false, &flushes);
        if (file < 0)
            return file;
        rc = disk->write(disk->context, file, job->heads[i].block, FG_BLOCK_BYTES, 0);
        if (rc == 0 && !flushes)
            rc = disk->flush(disk->context, file);
        disk->close(disk->context, file);
    }
    return rc;
}

/* --- the walk over the source --- */

static int copy_frame(void *arg, const struct fg_journal_frame *frame)
{
    struct job *job = arg;
    size_t bytes = sizeof(struct fg_frame) + frame->header->length;
    int rc = frame->offset == 0 ? begin_segment(job, frame->segment) : 0;

    if (rc == 0 && job->used + frame->span > FG_FRAME_MAX)
        rc = write_out(job);
    if (rc != 0)
        return rc;
    memcpy(job->buffer + job->used, frame->header, bytes);
    memset(job->buffer + job->used + bytes, 0, frame->span - bytes);
    job->used += frame->span;
    return frame->offset == 0 ? keep_head(job, frame->segment) : 0;
}

static int copy_record(void *arg, const struct fg_journal_frame *frame,
                       const struct fg_record *record)
{
    const struct fg_journal_copy *copy = ((struct job *)arg)->copy;

    (void)frame;
    return copy->record ? copy->record(copy->arg, record) : 0;
}

static int copy_again(void *arg)
{
    struct job *job = arg;

    if (job->file >= 0)
        job->copy->disk->close(job->copy->disk->context, job->file);
    job->file = -1;
    drop_heads(job);
    job->copied->bytes = 0;
    job->copied->rounds++;
    if (job->copy->again)
        job->copy->again(job->copy->arg);
    return remove_segments(job);
}

static int copy_frames(struct job *job)
{
    const struct fg_journal_copy *copy = job->copy;
    const struct fg_journal_visitor visitor = {
        .arg = job, .frame = copy_frame, .record = copy_record, .again = copy_again};
    struct fg_journal_facts *facts = &job->copied->facts;
    int rc = fg_journal_walk(copy->disk, copy->from, &visitor, facts);

    if (rc == 0 && facts->stopped == -EAGAIN && (rc = copy_again(job)) == 0)
        rc = fg_journal_walk(copy->disk, copy->from, &visitor, facts);
    if (rc != 0)
        return fail(job, FG_EXIT_FAILED, "%s: %s", copy->from, strerror(-rc));
    if (facts->stopped != 0)
        return fail_writing(job, facts->stopped);
    int status = fg_journal_judge(facts, copy->from, job->message, job->size);
    if (status != FG_EXIT_OK)
        return status;
    rc = end_segment(job);
    return rc == 0 ? FG_EXIT_OK : fail_writing(job, rc);
}

/* Is what stands there what was read? */
static int read_back(const struct job *job)
{
    static const struct fg_journal_visitor nothing;
    const struct fg_journal_facts *wanted = &job->copied->facts;
    struct fg_journal_facts found;
    int rc = fg_journal_walk(job->copy->disk, job->copy->to, &nothing, &found);

    if (rc == 0 && found.end == FG_LOG_END && found.journal_id == wanted->journal_id &&
        found.frames == wanted->frames && found.last_sequence == wanted->last_sequence &&
        found.last_lsn == wanted->last_lsn)
        return FG_EXIT_OK;
    return fail(job, FG_EXIT_DISK,
                "%s: the copy does not read back as it was written (%s after %" PRIu64
                " of %" PRIu64 " frames): take another disk",
                job->copy->to, rc != 0 ? strerror(-rc) : fg_journal_end_text(&found), found.frames,
                wanted->frames);
}

static int make(struct job *job)
{
    int status = take_target(job);

    if (status == FG_EXIT_OK)
        status = copy_frames(job);
    if (status != FG_EXIT_OK)
        return status;
    int rc = put_heads(job);
    if (rc != 0)
        return fail_writing(job, rc);
    status = read_back(job);
    if (status == FG_EXIT_OK && (rc = take_mark(job)) != 0)
        status = fail_writing(job, rc);
    return status;
}

/* After a failure: what was made goes, if it was begun. */
static void undo(struct job *job)
{
    struct entries entries;

    if (job->to >= 0 && look(job, &entries) == 0 && entries.unfinished && remove_segments(job) == 0)
        take_mark(job);
}

int fg_journal_copy(const struct fg_journal_copy *copy, struct fg_journal_copied *copied,
                    char *message, size_t size)
{
    const struct fg_disk *disk = copy->disk;
    struct job job = {.copy = copy,
                      .copied = copied,
                      .message = message,
                      .size = size,
                      .to = -1,
                      .file = -1,
                      .buffer = aligned_alloc(FG_BLOCK_BYTES, FG_FRAME_MAX)};
    int status;

    *copied = (struct fg_journal_copied){.rounds = 1};
    job.from = disk->open_dir(disk->context, copy->from, false);
    if (job.from < 0)
        status = fail(&job, FG_EXIT_FAILED, "%s: %s", copy->from, strerror(-job.from));
    else
        status = job.buffer ? make(&job) : fail_writing(&job, -ENOMEM);
    if (status != FG_EXIT_OK)
        undo(&job);
    if (job.file >= 0)
        disk->close(disk->context, job.file);
    if (job.from >= 0)
        disk->close(disk->context, job.from);
    if (job.to >= 0)
        disk->close(disk->context, job.to);
    if (status != FG_EXIT_OK && job.made)
        (void)!rmdir(copy->to);
    drop_heads(&job);
    free(job.heads);
    free(job.buffer);
    return status;
}
