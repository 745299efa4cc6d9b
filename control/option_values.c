/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of options: text to field, and ranges in words.
 *
 * Numbers are whole and in plain decimal digits; a size or a duration may carry one unit. Whatever
 * another program might read differently (010, 0x10, 1e6, 10k, 10_000, +5) is refused. All numbers
 * are int64_t until they are stored, so the ranges of the tables must fit their fields.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/options.h"

#define NS_PER_S INT64_C(1000000000)

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit SIZE_UNITS[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {NULL, 1},
};

static const struct unit DURATION_UNITS[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 1},
};

static const struct unit *units_of(enum fg_option_kind kind)
{
    return kind == FG_OPTION_SIZE ? SIZE_UNITS : kind == FG_OPTION_DURATION ? DURATION_UNITS : NULL;
}

static int refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *why, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return -1;
}

bool fg_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

bool fg_name_valid(const char *text, size_t length)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    return length > 0 && strnlen(text, length) == length && strspn(text, allowed) >= length;
}

/* --- Numbers --- */

enum number { NUMBER_RIGHT, NUMBER_WRONG, NUMBER_TOO_GREAT };

/* Digits with an optional minus; *rest is what follows them. */
static enum number read_digits(const char *text, int64_t *value, const char **rest)
{
    bool negative = *text == '-';
    const char *at = text + negative;
    if (*at < '0' || *at > '9')
        return NUMBER_WRONG;
    if (*at == '0' && at[1] >= '0' && at[1] <= '9')
        return NUMBER_WRONG; /* octal to some readers */
    bool overflow = false;
    int64_t sum = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        overflow |=
            __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, *at - '0', &sum);
    *value = negative ? -sum : sum;
    *rest = at;
    return overflow ? NUMBER_TOO_GREAT : NUMBER_RIGHT;
}

static enum number read_number(enum fg_option_kind kind, const char *text, int64_t *value)
{
    const char *rest;
    enum number result = read_digits(text, value, &rest);
    if (result == NUMBER_WRONG || *rest == '\0')
        return result;
    const struct unit *unit = units_of(kind);
    while (unit && unit->name && strcmp(unit->name, rest) != 0)
        unit++;
    if (!unit || !unit->name)
        return NUMBER_WRONG;
    if (__builtin_mul_overflow(*value, unit->factor, value))
        return NUMBER_TOO_GREAT;
    return result;
}

const char *fg_option_number_text(enum fg_option_kind kind, int64_t value, char *text, size_t size)
{
    const struct unit *unit = units_of(kind);
    while (unit && unit->name && (value == 0 || value % unit->factor != 0))
        unit++;
    snprintf(text, size, "%" PRId64 "%s", unit ? value / unit->factor : value,
             unit && unit->name ? unit->name : "");
    return text;
}

static void store_number(const struct fg_option *option, int64_t value, void *field)
{
    switch (option->size) {
    case 1:
        *(uint8_t *)field = (uint8_t)value;
        return;
    case 2:
        *(uint16_t *)field = (uint16_t)value;
        return;
    case 4:
        *(uint32_t *)field = (uint32_t)value;
        return;
    default:
        assert(option->size == 8);
        *(uint64_t *)field = (uint64_t)value;
    }
}

static int set_number(const struct fg_option *option, const char *text, void *field, char *why,
                      size_t size)
{
    char wanted[200];
    fg_option_wanted(option, wanted, sizeof(wanted));
    int64_t value = 0;
    enum number read = read_number(option->kind, text, &value);
    if (read == NUMBER_WRONG && option->kind == FG_OPTION_INTEGER)
        return refuse(why, size, "is not a whole number in plain digits, wanted %s", wanted);
    if (read == NUMBER_WRONG && option->kind == FG_OPTION_SIZE)
        return refuse(why, size,
                      "is not a size, wanted %s (a whole number of bytes, "
                      "or one with KiB, MiB, GiB or TiB)",
                      wanted);
    if (read == NUMBER_WRONG)
        return refuse(why, size,
                      "is not a duration, wanted %s (a whole number of "
                      "milliseconds, or one with ms, s, m, h or d)",
                      wanted);
    if (read == NUMBER_TOO_GREAT || value < option->min || value > option->max)
        return refuse(why, size, "is out of range, wanted %s", wanted);
    if (option->power_of_two && (value & (value - 1)) != 0)
        return refuse(why, size, "is not a power of two, wanted %s", wanted);
    if (option->factor && value % option->factor != 0)
        return refuse(why, size, "is not a multiple of %" PRId64 ", wanted %s", option->factor,
                      wanted);
    store_number(option, value, field);
    return 0;
}

