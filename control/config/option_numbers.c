/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of options that are written in digits: whole numbers, sizes, durations, times, addresses.
 *
 * Numbers are whole and in plain decimal digits; a size or a duration may carry one unit. Whatever
 * another program might read differently (010, 0x10, 1e6, 10k, 10_000, +5) is refused. All numbers
 * are int64_t until they are stored, so the ranges of the tables must fit their fields.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "control/config/option_set.h"

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

void fg_option_store_number(const struct fg_option *option, int64_t value, void *field)
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

int fg_option_set_number(const struct fg_option *option, const char *text, void *field, char *why,
                         size_t size)
{
    char wanted[200];
    fg_option_wanted(option, wanted, sizeof(wanted));
    int64_t value = 0;
    enum number read = read_number(option->kind, text, &value);
    if (read == NUMBER_WRONG && option->kind == FG_OPTION_INTEGER)
        return fg_option_refuse_value(why, size, "is not a whole number in plain digits, wanted %s",
                                      wanted);
    if (read == NUMBER_WRONG && option->kind == FG_OPTION_SIZE)
        return fg_option_refuse_value(why, size,
                                      "is not a size, wanted %s (a whole number of bytes, "
                                      "or one with KiB, MiB, GiB or TiB)",
                                      wanted);
    if (read == NUMBER_WRONG)
        return fg_option_refuse_value(why, size,
                                      "is not a duration, wanted %s (a whole number of "
                                      "milliseconds, or one with ms, s, m, h or d)",
                                      wanted);
    if (read == NUMBER_TOO_GREAT || value < option->min || value > option->max)
        return fg_option_refuse_value(why, size, "is out of range, wanted %s", wanted);
    if (option->power_of_two && (value & (value - 1)) != 0)
        return fg_option_refuse_value(why, size, "is not a power of two, wanted %s", wanted);
    if (option->factor && value % option->factor != 0)
        return fg_option_refuse_value(why, size, "is not a multiple of %" PRId64 ", wanted %s",
                                      option->factor, wanted);
    fg_option_store_number(option, value, field);
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

int fg_option_set_time(const struct fg_option *option, const char *text, uint64_t now_ns,
                       void *target, char *why, size_t size)
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
            return fg_option_refuse_value(why, size, "is not a time, wanted %s", wanted);
        *field = (uint64_t)value;
        return 0;
    }
    if (!read_date(text, &seconds) || !read_fraction(text + 19, &ns, &rest))
        return fg_option_refuse_value(why, size, "is not a time, wanted %s", wanted);
    if (*rest == '\0')
        return fg_option_refuse_value(why, size, "has no zone, wanted %s", wanted);
    if (!read_zone(rest, &east))
        return fg_option_refuse_value(
            why, size, "has a zone that is neither Z nor like +01:00, wanted %s", wanted);
    if (__builtin_mul_overflow(seconds - east, NS_PER_S, &value) ||
        __builtin_add_overflow(value, ns, &value) || value <= 0)
        return fg_option_refuse_value(why, size,
                                      "is out of range, wanted a time from 1970 to 2200");
    *field = (uint64_t)value;
    return 0;
}

/* --- Addresses --- */

int fg_option_set_address(const struct fg_option *option, const char *text, void *target, char *why,
                          size_t size)
{
    char wanted[200], masked[FG_IP_TEXT_MAX];
    struct fg_ip ip;
    unsigned bits;
    bool whole, right = fg_ip_parse(text, &ip, &bits, &whole);
    bool other = right && option->family && (option->family == 4) != fg_ip_is_v4(ip);
    if (other && option->other_family)
        return fg_option_refuse_value(why, size, "is an IPv%d address: give it as %s%s",
                                      fg_ip_is_v4(ip) ? 4 : 6, option->other_family,
                                      whole ? ", with its prefix" : "");
    if (!right || other || (whole && !option->host))
        return fg_option_refuse_value(why, size, "is not an address with its prefix, wanted %s",
                                      fg_option_wanted(option, wanted, sizeof(wanted)));
    if (!option->host && bits == (option->family == 4 ? FG_IP_V4_BITS : 0))
        return fg_option_refuse_value(why, size, "has a prefix of no bits, wanted /1 or longer");
    struct fg_ip below = fg_ip_masked(ip, fg_ip_mask(bits));
    if (option->host && !fg_ip_same(ip, below))
        return fg_option_refuse_value(why, size, "has bits set below its prefix, wanted %s",
                                      fg_prefix_text(below, bits, masked));
    *(struct fg_ip *)((char *)target + option->offset) = ip;
    *((uint8_t *)target + option->second) = (uint8_t)bits;
    return 0;
}
