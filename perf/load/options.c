/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/load/option_rows.h"

enum { LOAD_OPTIONS_MAX = 96 };

static bool set_number(const struct load_option *row, uint64_t *field, const char *text,
                       char *message, size_t size)
{
    uint64_t value = 0;
    bool right = *text != '\0';

    for (const char *at = text; *at; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        right = right && *at >= '0' && *at <= '9' && value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (!right || value < row->least || value > row->most) {
        snprintf(message, size, "--%s is \"%.40s\"; give a whole number from %lu to %lu", row->name,
                 text, row->least, row->most);
        return false;
    }
    *field = value;
    return true;
}

/* A decimal number above `least`. */
static bool set_share(const struct load_option *row, double *field, const char *text, char *message,
                      size_t size)
{
    size_t digits = strspn(text, "0123456789.");
    char *end = NULL;
    double value = digits > 0 ? strtod(text, &end) : 0;

    if (digits == 0 || *end != '\0' || text[digits] != '\0' || value <= (double)row->least ||
        value > (double)row->most) {
        snprintf(message, size,
                 "--%s is \"%.40s\"; give a number such as 1.1, above %lu, %lu at most", row->name,
                 text, row->least, row->most);
        return false;
    }
    *field = value;
    return true;
}

static bool set_address(const struct load_option *row, struct fg_ip *field, const char *text,
                        char *message, size_t size)
{
    unsigned bits;
    bool whole;

    if (fg_ip_parse(text, field, &bits, &whole) && whole)
        return true;
    snprintf(message, size, "--%s is \"%.45s\"; give an address such as 10.0.0.2 or 2001:db8::2",
             row->name, text);
    return false;
}

static bool set_prefix(struct load_options *options, const struct load_option *row,
                       const char *text, char *message, size_t size)
{
    unsigned bits;
    bool whole;

    if (fg_ip_parse(text, &options->source, &bits, &whole) && !whole && bits < FG_IP_BITS &&
        bits > (fg_ip_is_v4(options->source) ? FG_IP_V4_BITS : 0)) {
        options->source_bits = (uint8_t)bits;
        return true;
    }
    snprintf(message, size,
             "--%s is \"%.50s\"; give an address and its prefix: 10.0.0.2/24, 2001:db8::2/64",
             row->name, text);
    return false;
}

static bool set(struct load_options *options, const struct load_option *row, const char *text,
                char *message, size_t size)
{
    char *field = (char *)options + row->offset;

    switch (row->kind) {
    case KIND_TEXT:
        *(const char **)field = text;
        return true;
    case KIND_NUMBER:
        return set_number(row, (uint64_t *)field, text, message, size);
    case KIND_ADDRESS:
        return set_address(row, (struct fg_ip *)(void *)field, text, message, size);
    case KIND_PREFIX:
        return set_prefix(options, row, text, message, size);
    case KIND_SHARE:
        return set_share(row, (double *)(void *)field, text, message, size);
    case KIND_FLAG:
        *(bool *)field = true;
        return true;
    case KIND_EAL:
        if (options->eal_count == LOAD_EAL_ARGS_MAX) {
            snprintf(message, size, "more than %d EAL arguments", LOAD_EAL_ARGS_MAX);
            return false;
        }
        options->eal[options->eal_count++] = text;
        return true;
    }
    return false;
}

static void fill_getopt(struct option *table)
{
    unsigned count = 0;

    /* `val` is the row, moved out of the way of getopt's own '?' and ':'. */
    for (int row = 0; row < load_options_rows; row++)
        if (load_options_table[row].name)
            table[count++] =
                (struct option){load_options_table[row].name,
                                load_options_table[row].argument ? required_argument : no_argument,
                                NULL, 1000 + row};
    table[count] = (struct option){0};
}

int load_options_parse(struct load_options *options, int argc, char **argv, char *message,
                       size_t size)
{
    struct option table[LOAD_OPTIONS_MAX + 1];
    bool confirm_given = false;
    int found;

    assert(load_options_rows <= LOAD_OPTIONS_MAX);
    *options = (struct load_options){0};
    for (int row = 0; row < load_options_rows; row++)
        if (load_options_table[row].standard &&
            !set(options, &load_options_table[row], load_options_table[row].standard, message,
                 size))
            return -1;
    fill_getopt(table);
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, "+:", table, NULL)) != -1) {
        if (found < 1000) {
            snprintf(message, size, "%.60s: %s; --help lists all options", argv[optind - 1],
                     found == ':' ? "its value is missing" : "no such option");
            return -1;
        }
        const struct load_option *row = &load_options_table[found - 1000];
        if (!set(options, row, optarg, message, size))
            return -1;
        confirm_given = confirm_given || row->offset == offsetof(struct load_options, confirm);
    }
    if (options->help || options->version)
        return 0;
    /* Only what stands behind "--" is left over, by right. */
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        snprintf(message, size, "\"%.60s\" is no option; --help lists all options", argv[optind]);
        return -1;
    }
    static const struct load_option eal = {.kind = KIND_EAL};
    for (; optind < argc; optind++)
        if (!set(options, &eal, argv[optind], message, size))
            return -1;
    return load_options_check(options, confirm_given, message, size) ? 0 : -1;
}
