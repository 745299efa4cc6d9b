/* SPDX-License-Identifier: BSD-3-Clause */
/* How results are laid out for people: what the files of showing share. */
#ifndef FG_CONTROL_SHOW_H
#define FG_CONTROL_SHOW_H

#include <inttypes.h>
#include <string.h>

#include "control/cli/cli.h"

/* A member's number, 0 if it has none; its text, or another. Borrowed. */
static inline json_int_t number(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static inline const char *text_or(const json_t *json, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : otherwise;
}

static inline const char *text(const json_t *json, const char *key)
{
    return text_or(json, key, "-");
}

/* With thousands set apart: 1234567 -> "1,234,567". `out` has 32 bytes. */
static inline const char *grouped(json_int_t value, char out[32])
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, (uint64_t)(value < 0 ? -value : value));
    size_t length = strlen(digits), used = 0;
    if (value < 0)
        out[used++] = '-';
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

/* A number in a column of this width. */
static inline void cell(FILE *out, int width, json_int_t value)
{
    char buffer[32];
    fprintf(out, "  %*s", width, grouped(value, buffer));
}

/* show_clock.c: a line of status, and one of sale show (none where the opening was not seen). */
void fg_show_clock_line(const json_t *clock, FILE *out);
void fg_show_opening_line(const json_t *opening, FILE *out);

#endif
