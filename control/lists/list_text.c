/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/text.h"

#define ENTRY_BYTES 64 /* longer than any entry */
#define SHOWN_BYTES 40 /* of an entry that is wrong */

bool fg_list_text_buyer(const char *entry, uint8_t buyer[FG_BUYER_BYTES], char *why, size_t size)
{
    if (fg_buyer_parse(entry, buyer))
        return true;
    snprintf(why, size, "is no buyer, wanted %d hex digits, with or without dashes",
             2 * FG_BUYER_BYTES);
    return false;
}

bool fg_list_text_source(const char *entry, struct fg_list_prefix *prefix, char *why, size_t size)
{
    unsigned bits;
    bool whole;
    char wanted[FG_IP_TEXT_MAX];

    if (!fg_ip_parse(entry, &prefix->address, &bits, &whole)) {
        snprintf(why, size,
                 "is no source, wanted an address or a prefix, as 192.0.2.7, 192.0.2.0/24 or "
                 "2001:db8::/32");
        return false;
    }
    struct fg_ip masked = fg_ip_masked(prefix->address, fg_ip_mask(bits));
    if (!fg_ip_same(masked, prefix->address)) {
        snprintf(why, size, "has bits set below its prefix, wanted %s",
                 fg_prefix_text(masked, bits, wanted));
        return false;
    }
    prefix->bits = (uint8_t)bits;
    return true;
}

/* --- lines --- */

struct reader {
    const struct fg_list_text *text;
    const char *next, *end; /* what is not read yet */
    unsigned line;          /* 1, 2, 3 ... */
    unsigned column;        /* of the entry */
    char entry[ENTRY_BYTES];
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Says what is wrong with the entry; control characters and what is no ASCII show as '?'. */
static int refuse(const struct reader *reader, const char *entry, size_t length, const char *why)
{
    char shown[SHOWN_BYTES + 1];
    size_t n = length < SHOWN_BYTES ? length : SHOWN_BYTES;
    for (size_t i = 0; i < n; i++)
        shown[i] = entry[i] < ' ' || entry[i] > '~' ? '?' : entry[i];
    shown[n] = '\0';
    snprintf(reader->text->message, reader->text->size, "%s:%u:%u: \"%s\"%s %s",
             reader->text->source, reader->line, reader->column, shown, n < length ? "..." : "",
             why);
    return -1;
}

/* The next line's entry, if it has one: 1, with the entry; 0: it has none; -1: there is no line.
 * *word and *length are the entry as it stands. */
static int next_line(struct reader *reader, const char **word, size_t *length)
{
    const char *line = reader->next;
    if (line == reader->end)
        return -1;
    const char *end = memchr(line, '\n', (size_t)(reader->end - line));
    reader->next = end ? end + 1 : reader->end;
    end = end ? end : reader->end;
    reader->line++;
    const char *comment = memchr(line, '#', (size_t)(end - line));
    end = comment ? comment : end;
    const char *begin = line;
    while (begin < end && is_blank(*begin))
        begin++;
    while (end > begin && is_blank(end[-1]))
        end--;
    *word = begin;
    *length = (size_t)(end - begin);
    reader->column = (unsigned)(begin - line) + 1;
    return begin < end;
}

/* The next entry: 1, with reader->entry; 0: there is none any more. Whatever is too long for one,
 * or has a zero in it, reads as an empty one, which is none of any kind. */
static int next_entry(struct reader *reader, const char **word, size_t *length)
{
    int found;
    do {
        found = next_line(reader, word, length);
    } while (found == 0);
    if (found < 0)
        return 0;
    bool fits = *length < ENTRY_BYTES && !memchr(*word, '\0', *length);
    memcpy(reader->entry, *word, fits ? *length : 0);
    reader->entry[fits ? *length : 0] = '\0';
    return 1;
}

static struct reader reader_of(const struct fg_list_text *text)
{
    return (struct reader){.text = text, .next = text->text, .end = text->text + text->length};
}

static int refuse_memory(const struct fg_list_text *text)
{
    snprintf(text->message, text->size, "%s: could not be kept: memory is short", text->source);
    return -1;
}

static int refuse_many(const struct reader *reader, unsigned most)
{
    snprintf(reader->text->message, reader->text->size, "%s:%u:%u: more than %u entries",
             reader->text->source, reader->line, reader->column, most);
    return -1;
}

int fg_list_text_buyers(const struct fg_list_text *text, struct fg_list_buyers *buyers)
{
    struct reader reader = reader_of(text);
    const char *word;
    size_t length, most = text->length / (2 * FG_BUYER_BYTES) + 1; /* an entry has its digits */
    char why[128];

    *buyers = (struct fg_list_buyers){0};
    most = most < FG_LIST_BUYERS_MAX ? most : FG_LIST_BUYERS_MAX;
    uint8_t(*ids)[FG_BUYER_BYTES] = malloc(most * sizeof(*ids));
    if (!ids)
        return refuse_memory(text);
    uint32_t count = 0;
    while (next_entry(&reader, &word, &length)) {
        uint8_t buyer[FG_BUYER_BYTES];
        int rc = 0;
        if (!fg_list_text_buyer(reader.entry, buyer, why, sizeof(why)))
            rc = refuse(&reader, word, length, why);
        else if (count == most)
            rc = refuse_many(&reader, FG_LIST_BUYERS_MAX);
        if (rc != 0) {
            free(ids);
            return rc;
        }
        memcpy(ids[count++], buyer, sizeof(buyer));
    }
    *buyers = (struct fg_list_buyers){ids, count};
    return 0;
}

/* Room for one more. False when memory is short. */
static bool grow(struct fg_list_sources *sources, uint32_t *room)
{
    if (sources->count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : 1024;
    struct fg_list_prefix *prefixes =
        reallocarray(sources->prefixes, more, sizeof(*sources->prefixes));
    if (!prefixes)
        return false;
    sources->prefixes = prefixes;
    *room = more;
    return true;
}

int fg_list_text_sources(const struct fg_list_text *text, struct fg_list_sources *sources)
{
    struct reader reader = reader_of(text);
    const char *word;
    size_t length;
    uint32_t room = 0;
    char why[128];
    int rc = 0;

    *sources = (struct fg_list_sources){0};
    while (rc == 0 && next_entry(&reader, &word, &length)) {
        struct fg_list_prefix prefix = {0};
        if (!fg_list_text_source(reader.entry, &prefix, why, sizeof(why)))
            rc = refuse(&reader, word, length, why);
        else if (sources->count == FG_LIST_SOURCES_MAX)
            rc = refuse_many(&reader, FG_LIST_SOURCES_MAX);
        else if (!grow(sources, &room))
            rc = refuse_memory(text);
        else
            sources->prefixes[sources->count++] = prefix;
    }
    if (rc != 0) {
        free(sources->prefixes);
        *sources = (struct fg_list_sources){0};
    }
    return rc;
}
