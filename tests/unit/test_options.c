/* SPDX-License-Identifier: BSD-3-Clause */
/* Values by tables of options: every kind, its range, its defaults, and the sentences of refusals.
 */
#include "tests/unit/options_fixture.h"

static void test_defaults(void **state)
{
    (void)state;
    struct sample s;
    accepted(&s, "flag: true");
    assert_int_equal(s.small, 2);
    assert_int_equal(s.core, -1);
    assert_int_equal(s.bytes, 64 << 20);
    assert_int_equal(s.wait_ms, 30000);
    assert_int_equal(s.at_ns, 0);
    assert_true(s.flag);
    assert_int_equal(s.mode, 1);
    assert_string_equal(s.text, "default");
    assert_int_equal(s.inner.low, 1);
    assert_int_equal(s.inner.high, 10);
    assert_int_equal(s.cores_count, 0);
    fg_options_free(&TABLE, &s);
    assert_null(s.text);
    assert_null(s.inner.path);
}

static void test_numbers(void **state)
{
    (void)state;
    struct sample s;
    accepted(&s, "workers: 1\ncore: 1023\nbytes: 4096\nwait: 0");
    assert_int_equal(s.small, 1);
    assert_int_equal(s.core, 1023);
    assert_int_equal(s.bytes, 4096);
    assert_int_equal(s.wait_ms, 0);
    fg_options_free(&TABLE, &s);
    accepted(&s, "workers: 64\nbytes: 8KiB\nwait: 7d");
    assert_int_equal(s.small, 64);
    assert_int_equal(s.bytes, 8192);
    assert_int_equal(s.wait_ms, 604800000);
    fg_options_free(&TABLE, &s);
    accepted(&s, "bytes: 2TiB\nwait: 500ms");
    assert_int_equal(s.bytes, INT64_C(2) << 40);
    assert_int_equal(s.wait_ms, 500);
    fg_options_free(&TABLE, &s);
    accepted(&s, "bytes: 3GiB\nwait: 10m");
    assert_int_equal(s.bytes, INT64_C(3) << 30);
    assert_int_equal(s.wait_ms, 600000);
    fg_options_free(&TABLE, &s);
    accepted(&s, "wait: 2h\nworkers: \"4\"");
    assert_int_equal(s.wait_ms, 7200000);
    assert_int_equal(s.small, 4);
    fg_options_free(&TABLE, &s);
}

static void test_number_refusals(void **state)
{
    (void)state;
    refused("workers: 65", "f:1:10: workers: 65 is out of range, wanted 1 to 64");
    refused("flag: true\n  \nworkers:   0", "f:3:12: workers: 0 is out of range, wanted 1 to 64");
    refused("core: -2", "f:1:7: core: -2 is out of range, wanted -1 to 1023");
    refused("bytes: 5000", "f:1:8: bytes: 5000 is not a multiple of 4096, "
                           "wanted a multiple of 4096, 4KiB to 1024TiB");
    refused("wait: 8d", "f:1:7: wait: 8d is out of range, wanted 0 to 7d");
    refused("workers: 99999999999999999999",
            "f:1:10: workers: 99999999999999999999 is out of range, wanted 1 to 64");
    refused("bytes: 9223372036854775807TiB",
            "f:1:8: bytes: 9223372036854775807TiB is out of range, "
            "wanted a multiple of 4096, 4KiB to 1024TiB");
    static const char *const wrong[] = {"10k",   "10_000", "1e1",  "0x10",   "010",
                                        "+5",    "5.0",    "1 0",  "true",   "--1",
                                        "\"-\"", "5s",     "\"\"", "\"5 \"", "٣"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char text[64];
        snprintf(text, sizeof(text), "workers: %s", wrong[i]);
        refused_with(text, " is not a whole number in plain digits, wanted 1 to 64");
    }
    static const char *const sizes[] = {"64M",    "64MB", "64mib", "64 MiB",
                                        "1.5GiB", "MiB",  "64MiBs"};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char text[64];
        snprintf(text, sizeof(text), "bytes: %s", sizes[i]);
        refused_with(text, "is not a size");
    }
    static const char *const waits[] = {"30S", "30 s", "1m30s", "0.5s", "s", "30sec", "1us"};
    for (size_t i = 0; i < COUNT(waits); i++) {
        char text[64];
        snprintf(text, sizeof(text), "wait: %s", waits[i]);
        refused_with(text, "is not a duration");
    }
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } right[] = {
        {"2026-11-27T20:00:00Z", UINT64_C(1795809600000000000)},
        {"2026-11-27T20:00:00+01:00", UINT64_C(1795806000000000000)},
        {"2026-11-27T20:00:00-05:30", UINT64_C(1795829400000000000)},
        {"2026-11-27T20:00:00.25Z", UINT64_C(1795809600250000000)},
        {"2026-11-27T20:00:00.123456789Z", UINT64_C(1795809600123456789)},
        {"2028-02-29T00:00:00Z", UINT64_C(1835395200000000000)},
        {"1970-01-01T00:00:01Z", UINT64_C(1000000000)},
        {"+30s", NOW + UINT64_C(30000000000)},
        {"+1500", NOW + UINT64_C(1500000000)},
        {"+0", NOW},
    };
    for (size_t i = 0; i < COUNT(right); i++) {
        struct sample s;
        char text[64];
        snprintf(text, sizeof(text), "at: %s", right[i].text);
        accepted(&s, text);
        assert_int_equal(s.at_ns, right[i].ns);
        fg_options_free(&TABLE, &s);
    }
    refused_with("at: 2026-11-27T20:00:00", "has no zone");
    refused_with("at: 2026-11-27T20:00:00.5", "has no zone");
    refused_with("at: 2026-11-27T20:00:00+0100", "has a zone that is neither");
    refused_with("at: 2026-11-27T20:00:00+24:00", "has a zone that is neither");
    refused_with("at: 2026-11-27T20:00:00 Z", "has a zone that is neither");
    refused_with("at: 1970-01-01T00:00:00+01:00", "is out of range");
    static const char *const wrong[] = {
        "2026-11-31T20:00:00Z",
        "2027-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-27T24:00:00Z",
        "2026-11-27T20:60:00Z",
        "2026-11-27T20:00:60Z",
        "2026-11-27 20:00:00Z",
        "2026-11-27",
        "1969-12-31T23:59:59Z",
        "2026-11-27T20:00:00.Z",
        "30s",
        "+",
        "+-5",
        "+30x",
        "2026-11-27T20:00:00.1234567890Z",
        "+9223372036854775807d",
        "+9223372036854",
        "9999-01-01T00:00:00Z",
        "\"\"",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char text[64];
        snprintf(text, sizeof(text), "at: %s", wrong[i]);
        refused_with(text, "is not a time");
    }
}

