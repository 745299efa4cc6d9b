/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of lists: what is read, and what a wrong one is refused with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/lists/list_text.h"

static char message[256];

/* The text in memory of just its length: a read beyond it is a sanitizer's to find. */
static struct fg_list_text exact(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    message[0] = '\0';
    return (struct fg_list_text){.source = "list",
                                 .text = copy,
                                 .length = length,
                                 .message = message,
                                 .size = sizeof(message)};
}

static int read_buyers(const char *string, size_t length, struct fg_list_buyers *buyers)
{
    struct fg_list_text text = exact(string, length);
    int rc = fg_list_text_buyers(&text, buyers);
    free((void *)(uintptr_t)text.text);
    return rc;
}

static int read_sources(const char *string, size_t length, struct fg_list_sources *sources)
{
    struct fg_list_text text = exact(string, length);
    int rc = fg_list_text_sources(&text, sources);
    free((void *)(uintptr_t)text.text);
    return rc;
}

#define HEX  "00112233445566778899aabbccddeeff"
#define UUID "00112233-4455-6677-8899-AABBCCDDEEFF"

static void buyers_are_read_in_either_form(void **state)
{
    (void)state;
    static const char text[] =
        "# comment\n" HEX "\n\n  \t" UUID "  # twice\r\n#" HEX "\nffffffffffffffffffffffffffffffff";
    struct fg_list_buyers buyers;
    assert_int_equal(read_buyers(text, sizeof(text) - 1, &buyers), 0);
    assert_int_equal(buyers.count, 3);
    for (unsigned i = 0; i < FG_BUYER_BYTES; i++) {
        assert_int_equal(buyers.ids[0][i], i * 0x11);
        assert_int_equal(buyers.ids[1][i], i * 0x11);
        assert_int_equal(buyers.ids[2][i], 0xff);
    }
    free(buyers.ids);
    static const char *const empty[] = {"", "\n", "#", "# only\n\n", " \t\r\n "};
    for (unsigned i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        assert_int_equal(read_buyers(empty[i], strlen(empty[i]), &buyers), 0);
        assert_int_equal(buyers.count, 0);
        free(buyers.ids);
    }
}

static void wrong_buyers_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"x", "list:1:1: \"x\" is no buyer, wanted 32 hex digits, with or without dashes"},
        {HEX "\n# c\n   " HEX "0", "list:3:4: \"" HEX "0\" is no buyer"},
        {HEX " " HEX, "list:1:1: \"00112233445566778899aabbccddeeff 0011223\"... is no buyer"},
        {"0011223344\x01\xff", "list:1:1: \"0011223344??\" is no buyer"},
        {HEX "\n192.0.2.1\n", "list:2:1: \"192.0.2.1\" is no buyer"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_list_buyers buyers;
        assert_int_equal(read_buyers(cases[i].text, strlen(cases[i].text), &buyers), -1);
        if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s, wanted %s", message, cases[i].message);
        assert_null(buyers.ids);
    }
    /* a zero does not end an entry */
    struct fg_list_buyers buyers;
    assert_int_equal(read_buyers(HEX "\0x\n", 35, &buyers), -1);
    assert_non_null(strstr(message, "list:1:1"));
}

static void sources_are_read(void **state)
{
    (void)state;
    static const char text[] = "192.0.2.0/24 # net\n192.0.2.7\n2001:db8::/32\n\n::/0\n0.0.0.0/0\n"
                               "2001:db8::1/128";
    static const unsigned bits[] = {120, 128, 32, 0, 96, 128};
    struct fg_list_sources sources;
    assert_int_equal(read_sources(text, sizeof(text) - 1, &sources), 0);
    assert_int_equal(sources.count, 6);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(sources.prefixes[i].bits, bits[i]);
    assert_true(fg_ip_same(sources.prefixes[1].address, fg_ip_of_v4(0xc0000207)));
    free(sources.prefixes);
}

static void wrong_sources_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"10.0.0.0/33", "list:1:1: \"10.0.0.0/33\" is no source, wanted"},
        {"\n 10.0.0/8", "list:2:2: \"10.0.0/8\" is no source, wanted"},
        {"10.0.0.1/8", "list:1:1: \"10.0.0.1/8\" has bits set below its prefix, wanted 10.0.0.0/8"},
        {"2001:db8::1/64",
         "list:1:1: \"2001:db8::1/64\" has bits set below its prefix, wanted 2001"},
        {"2001:db8::/129", "list:1:1: \"2001:db8::/129\" is no source"},
        {"10.0.0.0/ 8", "list:1:1: \"10.0.0.0/ 8\" is no source"},
        {"10.0.0.0/8\n" HEX, "list:2:1: \"" HEX "\" is no source"},
        {"2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8",
         "list:1:1: \"2001:db8:2001:db8:2001:db8:2001:db8:2001\"... is no source"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_list_sources sources;
        assert_int_equal(read_sources(cases[i].text, strlen(cases[i].text), &sources), -1);
        if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s, wanted %s", message, cases[i].message);
        assert_null(sources.prefixes);
    }
}

static void more_than_a_list_may_have_are_refused(void **state)
{
    (void)state;
    size_t line = strlen("::\n"), length = line * (FG_LIST_SOURCES_MAX + UINT64_C(1));
    char *text = malloc(length);
    struct fg_list_sources sources;
    assert_non_null(text);
    for (size_t i = 0; i < length; i += line)
        memcpy(text + i, "::\n", line);
    assert_int_equal(read_sources(text, length - line, &sources), 0);
    assert_int_equal(sources.count, FG_LIST_SOURCES_MAX);
    free(sources.prefixes);
    assert_int_equal(read_sources(text, length, &sources), -1);
    assert_string_equal(message, "list:2097153:1: more than 2097152 entries");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buyers_are_read_in_either_form),
        cmocka_unit_test(wrong_buyers_are_told_with_their_place),
        cmocka_unit_test(sources_are_read),
        cmocka_unit_test(wrong_sources_are_told_with_their_place),
        cmocka_unit_test(more_than_a_list_may_have_are_refused),
    };
    return cmocka_run_group_tests_name("list_text", tests, NULL, NULL);
}
