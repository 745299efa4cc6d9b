/* SPDX-License-Identifier: BSD-3-Clause */
/* Text as a terminal shows it: columns, and times and figures for people. Any thread; no state. */
#ifndef FG_CONTROL_COLUMNS_H
#define FG_CONTROL_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#define FG_SPAN_TEXT 32

/* Copies as much of `text` as fits `columns` and `size` bytes, whole characters only; and, when
 * `pad`, spaces up to `columns`. Wide characters take two columns, combining ones none. Control
 * characters and what is no UTF-8 become '?', and with `ascii` so does every other character that
 * is not ASCII. Returns the columns taken. */
unsigned fg_columns_fit(char *out, size_t size, const char *text, unsigned columns, int pad,
                        int ascii);

/* "0:05:12", "2d 03:00:00". */
const char *fg_span_clock(uint64_t seconds, char text[FG_SPAN_TEXT]);
/* Rounded: "12 s", "3 m 05 s", "2 h 14 m", "3 d". */
const char *fg_span_rough(double seconds, char text[FG_SPAN_TEXT]);

/* "[#####.....]" in `width` columns, at least 3; any share above 0 shows, and only 1 is full. */
void fg_bar(char *out, size_t size, double share, unsigned width);

#endif