/* --- Times --- */

/* Exactly `count` digits, as a number; -1 if they are not. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* "2026-11-27T20:00:00", as if it were UTC. */
static bool read_date(const char *text, int64_t *seconds)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    struct tm tm = {
        .tm_year = digits(text, 4) - 1900,
        .tm_mon = digits(text + 5, 2) - 1,
        .tm_mday = digits(text + 8, 2),
        .tm_hour = digits(text + 11, 2),
        .tm_min = digits(text + 14, 2),
        .tm_sec = digits(text + 17, 2),
    };
    if (tm.tm_year < 70 || tm.tm_year > 300 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    int day = tm.tm_mday;
    *seconds = timegm(&tm);
    return tm.tm_mday == day; /* timegm turns 31 April into 1 May */
}

/* "Z" or "+01:00", seconds east of Greenwich. */
static bool read_zone(const char *text, int64_t *east)
{
    if (strcmp(text, "Z") == 0) {
        *east = 0;
        return true;
    }
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return false;
    int hours = digits(text + 1, 2), minutes = digits(text + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *east = (hours * 60 + minutes) * (text[0] == '+' ? 60 : -60);
    return true;
}

/* ".25": up to nine digits of a second. *rest is what follows. */
static bool read_fraction(const char *text, int64_t *ns, const char **rest)
{
    *ns = 0;
    *rest = text;
    if (*text != '.')
        return true;
    size_t count = strspn(text + 1, "0123456789");
    if (count < 1 || count > 9)
        return false;
    for (size_t i = 1; i <= 9; i++)
        *ns = *ns * 10 + (i <= count ? text[i] - '0' : 0);
    *rest = text + 1 + count;
    return true;
}

/* The time, and whether it was relative where the option keeps that. */
static int set_time(const struct fg_option *option, const char *text, uint64_t now_ns, void *target,
                    char *why, size_t size)
{
    uint64_t *field = (uint64_t *)((char *)target + option->offset);
    if (option->second)
        *((uint8_t *)target + option->second) = *text == '+';
    static const char wanted[] = "a time with its zone like 2026-11-27T20:00:00+01:00, "
                                 "or one from now like +30s";
    int64_t value, seconds, ns, east;
    const char *rest;
    if (*text == '+') {
        if (text[1] == '-' || read_number(FG_OPTION_DURATION, text + 1, &value) != NUMBER_RIGHT ||
            __builtin_mul_overflow(value, 1000000, &value) ||
            __builtin_add_overflow(value, now_ns, &value))
            return refuse(why, size, "is not a time, wanted %s", wanted);
        *field = (uint64_t)value;
        return 0;
    }
    if (!read_date(text, &seconds) || !read_fraction(text + 19, &ns, &rest))
        return refuse(why, size, "is not a time, wanted %s", wanted);
    if (*rest == '\0')
        return refuse(why, size, "has no zone, wanted %s", wanted);
    if (!read_zone(rest, &east))
        return refuse(why, size, "has a zone that is neither Z nor like +01:00, wanted %s", wanted);
    if (__builtin_mul_overflow(seconds - east, NS_PER_S, &value) ||
        __builtin_add_overflow(value, ns, &value) || value <= 0)
        return refuse(why, size, "is out of range, wanted a time from 1970 to 2200");
    *field = (uint64_t)value;
    return 0;
}

/* --- Words and text --- */

static int set_choice(const struct fg_option *option, const char *text, void *field, char *why,
                      size_t size)
{
    char wanted[200];
    for (int i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], text) == 0) {
            store_number(option, i, field);
            return 0;
        }
    return refuse(why, size, "is not known here, wanted %s",
                  fg_option_wanted(option, wanted, sizeof(wanted)));
}

