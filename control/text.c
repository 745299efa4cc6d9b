/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/hex.h"

bool fg_buyer_parse(const char *text, uint8_t buyer[FG_BUYER_BYTES])
{
    unsigned digits = 0;
    for (; *text; text++) {
        int value = fg_hex_digit(*text);
        if (*text == '-' && digits > 0 && digits < 2 * FG_BUYER_BYTES)
            continue;
        if (value < 0 || digits == 2 * FG_BUYER_BYTES)
            return false;
        if (digits % 2 == 0)
            buyer[digits / 2] = (uint8_t)(value << 4);
        else
            buyer[digits / 2] |= (uint8_t)value;
        digits++;
    }
    return digits == 2 * FG_BUYER_BYTES;
}

void fg_buyer_format(const uint8_t buyer[FG_BUYER_BYTES], char text[FG_BUYER_TEXT])
{
    fg_hex_write(buyer, FG_BUYER_BYTES, text);
    text[2 * FG_BUYER_BYTES] = '\0';
}

bool fg_u64_parse(const char *text, uint64_t *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    *value = strtoull(digits, &end, hex ? 16 : 10);
    return errno == 0 && *end == '\0';
}

/* Bytes of the character that begins here; 0 if none does (RFC 3629). */
static unsigned utf8_bytes(const unsigned char *text)
{
    unsigned char lead = text[0];
    if (lead < 0x80)
        return 1;
    unsigned bytes = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    for (unsigned i = 1; i < bytes; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* The second byte tells what is longer than it need be, a surrogate, or beyond U+10FFFF. */
    if ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] >= 0xa0) ||
        (lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] >= 0x90))
        return 0;
    return bytes;
}

void fg_utf8_mend(char *text)
{
    while (*text) {
        unsigned bytes = utf8_bytes((const unsigned char *)text);
        if (bytes == 0 || (unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
        text += bytes ? bytes : 1;
    }
}

json_t *fg_json_u64(uint64_t name)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, name);
    return json_string(text);
}

json_t *fg_json_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *fg_json_time(uint64_t wall_ns)
{
    if (wall_ns == 0)
        return json_null();
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm tm;
    char day[32], text[48];
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof(text), "%s.%03uZ", day, (unsigned)(wall_ns / 1000000 % 1000));
    return json_string(text);
}
