/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader: where it ends, what it calls damage and where, and how it follows a growing log. */
#include "log_fixture.h"

/* A disk that counts reads. */
static unsigned reads;
static size_t bytes_read;

static ssize_t counting_read(void *context, int file, void *data, size_t length, uint64_t offset)
{
    ssize_t n = fg_disk_files.read(context, file, data, length, offset);

    reads++;
    bytes_read += n > 0 ? (size_t)n : 0;
    return n;
}

static struct fg_log_reader *must_open(const struct log_fixture *fixture)
{
    static struct fg_disk disk;
    int error;

    disk = fg_disk_files;
    disk.read = counting_read;
    struct fg_log_reader *reader = fg_log_reader_open(&disk, fixture->dir, false, &error);
    assert_non_null(reader);
    assert_int_equal(error, 0);
    return reader;
}

/* Writes a log: base, epoch, then `frames` frames of `orders` orders each. */
static void write_log(struct log_fixture *fixture, unsigned frames, unsigned orders)
{
    uint32_t count = 0;

    journal_must_open(fixture);
    for (unsigned f = 0; f < frames; f++) {
        for (unsigned i = 0; i < orders; i++)
            push_order(fixture, 1, 0, ++count);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
}

static enum fg_log_end read_all(struct fg_log_reader *reader, unsigned *frames)
{
    const struct fg_frame *frame;
    enum fg_log_end end;

    *frames = 0;
    while ((end = fg_log_reader_next(reader, UINT64_MAX, &frame)) == FG_LOG_MORE)
        ++*frames;
    return end;
}

static void test_nothing_there(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_frame *frame;
    int error;

    assert_null(fg_log_reader_open(&fg_disk_files, "/nonexistent/log", false, &error));
    assert_int_equal(error, -ENOENT);
    struct fg_log_reader *reader = must_open(fixture);
    assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_END);
    assert_int_equal(fg_log_reader_position(reader).segment, 0);
    /* It notices a log that begins later. */
    write_log(fixture, 1, 1);
    assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_MORE);
    assert_int_equal(frame->sequence, 1);
    fg_log_reader_close(reader);
}

static void test_frames_and_records(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_frame *frame;
    struct fg_record record;
    const uint16_t flags[] = {FG_FRAME_BASE, FG_FRAME_EPOCH, 0, 0};
    uint64_t lsn = 1;

    journal_must_open(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"a\": 1}", 0, 0);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    push_order(fixture, 1, 0, 2);
    assert_int_equal(fg_journal_step(fixture->journal), 1);

    struct fg_log_reader *reader = must_open(fixture);
    for (int pass = 0; pass < 2; pass++, lsn = 1, fg_log_reader_rewind(reader)) {
        for (uint64_t i = 0; i < 4; i++) {
            assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_MORE);
            assert_int_equal(frame->sequence, i + 1);
            assert_int_equal(frame->durable, i);
            assert_int_equal(frame->flags, flags[i]);
            assert_int_equal(frame->epoch, 1);
            assert_int_equal(frame->first_lsn, lsn);
            assert_int_equal(frame->count, i < 2 ? 0 : 4 - i);
            lsn += frame->count;
        }
        assert_int_equal(fg_log_reader_sequence(reader), 4);
        assert_int_equal(fg_log_reader_position(reader).segment, 1);
        assert_int_equal(fg_log_reader_position(reader).offset, 4 * FG_BLOCK_BYTES);
        assert_true(fg_log_reader_record(reader, &record));
        assert_int_equal(record.lsn, 3);
        assert_int_equal(record.order->sale_seq, 2);
        assert_null(record.body);
        assert_false(fg_log_reader_record(reader, &record));
        assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_END);
        assert_false(fg_log_reader_record(reader, &record));
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_MORE);
    assert_true(fg_log_reader_record(reader, &record));
    assert_int_equal(record.lsn, 1);
    assert_int_equal(record.control->body_length, 8);
    assert_memory_equal(record.body, "{\"a\": 1}", 8);
    assert_true(fg_log_reader_record(reader, &record));
    assert_int_equal(record.order->sale_seq, 1);
    fg_log_reader_close(reader);
}

