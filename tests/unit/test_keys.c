/* SPDX-License-Identifier: BSD-3-Clause */
/* Key files: rights, sources, modes, and no secret in any message. */
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

#include "control/config/config.h"
#include "control/config/keys.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SECRET      "00112233445566778899aabbccddeeFF"
#define ALL_OPS     0x7e

static char dir[] = "/tmp/test-keys-XXXXXX", path[64];
static struct fg_key_file *keys;
static char message[512];

static int load(const char *text, mode_t mode, bool unsigned_allowed)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    message[0] = '\0';
    keys = fg_key_file_load(path, unsigned_allowed ? FG_UNSIGNED_OPS : 0, NULL, message,
                            sizeof(message));
    return keys ? 0 : -1;
}

static void accepted(const char *text, bool unsigned_allowed)
{
    if (load(text, 0600, unsigned_allowed) != 0)
        fail_msg("%s", message);
}

/* Refused with a message of this end; nothing is left behind, and no secret is told. */
static void refused(const char *text, const char *end)
{
    assert_int_equal(load(text, 0600, true), -1);
    assert_memory_equal(message, path, strlen(path));
    if (strcmp(message + strlen(path), end) != 0)
        print_error("%s\n", message);
    assert_string_equal(message + strlen(path), end);
    assert_null(strstr(message, "00112233"));
    assert_null(keys);
}

