/* SPDX-License-Identifier: BSD-3-Clause */
/* The pcapng writer, byte by byte against what the format says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/capture_file.h"

static char *written;
static size_t length;

static FILE *begin(void)
{
    FILE *file = open_memstream(&written, &length);
    assert_non_null(file);
    return file;
}

#define assert_written(file, ...)                                                                  \
    do {                                                                                           \
        const uint8_t wanted_[] = {__VA_ARGS__};                                                   \
        assert_int_equal(fclose(file), 0);                                                         \
        assert_int_equal(length, sizeof(wanted_));                                                 \
        assert_memory_equal(written, wanted_, sizeof(wanted_));                                    \
        free(written);                                                                             \
    } while (0)

static void a_section(void **state)
{
    (void)state;
    FILE *file = begin();
    fg_pcapng_section(file, "cpu", NULL, "ctl 1");
    assert_written(file, 0x0a, 0x0d, 0x0d, 0x0a, 52, 0, 0, 0,    /* type, length */
                   0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,           /* byte order, version 1.0 */
                   255, 255, 255, 255, 255, 255, 255, 255,       /* any length */
                   2, 0, 3, 0, 'c', 'p', 'u', 0,                 /* shb_hardware */
                   4, 0, 5, 0, 'c', 't', 'l', ' ', '1', 0, 0, 0, /* shb_userappl */
                   0, 0, 0, 0, 52, 0, 0, 0);                     /* end, length */
}

static void an_interface(void **state)
{
    (void)state;
    FILE *file = begin();
    fg_pcapng_interface(file, "net0", 1600);
    assert_written(file, 1, 0, 0, 0, 40, 0, 0, 0,  /* type, length */
                   1, 0, 0, 0, 0x40, 0x06, 0, 0,   /* Ethernet, snap length */
                   2, 0, 4, 0, 'n', 'e', 't', '0', /* if_name */
                   9, 0, 1, 0, 9, 0, 0, 0,         /* if_tsresol: 10^-9 */
                   0, 0, 0, 0, 40, 0, 0, 0);       /* end, length */
}

static void a_frame(void **state)
{
    (void)state;
    FILE *file = begin();
    fg_pcapng_frame(file, &(struct fg_pcapng_frame){.at_ns = UINT64_C(0x1122334455667788),
                                                    .port = 2,
                                                    .queue = 5,
                                                    .length = 1514,
                                                    .kept = 5,
                                                    .out = true,
                                                    .comment = NULL,
                                                    .bytes = (const uint8_t *)"abcde"});
    assert_written(file, 6, 0, 0, 0, 60, 0, 0, 0,                  /* type, length */
                   2, 0, 0, 0,                                     /* interface */
                   0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, /* time, high word first */
                   5, 0, 0, 0, 0xea, 0x05, 0, 0,                   /* kept, length */
                   'a', 'b', 'c', 'd', 'e', 0, 0, 0,               /* padded */
                   2, 0, 4, 0, 2, 0, 0, 0,                         /* epb_flags: outbound */
                   6, 0, 4, 0, 5, 0, 0, 0,                         /* epb_queue */
                   0, 0, 0, 0, 60, 0, 0, 0);
}

static void a_frame_with_a_comment(void **state)
{
    (void)state;
    FILE *file = begin();
    fg_pcapng_frame(
        file, &(struct fg_pcapng_frame){
                  .comment = "why", .length = 4, .kept = 4, .bytes = (const uint8_t *)"abcd"});
    assert_written(file, 6, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* at 0 */
                   4, 0, 0, 0, 4, 0, 0, 0, 'a', 'b', 'c', 'd',                        /* whole */
                   1, 0, 3, 0, 'w', 'h', 'y', 0, /* opt_comment */
                   2, 0, 4, 0, 1, 0, 0, 0,       /* inbound */
                   6, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0);
}

/* Lengths agree at both ends of a block, whatever is in it. */
static void blocks_of_every_length(void **state)
{
    (void)state;
    static uint8_t bytes[40];
    for (uint32_t kept = 0; kept < sizeof(bytes); kept++) {
        char comment[sizeof(bytes) + 1];
        uint32_t first, last;
        memset(comment, 'x', kept);
        comment[kept] = '\0';
        FILE *file = begin();
        fg_pcapng_frame(file,
                        &(struct fg_pcapng_frame){
                            .kept = kept, .length = kept, .bytes = bytes, .comment = comment});
        assert_int_equal(fclose(file), 0);
        memcpy(&first, written + 4, sizeof(first));
        memcpy(&last, written + length - 4, sizeof(last));
        assert_int_equal(first, length);
        assert_int_equal(last, length);
        assert_int_equal(length % 4, 0);
        free(written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section),
        cmocka_unit_test(an_interface),
        cmocka_unit_test(a_frame),
        cmocka_unit_test(a_frame_with_a_comment),
        cmocka_unit_test(blocks_of_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
