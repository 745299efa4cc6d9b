/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes as hex digits. Pure; any thread. */
#ifndef FG_HEX_H
#define FG_HEX_H

#include <stddef.h>
#include <stdint.h>

/* What a digit of either case is worth; -1: it is none. */
static inline int fg_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Two digits for each of `count` bytes, in lower case, with nothing behind them. */
static inline void fg_hex_write(const uint8_t *bytes, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
}

#endif
