/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Characters of two columns: the blocks that East Asian Width calls wide (UAX 11), and pictures. */
static const struct {
    uint32_t first, last;
} wide[] =
    {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
        {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff},
        {0x20000, 0x3fffd},
},
  none[] = {
      {0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
      {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned width_of(uint32_t character)
{
    for (size_t i = 0; i < COUNT(none); i++)
        if (character >= none[i].first && character <= none[i].last)
            return 0;
    for (size_t i = 0; i < COUNT(wide); i++)
        if (character >= wide[i].first && character <= wide[i].last)
            return 2;
    return 1;
}

/* The character that begins here and its bytes; 0 bytes if none does. */
static unsigned decode(const unsigned char *text, uint32_t *character)
{
    unsigned bytes = text[0] < 0x80   ? 1
                     : text[0] < 0xc2 ? 0
                     : text[0] < 0xe0 ? 2
                     : text[0] < 0xf0 ? 3
                     : text[0] < 0xf5 ? 4
                                      : 0;
    *character = bytes < 2 ? text[0] : text[0] & (0x7fu >> bytes);
    for (unsigned i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (text[i] & 0x3f);
    }
    return bytes;
}

unsigned fg_columns_fit(char *out, size_t size, const char *text, unsigned columns, int pad,
                        int ascii)
{
    unsigned used = 0;
    size_t at = 0;

    while (*text) {
        uint32_t character;
        unsigned bytes = decode((const unsigned char *)text, &character);
        /* 0x80 to 0x9f are control characters too: some terminals obey them. */
        int shown = bytes && character >= 0x20 && (character < 0x7f || character > 0x9f) &&
                    !(ascii && bytes > 1);
        unsigned width = shown ? width_of(character) : 1;
        unsigned length = shown ? bytes : 1;
        if (used + width > columns || at + length >= size)
            break;
        memcpy(out + at, shown ? text : "?", length);
        at += length;
        used += width;
        text += bytes ? bytes : 1;
    }
    while (pad && used < columns && at + 1 < size) {
        out[at++] = ' ';
        used++;
    }
    out[at] = '\0';
    return used;
}

const char *fg_span_clock(uint64_t seconds, char text[FG_SPAN_TEXT])
{
    unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);

    if (seconds < 86400)
        snprintf(text, FG_SPAN_TEXT, "%" PRIu64 ":%02u:%02u", seconds / 3600, minutes, rest);
    else
        snprintf(text, FG_SPAN_TEXT, "%" PRIu64 "d %02u:%02u:%02u", seconds / 86400,
                 (unsigned)(seconds / 3600 % 24), minutes, rest);
    return text;
}

const char *fg_span_rough(double seconds, char text[FG_SPAN_TEXT])
{
    if (seconds > 99 * 86400.0) {
        snprintf(text, FG_SPAN_TEXT, "> 99 d");
        return text;
    }
    unsigned whole = seconds > 0 ? (unsigned)(seconds + 0.5) : 0;
    if (whole < 60)
        snprintf(text, FG_SPAN_TEXT, "%u s", whole);
    else if (whole < 3600)
        snprintf(text, FG_SPAN_TEXT, "%u m %02u s", whole / 60, whole % 60);
    else if (whole < 86400)
        snprintf(text, FG_SPAN_TEXT, "%u h %02u m", whole / 3600, whole / 60 % 60);
    else
        snprintf(text, FG_SPAN_TEXT, "%u d", whole / 86400);
    return text;
}

void fg_bar(char *out, size_t size, double share, unsigned width)
{
    unsigned room = width > 3 ? width - 2 : 1;
    unsigned full = share <= 0 ? 0 : share >= 1 ? room : (unsigned)(share * room);

    if (size < room + 3) {
        out[0] = '\0';
        return;
    }
    if (full == 0 && share > 0)
        full = 1;
    out[0] = '[';
    memset(out + 1, '#', full);
    memset(out + 1 + full, '.', room - full);
    out[room + 1] = ']';
    out[room + 2] = '\0';
}
