/* SPDX-License-Identifier: BSD-3-Clause */
/* What `lists add` makes of a list's file: each entry once, however it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/cli/list_file.h"

#define ONE   "00112233445566778899aabbccddeeff"
#define TWO   "0123456789abcdef0123456789abcdef"
#define THREE "ffffffffffffffffffffffffffffffff"

static char directory[] = "/tmp/flashgate-list.XXXXXX", path[64], message[256];
static struct fg_list_addition addition;

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/list.txt", directory);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *wanted)
{
    char text[1024];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, wanted);
}

static bool add(enum fg_list list, const char *lines)
{
    addition = (struct fg_list_addition){
        .list = list, .path = path, .lines = lines, .length = strlen(lines)};
    message[0] = '\0';
    return fg_list_file_add(&addition, message, sizeof(message));
}

static void assert_added(unsigned added, unsigned there)
{
    assert_int_equal(addition.added, added);
    assert_int_equal(addition.there, there);
}

static void a_new_one_is_appended(void **state)
{
    (void)state;
    write_file("");
    assert_true(add(FG_LIST_BLOCK_BUYERS, ONE " # a\n"));
    assert_added(1, 0);
    assert_file(ONE " # a\n");
    assert_true(add(FG_LIST_BLOCK_BUYERS, TWO " # b\n" THREE " # c\n"));
    assert_added(2, 0);
    assert_file(ONE " # a\n" TWO " # b\n" THREE " # c\n");
}

static void a_last_line_without_an_end_gets_one(void **state)
{
    (void)state;
    write_file("# nobody yet");
    assert_true(add(FG_LIST_ALLOW_BUYERS, ONE "\n"));
    assert_file("# nobody yet\n" ONE "\n");
}

/* Not even its times change: who watches it has nothing to look at. */
static void what_is_there_leaves_the_file_alone(void **state)
{
    (void)state;
    static const char text[] = "# so\n 00112233-4455-6677-8899-AABBCCDDEEFF # one\n" TWO;
    struct stat before, after;
    write_file(text);
    assert_int_equal(stat(path, &before), 0);
    assert_true(add(FG_LIST_BLOCK_BUYERS, ONE " # again\n" TWO " # again\n"));
    assert_added(0, 2);
    assert_file(text);
    assert_int_equal(stat(path, &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
    assert_true(add(FG_LIST_BLOCK_BUYERS, TWO "\n" THREE "\n" THREE "\n"));
    assert_added(1, 2);
    assert_file("# so\n 00112233-4455-6677-8899-AABBCCDDEEFF # one\n" TWO "\n" THREE "\n");
}

static void a_source_is_its_address_and_its_bits(void **state)
{
    (void)state;
    write_file("192.0.2.7\n2001:db8::/32\n");
    assert_true(add(FG_LIST_BLOCK_SOURCES, "192.0.2.7/32\n2001:0db8:0::/32\n"));
    assert_added(0, 2);
    assert_true(add(FG_LIST_BLOCK_SOURCES, "192.0.2.0/24\n2001:db8::/33\n2001:db8::\n"));
    assert_added(3, 0);
    assert_file("192.0.2.7\n2001:db8::/32\n192.0.2.0/24\n2001:db8::/33\n2001:db8::\n");
}

static void a_wrong_file_is_not_added_to(void **state)
{
    (void)state;
    write_file(ONE "\nnobody\n");
    assert_false(add(FG_LIST_BLOCK_BUYERS, TWO "\n"));
    assert_non_null(strstr(message, "list.txt:2:1: \"nobody\" is no buyer"));
    assert_file(ONE "\nnobody\n");
    unlink(path);
    assert_false(add(FG_LIST_BLOCK_BUYERS, TWO "\n"));
    assert_non_null(strstr(message, "list.txt: could not be opened for writing: No such file"));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(add(FG_LIST_BLOCK_BUYERS, TWO "\n"));
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_appended),
        cmocka_unit_test(a_last_line_without_an_end_gets_one),
        cmocka_unit_test(what_is_there_leaves_the_file_alone),
        cmocka_unit_test(a_source_is_its_address_and_its_bits),
        cmocka_unit_test(a_wrong_file_is_not_added_to),
    };
    return cmocka_run_group_tests_name("list file", tests, begin, end);
}