static void test_limit_is_kept_and_cheap(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_frame *frame;

    write_log(fixture, 2, 10);
    struct fg_log_reader *reader = must_open(fixture);
    assert_int_equal(fg_log_reader_next(reader, 0, &frame), FG_LOG_END);
    for (uint64_t limit = 1; limit <= 4; limit++) {
        assert_int_equal(fg_log_reader_next(reader, limit, &frame), FG_LOG_MORE);
        assert_int_equal(frame->sequence, limit);
        unsigned before = reads;
        assert_int_equal(fg_log_reader_next(reader, limit, &frame), FG_LOG_END);
        assert_int_equal(fg_log_reader_next(reader, limit - 1, &frame), FG_LOG_END);
        assert_int_equal(reads, before);
    }
    /* The window was read before this was written: it is read again, once. */
    push_order(fixture, 1, 0, 21);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    assert_int_equal(fg_journal_durable(fixture->journal), 5);
    unsigned before = reads;
    assert_int_equal(fg_log_reader_next(reader, 5, &frame), FG_LOG_MORE);
    assert_int_equal(frame->sequence, 5);
    assert_int_equal(reads, before + 1);
    /* What is said to be durable and is not there is damage. */
    assert_int_equal(fg_log_reader_next(reader, 6, &frame), FG_LOG_CORRUPT);
    assert_int_equal(fg_log_reader_position(reader).offset, 5 * FG_BLOCK_BYTES);
    fg_log_reader_close(reader);
}

/* A frame larger than one read of the reader, behind others and before others; none of its bytes is
 * read twice. */
static void test_great_frames(void **state)
{
    struct log_fixture *fixture = *state;
    unsigned frames;

    write_log(fixture, 4, 8000);
    struct fg_log_reader *reader = must_open(fixture);
    const struct fg_frame *frame;
    for (frames = 0; frames < 4; frames++)
        assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_MORE);
    bytes_read = 0;
    assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_MORE);
    assert_int_equal(frame->count, 8000);
    assert_int_equal(bytes_read, fg_frame_span(frame->length));
    assert_int_equal(read_all(reader, &frames), FG_LOG_END);
    assert_int_equal(frames, 1);
    fg_log_reader_close(reader);
}

/* Flips one bit anywhere in the header or in the records of a frame with others after it. */
static void test_flipped_bits_are_damage(void **state)
{
    struct log_fixture *fixture = *state;
    const uint64_t frame_at = 3 * FG_BLOCK_BYTES; /* base, epoch, one frame, then this one */
    const uint32_t length = 10 * FG_RECORD_BYTES + sizeof(struct fg_frame);
    unsigned frames;

    write_log(fixture, 4, 10);
    int file = segment_file(fixture, 1);
    struct fg_log_reader *reader = must_open(fixture);
    for (uint32_t at = 0; at < length; at += 3) {
        uint8_t byte;
        assert_int_equal(pread(file, &byte, 1, (off_t)(frame_at + at)), 1);
        uint8_t flipped = byte ^ (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(file, &flipped, 1, (off_t)(frame_at + at)), 1);
        fg_log_reader_rewind(reader);
        assert_int_equal(read_all(reader, &frames), FG_LOG_CORRUPT);
        assert_int_equal(frames, 3);
        assert_int_equal(fg_log_reader_sequence(reader), 3);
        assert_int_equal(fg_log_reader_position(reader).segment, 1);
        assert_int_equal(fg_log_reader_position(reader).offset, frame_at);
        assert_int_equal(pwrite(file, &byte, 1, (off_t)(frame_at + at)), 1);
    }
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_END);
    assert_int_equal(frames, 6);
    close(file);
    fg_log_reader_close(reader);
}

/* What stands instead of a frame, and whether anything sound follows, decides what it is called. */
static void test_tails(void **state)
{
    struct log_fixture *fixture = *state;
    uint8_t frame[FG_BLOCK_BYTES], noise[FG_BLOCK_BYTES], zeros[FG_BLOCK_BYTES] = {0};
    const uint64_t last = 4 * FG_BLOCK_BYTES;
    unsigned frames;

    write_log(fixture, 3, 10);
    journal_drop(fixture);
    int file = segment_file(fixture, 1);
    assert_int_equal(pread(file, frame, sizeof(frame), (off_t)last), sizeof(frame));
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 31 + 1);
    struct fg_log_reader *reader = must_open(fixture);
    const struct {
        const uint8_t *at_last, *later; /* instead of the last frame; and three blocks later */
        enum fg_log_end end;
    } cases[] = {
        {zeros, zeros, FG_LOG_END},  {noise, zeros, FG_LOG_TORN},    {zeros, noise, FG_LOG_TORN},
        {noise, noise, FG_LOG_TORN}, {zeros, frame, FG_LOG_CORRUPT}, {noise, frame, FG_LOG_CORRUPT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        damage(fixture, 1, last, cases[i].at_last, FG_BLOCK_BYTES);
        damage(fixture, 1, last + 3 * FG_BLOCK_BYTES, cases[i].later, FG_BLOCK_BYTES);
        fg_log_reader_rewind(reader);
        assert_int_equal(read_all(reader, &frames), cases[i].end);
        assert_int_equal(frames, 4);
        assert_int_equal(fg_log_reader_position(reader).offset, last);
        if (cases[i].end == FG_LOG_CORRUPT) /* it is said what is wrong */
            assert_string_not_equal(fg_log_reader_reason(reader), "");
    }
    /* A sound frame that is not the next one breaks the chain. */
    damage(fixture, 1, last + 3 * FG_BLOCK_BYTES, zeros, FG_BLOCK_BYTES);
    assert_int_equal(pread(file, frame, sizeof(frame), (off_t)last - FG_BLOCK_BYTES),
                     sizeof(frame));
    damage(fixture, 1, last, frame, FG_BLOCK_BYTES);
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_CORRUPT);
    assert_int_equal(fg_log_reader_position(reader).offset, last);
    close(file);
    fg_log_reader_close(reader);
}

