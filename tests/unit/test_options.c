/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading YAML by tables of options: kinds, ranges, shapes, and the sentences of refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/options.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NOW         UINT64_C(1700000000000000000)

struct inner {
    char *path;
    uint32_t low, high;
};

struct pair {
    uint32_t id;
    char *note;
};

struct sample {
    uint8_t small;
    int32_t core;
    uint64_t bytes;
    uint32_t wait_ms;
    uint64_t at_ns;
    bool flag;
    unsigned mode;
    char *text;
    char label[9];
    char name[5];
    uint8_t secret[4];
    uint32_t address, source;
    uint8_t bits, source_bits;
    struct inner inner;
    int cores[3];
    unsigned cores_count;
    char **words;
    unsigned words_count;
    bool all_words;
    struct pair *pairs;
    unsigned pairs_count;
};

#define FIELD(name) FG_OPTION_FIELD(struct sample, name)
#define AT(name)    offsetof(struct sample, name)

static int check_inner(const struct fg_option_scope *scope, void *target)
{
    const struct inner *inner = target;
    if (inner->low > inner->high)
        return fg_option_refuse(scope, "low", "%u is above high (%u)", inner->low, inner->high);
    return 0;
}

static const struct fg_option INNER_OPTIONS[] = {
    {.name = "path",
     .kind = FG_OPTION_TEXT,
     FG_OPTION_FIELD(struct inner, path),
     .min = 1,
     .max = 10,
     .required = true,
     .example = "here",
     .help = "Where it is."},
    {.name = "low",
     .kind = FG_OPTION_INTEGER,
     FG_OPTION_FIELD(struct inner, low),
     .max = 100,
     .standard = "1",
     .help = "Least."},
    {.name = "high",
     .kind = FG_OPTION_INTEGER,
     FG_OPTION_FIELD(struct inner, high),
     .max = 100,
     .standard = "10",
     .help = "Greatest."},
};
static const struct fg_option_table INNER = {INNER_OPTIONS, COUNT(INNER_OPTIONS), "a table",
                                             check_inner};

static const struct fg_option PAIR_OPTIONS[] = {
    {.name = "id",
     .kind = FG_OPTION_INTEGER,
     FG_OPTION_FIELD(struct pair, id),
     .min = 1,
     .max = UINT32_MAX,
     .required = true,
     .help = "Its number."},
    {.name = "note",
     .kind = FG_OPTION_TEXT,
     FG_OPTION_FIELD(struct pair, note),
     .max = 10,
     .standard = "none",
     .help = "A note."},
};
static const struct fg_option_table PAIR = {PAIR_OPTIONS, COUNT(PAIR_OPTIONS), "a table", NULL};
static const struct fg_option PAIR_ELEMENT = {.kind = FG_OPTION_SECTION, .table = &PAIR};
static const struct fg_option CORE_ELEMENT = {
    .kind = FG_OPTION_INTEGER, .size = sizeof(int), .max = 1023};
static const struct fg_option WORD_ELEMENT = {
    .kind = FG_OPTION_TEXT, .size = sizeof(char *), .min = 1, .max = 20};
static const char *const MODES[] = {"poll", "yield", "sleep", NULL};

