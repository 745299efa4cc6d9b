/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options: text to field, kind by kind, and what is wanted in words. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/option_set.h"
#include "dataplane/hex.h"

int fg_option_refuse_value(char *why, size_t size, const char *format, ...)
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

const char *fg_in_print(const char *text)
{
    return fg_printable(text, strlen(text)) ? text : "(not printable)";
}

bool fg_name_valid(const char *text, size_t length)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    return length > 0 && strnlen(text, length) == length && strspn(text, allowed) >= length;
}

/* --- Words and text --- */

static int set_choice(const struct fg_option *option, const char *text, void *field, char *why,
                      size_t size)
{
    char wanted[200];
    for (int i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], text) == 0) {
            fg_option_store_number(option, i, field);
            return 0;
        }
    return fg_option_refuse_value(why, size, "is not known here, wanted %s",
                                  fg_option_wanted(option, wanted, sizeof(wanted)));
}

static int set_bool(const char *text, bool *field, char *why, size_t size)
{
    *field = strcmp(text, "true") == 0;
    if (!*field && strcmp(text, "false") != 0)
        return fg_option_refuse_value(why, size, "is neither true nor false");
    return 0;
}

static int set_text(const struct fg_option *option, const char *text, size_t length, void *field,
                    char *why, size_t size)
{
    if (!fg_printable(text, length))
        return fg_option_refuse_value(why, size,
                                      "holds a control character, wanted printable text");
    if (option->kind == FG_OPTION_NAME && length > 0 && !fg_name_valid(text, length))
        return fg_option_refuse_value(why, size, "holds other characters than A-Z a-z 0-9 . _ -");
    bool fixed = option->kind != FG_OPTION_TEXT;
    size_t least = fixed ? 1 : (size_t)option->min;
    size_t most = fixed ? option->size - 1 : (size_t)option->max;
    if (length < least)
        return fg_option_refuse_value(why, size, "is too short, wanted %zu to %zu bytes", least,
                                      most);
    if (length > most)
        return fg_option_refuse_value(why, size, "is too long (%zu bytes), wanted %zu to %zu bytes",
                                      length, least, most);
    if (fixed) {
        memcpy(field, text, length);
        ((char *)field)[length] = '\0';
        return 0;
    }
    char *copy = strndup(text, length);
    if (!copy)
        return fg_option_refuse_value(why, size, "could not be kept: out of memory");
    free(*(char **)field); /* the default */
    *(char **)field = copy;
    return 0;
}

static int set_hex(const struct fg_option *option, const char *text, size_t length, uint8_t *field,
                   char *why, size_t size)
{
    bool right = length == 2 * (size_t)option->size;
    for (size_t i = 0; right && i < length; i++)
        right = fg_hex_digit(text[i]) >= 0;
    if (!right)
        return fg_option_refuse_value(why, size, "is not %u hex digits", 2 * option->size);
    for (size_t i = 0; i < option->size; i++)
        field[i] = (uint8_t)(fg_hex_digit(text[2 * i]) << 4 | fg_hex_digit(text[2 * i + 1]));
    return 0;
}

int fg_option_set(const struct fg_option *option, const char *text, size_t length, uint64_t now_ns,
                  void *target, char *why, size_t size)
{
    void *field = (char *)target + option->offset;
    if (strnlen(text, length) != length)
        return fg_option_refuse_value(why, size, "holds a zero byte");
    switch (option->kind) {
    case FG_OPTION_INTEGER:
    case FG_OPTION_SIZE:
    case FG_OPTION_DURATION:
        return fg_option_set_number(option, text, field, why, size);
    case FG_OPTION_TIME:
        return fg_option_set_time(option, text, now_ns, target, why, size);
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
    case FG_OPTION_ADDRESS:
        return fg_option_set_address(option, text, target, why, size);
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
    case FG_OPTION_ADDRESS:
        snprintf(text, size, "%s",
                 option->host          ? "10.0.0.0/8, 2001:db8::/32 or one address"
                 : option->family == 6 ? "like 2001:db8::10/64"
                                       : "like 192.0.2.10/24");
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
