/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts of the control protocol that stand for values: times, buyers, 64-bit numbers. */
#ifndef FG_CONTROL_TEXT_H
#define FG_CONTROL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "flashgate/protocol.h"

#define FG_BUYER_TEXT (2 * FG_BUYER_BYTES + 1)

/* 32 hex digits; dashes between them are passed over, so that a UUID is taken as it is written. */
bool fg_buyer_parse(const char *text, uint8_t buyer[FG_BUYER_BYTES]);
void fg_buyer_format(const uint8_t buyer[FG_BUYER_BYTES], char text[FG_BUYER_TEXT]);

/* Decimal, or hex after 0x; the whole text and no more than 64 bits. */
bool fg_u64_parse(const char *text, uint64_t *value);

/* Puts '?' for every byte that is not UTF-8, such as the rest of a character that a sentence's end
 * has cut: JSON takes no other text. And for every control character: a sentence is one line, and
 * may be printed on a terminal. */
void fg_utf8_mend(char *text);

/* New references. A name of 64 bits (an order's, a request's) is a string, for JSON's readers keep
 * only 53; what is counted or numbered one by one (units, bytes, LSNs) never comes so far and is a
 * number. A time of 0 is null, others are "2026-11-22T20:00:00.000Z". */
json_t *fg_json_u64(uint64_t name);
json_t *fg_json_count(uint64_t value);
json_t *fg_json_time(uint64_t wall_ns);

#endif