static const struct fg_option OPTIONS[] = {
    {.name = "workers",
     .kind = FG_OPTION_INTEGER,
     FIELD(small),
     .min = 1,
     .max = 64,
     .standard = "2",
     .help = "How many."},
    {.name = "core",
     .kind = FG_OPTION_INTEGER,
     FIELD(core),
     .min = -1,
     .max = 1023,
     .standard = "-1",
     .help = "Where."},
    {.name = "bytes",
     .kind = FG_OPTION_SIZE,
     FIELD(bytes),
     .min = 4096,
     .max = INT64_C(1) << 50,
     .factor = 4096,
     .standard = "64MiB",
     .help = "How much."},
    {.name = "wait",
     .kind = FG_OPTION_DURATION,
     FIELD(wait_ms),
     .max = 604800000,
     .standard = "30s",
     .help = "How long."},
    {.name = "at", .kind = FG_OPTION_TIME, FIELD(at_ns), .help = "When."},
    {.name = "flag", .kind = FG_OPTION_BOOL, FIELD(flag), .standard = "false", .help = "Whether."},
    {.name = "mode",
     .kind = FG_OPTION_CHOICE,
     FIELD(mode),
     .choices = MODES,
     .standard = "yield",
     .help = "Which."},
    {.name = "text",
     .kind = FG_OPTION_TEXT,
     FIELD(text),
     .min = 1,
     .max = 20,
     .standard = "default",
     .help = "What."},
    {.name = "label", .kind = FG_OPTION_LABEL, FIELD(label), .help = "Shown."},
    {.name = "name", .kind = FG_OPTION_NAME, FIELD(name), .help = "Matched."},
    {.name = "secret", .kind = FG_OPTION_HEX, FIELD(secret), .help = "Hex."},
    {.name = "address",
     .kind = FG_OPTION_IPV4,
     FIELD(address),
     .second = AT(bits),
     .min = 1,
     .max = 32,
     .help = "Host."},
    {.name = "source",
     .kind = FG_OPTION_IPV4,
     FIELD(source),
     .second = AT(source_bits),
     .max = 32,
     .host = true,
     .help = "Hosts."},
    {.name = "inner",
     .kind = FG_OPTION_SECTION,
     .offset = AT(inner),
     .table = &INNER,
     .help = "In."},
    {.name = "cores",
     .kind = FG_OPTION_LIST,
     .offset = AT(cores),
     .second = AT(cores_count),
     .size = sizeof(int),
     .min = 1,
     .max = 3,
     .element = &CORE_ELEMENT,
     .help = "Cores."},
    {.name = "words",
     .kind = FG_OPTION_LIST,
     .offset = AT(words),
     .second = AT(words_count),
     .size = sizeof(char *),
     .max = 1000,
     .allocated = true,
     .takes_all = true,
     .all = AT(all_words),
     .element = &WORD_ELEMENT,
     .help = "Words."},
    {.name = "pairs",
     .kind = FG_OPTION_LIST,
     .offset = AT(pairs),
     .second = AT(pairs_count),
     .size = sizeof(struct pair),
     .max = 100,
     .allocated = true,
     .element = &PAIR_ELEMENT,
     .help = "Pairs."},
};
static const struct fg_option_table TABLE = {OPTIONS, COUNT(OPTIONS), "a table of samples", NULL};

/* Reads a copy of exactly `length` bytes, so that a sanitizer sees any look beyond them. */
static int read_bytes(struct sample *sample, const char *bytes, size_t length, bool confidential,
                      char *message, size_t size)
{
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    memset(sample, 0, sizeof(*sample));
    message[0] = '\0';
    struct fg_options_input input = {
        .source = "f",
        .text = copy,
        .length = length,
        .now_ns = NOW,
        .confidential = confidential,
        .message = message,
        .size = size,
    };
    int result = fg_options_read(&TABLE, sample, &input);
    free(copy);
    assert_true(result == 0 || result == -1);
    assert_true(result == 0 || message[0] != '\0');
    return result;
}

/* Every text needs the required path; it stands last so that it moves no line. */
static int read_text(struct sample *sample, const char *text, char *message, size_t size)
{
    char whole[4096];
    snprintf(whole, sizeof(whole), "%s%s", text,
             strstr(text, "inner:") ? "" : "\ninner: {path: p}");
    return read_bytes(sample, whole, strlen(whole), false, message, size);
}

static void accepted(struct sample *sample, const char *text)
{
    char message[512];
    int result = read_text(sample, text, message, sizeof(message));
    if (result != 0)
        print_error("%s -> %s\n", text, message);
    assert_int_equal(result, 0);
}

