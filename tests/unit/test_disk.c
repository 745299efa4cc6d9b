/* SPDX-License-Identifier: BSD-3-Clause */
/* The real disk behind its seam, and segments made through it. */
#include "log_fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct fg_disk *const disk = &fg_disk_files;

static int open_dir(const struct log_fixture *fixture, bool lock)
{
    return disk->open_dir(NULL, fixture->dir, lock);
}

static void test_lock_is_exclusive(void **state)
{
    const struct log_fixture *fixture = *state;
    int first = open_dir(fixture, true);

    assert_true(first >= 0);
    assert_int_equal(open_dir(fixture, true), -EWOULDBLOCK);
    int reader = open_dir(fixture, false);
    assert_true(reader >= 0);
    disk->close(NULL, reader);
    assert_int_equal(open_dir(fixture, true), -EWOULDBLOCK);
    disk->close(NULL, first);
    first = open_dir(fixture, true);
    assert_true(first >= 0);
    disk->close(NULL, first);
    assert_int_equal(disk->open_dir(NULL, "/nonexistent/log", true), -ENOENT);
}

/* Writes, reads, sizes and renames one file; returns whether its writes flush by themselves. */
static bool exercise_file(int dir)
{
    static _Alignas(FG_BLOCK_BYTES) uint8_t out[2 * FG_BLOCK_BYTES], in[4 * FG_BLOCK_BYTES];
    bool flushes;

    assert_int_equal(disk->open(NULL, dir, "file", false, &flushes), -ENOENT);
    int file = disk->open(NULL, dir, "file", true, &flushes);
    assert_true(file >= 0);
    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(disk->write(NULL, file, out, sizeof(out), FG_BLOCK_BYTES), 0);
    assert_int_equal(disk->flush(NULL, file), 0);
    assert_int_equal(disk->size(NULL, file), 3 * FG_BLOCK_BYTES);
    disk->close(NULL, file);

    assert_int_equal(disk->rename(NULL, dir, "file", "renamed"), 0);
    assert_int_equal(disk->sync_dir(NULL, dir), 0);
    assert_int_equal(disk->open_read(NULL, dir, "file", true), -ENOENT);
    for (int direct = 0; direct < 2; direct++) {
        file = disk->open_read(NULL, dir, "renamed", direct);
        assert_true(file >= 0);
        memset(in, 0xee, sizeof(in));
        /* A read past the end tells what there is. */
        assert_int_equal(disk->read(NULL, file, in, sizeof(in), 0), 3 * FG_BLOCK_BYTES);
        assert_true(fg_all_zero(in, FG_BLOCK_BYTES));
        assert_memory_equal(in + FG_BLOCK_BYTES, out, sizeof(out));
        assert_int_equal(disk->read(NULL, file, in, sizeof(in), sizeof(in)), 0);
        disk->close(NULL, file);
    }
    assert_int_equal(disk->remove(NULL, dir, "renamed"), 0);
    assert_int_equal(disk->remove(NULL, dir, "renamed"), -ENOENT);
    return flushes;
}

static void test_files(void **state)
{
    const struct log_fixture *fixture = *state;
    int dir = open_dir(fixture, false);

    print_message("direct writes here: %s\n", exercise_file(dir) ? "yes" : "no");
    disk->close(NULL, dir);
}

/* ramfs knows no O_DIRECT: there the disk falls back to the page cache and fdatasync. */
static void test_without_direct_io(void **state)
{
    const struct log_fixture *fixture = *state;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("none", fixture->dir, "ramfs", 0, NULL) != 0)
            _exit(77);
        _exit(exercise_file(open_dir(fixture, false)) ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void count_name(void *arg, const char *name)
{
    assert_int_equal(strncmp(name, "segment-", 8), 0);
    ++*(int *)arg;
}

static void test_segments(void **state)
{
    const struct log_fixture *fixture = *state;
    int dir = open_dir(fixture, false), names = 0;
    uint32_t first, last;
    uint64_t bytes, cut = 0;
    static _Alignas(FG_BLOCK_BYTES) uint8_t block[FG_BLOCK_BYTES];

    assert_int_equal(fg_segment_range(disk, dir, &first, &last), 0);
    assert_int_equal(first, 0);
    assert_int_equal(last, 0);
    /* What a crash left half made is in nobody's way. */
    bool flushes;
    int file = disk->open(NULL, dir, FG_SEGMENT_UNFINISHED, true, &flushes);
    memset(block, 0xff, sizeof(block));
    assert_int_equal(disk->write(NULL, file, block, sizeof(block), 8 << 20), 0);
    disk->close(NULL, file);

    assert_int_equal(fg_segment_prepare(disk, dir, 9, 3 * FG_BLOCK_BYTES, NULL, NULL), 0);
    assert_int_equal(fg_segment_prepare(disk, dir, 12, (1 << 20) + FG_BLOCK_BYTES, NULL, NULL), 0);
    assert_int_equal(disk->list(NULL, dir, FG_SEGMENT_PREFIX, count_name, &names), 0);
    assert_int_equal(names, 2);
    assert_int_equal(fg_segment_range(disk, dir, &first, &last), 0);
    assert_int_equal(first, 9);
    assert_int_equal(last, 12);
    assert_int_equal(fg_segment_bytes(disk, dir, first, last, &bytes), 0);
    assert_int_equal(bytes, 4 * FG_BLOCK_BYTES + (1 << 20));

    file = segment_file(fixture, 12);
    struct stat status;
    assert_int_equal(fstat(file, &status), 0);
    assert_true(status.st_blocks * 512 >= status.st_size); /* written, not a hole */
    assert_int_equal(status.st_mode & 07777 & ~0640, 0);
    close(file);

    damage(fixture, 12, 0, "kept", 4);
    damage(fixture, 12, FG_BLOCK_BYTES + 5, "x", 1);
    damage(fixture, 12, (1 << 20) + FG_BLOCK_BYTES - 1, "x", 1);
    assert_int_equal(fg_segment_cut(disk, dir, 12, FG_BLOCK_BYTES, &cut), 0);
    assert_int_equal(cut, 2 * FG_BLOCK_BYTES);
    assert_int_equal(fg_segment_cut(disk, dir, 12, FG_BLOCK_BYTES, &cut), 0);
    assert_int_equal(cut, 2 * FG_BLOCK_BYTES);
    file = segment_file(fixture, 12);
    assert_int_equal(pread(file, block, sizeof(block), 0), sizeof(block));
    assert_memory_equal(block, "kept", 4);
    close(file);
    disk->close(NULL, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lock_is_exclusive, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_files, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_without_direct_io, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_segments, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