static int set_bool(const char *text, bool *field, char *why, size_t size)
{
    *field = strcmp(text, "true") == 0;
    if (!*field && strcmp(text, "false") != 0)
        return refuse(why, size, "is neither true nor false");
    return 0;
}

static int set_text(const struct fg_option *option, const char *text, size_t length, void *field,
                    char *why, size_t size)
{
    if (!fg_printable(text, length))
        return refuse(why, size, "holds a control character, wanted printable text");
    if (option->kind == FG_OPTION_NAME && length > 0 && !fg_name_valid(text, length))
        return refuse(why, size, "holds other characters than A-Z a-z 0-9 . _ -");
    bool fixed = option->kind != FG_OPTION_TEXT;
    size_t least = fixed ? 1 : (size_t)option->min;
    size_t most = fixed ? option->size - 1 : (size_t)option->max;
    if (length < least)
        return refuse(why, size, "is too short, wanted %zu to %zu bytes", least, most);
    if (length > most)
        return refuse(why, size, "is too long (%zu bytes), wanted %zu to %zu bytes", length, least,
                      most);
    if (fixed) {
        memcpy(field, text, length);
        ((char *)field)[length] = '\0';
        return 0;
    }
    char *copy = strndup(text, length);
    if (!copy)
        return refuse(why, size, "could not be kept: out of memory");
    free(*(char **)field); /* the default */
    *(char **)field = copy;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int set_hex(const struct fg_option *option, const char *text, size_t length, uint8_t *field,
                   char *why, size_t size)
{
    bool right = length == 2 * (size_t)option->size;
    for (size_t i = 0; right && i < length; i++)
        right = hex_digit(text[i]) >= 0;
    if (!right)
        return refuse(why, size, "is not %u hex digits", 2 * option->size);
    for (size_t i = 0; i < option->size; i++)
        field[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return 0;
}

/* --- Addresses --- */

/* Four numbers of 0 to 255 without leading zeros; *rest is what follows. */
static bool read_address(const char *text, uint32_t *address, const char **rest)
{
    *address = 0;
    for (int i = 0; i < 4; i++) {
        int64_t part;
        if (*text == '-' || read_digits(text, &part, rest) != NUMBER_RIGHT || part > 255)
            return false;
        *address = *address << 8 | (uint32_t)part;
        if (i < 3 && **rest != '.')
            return false;
        text = *rest + 1;
    }
    return true;
}

static int set_ipv4(const struct fg_option *option, const char *text, void *target, char *why,
                    size_t size)
{
    char wanted[200];
    uint32_t address;
    const char *rest;
    int64_t bits = 32;
    bool right = read_address(text, &address, &rest);
    if (right && *rest == '/')
        right = rest[1] != '-' && read_digits(rest + 1, &bits, &rest) == NUMBER_RIGHT;
    else if (right)
        right = option->host;
    if (!right || *rest != '\0')
        return refuse(why, size, "is not an IPv4 address with its prefix, wanted %s",
                      fg_option_wanted(option, wanted, sizeof(wanted)));
    if (bits < option->min || bits > option->max)
        return refuse(why, size, "has a prefix out of range, wanted /%d to /%d", (int)option->min,
                      (int)option->max);
    uint32_t below = bits == 32 ? 0 : UINT32_MAX >> bits;
    if (option->host && (address & below))
        return refuse(why, size, "has bits set below its prefix, wanted %u.%u.%u.%u/%d",
                      (address & ~below) >> 24, (address & ~below) >> 16 & 255,
                      (address & ~below) >> 8 & 255, address & ~below & 255, (int)bits);
    *(uint32_t *)((char *)target + option->offset) = address;
    *((uint8_t *)target + option->second) = (uint8_t)bits;
    return 0;
}

int fg_option_set(const struct fg_option *option, const char *text, size_t length, uint64_t now_ns,
                  void *target, char *why, size_t size)
{
    void *field = (char *)target + option->offset;
    if (strnlen(text, length) != length)
        return refuse(why, size, "holds a zero byte");
    switch (option->kind) {
    case FG_OPTION_INTEGER:
    case FG_OPTION_SIZE:
    case FG_OPTION_DURATION:
        return set_number(option, text, field, why, size);
    case FG_OPTION_TIME:
        return set_time(option, text, now_ns, target, why, size);
    case FG_OPTION_BOOL:
        return set_bool(text, field, why, size);
    case FG_OPTION_CHOICE:
        return set_choice(option, text, field, why, size);
    case FG_OPTION_TEXT:
    case FG_OPTION_LABEL:
    case FG_OPTION_NAME:
        return set_text(option, text, length, field, why, size);
    case FG_OPTION_HEX:
        return set_hex(option, text, length, field, why, size);
    case FG_OPTION_IPV4:
        return set_ipv4(option, text, target, why, size);
    case FG_OPTION_SECTION:
    case FG_OPTION_LIST:
        break;
    }
    assert(!"a section or list is no scalar");
    return -1;
}

/* --- In words --- */

static void wanted_number(const struct fg_option *option, char *text, size_t size)
{
    char least[40], most[40], factor[60] = "";
    if (option->factor)
        snprintf(factor, sizeof(factor), "a multiple of %" PRId64 ", ", option->factor);
    snprintf(text, size, "%s%s%s to %s", option->power_of_two ? "a power of two, " : "", factor,
             fg_option_number_text(option->kind, option->min, least, sizeof(least)),
             fg_option_number_text(option->kind, option->max, most, sizeof(most)));
}

static void wanted_choice(const struct fg_option *option, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; option->choices[i] && used < size; i++) {
        const char *before = i == 0 ? "" : option->choices[i + 1] ? ", " : " or ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", before, option->choices[i]);
    }
}

