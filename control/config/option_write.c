/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fields as text: what the reader of option_values.c reads, the other way round. A file that is
 * written from a struct reads back into the same struct.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "control/config/options.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* Bytes of the field. */
static size_t width(const struct fg_option *option)
{
    return option->kind == FG_OPTION_TIME ? sizeof(uint64_t) : option->size;
}

static const void *field_of(const struct fg_option *option, const void *target)
{
    return (const char *)target + option->offset;
}

uint64_t fg_option_number(const struct fg_option *option, const void *target)
{
    uint64_t value = 0; /* little-endian: a shorter field is its low bytes */
    assert(width(option) <= sizeof(value));
    memcpy(&value, field_of(option, target), width(option));
    return value;
}

/* Of an option that may be negative, a short field's sign is its highest bit. */
static int64_t signed_number(const struct fg_option *option, const void *target)
{
    unsigned above = 64 - 8 * (unsigned)width(option);
    uint64_t value = fg_option_number(option, target);
    return option->min < 0 ? (int64_t)(value << above) >> above : (int64_t)value;
}

void fg_option_copy(const struct fg_option *option, void *to, const void *from)
{
    memcpy((char *)to + option->offset, field_of(option, from), width(option));
}

bool fg_option_same(const struct fg_option *option, const void *a, const void *b)
{
    const void *x = field_of(option, a), *y = field_of(option, b);
    bool words = option->kind == FG_OPTION_LABEL || option->kind == FG_OPTION_NAME;
    return words ? strcmp(x, y) == 0 : memcmp(x, y, width(option)) == 0;
}

/* --- Times --- */

static void write_time(const struct fg_option *option, const void *target, char *text, size_t size)
{
    uint64_t ns = fg_option_number(option, target), part = ns % NS_PER_S;
    if (option->second && *((const uint8_t *)target + option->second)) {
        char number[40];
        fg_option_number_text(FG_OPTION_DURATION, (int64_t)(ns / NS_PER_MS), number,
                              sizeof(number));
        snprintf(text, size, "+%s", number);
        return;
    }
    time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm tm;
    char day[40], fraction[16] = "";
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    if (part != 0) {
        int digits = snprintf(fraction, sizeof(fraction), ".%09" PRIu64, part);
        while (fraction[digits - 1] == '0')
            fraction[--digits] = '\0';
    }
    snprintf(text, size, "%s%sZ", day, fraction);
}

/* --- Words --- */

/* The character that begins here, and how many bytes it has; the text is UTF-8. */
static uint32_t character(const unsigned char *text, unsigned *bytes)
{
    *bytes = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    uint32_t value = *bytes == 1 ? text[0] : text[0] & (0x7fu >> *bytes);
    for (unsigned i = 1; i < *bytes; i++) {
        if ((text[i] & 0xc0) != 0x80) { /* no UTF-8 after all */
            *bytes = 1;
            return text[0];
        }
        value = value << 6 | (text[i] & 0x3f);
    }
    return value;
}

/* May it stand in a quoted YAML scalar as it is? Line and page ends of other scripts may not. */
static bool stands_for_itself(uint32_t value)
{
    return value != '"' && value != '\\' && value >= 0x20 && (value < 0x7f || value > 0xa0) &&
           value != 0x2028 && value != 0x2029 && value != 0xfeff && (value & 0xfffe) != 0xfffe;
}

static void write_quoted(const char *words, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "\"");
    for (unsigned bytes; *words && used + 12 < size; words += bytes) {
        uint32_t value = character((const unsigned char *)words, &bytes);
        if (stands_for_itself(value))
            used += (size_t)snprintf(text + used, size - used, "%.*s", (int)bytes, words);
        else if (value == '"' || value == '\\')
            used += (size_t)snprintf(text + used, size - used, "\\%c", (int)value);
        else
            used += (size_t)snprintf(text + used, size - used, "\\U%08" PRIX32, value);
    }
    snprintf(text + used, size - used, "\"");
}

static void write_hex(const struct fg_option *option, const uint8_t *bytes, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < option->size && 2 * i + 2 < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* May a name stand without quotes? */
static bool plain(const char *name)
{
    return *name != '-' && *name != '.' && strcasecmp(name, "null") != 0;
}

const char *fg_option_yaml(const struct fg_option *option, const void *target, char *text,
                           size_t size)
{
    const void *field = field_of(option, target);
    switch (option->kind) {
    case FG_OPTION_INTEGER:
    case FG_OPTION_SIZE:
    case FG_OPTION_DURATION:
        return fg_option_number_text(option->kind, signed_number(option, target), text, size);
    case FG_OPTION_TIME:
        write_time(option, target, text, size);
        break;
    case FG_OPTION_BOOL:
        snprintf(text, size, "%s", fg_option_number(option, target) ? "true" : "false");
        break;
    case FG_OPTION_CHOICE:
        snprintf(text, size, "%s", option->choices[fg_option_number(option, target)]);
        break;
    case FG_OPTION_TEXT:
        write_quoted(*(char *const *)field ? *(char *const *)field : "", text, size);
        break;
    case FG_OPTION_NAME:
        snprintf(text, size, plain(field) ? "%s" : "\"%s\"", (const char *)field);
        break;
    case FG_OPTION_LABEL:
        write_quoted(field, text, size);
        break;
    case FG_OPTION_HEX:
        write_hex(option, field, text, size);
        break;
    case FG_OPTION_ADDRESS: {
        char prefix[FG_IP_TEXT_MAX];
        unsigned bits = *((const uint8_t *)target + option->second);
        snprintf(text, size, "%s", fg_prefix_text(*(const struct fg_ip *)field, bits, prefix));
        break;
    }
    case FG_OPTION_SECTION:
    case FG_OPTION_LIST:
        assert(!"a section or list is no scalar");
    }
    return text;
}

const char *fg_option_shown(const struct fg_option *option, const void *target, char *text,
                            size_t size)
{
    bool words = option->kind == FG_OPTION_LABEL || option->kind == FG_OPTION_NAME;
    if (!words && option->zero && fg_option_number(option, target) == 0) {
        snprintf(text, size, "%s", option->zero);
        return text;
    }
    fg_option_yaml(option, target, text, size);
    size_t used = strlen(text);
    if (option->unit)
        used += (size_t)snprintf(text + used, size - used, " %s", option->unit);
    if (option->unit && fg_option_number(option, target) == 1 && text[used - 1] == 's')
        text[used - 1] = '\0'; /* one unit */
    return text;
}
