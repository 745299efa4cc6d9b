/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of block and allow lists: text, one entry a line. "#" begins a comment; blank lines,
 * and blanks around an entry, are passed over. A buyer is 32 hex digits, with or without dashes. A
 * source is an address, or a prefix without bits below it: 192.0.2.0/24, 2001:db8::/32.
 *
 * Pure functions of a text of a given length, which need not end in anything. Any thread.
 */
#ifndef FG_CONTROL_LIST_TEXT_H
#define FG_CONTROL_LIST_TEXT_H

#include <stddef.h>

#include "dataplane/admission/lists.h"
#include "flashgate/limits.h"

struct fg_list_text {
    const char *source; /* names the text in messages */
    const char *text;
    size_t length;
    char *message; /* of `size` bytes: "FILE:LINE:COLUMN: what was found, what is wanted" */
    size_t size;
};

struct fg_list_buyers {
    uint8_t (*ids)[FG_BUYER_BYTES]; /* in the order of the lines */
    uint32_t count;
};

struct fg_list_sources {
    struct fg_list_prefix *prefixes;
    uint32_t count;
};

/* 0; or -1 with a message, at the first line that is wrong, and then nothing is kept. What is kept
 * is the caller's to free. */
int fg_list_text_buyers(const struct fg_list_text *text, struct fg_list_buyers *buyers);
int fg_list_text_sources(const struct fg_list_text *text, struct fg_list_sources *sources);

/* One entry as it stands in a line, without anything around it. False, with what is wrong and what
 * is wanted in `why`: "is no buyer, wanted ...". */
bool fg_list_text_buyer(const char *entry, uint8_t buyer[FG_BUYER_BYTES], char *why, size_t size);
bool fg_list_text_source(const char *entry, struct fg_list_prefix *prefix, char *why, size_t size);

static inline bool fg_list_has_buyers(enum fg_list list)
{
    return list == FG_LIST_BLOCK_BUYERS || list == FG_LIST_ALLOW_BUYERS;
}

#endif