static void test_words(void **state)
{
    (void)state;
    struct sample s;
    accepted(&s,
             "flag: true\nmode: sleep\ntext: a b\nlabel: Käse 12\nname: a.-Z\nsecret: 00fFa109");
    assert_int_equal(s.mode, 2);
    assert_string_equal(s.text, "a b");
    assert_string_equal(s.label, "Käse 12");
    assert_string_equal(s.name, "a.-Z");
    assert_memory_equal(s.secret, "\x00\xff\xa1\x09", 4);
    fg_options_free(&TABLE, &s);
    refused("mode: spin", "f:1:7: mode: spin is not known here, wanted poll, yield or sleep");
    refused("flag: yes", "f:1:7: flag: yes is neither true nor false");
    refused_with("flag: True", "is neither true nor false");
    refused("text: \"\"", "f:1:7: text: \"\" is too short, wanted 1 to 20 bytes");
    refused_with("text: abcdefghijklmnopqrstu", "is too long (21 bytes), wanted 1 to 20 bytes");
    refused_with("text: \"a\\x07b\"", "\"a?b\" holds a control character");
    refused_with("text: \"a\\0b\"", "holds a zero byte");
    refused_with("label: 123456789", "is too long (9 bytes), wanted 1 to 8 bytes");
    refused_with("name: abcde", "is too long");
    refused("name: a/b", "f:1:7: name: a/b holds other characters than A-Z a-z 0-9 . _ -");
    refused_with("secret: 00ffa1", "is not 8 hex digits");
    refused_with("secret: 00ffa1091", "is not 8 hex digits");
    refused_with("secret: 00ffa1g9", "is not 8 hex digits");
}

static void test_addresses(void **state)
{
    (void)state;
    struct sample s;
    accepted(&s, "address: 192.0.2.10/24\nsource: 10.0.0.0/8");
    assert_true(fg_ip_same(s.address, fg_ip_of_v4(0xc000020a)));
    assert_int_equal(s.bits, 96 + 24);
    assert_true(fg_ip_same(s.source, fg_ip_of_v4(0x0a000000)));
    assert_int_equal(s.source_bits, 96 + 8);
    fg_options_free(&TABLE, &s);
    accepted(&s, "address: 255.255.255.255/32\nsource: 10.0.0.7");
    assert_true(fg_ip_same(s.address, fg_ip_of_v4(0xffffffff)));
    assert_int_equal(s.source_bits, 128);
    fg_options_free(&TABLE, &s);
    accepted(&s, "source: 0.0.0.0/0");
    assert_int_equal(s.source_bits, 96);
    fg_options_free(&TABLE, &s);
    accepted(&s, "source: 2001:db8::/32");
    assert_true(s.source.high == UINT64_C(0x20010db800000000) && s.source.low == 0);
    assert_int_equal(s.source_bits, 32);
    fg_options_free(&TABLE, &s);
    refused("source: 10.1.0.0/8", "f:1:9: source: 10.1.0.0/8 has bits set below its prefix, "
                                  "wanted 10.0.0.0/8");
    refused_with("source: 2001:db8::1/32", "has bits set below its prefix, wanted 2001:db8::/32");
    refused_with("address: 192.0.2.10/0", "has a prefix of no bits, wanted /1 or longer");
    refused_with("address: 192.0.2.10/33", "is not an address with its prefix");
    static const char *const wrong[] = {"192.0.2.10",  "192.0.2/24",         "192.0.2.256/24",
                                        "1.2.3.4.5/8", "192.0.2.10/",        "192.0.2.010/24",
                                        "a.b.c.d/8",   "192.0.2.10/24x",     "::1/128",
                                        "1.2.3.-4/8",  "1.2.3.4/-1",         "1..2.3/8",
                                        "\"\"",        "99999999999.1.1.1/8"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char text[64];
        snprintf(text, sizeof(text), "address: %s", wrong[i]);
        refused_with(text, "is not an address with its prefix");
    }
}

