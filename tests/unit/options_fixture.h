/* SPDX-License-Identifier: BSD-3-Clause */
/* A table with an option of every kind, and texts read by it. */
#ifndef FG_TESTS_OPTIONS_FIXTURE_H
#define FG_TESTS_OPTIONS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/config/options.h"

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
    struct fg_ip address, source;
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
     .kind = FG_OPTION_ADDRESS,
     FIELD(address),
     .second = AT(bits),
     .family = 4,
     .help = "Host."},
    {.name = "source",
     .kind = FG_OPTION_ADDRESS,
     FIELD(source),
     .second = AT(source_bits),
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
static inline int read_bytes(struct sample *sample, const char *bytes, size_t length,
                             bool confidential, char *message, size_t size)
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
static inline int read_text(struct sample *sample, const char *text, char *message, size_t size)
{
    char whole[4096];
    snprintf(whole, sizeof(whole), "%s%s", text,
             strstr(text, "inner:") ? "" : "\ninner: {path: p}");
    return read_bytes(sample, whole, strlen(whole), false, message, size);
}

static inline void accepted(struct sample *sample, const char *text)
{
    char message[512];
    int result = read_text(sample, text, message, sizeof(message));
    if (result != 0)
        print_error("%s -> %s\n", text, message);
    assert_int_equal(result, 0);
}

static inline void refused(const char *text, const char *wanted)
{
    struct sample sample;
    char message[512];
    if (read_text(&sample, text, message, sizeof(message)) == 0)
        print_error("accepted: %s\n", text);
    fg_options_free(&TABLE, &sample);
    assert_string_equal(message, wanted);
}

/* Refused with a message that holds this. */
static inline void refused_with(const char *text, const char *part)
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

#endif