static void test_unknown_version(void **state)
{
    struct log_fixture *fixture = *state;
    _Alignas(8) uint8_t block[FG_BLOCK_BYTES];
    struct fg_frame *frame = (struct fg_frame *)block;
    unsigned frames;

    write_log(fixture, 3, 10);
    int file = segment_file(fixture, 1);
    assert_int_equal(pread(file, block, sizeof(block), 3 * FG_BLOCK_BYTES), sizeof(block));
    close(file);
    frame->version = FG_FRAME_VERSION + 1;
    frame->crc = fg_frame_crc(frame);
    damage(fixture, 1, 3 * FG_BLOCK_BYTES, block, sizeof(block));
    struct fg_log_reader *reader = must_open(fixture);
    assert_int_equal(read_all(reader, &frames), FG_LOG_VERSION);
    assert_int_equal(frames, 3);
    assert_non_null(strstr(fg_log_reader_reason(reader), "version 3"));
    fg_log_reader_close(reader);
}

/* A whole segment that lost its first frame, and one that is missing. */
static void test_damaged_later_segment(void **state)
{
    struct log_fixture *fixture = *state;
    uint8_t block[FG_BLOCK_BYTES], zeros[FG_BLOCK_BYTES] = {0};
    char name[FG_SEGMENT_NAME_BYTES], path[128];
    unsigned frames, all;

    write_log(fixture, 40, 8191);
    journal_drop(fixture);
    struct fg_log_reader *reader = must_open(fixture);
    assert_int_equal(read_all(reader, &all), FG_LOG_END);
    assert_int_equal(fg_log_reader_position(reader).segment, 2);

    int file = segment_file(fixture, 2);
    assert_int_equal(pread(file, block, sizeof(block), 0), sizeof(block));
    close(file);
    damage(fixture, 2, 0, zeros, sizeof(zeros));
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_CORRUPT);
    assert_int_equal(fg_log_reader_position(reader).segment, 2);
    assert_int_equal(fg_log_reader_position(reader).offset, 0);
    damage(fixture, 2, 0, block, sizeof(block));
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_END);
    assert_int_equal(frames, all);

    /* Segment 2 becomes 3: there is a gap. */
    fg_segment_name(name, 3);
    int dir = open(fixture->dir, O_RDONLY | O_DIRECTORY);
    int n = snprintf(path, sizeof(path), "%s/segment-00000002.fgl", fixture->dir);
    assert_true(n > 0);
    assert_int_equal(renameat(AT_FDCWD, path, dir, name), 0);
    close(dir);
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_CORRUPT);
    assert_int_equal(fg_log_reader_position(reader).segment, 3);
    fg_log_reader_close(reader);
}

/* Gives segment `from` the name of segment `to`. */
static void rename_segment(const struct log_fixture *fixture, uint32_t from, uint32_t to)
{
    char names[2][FG_SEGMENT_NAME_BYTES];
    int dir = open(fixture->dir, O_RDONLY | O_DIRECTORY);

    fg_segment_name(names[0], from);
    fg_segment_name(names[1], to);
    assert_int_equal(renameat(dir, names[0], dir, names[1]), 0);
    close(dir);
}

/* A segment under another's name is told as such, wherever the log begins. */
static void test_misnamed_segment(void **state)
{
    struct log_fixture *fixture = *state;
    unsigned frames, all;

    write_log(fixture, 80, 8191);
    journal_drop(fixture);
    struct fg_log_reader *reader = must_open(fixture);
    assert_int_equal(read_all(reader, &all), FG_LOG_END);
    assert_int_equal(fg_log_reader_position(reader).segment, 3);
    rename_segment(fixture, 1, 9);
    rename_segment(fixture, 3, 7);
    rename_segment(fixture, 2, 3);
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_CORRUPT);
    assert_int_equal(frames, 0);
    assert_int_equal(fg_log_reader_position(reader).segment, 3);
    assert_non_null(strstr(fg_log_reader_reason(reader), "written in segment 2"));
    rename_segment(fixture, 9, 1);
    rename_segment(fixture, 7, 2);
    fg_log_reader_rewind(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_CORRUPT);
    assert_in_range(frames, 30, all - 1);
    assert_int_equal(fg_log_reader_position(reader).segment, 2);
    assert_int_equal(fg_log_reader_position(reader).offset, 0);
    assert_non_null(strstr(fg_log_reader_reason(reader), "written in segment 3"));
    fg_log_reader_close(reader);
}