static void refused(const char *text, const char *wanted)
{
    struct sample sample;
    char message[512];
    if (read_text(&sample, text, message, sizeof(message)) == 0)
        print_error("accepted: %s\n", text);
    fg_options_free(&TABLE, &sample);
    assert_string_equal(message, wanted);
}

/* Refused with a message that holds this. */
static void refused_with(const char *text, const char *part)
{
    struct sample sample;
    char message[512];
    int result = read_text(&sample, text, message, sizeof(message));
    fg_options_free(&TABLE, &sample);
    if (result == 0 || !strstr(message, part))
        print_error("%s -> %s\n", text, result ? message : "accepted");
    assert_int_equal(result, -1);
    assert_non_null(strstr(message, part));
}

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
    assert_int_equal(s.address, 0xc000020a);
    assert_int_equal(s.bits, 24);
    assert_int_equal(s.source, 0x0a000000);
    assert_int_equal(s.source_bits, 8);
    fg_options_free(&TABLE, &s);
    accepted(&s, "address: 255.255.255.255/32\nsource: 10.0.0.7");
    assert_int_equal(s.address, 0xffffffff);
    assert_int_equal(s.source_bits, 32);
    fg_options_free(&TABLE, &s);
    accepted(&s, "source: 0.0.0.0/0");
    assert_int_equal(s.source_bits, 0);
    fg_options_free(&TABLE, &s);
    refused("source: 10.1.0.0/8", "f:1:9: source: 10.1.0.0/8 has bits set below its prefix, "
                                  "wanted 10.0.0.0/8");
    refused_with("address: 192.0.2.10/0", "has a prefix out of range, wanted /1 to /32");
    refused_with("address: 192.0.2.10/33", "has a prefix out of range");
    static const char *const wrong[] = {"192.0.2.10",  "192.0.2/24",         "192.0.2.256/24",
                                        "1.2.3.4.5/8", "192.0.2.10/",        "192.0.2.010/24",
                                        "a.b.c.d/8",   "192.0.2.10/24x",     "::1/128",
                                        "1.2.3.-4/8",  "1.2.3.4/-1",         "1..2.3/8",
                                        "\"\"",        "99999999999.1.1.1/8"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char text[64];
        snprintf(text, sizeof(text), "address: %s", wrong[i]);
        refused_with(text, "is not an IPv4 address with its prefix");
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

static void test_shapes(void **state)
{
    (void)state;
    refused("worker: 3", "f:1:1: worker: unknown, did you mean workers?");
    refused_with("speed: 3", "f:1:1: speed: unknown, wanted one of: workers, core, bytes");
    refused_with("\"a\\nb\": 3", "f:1:1: \"a?b\": unknown");
    refused("inner: {path: p, hihg: 3}", "f:1:18: inner.hihg: unknown, did you mean high?");
    refused("workers: 3\nflag: true\nworkers: 3",
            "f:1:1: workers: stands here and again at line 3");
    refused("workers:", "f:1:9: workers: found nothing, wanted 1 to 64");
    refused("text: null", "f:1:7: text: found nothing, wanted text of 1 to 20 bytes");
    refused("text: ~", "f:1:7: text: found nothing, wanted text of 1 to 20 bytes");
    refused("workers: [1]", "f:1:10: workers: found a list, wanted 1 to 64");
    refused("workers: {a: 1}", "f:1:10: workers: found a table, wanted 1 to 64");
    refused("inner: 3", "f:1:8: inner: found a single value, wanted a table");
    refused("inner: {low: 3}", "f:1:8: inner.path: is missing. Where it is.");
    refused("inner: {path: p, low: 11}", "f:1:18: inner.low: 11 is above high (10)");
    refused("inner: {path: p, high: 0}", "f:1:8: inner.low: 1 is above high (0)");
    refused("[a]: 3", "f:1:1: found a list or table where a name should be");
}

static void refused_whole(const char *bytes, size_t length, const char *wanted)
{
    struct sample sample;
    char message[512];
    int result = read_bytes(&sample, bytes, length, false, message, sizeof(message));
    fg_options_free(&TABLE, &sample);
    if (result == 0 || !strstr(message, wanted))
        print_error("%.*s -> %s\n", (int)length, bytes, result ? message : "accepted");
    assert_int_equal(result, -1);
    assert_non_null(strstr(message, wanted));
}

static void test_documents(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", "f:1:1: found nothing, wanted a table of samples"},
        {"# only a comment\n", "f:1:1: found nothing, wanted a table of samples"},
        {"---\n", "found nothing, wanted a table of samples"},
        {"- a\n", "f:1:1: found something else than a table, wanted a table of samples"},
        {"flag: true\n", "f:1:1: inner.path: is missing. Where it is."},
        {"inner: {path: p}\n---\nflag: true\n", "f:2:1: found a second document, wanted one"},
        {"inner: {path: p}\n...\nflag", "f:3:1: is not valid YAML"},
        {"text: &a b\n", "f:1:7: an anchor (&) is not taken"},
        {"text: &a b\nlabel: *a\n", "an anchor (&) is not taken"},
        {"label: *a\n", "f:1:8: an alias (*) is not taken"},
        {"text: !!str 5\n", "f:1:7: a tag (!) is not taken"},
        {"inner: !x {path: p}\n", "f:1:8: a tag (!) is not taken"},
        {"&a text: b\n", "f:1:1: an anchor (&) is not taken"},
        {"<<: {path: p}\n", "f:1:1: <<: unknown"},
        {"inner: {path: p\n", "is not valid YAML"},
        {"text: 'open\n", "is not valid YAML"},
        {"\tflag: true\n", "f:1:1: is not valid YAML"},
        {"text: a: b\n", "f:1:8: is not valid YAML"},
        {"flag: \"true\"\n workers: 3\n", "f:2:2: is not valid YAML"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refused_whole(cases[i].text, strlen(cases[i].text), cases[i].wanted);
    refused_whole("flag: tr\xff\n", 10, "f:1:9: is not text");
    refused_whole("flag: true\ntext: a\x01\n", 20, "f:2:8: is not text");
    refused_whole("flag:\0true", 10, "f:1:6: is not text");
    refused_whole("\xff\xfe"
                  "a\0:\0",
                  6, "f:1:1: is not text"); /* UTF-16 */
}

/* Deep nesting is refused where it begins, whatever follows. */
static void test_depth_and_size(void **state)
{
    (void)state;
    size_t length = FG_OPTIONS_FILE_MAX;
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, '[', length + 1);
    refused_whole(text, 100000, "f:1:1: found something else than a table");
    memset(text, ' ', length + 1);
    memcpy(text, "flag: true\ninner: {path: p}\n", 28);
    struct sample sample;
    char message[512];
    assert_int_equal(read_bytes(&sample, text, length, false, message, sizeof(message)), 0);
    fg_options_free(&TABLE, &sample);
    refused_whole(text, length + 1, "has 8388609 bytes, wanted at most 8388608");
    memcpy(text, "words: ", 7);
    memset(text + 7, '[', 5000);
    refused_whole(text, 5007, "f:1:9: words: found a list, wanted text");
    free(text);
}

/* Long things are cut in messages, never inside a character. */
static void test_long_values(void **state)
{
    (void)state;
    refused_with("mode: 0123456789012345678901234567890123456789012345678901234567890",
                 "mode: \"012345678901234567890123456789012345678901234567...\" is not known");
    refused_with("mode: 01234567890123456789012345678901234567890123456ää",
                 "mode: \"01234567890123456789012345678901234567890123456...\" is not known");
    struct sample sample;
    char small[12];
    assert_int_equal(read_bytes(&sample, "mode: spin", 10, false, small, sizeof(small)), -1);
    assert_string_equal(small, "f:1:7: mode");
    fg_options_free(&TABLE, &sample);
}

static void test_confidential(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "secret: hunter2",  "hunter2: 3",        "workers: hunter2", "text: \"hunter2\\x07\"",
        "mode: hunter2",    "at: hunter2",       "[hunter2, 3]",     "text: hunter2: 3",
        "hunter2",          "text: [hunter2",    "text: 'hunter2",   "cores: [hunter2]",
        "address: hunter2", "source: hunter2/3",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct sample sample;
        char message[512];
        size_t length = strlen(texts[i]);
        assert_int_equal(read_bytes(&sample, texts[i], length, true, message, sizeof(message)), -1);
        fg_options_free(&TABLE, &sample);
        assert_null(strstr(message, "hunter2"));
    }
    struct sample sample;
    char message[512];
    assert_int_equal(read_bytes(&sample, "source: 10.9.8.7/8", 18, true, message, sizeof(message)),
                     -1);
    assert_non_null(strstr(message, "the value"));
    fg_options_free(&TABLE, &sample);
}