static void test_lists(void **state)
{
    (void)state;
    struct sample s;
    accepted(&s, "cores: [1, 2, 0]\nwords: all\npairs:\n- id: 7\n- {id: 8, note: x}\n- id: 9");
    assert_int_equal(s.cores_count, 3);
    assert_int_equal(s.cores[2], 0);
    assert_true(s.all_words);
    assert_int_equal(s.pairs_count, 3);
    assert_int_equal(s.pairs[2].id, 9);
    assert_string_equal(s.pairs[0].note, "none");
    assert_string_equal(s.pairs[1].note, "x");
    fg_options_free(&TABLE, &s);
    assert_null(s.pairs);
    accepted(&s, "words: [all, b, c, d, e]");
    assert_false(s.all_words);
    assert_int_equal(s.words_count, 5);
    assert_string_equal(s.words[4], "e");
    fg_options_free(&TABLE, &s);
    refused("cores: []", "f:1:8: cores: found 0, wanted at least 1");
    refused("cores: [1, 2, 3, 4]", "f:1:18: cores: too many, wanted at most 3");
    refused("cores: [1,\n 2000]", "f:2:2: cores: 2000 is out of range, wanted 0 to 1023");
    refused("cores: 1", "f:1:8: cores: found a single value, wanted a list of 1 to 3");
    refused("cores: all", "f:1:8: cores: found a single value, wanted a list of 1 to 3");
    refused("words: any", "f:1:8: words: found a single value, wanted a list of 0 to 1000, or all");
    refused("cores: [[1]]", "f:1:9: cores: found a list, wanted 0 to 1023");
    refused("pairs: [7]", "f:1:9: pairs: found a single value, wanted a table");
    refused("pairs: [{note: x}]", "f:1:9: pairs.id: is missing. Its number.");
    refused("pairs: [{id: 1, nota: x}]", "f:1:17: pairs.nota: unknown, did you mean note?");
}

/* What is written of every kind is what was read, or reads back the same. */
static void test_written(void **state)
{
    (void)state;
    static const struct {
        const char *option, *text, *yaml;
    } cases[] = {
        {"workers", "64", "64"},
        {"core", "-1", "-1"},
        {"core", "1023", "1023"},
        {"bytes", "4096", "4KiB"},
        {"bytes", "1073741824", "1GiB"},
        {"wait", "0", "0"},
        {"wait", "90s", "90s"},
        {"wait", "120s", "2m"},
        {"wait", "1001", "1001ms"},
        {"at", "2026-11-27T20:00:00.250+01:00", "2026-11-27T19:00:00.25Z"},
        {"at", "1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z"},
        {"flag", "true", "true"},
        {"mode", "sleep", "sleep"},
        {"text", "a \"b\"", "\"a \\\"b\\\"\""},
        {"label", "#1", "\"#1\""},
        {"name", "a.-_", "a.-_"},
        {"name", "-", "\"-\""},
        {"secret", "00FFa1B2", "00ffa1b2"},
        {"address", "192.0.2.10/24", "192.0.2.10/24"},
        {"source", "10.0.0.0/8", "10.0.0.0/8"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sample sample = {0};
        char why[200] = "", text[FG_OPTION_TEXT_MAX];
        const struct fg_option *option = OPTIONS;
        while (strcmp(option->name, cases[i].option) != 0)
            option++;
        if (fg_option_set(option, cases[i].text, strlen(cases[i].text), NOW, &sample, why,
                          sizeof(why)) != 0)
            fail_msg("%s %s", cases[i].text, why);
        assert_string_equal(fg_option_yaml(option, &sample, text, sizeof(text)), cases[i].yaml);
        free(sample.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_number_refusals), cmocka_unit_test(test_times),
        cmocka_unit_test(test_words),           cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_lists),           cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