/* A segment alone, by its number. */
static void test_seek(void **state)
{
    struct log_fixture *fixture = *state;
    const struct fg_frame *frame;
    unsigned all, last;

    write_log(fixture, 40, 8191);
    struct fg_log_reader *reader = must_open(fixture);
    assert_int_equal(read_all(reader, &all), FG_LOG_END);
    fg_log_reader_seek(reader, 2);
    assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_MORE);
    assert_int_equal(frame->segment, 2);
    assert_true(frame->flags & FG_FRAME_BASE);
    assert_int_equal(read_all(reader, &last), FG_LOG_END);
    assert_true(last > 0);
    assert_int_equal(fg_log_reader_sequence(reader), all);
    fg_log_reader_seek(reader, 3);
    assert_int_equal(fg_log_reader_next(reader, UINT64_MAX, &frame), FG_LOG_ERROR);
    assert_int_equal(fg_log_reader_error(reader), -ENOENT);
    fg_log_reader_close(reader);
}

/* Removes a segment of the log before the reader opens or lists anything, once for each number. */
static struct vanishing {
    const struct log_fixture *fixture;
    uint32_t from, to; /* still to be removed */
} vanishing;

static int vanishing_open_read(void *context, int dir, const char *name, bool direct)
{
    for (; vanishing.from < vanishing.to; vanishing.from++) {
        char segment[FG_SEGMENT_NAME_BYTES];
        fg_segment_name(segment, vanishing.from);
        assert_int_equal(fg_disk_files.remove(context, dir, segment), 0);
    }
    return fg_disk_files.open_read(context, dir, name, direct);
}

/* Old segments go between the listing and the opening, and while the reader is within one. */
static void test_segments_vanish(void **state)
{
    struct log_fixture *fixture = *state;
    struct fg_disk disk = fg_disk_files;
    const struct fg_frame *frame;
    unsigned frames;
    int error;

    write_log(fixture, 130, 8191); /* five segments */
    uint64_t end = fg_journal_durable(fixture->journal);
    disk.open_read = vanishing_open_read;
    vanishing = (struct vanishing){fixture, 1, 2};
    struct fg_log_reader *reader = fg_log_reader_open(&disk, fixture->dir, false, &error);
    assert_non_null(reader);
    assert_int_equal(fg_log_reader_next(reader, end, &frame), FG_LOG_MORE);
    assert_int_equal(frame->segment, 2);
    /* Segments 2 and 3 go: what is open is read to its end, and then the base of 4 comes. */
    uint64_t first = frame->sequence, before = first;
    vanishing = (struct vanishing){fixture, 2, 4};
    while (frame->segment == 2) {
        before = frame->sequence;
        assert_int_equal(fg_log_reader_next(reader, end, &frame), FG_LOG_MORE);
    }
    assert_true(before > first + 20);
    assert_int_equal(frame->segment, 4);
    assert_true(frame->flags & FG_FRAME_BASE);
    assert_true(frame->sequence > before + 20);
    assert_int_equal(read_all(reader, &frames), FG_LOG_END);
    assert_int_equal(fg_log_reader_sequence(reader), end);
    fg_log_reader_close(reader);
}

static ssize_t failing_read(void *context, int file, void *data, size_t length, uint64_t offset)
{
    (void)context, (void)file, (void)data, (void)length, (void)offset;
    return -EIO;
}

static void test_failing_reads(void **state)
{
    struct log_fixture *fixture = *state;
    struct fg_disk disk = fg_disk_files;
    unsigned frames;
    int error;

    write_log(fixture, 1, 1);
    disk.read = failing_read;
    struct fg_log_reader *reader = fg_log_reader_open(&disk, fixture->dir, true, &error);
    assert_non_null(reader);
    assert_int_equal(read_all(reader, &frames), FG_LOG_ERROR);
    assert_int_equal(fg_log_reader_error(reader), -EIO);
    fg_log_reader_close(reader);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_nothing_there),           CASE(test_frames_and_records),
        CASE(test_limit_is_kept_and_cheap), CASE(test_great_frames),
        CASE(test_flipped_bits_are_damage), CASE(test_tails),
        CASE(test_unknown_version),         CASE(test_damaged_later_segment),
        CASE(test_misnamed_segment),        CASE(test_seek),
        CASE(test_segments_vanish),         CASE(test_failing_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
