/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OWN_NS UINT64_MAX /* wall time of what the journal makes itself: not compared */

static int expect(void *arg, const struct fg_control_event *event, const char *body)
{
    struct fg_journal_base *base = arg;

    if (base->count == base->room) {
        unsigned room = base->room ? 2 * base->room : 64;
        struct fg_book_copy **bigger =
            realloc(base->expected, room * sizeof(struct fg_book_copy *));
        if (!bigger)
            return -ENOMEM;
        base->expected = bigger;
        base->room = room;
    }
    struct fg_book_copy *copy = fg_book_copy_create(event, body);
    if (!copy)
        return -ENOMEM;
    base->expected[base->count++] = copy;
    return 0;
}

int fg_journal_base_begin(struct fg_journal_base *base, const struct fg_books *books)
{
    fg_journal_base_fini(base);
    return fg_books_base(books, OWN_NS, expect, base);
}

static bool same(const struct fg_book_copy *expected, const struct fg_record *record)
{
    struct fg_control_event found = *record->control;

    if (expected->event.at_ns == OWN_NS)
        found.at_ns = OWN_NS;
    return memcmp(&found, &expected->event, sizeof(found)) == 0 &&
           (found.body_length == 0 || memcmp(expected->body, record->body, found.body_length) == 0);
}

bool fg_journal_base_match(struct fg_journal_base *base, const struct fg_record *record)
{
    /* In the order in which they are expected, as a rule; any other is as good. */
    for (unsigned i = 0; i < base->count; i++) {
        unsigned at = (base->next + i) % base->count;
        if (!base->expected[at] || !same(base->expected[at], record))
            continue;
        free(base->expected[at]);
        base->expected[at] = NULL;
        base->next = at + 1;
        return true;
    }
    return false;
}

const struct fg_control_event *fg_journal_base_missing(const struct fg_journal_base *base)
{
    for (unsigned i = 0; i < base->count; i++)
        if (base->expected[i])
            return &base->expected[i]->event;
    return NULL;
}

void fg_journal_base_fini(struct fg_journal_base *base)
{
    for (unsigned i = 0; i < base->count; i++)
        free(base->expected[i]);
    free(base->expected);
    *base = (struct fg_journal_base){0};
}
