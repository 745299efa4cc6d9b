/* SPDX-License-Identifier: BSD-3-Clause */
/* Walking over and copying logs: live ones, ones that lose their first segments meanwhile, damaged
 * ones; and copies that are cut short anywhere. */
#include "faulty_disk.h"
#include "hand_log.h"

#include <sys/file.h>
#include <sys/stat.h>

#include "control/journal/copy.h"

#define SALE   1
#define ORDERS 3 /* in each segment */

/* A log of three segments, each with a base and a frame of orders; and a place for its copy. */
struct fixture {
    struct hand_log log;
    struct log_fixture *copy; /* its directory, and a journal in it */
    struct faults *faults;
    struct fg_journal_copied copied;
    char message[1024];
    int status;
    unsigned told, again; /* records and new beginnings that the copy told */
};

static void segment_path(const struct hand_log *log, uint32_t number, char *path, size_t size)
{
    snprintf(path, size, "%s/segment-%08u.fgl", log->dir, number);
}

/* The log goes on in the next segment. */
static void next_segment(struct hand_log *log)
{
    close(log->file);
    log->segment++;
    log->offset = 0;
    segment_path(log, log->segment, log->path, sizeof(log->path));
    log->file = open(log->path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(log->file >= 0);
    assert_int_equal(ftruncate(log->file, HAND_LOG_BYTES), 0);
}

static void fill_segment(struct hand_log *log)
{
    hand_log_sale(log, SALE, "drop");
    uint64_t seq = (log->segment - 1) * ORDERS;
    if (seq > 0)
        hand_log_position(log, SALE, seq + 1, log->epoch);
    hand_log_frame(log, FG_FRAME_BASE);
    if (log->segment == 1)
        hand_log_frame(log, FG_FRAME_EPOCH);
    for (unsigned i = 1; i <= ORDERS; i++)
        hand_log_order(log, SALE, seq + i);
    hand_log_frame(log, 0);
    hand_log_frame(log, FG_FRAME_CLOSING);
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    void *copy;
    assert_non_null(f);
    hand_log_open(&f->log, 1, 1);
    fill_segment(&f->log);
    next_segment(&f->log);
    fill_segment(&f->log);
    next_segment(&f->log);
    fill_segment(&f->log);
    fixture_open(&copy);
    f->copy = copy;
    f->faults = use_faulty_disk(f->copy);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    void *copy = f->copy;
    char path[128];
    fixture_close(&copy);
    for (uint32_t number = 1; number < f->log.segment; number++) {
        segment_path(&f->log, number, path, sizeof(path));
        unlink(path);
    }
    hand_log_close(&f->log);
    free(f);
    return 0;
}

static int count_record(void *arg, const struct fg_record *record)
{
    (void)record;
    ((struct fixture *)arg)->told++;
    return 0;
}

static void count_again(void *arg)
{
    ((struct fixture *)arg)->again++;
    ((struct fixture *)arg)->told = 0;
}

static int copy_with(struct fixture *f, int (*record)(void *arg, const struct fg_record *record))
{
    const struct fg_journal_copy copy = {.disk = f->copy->config.disk,
                                         .from = f->log.dir,
                                         .to = f->copy->dir,
                                         .record = record,
                                         .again = count_again,
                                         .arg = f};
    f->told = f->again = 0;
    return f->status = fg_journal_copy(&copy, &f->copied, f->message, sizeof(f->message));
}

static int copy(struct fixture *f)
{
    return copy_with(f, count_record);
}

static void add_name(void *arg, const char *name)
{
    (void)name;
    (*(unsigned *)arg)++;
}

static unsigned names_in(const char *dir, const char *prefix)
{
    unsigned count = 0;
    int opened = open(dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(fg_disk_files.list(NULL, opened, prefix, add_name, &count), 0);
    close(opened);
    return count;
}

static void check_message(const struct fixture *f, int status, const char *words)
{
    assert_int_equal(f->status, status);
    if (!strstr(f->message, words))
        fail_msg("\"%s\" has no \"%s\"", f->message, words);
}

/* --- copies --- */

static void a_copy_is_the_same_log(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(copy(f), FG_EXIT_OK);
    assert_int_equal(f->copied.facts.frames, 10);
    assert_int_equal(f->copied.facts.last_sequence, 10);
    assert_int_equal(f->copied.facts.durable, 9);
    assert_int_equal(f->copied.bytes, 3 * HAND_LOG_BYTES);
    assert_int_equal(f->told, 3 * ORDERS + 3 + 2);
    assert_int_equal(names_in(f->copy->dir, "segment-"), 3);
    assert_int_equal(names_in(f->copy->dir, FG_COPY_UNFINISHED), 0);
    for (uint32_t number = 1; number <= 3; number++) {
        char path[128];
        static uint8_t one[HAND_LOG_BYTES], other[HAND_LOG_BYTES];
        segment_path(&f->log, number, path, sizeof(path));
        int source = open(path, O_RDONLY), made = segment_file(f->copy, number);
        assert_int_equal(read(source, one, sizeof(one)), sizeof(one));
        assert_int_equal(read(made, other, sizeof(other)), sizeof(other));
        assert_memory_equal(one, other, sizeof(one));
        close(source);
        close(made);
    }
}

static void an_engine_begins_a_new_epoch_in_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(copy(f), FG_EXIT_OK);
    journal_must_open(f->copy);
    assert_int_equal(f->copy->found.epoch, 2);
    assert_int_equal(f->copy->told.orders_count, 3 * ORDERS);
    for (unsigned i = 0; i < 3 * ORDERS; i++)
        assert_int_equal(f->copy->told.orders[i].order, hand_log_order_id(SALE, i + 1));
}

static void what_a_crash_left_is_not_copied(void **state)
{
    struct fixture *f = *state;
    char torn[FG_BLOCK_BYTES];
    memset(torn, 'x', sizeof(torn));
    assert_int_equal(pwrite(f->log.file, torn, sizeof(torn), (off_t)f->log.offset), sizeof(torn));
    assert_int_equal(copy(f), FG_EXIT_OK);
    assert_int_equal(f->copied.facts.end, FG_LOG_TORN);
    assert_int_equal(f->copied.facts.torn_bytes, FG_BLOCK_BYTES);
    assert_int_equal(f->copied.facts.frames, 10);
    journal_must_open(f->copy);
    assert_int_equal(f->copy->found.cut_bytes, 0);
}

static void a_damaged_log_is_not_copied(void **state)
{
    struct fixture *f = *state;
    char path[128];
    segment_path(&f->log, 2, path, sizeof(path));
    int file = open(path, O_RDWR);
    assert_int_equal(pwrite(file, "x", 1, 40), 1);
    close(file);
    copy(f);
    check_message(f, FG_EXIT_CORRUPT, "segment-00000002.fgl: frame 5 at offset 0");
    assert_int_equal(names_in(f->copy->dir, ""), 2); /* "." and ".." */
}

static void only_an_empty_directory_is_copied_to(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(copy(f), FG_EXIT_OK);
    copy(f);
    check_message(f, FG_EXIT_FAILED, "is not empty (segment-");
    assert_int_equal(names_in(f->copy->dir, "segment-"), 3);
}

static void a_directory_that_an_engine_has_is_not_copied_to(void **state)
{
    struct fixture *f = *state;
    journal_must_open(f->copy);
    copy(f);
    check_message(f, FG_EXIT_IN_USE, "an engine, or another copy, has the directory");
}

static void a_missing_directory_is_made_and_goes_after_a_failure(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    assert_int_equal(rmdir(f->copy->dir), 0);
    assert_int_equal(copy(f), FG_EXIT_OK);
    assert_int_equal(stat(f->copy->dir, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0750);
    journal_must_open(f->copy);
}

/* --- copies that are cut short --- */

/* As after a crash once `writes` writes were done: nothing is tidied up. */
static void cut_short_after(struct fixture *f, unsigned writes)
{
    f->faults->fail_write = true;
    f->faults->writes = writes;
    f->faults->fail_remove = -EIO;
    copy(f);
    check_message(f, FG_EXIT_DISK, "writing failed");
    f->faults->fail_write = false;
    f->faults->fail_remove = 0;
}

/* A segment is zeroed, chunk by chunk, and then filled; in the end come the first blocks. Cuts in
 * the midst of the zeros are all alike. */
static bool midst_of_zeros(unsigned writes)
{
    enum { ZEROS = HAND_LOG_BYTES / FG_SEGMENT_CHUNK };
    unsigned within = writes % (ZEROS + 1);
    return writes < 3 * (ZEROS + 1) && within >= 2 && within < ZEROS;
}

static void a_copy_that_is_cut_short_is_no_log(void **state)
{
    struct fixture *f = *state;
    static const struct fg_journal_visitor nothing;
    struct fg_journal_facts facts;
    char mark[128];
    assert_int_equal(copy(f), FG_EXIT_OK);
    unsigned all = f->faults->writes_seen;
    assert_true(all > 12);
    for (unsigned writes = 0; writes < all; writes++) {
        if (midst_of_zeros(writes))
            continue;
        void *fresh = f->copy;
        fixture_close(&fresh);
        fixture_open(&fresh);
        f->copy = fresh;
        f->faults = use_faulty_disk(f->copy);
        snprintf(mark, sizeof(mark), "%s/" FG_COPY_UNFINISHED, f->copy->dir);
        cut_short_after(f, writes);
        assert_int_equal(journal_open(f->copy), FG_EXIT_CORRUPT);
        assert_non_null(strstr(f->copy->message, "was cut short"));
        /* Whoever does not know the mark sees no log, or damage. */
        assert_int_equal(fg_journal_walk(&fg_disk_files, f->copy->dir, &nothing, &facts), 0);
        if (facts.frames > 0)
            assert_int_equal(facts.end, FG_LOG_CORRUPT);
        /* It can be made anew. */
        if (copy(f) != FG_EXIT_OK)
            fail_msg("after %u writes: %s", writes, f->message);
        assert_int_not_equal(access(mark, F_OK), 0);
        journal_must_open(f->copy);
        assert_int_equal(f->copy->told.orders_count, 3 * ORDERS);
        journal_drop(f->copy);
    }
}

static void a_failure_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    f->faults->fail_write = true;
    f->faults->writes = 9;
    copy(f);
    check_message(f, FG_EXIT_DISK, "writing failed");
    assert_int_equal(names_in(f->copy->dir, ""), 2);
}

static void without_direct_writes_files_are_flushed(void **state)
{
    struct fixture *f = *state;
    f->faults->no_direct = true;
    assert_int_equal(copy(f), FG_EXIT_OK);
    assert_int_equal(f->faults->flushes_seen, 9); /* zeroed, filled, first block: of three */
}

/* --- a log that changes meanwhile --- */

/* The engine removes the two oldest segments while the first is read. */
static int remove_oldest(void *arg, const struct fg_record *record)
{
    struct fixture *f = arg;
    char path[128];

    if (f->told++ == 0 && record->lsn == 1)
        for (uint32_t number = 1; number <= 2; number++) {
            segment_path(&f->log, number, path, sizeof(path));
            assert_int_equal(unlink(path), 0);
        }
    return 0;
}

static void segments_that_go_meanwhile_make_it_begin_again(void **state)
{
    struct fixture *f = *state;
    if (copy_with(f, remove_oldest) != FG_EXIT_OK)
        fail_msg("%s", f->message);
    assert_int_equal(f->again, 1);
    assert_int_equal(f->copied.rounds, 2);
    assert_int_equal(f->copied.facts.first_segment, 3);
    assert_int_equal(names_in(f->copy->dir, "segment-"), 1);
    journal_must_open(f->copy);
    assert_int_equal(f->copy->told.orders_count, ORDERS);
}

/* The engine writes on while the last frame is read. */
static int write_on(void *arg, const struct fg_record *record)
{
    struct fixture *f = arg;

    f->told++;
    if (record->lsn == f->log.lsn - 1 && f->log.sequence < 20) {
        hand_log_order(&f->log, SALE, 1000 + f->log.sequence);
        hand_log_frame(&f->log, 0);
    }
    return 0;
}

static void frames_that_come_meanwhile_are_copied(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(copy_with(f, write_on), FG_EXIT_OK);
    assert_int_equal(f->copied.facts.last_sequence, 20);
    assert_int_equal(f->copied.rounds, 1);
}

/* --- who is writing --- */

static void the_lock_is_seen_and_not_touched(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fg_journal_writer(f->log.dir), 0);
    int dir = open(f->log.dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(dir, LOCK_SH | LOCK_NB), 0);
    assert_int_equal(fg_journal_writer(f->log.dir), 0); /* an engine's is exclusive */
    assert_int_equal(flock(dir, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(fg_journal_writer(f->log.dir), getpid());
    assert_int_equal(fg_journal_writer(f->copy->dir), 0);
    close(dir);
    assert_int_equal(fg_journal_writer(f->log.dir), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_the_same_log),
        TEST(an_engine_begins_a_new_epoch_in_it),
        TEST(what_a_crash_left_is_not_copied),
        TEST(a_damaged_log_is_not_copied),
        TEST(only_an_empty_directory_is_copied_to),
        TEST(a_directory_that_an_engine_has_is_not_copied_to),
        TEST(a_missing_directory_is_made_and_goes_after_a_failure),
        TEST(a_copy_that_is_cut_short_is_no_log),
        TEST(a_failure_leaves_nothing),
        TEST(without_direct_writes_files_are_flushed),
        TEST(segments_that_go_meanwhile_make_it_begin_again),
        TEST(frames_that_come_meanwhile_are_copied),
        TEST(the_lock_is_seen_and_not_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
