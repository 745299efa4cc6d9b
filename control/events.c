/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of entries. New ones are put at its end when they are submitted and get their LSN when
 * they are durable, which they become in the order of their submission; those without one are not
 * shown. Definitions of live sales are kept beside it, to tell what a new one changes.
 */
#include "control/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/sale/model.h"
#include "control/text.h"

#define WAITING_MAX (FG_SUBMITTED_KEPT - 1) /* tickets: the journal knows the LSNs of no more */

struct entry {
    uint64_t lsn;    /* 0: not durable yet ... */
    uint64_t ticket; /* ... this is its ticket */
    struct fg_control_event event;
    bool repeated;
    char sale[FG_SALE_NAME_MAX + 1];
    char *what; /* NULL: memory was short */
};

struct fg_events {
    struct entry *ring;     /* FG_EVENTS_KEPT */
    uint64_t first, end;    /* entries ever put in; first: the oldest that is left */
    unsigned pending;       /* at the end */
    uint64_t ticket;        /* the last one */
    bool whole;             /* nothing of the log is missing before the first */
    struct fg_sale **known; /* definitions of live sales */
    unsigned known_count, known_room;
};

struct fg_events *fg_events_create(void)
{
    struct fg_events *events = calloc(1, sizeof(*events));
    if (events)
        events->ring = calloc(FG_EVENTS_KEPT, sizeof(*events->ring));
    if (events && events->ring) {
        events->whole = true;
        return events;
    }
    free(events);
    return NULL;
}

void fg_events_destroy(struct fg_events *events)
{
    if (!events)
        return;
    for (unsigned i = 0; i < FG_EVENTS_KEPT; i++)
        free(events->ring[i].what);
    for (unsigned i = 0; i < events->known_count; i++)
        fg_model_sale_free(events->known[i]);
    free(events->known);
    free(events->ring);
    free(events);
}

static struct entry *entry_at(const struct fg_events *events, uint64_t number)
{
    return &events->ring[number % FG_EVENTS_KEPT];
}

/* --- definitions --- */

/* Place of a sale's definition; NULL: none is known. */
static struct fg_sale **find_known(const struct fg_events *events, uint32_t number)
{
    for (unsigned i = 0; i < events->known_count; i++)
        if (events->known[i]->number == number)
            return &events->known[i];
    return NULL;
}

static void forget(struct fg_events *events, uint32_t number)
{
    struct fg_sale **place = find_known(events, number);
    if (!place)
        return;
    fg_model_sale_free(*place);
    *place = events->known[--events->known_count];
}

/* Takes ownership. Without memory the next change is told as if it were new. */
static void remember(struct fg_events *events, struct fg_sale *sale)
{
    struct fg_sale **place = find_known(events, sale->number);
    if (place) {
        fg_model_sale_free(*place);
        *place = sale;
        return;
    }
    if (events->known_count == events->known_room) {
        unsigned room = events->known_room + FG_SALES_LIVE_MAX;
        struct fg_sale **grown = reallocarray(events->known, room, sizeof(struct fg_sale *));
        if (!grown) {
            fg_model_sale_free(sale);
            return;
        }
        events->known = grown;
        events->known_room = room;
    }
    events->known[events->known_count++] = sale;
}

/* The definition that a SALE event's body has; NULL: none that can be read. */
static struct fg_sale *definition_of(const struct fg_control_event *event, const char *body)
{
    struct fg_sale *copy = NULL, sale;
    json_t *json =
        event->kind == FG_EVENT_SALE && body ? json_loadb(body, event->body_length, 0, NULL) : NULL;
    if (json && fg_sale_from_json(&sale, json) == 0) {
        sale.number = event->sale;
        copy = fg_model_sale_copy(&sale);
        fg_sale_free(&sale);
    }
    json_decref(json);
    return copy;
}

/* --- putting in --- */

static bool is_listed(unsigned kind)
{
    return kind < FG_EVENT_SALE_POSITION;
}

/* The sale that an ACT names in its body, for it has no number then. */
static void name_of_act(const struct fg_control_event *event, const char *body, char *name,
                        size_t size)
{
    json_t *json =
        event->kind == FG_EVENT_ACT && body ? json_loadb(body, event->body_length, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(json, "sale"));
    if (text && strlen(text) < size)
        memcpy(name, text, strlen(text) + 1);
    json_decref(json);
}