/* Every cut and every changed byte of a rich file is either read or refused with a sentence. */
static void test_broken_files(void **state)
{
    (void)state;
    static const char rich[] =
        "workers: 4\ncore: -1\nbytes: 64MiB\nwait: 5m\nat: 2026-11-27T20:00:00.5+01:00\n"
        "flag: true\nmode: poll\ntext: \"a b\"\nlabel: 'x'\nname: ab\nsecret: 00ff00ff\n"
        "address: 192.0.2.10/24\nsource: 10.0.0.0/8\ninner: {path: p, low: 2}\n"
        "cores: [1, 2]\nwords:\n  - one\n  - two\npairs:\n  - id: 1\n    note: n\n  - id: 2\n";
    static const char bytes[] = "\0\n :-[]{}\"'&*!#|>%@`,?~\x80\xff\t9a";
    struct sample sample;
    char message[512], copy[sizeof(rich)];
    assert_int_equal(read_bytes(&sample, rich, sizeof(rich) - 1, false, message, sizeof(message)),
                     0);
    fg_options_free(&TABLE, &sample);
    for (size_t cut = 0; cut < sizeof(rich) - 1; cut++) {
        read_bytes(&sample, rich, cut, false, message, sizeof(message));
        fg_options_free(&TABLE, &sample);
    }
    for (size_t at = 0; at < sizeof(rich) - 1; at++)
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            memcpy(copy, rich, sizeof(rich));
            copy[at] = bytes[i];
            read_bytes(&sample, copy, sizeof(rich) - 1, i % 2, message, sizeof(message));
            fg_options_free(&TABLE, &sample);
        }
}

static void test_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-options-XXXXXX", path[64], message[256];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/f", dir);
    size_t length = 0;
    assert_null(fg_options_file(path, false, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "could not be opened: No such file"));
    assert_null(fg_options_file(dir, false, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "is not a regular file"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("hello", file);
    fclose(file);
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(fg_options_file(path, true, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "its mode is 0640, wanted 0600"));
    assert_int_equal(chmod(path, 0600), 0);
    char *text = fg_options_file(path, true, &length, message, sizeof(message));
    assert_string_equal(text, "hello");
    assert_int_equal(length, 5);
    free(text);
    assert_int_equal(truncate(path, FG_OPTIONS_FILE_MAX + 1), 0);
    assert_null(fg_options_file(path, false, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "has 8388609 bytes, wanted at most 8388608"));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* without a writer: must not wait for one */
    assert_null(fg_options_file(path, false, &length, message, sizeof(message)));
    unlink(path);
    rmdir(dir);
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
        cmocka_unit_test(test_lists),           cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_documents),       cmocka_unit_test(test_depth_and_size),
        cmocka_unit_test(test_long_values),     cmocka_unit_test(test_confidential),
        cmocka_unit_test(test_broken_files),    cmocka_unit_test(test_files),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