const char *fg_option_wanted(const struct fg_option *option, char *text, size_t size)
{
    switch (option->kind) {
    case FG_OPTION_INTEGER:
    case FG_OPTION_SIZE:
    case FG_OPTION_DURATION:
        wanted_number(option, text, size);
        break;
    case FG_OPTION_TIME:
        snprintf(text, size,
                 "a time with its zone (2026-11-27T20:00:00+01:00), or from now (+30s)");
        break;
    case FG_OPTION_BOOL:
        snprintf(text, size, "true or false");
        break;
    case FG_OPTION_CHOICE:
        wanted_choice(option, text, size);
        break;
    case FG_OPTION_TEXT:
        snprintf(text, size, "text of %d to %d bytes", (int)option->min, (int)option->max);
        break;
    case FG_OPTION_LABEL:
        snprintf(text, size, "text of 1 to %u bytes", option->size - 1);
        break;
    case FG_OPTION_NAME:
        snprintf(text, size, "1 to %u of A-Z a-z 0-9 . _ -", option->size - 1);
        break;
    case FG_OPTION_HEX:
        snprintf(text, size, "%u hex digits", 2 * option->size);
        break;
    case FG_OPTION_IPV4:
        snprintf(text, size, option->host ? "10.0.0.0/8, or one address" : "like 192.0.2.10/24");
        break;
    case FG_OPTION_SECTION:
        snprintf(text, size, "a table");
        break;
    case FG_OPTION_LIST:
        snprintf(text, size, "a list of %d to %d%s", (int)option->min, (int)option->max,
                 option->takes_all ? ", or all" : "");
        break;
    }
    return text;
}
