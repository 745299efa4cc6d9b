/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "perf/load/goodput.h"

#define MS LOAD_MS

static struct load_client client;
static struct load_goodput goodput;
static char path[] = "/tmp/flashgate-goodput.XXXXXX";

static int begin(void **state)
{
    (void)state;
    client = (struct load_client){.start_ns = 5000 * MS};
    snprintf(path, sizeof(path), "/tmp/flashgate-goodput.XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    return load_goodput_open(&goodput, path);
}

static int end(void **state)
{
    (void)state;
    return unlink(path);
}

/* The file must be these lines, after its columns' names. */
static void file_is(const char *wanted)
{
    char text[1024] = "";

    assert_int_equal(load_goodput_close(&goodput), 0);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_string_equal(text, "ms,offered,sent,resent,answered,admitted,busy,under_way\n");
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, wanted);
}

static void a_line_tells_what_was_new_in_its_slot(void **state)
{
    (void)state;
    load_goodput_tick(&goodput, &client, 5099 * MS);
    client.stats = (struct load_stats){.offered = 10,
                                       .sent = 14,
                                       .retransmissions = 3,
                                       .told_to_wait = 1,
                                       .answered = 6,
                                       .admitted = 2};
    client.stats.answers[FG_VERDICT_BUSY] = 1;
    client.under_way = 4;
    load_goodput_tick(&goodput, &client, 5100 * MS);
    client.stats.offered = 15;
    client.stats.sent = 19;
    client.under_way = 9;
    load_goodput_tick(&goodput, &client, 5150 * MS);
    load_goodput_tick(&goodput, &client, 5210 * MS);
    file_is("0,10,14,4,6,2,1,4\n"
            "100,5,5,0,0,0,0,9\n");
}

static void slots_that_were_slept_through_have_lines_too(void **state)
{
    (void)state;
    client.stats.offered = 3;
    load_goodput_tick(&goodput, &client, 5320 * MS);
    file_is("0,3,0,0,0,0,0,0\n"
            "100,0,0,0,0,0,0,0\n"
            "200,0,0,0,0,0,0,0\n");
}

static void a_file_that_cannot_be_is_an_error(void **state)
{
    struct load_goodput other;
    (void)state;
    assert_int_equal(load_goodput_open(&other, "/nowhere/at/all"), -ENOENT);
    load_goodput_tick(&other, &client, 9000 * MS); /* nothing is wanted then */
    assert_int_equal(load_goodput_close(&other), 0);
    assert_int_equal(load_goodput_open(&other, "/dev/full"), 0);
    load_goodput_tick(&other, &client, 9000 * MS);
    assert_int_equal(load_goodput_close(&other), -ENOSPC);
    file_is("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_tells_what_was_new_in_its_slot, begin, end),
        cmocka_unit_test_setup_teardown(slots_that_were_slept_through_have_lines_too, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_is_an_error, begin, end),
    };
    return cmocka_run_group_tests_name("load_goodput", tests, NULL, NULL);
}
