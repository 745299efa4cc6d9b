/* SPDX-License-Identifier: BSD-3-Clause */
/* A history survives its file; whatever is not a whole history is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "perf/check/history.h"

static char dir[64], path[96];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/flashgate-history.XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/history", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static struct fg_history_item items[2] = {{.id = 7, .stock = 10, .limit = 2, .hold_ms = 500},
                                          {.id = 8, .stock = UINT32_MAX}};
static struct fg_history_record records[3] = {
    {.sent_ns = 1, .replied_ns = 2, .buyer = {1, 2, 3}, .request = UINT64_MAX, .order = 4},
    {.item = 5, .quantity = 6, .op = 1, .verdict = 16, .flags = 1, .attempt = 9},
    {.available = 77},
};

static void save(uint32_t items_count, uint64_t records_count)
{
    struct fg_history history = {
        .header = {.records = records_count, .seed = 42, .began_ns = 43, .items = items_count},
        .items = items,
        .records = records};
    assert_int_equal(fg_history_save(&history, path), 0);
}

/* Changes the saved file: writes bytes at an offset and cuts it (-1: not). */
static void damage(long offset, const void *bytes, size_t count, long length)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    if (length >= 0)
        assert_int_equal(truncate(path, length), 0);
}

static void expect_refused(const char *because)
{
    struct fg_history history;
    char message[300] = "";
    assert_int_equal(fg_history_load(&history, path, message, sizeof(message)), -EINVAL);
    assert_non_null(strstr(message, path));
    if (strstr(message, because) == NULL)
        fail_msg("wanted \"%s\" in: %s", because, message);
    assert_null(history.items);
    assert_null(history.records);
}

static void file_gives_back_what_was_saved(void **state)
{
    (void)state;
    struct fg_history history;
    char message[300];
    save(2, 3);
    assert_int_equal(fg_history_load(&history, path, message, sizeof(message)), 0);
    assert_memory_equal(history.header.magic, FG_HISTORY_MAGIC, 8);
    assert_int_equal(history.header.seed, 42);
    assert_int_equal(history.header.began_ns, 43);
    assert_int_equal(history.header.items, 2);
    assert_int_equal(history.header.records, 3);
    assert_int_equal(history.capacity, 3);
    assert_memory_equal(history.items, items, sizeof(items));
    assert_memory_equal(history.records, records, sizeof(records));
    fg_history_free(&history);
    assert_null(history.records);
    fg_history_free(&history); /* twice does no harm */
}

static void empty_history_is_one(void **state)
{
    (void)state;
    struct fg_history history;
    char message[300];
    save(0, 0);
    assert_int_equal(fg_history_load(&history, path, message, sizeof(message)), 0);
    assert_int_equal(history.header.records, 0);
    fg_history_free(&history);
}

static void missing_file_is_named(void **state)
{
    (void)state;
    struct fg_history history;
    char message[300];
    unlink(path);
    assert_int_equal(fg_history_load(&history, path, message, sizeof(message)), -ENOENT);
    assert_non_null(strstr(message, path));
}

static void file_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    struct fg_history history = {.header = {.records = 3}, .records = records};
    assert_int_equal(fg_history_save(&history, "/nowhere/at/all"), -ENOENT);
    /* The disk is full only when the buffer leaves, at the latest at the close. */
    assert_int_equal(fg_history_save(&history, "/dev/full"), -ENOSPC);
}

static void file_of_another_length_is_refused(void **state)
{
    (void)state;
    long whole = 64 + 2 * 16 + 3 * 64;
    const long lengths[] = {whole - 1, whole - 64, 64 + 16, 64, whole + 64};
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        save(2, 3);
        damage(0, FG_HISTORY_MAGIC, 8, lengths[i]);
        expect_refused("length");
    }
    save(2, 3);
    damage(0, FG_HISTORY_MAGIC, 8, 63);
    expect_refused("shorter than a header");
}

/* Counts that would overflow when multiplied must not pass for small ones. */
static void absurd_counts_are_refused(void **state)
{
    (void)state;
    uint64_t many = UINT64_MAX / 64 + 1 + 3;
    uint32_t items_many = UINT32_MAX;
    save(2, 3);
    damage(8, &many, sizeof(many), -1);
    expect_refused("length");
    save(2, 3);
    damage(32, &items_many, sizeof(items_many), -1);
    expect_refused("length");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    uint32_t one = 1;
    save(2, 3);
    damage(0, "FGHIST02", 8, -1);
    expect_refused("another version");
    save(2, 3);
    damage(60, &one, sizeof(one), -1);
    expect_refused("reserved");
}

/* Another client's file: the second item again, and one that the first does not have. */
static void files_are_added(void **state)
{
    (void)state;
    struct fg_history history = {0};
    char message[400];
    save(2, 3);
    assert_int_equal(fg_history_add(&history, path, false, message, sizeof(message)), 0);
    items[0].id = 9;
    save(2, 2);
    assert_int_equal(fg_history_add(&history, path, false, message, sizeof(message)), 0);
    assert_int_equal(history.header.records, 5);
    assert_memory_equal(history.records, records, 3 * sizeof(records[0]));
    assert_memory_equal(history.records + 3, records, 2 * sizeof(records[0]));
    assert_int_equal(history.header.items, 3);
    assert_int_equal(history.items[0].id, 7);
    assert_int_equal(history.items[2].id, 9);
    items[0].id = 7;

    items[0].stock++; /* of another supply */
    save(2, 3);
    assert_int_equal(fg_history_add(&history, path, false, message, sizeof(message)), -EINVAL);
    assert_non_null(strstr(message, "item 7 has a stock of 11, a limit of 2 and a hold of 500 ms; "
                                    "the files before it say 10, 2 and 500 ms"));
    assert_int_equal(history.header.records, 5);
    assert_int_equal(fg_history_add(&history, path, true, message, sizeof(message)), 0);
    assert_int_equal(history.header.records, 8);
    items[0].stock--;
    unlink(path);
    assert_int_equal(fg_history_add(&history, path, true, message, sizeof(message)), -ENOENT);
    assert_int_equal(history.header.records, 8);
    fg_history_free(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_gives_back_what_was_saved),
        cmocka_unit_test(empty_history_is_one),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(file_that_cannot_be_written_is_an_error),
        cmocka_unit_test(file_of_another_length_is_refused),
        cmocka_unit_test(absurd_counts_are_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(files_are_added),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