static void test_whole(void **state)
{
    (void)state;
    static const uint8_t secret[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    accepted("keys:\n- {id: 65535, secret: " SECRET ", ops: all}\n"
             "- id: 7\n  secret: " SECRET "\n  ops: [CONFIRM, PING]\n  sales: [a, b.c]\n"
             "  sources: [10.0.0.0/8, 192.0.2.7, 0.0.0.0/0, \"2001:db8::/32\"]\n"
             "  rate: 1000\n  burst: 50\n",
             false);
    assert_int_equal(keys->ring.count, 2);
    assert_int_equal(fg_keyring_find(&keys->ring, 0), -1);
    const struct fg_key *first = &keys->ring.keys[0], *second = &keys->ring.keys[1];
    assert_int_equal(first->id, 65535);
    assert_memory_equal(first->secret, secret, sizeof(secret));
    assert_int_equal(first->ops, ALL_OPS);
    assert_int_equal(first->prefixes_count, 0);
    assert_null(keys->sales[0]);
    assert_int_equal(second->ops, 1 << FG_OP_CONFIRM | 1 << FG_OP_PING);
    assert_int_equal(first->rate_cost, 0);
    assert_in_range(second->rate_cost, UINT64_C(1) << 24, (UINT64_C(1) << 24) + 1); /* 1 ms */
    assert_int_equal(second->rate_depth, 50 * second->rate_cost);
    assert_int_equal(second->prefixes_count, 4);
    const struct fg_prefix *prefixes = second->prefixes;
    assert_true(fg_ip_same(prefixes[0].address, fg_ip_of_v4(0x0a000000)));
    assert_true(fg_ip_same(prefixes[0].mask, fg_ip_mask(96 + 8)));
    assert_true(fg_ip_same(prefixes[1].address, fg_ip_of_v4(0xc0000207)));
    assert_true(fg_ip_same(prefixes[1].mask, fg_ip_mask(128)));
    assert_true(fg_ip_same(prefixes[2].mask, fg_ip_mask(96)));
    assert_true(fg_ip_same(prefixes[3].mask, fg_ip_mask(32)));
    assert_int_equal(fg_keyring_find(&keys->ring, 7), 1);
    assert_true(fg_key_file_allows(keys, 0, "anything"));
    assert_true(fg_key_file_allows(keys, 1, "a"));
    assert_true(fg_key_file_allows(keys, 1, "b.c"));
    assert_false(fg_key_file_allows(keys, 1, "b"));
    assert_false(fg_key_file_allows(keys, 1, ""));
    fg_key_file_drop(keys);
}

static void test_unsigned(void **state)
{
    (void)state;
    const uint8_t ops = 1 << FG_OP_ORDER | 1 << FG_OP_QUERY | 1 << FG_OP_STOCK | 1 << FG_OP_PING;
    keys = fg_key_file_load(NULL, FG_UNSIGNED_OPS, NULL, message, sizeof(message));
    assert_non_null(keys);
    assert_int_equal(keys->ring.count, 1);
    assert_int_equal(fg_keyring_find(&keys->ring, 0), 0);
    assert_int_equal(keys->ring.keys[0].id, 0);
    assert_int_equal(keys->ring.keys[0].ops, ops);
    assert_int_equal(keys->ring.keys[0].prefixes_count, 0);
    assert_true(fg_key_file_allows(keys, 0, "any"));
    fg_key_file_drop(keys);
    keys = fg_key_file_load(NULL, 0, NULL, message, sizeof(message));
    assert_non_null(keys);
    assert_int_equal(keys->ring.count, 0);
    accepted("keys: [{id: 3, secret: " SECRET ", ops: [ORDER], sales: [x]}]", true);
    assert_int_equal(keys->ring.count, 2);
    assert_int_equal(keys->ring.keys[0].ops, ops);
    assert_int_equal(keys->ring.keys[1].id, 3);
    assert_true(fg_key_file_allows(keys, 0, "y"));
    assert_false(fg_key_file_allows(keys, 1, "y"));
    fg_key_file_drop(keys);
}

static void test_modes(void **state)
{
    (void)state;
    static const char text[] = "keys: [{id: 3, secret: " SECRET ", ops: all}]";
    static const mode_t wrong[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(load(text, wrong[i], false), -1);
        assert_non_null(strstr(message, "wanted 0600"));
    }
    assert_int_equal(load(text, 0400, false), 0);
    fg_key_file_drop(keys);
    assert_int_equal(chmod(path, 0600), 0);
    unlink(path);
    assert_null(fg_key_file_load(path, FG_UNSIGNED_OPS, NULL, message, sizeof(message)));
    assert_non_null(strstr(message, "could not be opened"));
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *end;
    } cases[] = {
        {"", ":1:1: found nothing, wanted a table with the list `keys`"},
        {"keys: []", ":1:7: keys: found 0, wanted at least 1"},
        {SECRET ": 1", ":1:1: name: unknown, wanted one of: keys"},
        {SECRET, ":1:1: found something else than a table, wanted a table with the list `keys`"},
        {"keys: " SECRET, ":1:7: keys: found a single value, wanted a list of 1 to 255"},
        {"keys: [{id: 1, secret: " SECRET "}]", ":1:8: keys.ops: is missing. The ops it may use."},
        {"keys: [{id: 1, ops: all}]",
         ":1:8: keys.secret: is missing. The shared secret (openssl rand -hex 16)."},
        {"keys: [{secret: " SECRET ", ops: all}]",
         ":1:8: keys.id: is missing. The key's number on the wire."},
        {"keys: [{id: 0, secret: " SECRET ", ops: all}]",
         ":1:13: keys.id: the value is out of range, wanted 1 to 65535"},
        {"keys: [{id: 65536, secret: " SECRET ", ops: all}]",
         ":1:13: keys.id: the value is out of range, wanted 1 to 65535"},
        {"keys: [{id: " SECRET ", ops: all}]",
         ":1:13: keys.id: the value is not a whole number in plain digits, wanted 1 to 65535"},
        {"keys: [{id: 1, secret: " SECRET "0, ops: all}]",
         ":1:24: keys.secret: the value is not 32 hex digits"},
        {"keys: [{id: 1, secret: 0011223344556677, ops: all}]",
         ":1:24: keys.secret: the value is not 32 hex digits"},
        {"keys: [{id: 1, secret: \"00000000000000000000000000000000\", ops: all}]",
         ":1:16: keys.secret: is all zeros, wanted 16 random bytes (openssl rand -hex 16)"},
        {"keys:\n- {id: 1, secret: " SECRET ", ops: all}\n- {id: 1, secret: " SECRET ", ops: all}",
         ":3:4: keys.id: another key has this id, wanted one for each"},
        {"keys: [{id: 1, secret: " SECRET ", ops: [ORDER, BUY]}]",
         ":1:71: keys.ops: the value is not known here, wanted ORDER, CONFIRM, CANCEL, QUERY, "
         "STOCK or PING"},
        {"keys: [{id: 1, secret: " SECRET ", ops: []}]",
         ":1:63: keys.ops: found 0, wanted at least 1"},
        {"keys: [{id: 1, secret: " SECRET ", ops: all, sales: [a/b]}]",
         ":1:68: keys.sales: one of them holds other characters than A-Z a-z 0-9 . _ -"},
        {"keys: [{id: 1, secret: " SECRET ", ops: all, sources: [10.0.0.1/8]}]",
         ":1:78: keys.sources: the value has bits set below its prefix, wanted 10.0.0.0/8"},
        {"keys: [{id: 1, secret: " SECRET ", ops: all, rate: 1000000001}]",
         ":1:74: keys.rate: the value is out of range, wanted 0 to 1000000000"},
        {"keys: [{id: 1, secret: " SECRET ", ops: all, rate: 10, burst: 36001}]",
         ":1:78: keys.burst: stands above what rate brings in an hour"},
        {"keys: [{id: 1, secret: " SECRET ", ops: all, burst: 1}]",
         ":1:68: keys.burst: without rate says nothing, wanted both or none"},
        {"keys: [{id: 1, secret: \"" SECRET, ":1:57: is not valid YAML: found unexpected end of "
                                             "stream, while scanning a quoted scalar of line 1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refused(cases[i].text, cases[i].end);
}

/* Every message of the reader, for files whose every value is a marker, cut and garbled everywhere:
 * none repeats it. */
static void test_no_message_repeats_a_value(void **state)
{
    (void)state;
    static const char whole[] =
        "keys:\n- {id: 5, secret: 5ec2e75ec2e75ec2e75ec2e75ec2e75e, ops: [ORDER], sales: "
        "[5ec2e7a],\n   sources: [10.0.0.0/8], rate: 52, burst: 7}\n";
    static const char *const values[] = {
        "{5ec2e7: 1}",
        "keys: 5ec2e7",
        "- 5ec2e7",
        "keys: [{5ec2e7: 1}]",
        "keys: [{id: 5ec2e7}]",
        "keys: [{secret: 5ec2e7}]",
        "keys: [{ops: 5ec2e7}]",
        "keys: [{ops: [5ec2e7]}]",
        "keys: [{sales: [{5ec2e7: 1}]}]",
        "keys: [{sales: [\"5ec2e7/\"]}]",
        "keys: [{sources: [5ec2e7]}]",
        "keys: [{rate: 5ec2e7}]",
        "keys: [{burst: 5ec2e7}]",
        "keys: [{secret: [5ec2e7]}]",
        "keys: [{secret: *5ec2e7}]",
        "keys: [{secret: &5ec2e7 x}]",
        "keys: [{secret: !5ec2e7 x}]",
        "keys: &5ec2e7 [*5ec2e7]",
        "%5ec2e7\n---\nkeys: []",
        "keys: [{id: 1, id: 5ec2e7}]",
        "keys: []\n--- 5ec2e7",
        "? 5ec2e7",
        "keys: |\n 5ec2e7",
        "5ec2e7\t: [",
        "\"5ec2e7\\q\"",
    };
    static const char garble[] = ":\"'[{}]&*!#%\t\x01\xff 9z";
    char text[sizeof(whole)];
    unsigned refusals = 0;
    for (size_t i = 0; i < COUNT(values); i++) {
        assert_int_equal(load(values[i], 0600, true), -1);
        assert_null(strstr(message, "5ec2e7"));
    }
    for (size_t i = 0; i + 1 < sizeof(whole); i++) {
        memcpy(text, whole, sizeof(whole));
        if (i % 2 == 0)
            text[i] = '\0';
        else
            text[i] = garble[i / 2 % (sizeof(garble) - 1)];
        if (load(text, 0600, true) == 0)
            fg_key_file_drop(keys);
        else
            refusals++;
        if (strstr(message, "5ec2e7"))
            fail_msg("\"%s\" of %s", message, text);
    }
    assert_true(refusals > 100);
}

/* Who stays keeps its place, who comes takes a free one; with no free one, one that has gone. */
static void test_places_stay(void **state)
{
    (void)state;
    char text[32768];
    struct fg_key_file *first;
    accepted("keys:\n- {id: 1, secret: " SECRET ", ops: all}\n- {id: 2, secret: " SECRET
             ", ops: all, sales: [a]}\n- {id: 3, secret: " SECRET ", ops: all}\n",
             true);
    first = keys;
    FILE *file = fopen(path, "w");
    fputs("keys:\n- {id: 9, secret: " SECRET ", ops: all}\n- {id: 3, secret: " SECRET
          ", ops: all, rate: 5}\n- {id: 2, secret: " SECRET ", ops: all, sales: [a]}\n",
          file);
    fclose(file);
    keys = fg_key_file_load(path, FG_UNSIGNED_OPS, first, message, sizeof(message));
    assert_non_null(keys);
    assert_int_equal(keys->ring.generation, first->ring.generation + 1);
    assert_int_equal(fg_keyring_find(&keys->ring, 0), 0);
    assert_int_equal(fg_keyring_find(&keys->ring, 1), -1);
    assert_int_equal(fg_keyring_find(&keys->ring, 2), 2);
    assert_int_equal(fg_keyring_find(&keys->ring, 3), 3);
    assert_int_equal(fg_keyring_find(&keys->ring, 9), 4);
    assert_int_equal(fg_key_file_count(keys), 3);
    assert_int_equal(fg_key_file_compare(first, keys, 0), FG_KEY_SAME);
    assert_int_equal(fg_key_file_compare(first, keys, 1), FG_KEY_REMOVED);
    assert_int_equal(fg_key_file_compare(first, keys, 2), FG_KEY_SAME);
    assert_int_equal(fg_key_file_compare(first, keys, 3), FG_KEY_TERMS);
    assert_int_equal(fg_key_file_compare(first, keys, 4), FG_KEY_ADDED);
    fg_key_file_drop(first);
    fg_key_file_drop(keys);
    first = NULL;
    for (unsigned from = 1; from <= 1001; from += 1000) { /* all at once are others */
        size_t used = (size_t)snprintf(text, sizeof(text), "keys:\n");
        for (unsigned i = 0; i < FG_KEYS_MAX - 1; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used,
                                     "- {id: %u, secret: " SECRET ", ops: all}\n", from + i);
        file = fopen(path, "w");
        fputs(text, file);
        fclose(file);
        keys = fg_key_file_load(path, FG_UNSIGNED_OPS, first, message, sizeof(message));
        assert_non_null(keys);
        assert_int_equal(fg_key_file_count(keys), FG_KEYS_MAX - 1);
        if (first)
            for (unsigned place = 1; place < FG_KEYS_MAX; place++)
                assert_int_equal(fg_key_file_compare(first, keys, place), FG_KEY_REPLACED);
        fg_key_file_drop(first);
        first = keys;
    }
    fg_key_file_drop(first);
}

/* As many keys as there are places, and one more. */
static void test_most_keys(void **state)
{
    (void)state;
    char text[32768];
    for (int n = FG_KEYS_MAX - 1; n <= FG_KEYS_MAX; n++) {
        size_t used = (size_t)snprintf(text, sizeof(text), "keys:\n");
        for (int i = 1; i <= n; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used,
                                     "- {id: %d, secret: " SECRET ", ops: all, sales: [s]}\n", i);
        if (n == FG_KEYS_MAX) {
            refused(text, ":257:3: keys: too many, wanted at most 255");
            continue;
        }
        accepted(text, true);
        assert_int_equal(keys->ring.count, FG_KEYS_MAX);
        assert_int_equal(keys->ring.keys[FG_KEYS_MAX - 1].id, FG_KEYS_MAX - 1);
        fg_key_file_drop(keys);
    }
}

static void test_sample(void **state)
{
    (void)state;
    char text[8192];
    FILE *file = fopen("conf/keys.sample.yaml", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    accepted(text, false);
    assert_int_equal(keys->ring.count, 2);
    assert_int_equal(keys->ring.keys[0].ops, ALL_OPS & ~(1 << FG_OP_CONFIRM));
    assert_int_equal(keys->ring.keys[1].ops,
                     1 << FG_OP_CONFIRM | 1 << FG_OP_QUERY | 1 << FG_OP_PING);
    assert_true(fg_key_file_allows(keys, 1, "spring-drop"));
    assert_false(fg_key_file_allows(keys, 1, "other"));
    fg_key_file_drop(keys);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/keys.yaml", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_most_keys),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_no_message_repeats_a_value),
        cmocka_unit_test(test_places_stay),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