/* `sale`: the definition that the body has, or NULL for it to be read. */
static struct entry *append(struct fg_events *events, const struct fg_control_event *event,
                            const char *body, const struct fg_sale *sale)
{
    struct fg_sale *after = sale ? fg_model_sale_copy(sale) : definition_of(event, body);
    struct fg_sale **before = find_known(events, event->sale);
    struct entry *entry = entry_at(events, events->end);
    if (events->end - events->first == FG_EVENTS_KEPT) {
        events->first++;
        events->whole = false;
    }
    events->end++;
    free(entry->what);
    *entry = (struct entry){.event = *event,
                            .what = fg_events_words(event, body, before ? *before : NULL, after)};
    if (after || before)
        memcpy(entry->sale, after ? after->name : (*before)->name, sizeof(entry->sale));
    else
        name_of_act(event, body, entry->sale, sizeof(entry->sale));
    if (after)
        remember(events, after);
    if (event->kind == FG_EVENT_SALE_STATE && event->value == FG_SALE_ARCHIVED)
        forget(events, event->sale);
    return entry;
}

int fg_events_replay(struct fg_events *events, const struct fg_record *record)
{
    events->whole &= !record->base;
    if (!is_listed(record->control->kind))
        return 0;
    struct entry *entry = append(events, record->control, record->body, NULL);
    entry->lsn = record->lsn;
    entry->repeated = record->base;
    return entry->what ? 0 : -ENOMEM;
}

uint64_t fg_events_submit(struct fg_events *events, struct fg_journal *journal,
                          const struct fg_control_event *event, const char *body,
                          const struct fg_sale *sale)
{
    fg_events_collect(events, journal);
    if (events->pending > 0 &&
        events->ticket - entry_at(events, events->end - events->pending)->ticket >= WAITING_MAX)
        return 0;
    uint64_t ticket = fg_journal_submit(journal, event, body);
    if (ticket != 0)
        events->ticket = ticket;
    if (ticket == 0 || !is_listed(event->kind))
        return ticket;
    append(events, event, body, sale)->ticket = ticket;
    events->pending++;
    return ticket;
}

void fg_events_collect(struct fg_events *events, const struct fg_journal *journal)
{
    uint64_t durable = events->pending > 0 ? fg_journal_submitted_durable(journal) : 0;
    for (; events->pending > 0; events->pending--) {
        struct entry *entry = entry_at(events, events->end - events->pending);
        if (entry->ticket > durable)
            return;
        entry->lsn = fg_journal_submitted_lsn(journal, entry->ticket);
    }
}

/* --- telling --- */

static json_t *who_json(const struct fg_roles *roles, const struct fg_control_event *event)
{
    if (event->uid == UINT32_MAX)
        return json_null();
    const char *user = fg_roles_user(roles, event->uid);
    return json_pack("{s:I,s:s?,s:I,s:I}", "uid", (json_int_t)event->uid, "user", user, "gid",
                     (json_int_t)event->gid, "pid", (json_int_t)event->pid);
}

static json_t *entry_json(const struct fg_roles *roles, const struct entry *entry)
{
    const struct fg_control_event *event = &entry->event;
    json_t *json =
        json_pack("{s:I,s:I,s:o,s:o,s:s,s:s?,s:s}", "lsn", (json_int_t)entry->lsn, "revision",
                  (json_int_t)event->revision, "at", fg_json_time(event->at_ns), "who",
                  who_json(roles, event), "kind", fg_event_name(event->kind), "sale",
                  *entry->sale ? entry->sale : NULL, "what", entry->what ? entry->what : "");
    if (json && entry->repeated)
        json_object_set_new(json, "repeated", json_true());
    return json;
}

bool fg_events_has_sale(const struct fg_events *events, const char *sale)
{
    for (uint64_t i = events->first; i < events->end - events->pending; i++)
        if (strcmp(entry_at(events, i)->sale, sale) == 0)
            return true;
    return false;
}

/* The first entry after this LSN: LSNs rise. */
static uint64_t first_after(const struct fg_events *events, uint64_t since)
{
    uint64_t low = events->first, high = events->end - events->pending;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (entry_at(events, middle)->lsn > since)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

json_t *fg_events_json(const struct fg_events *events, const struct fg_roles *roles, uint64_t since,
                       unsigned limit, const char *sale)
{
    uint64_t end = events->end - events->pending, next = since;
    uint64_t begins = events->first < end ? entry_at(events, events->first)->lsn : 0;
    json_t *list = json_array();
    uint64_t i = first_after(events, since);
    for (; i < end && json_array_size(list) < limit; i++) {
        const struct entry *entry = entry_at(events, i);
        if (sale && strcmp(entry->sale, sale) != 0)
            continue;
        if (json_array_append_new(list, entry_json(roles, entry)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    if (i > events->first)
        next = entry_at(events, i - 1)->lsn;
    return json_pack("{s:o,s:I,s:b,s:I,s:b}", "events", list, "next",
                     (json_int_t)(next > since ? next : since), "more", i < end, "begins",
                     (json_int_t)begins, "whole", events->whole);
}
