/* SPDX-License-Identifier: BSD-3-Clause */
/* What control events say, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/events.h"
#include "control/text.h"

#define WORDS_MAX   480     /* bytes; what does not fit is counted */
#define SEARCH_MAX  1000000 /* items looked at for one event */
#define DETAILS_MAX 40      /* bytes of an ACT's one parameter that are shown */
#define MEMBERS_MAX 120     /* and of one that is an object: a list with its SHA-256 */

struct words {
    char text[WORDS_MAX];
    size_t length;
    unsigned left_out;
};

/* One more thing, after a comma. */
__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *format, ...)
{
    char one[160];
    va_list arguments;
    if (w->left_out > 0) {
        w->left_out++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(one, sizeof(one), format, arguments);
    va_end(arguments);
    size_t length = strlen(one), room = sizeof(w->text) - sizeof(" and 4294967295 more changes");
    if (w->length + length + 2 > room) {
        w->left_out++;
        return;
    }
    w->length += (size_t)snprintf(w->text + w->length, sizeof(w->text) - w->length, "%s%s",
                                  w->length > 0 ? ", " : "", one);
}

/* --- definitions --- */

static const char *time_text(uint64_t wall_ns, char *text, size_t size)
{
    json_t *json = fg_json_time(wall_ns);
    snprintf(text, size, "%s", json_is_string(json) ? json_string_value(json) : "by hand");
    json_decref(json);
    return text;
}

static void say_number(struct words *w, const char *item, const char *name, uint64_t before,
                       uint64_t after)
{
    if (before != after)
        say(w, "%s%s %" PRIu64 " -> %" PRIu64, item, name, before, after);
}

static void say_time(struct words *w, const char *name, uint64_t before, uint64_t after)
{
    char from[32], to[32];
    if (before != after)
        say(w, "%s %s -> %s", name, time_text(before, from, sizeof(from)),
            time_text(after, to, sizeof(to)));
}

static void say_sale(struct words *w, const struct fg_sale *before, const struct fg_sale *after)
{
    static const char *const late[] = {
        [FG_LATE_REFUSE] = "refuse", [FG_LATE_REACQUIRE] = "reacquire"};
    say_time(w, "opens", before->opens_ns, after->opens_ns);
    say_time(w, "closes", before->closes_ns, after->closes_ns);
    say_number(w, "", "limit", before->limit, after->limit);
    say_number(w, "", "rate", before->rate, after->rate);
    say_number(w, "", "burst", before->burst, after->burst);
    if (before->cancel_final != after->cancel_final)
        say(w, "cancel_final %s", after->cancel_final ? "on" : "off");
    if (before->late_confirm != after->late_confirm)
        say(w, "late_confirm %s", late[after->late_confirm == FG_LATE_REACQUIRE]);
}

static void say_item(struct words *w, const struct fg_sale_item *before,
                     const struct fg_sale_item *after)
{
    char item[32];
    snprintf(item, sizeof(item), "item %" PRIu32 " ", after->id);
    say_number(w, item, "stock", before->stock, after->stock);
    say_number(w, item, "limit", before->limit, after->limit);
    say_number(w, item, "max_per_order", before->max_per_order, after->max_per_order);
    say_number(w, item, "hold ms", before->hold_ms, after->hold_ms);
    if (strcmp(before->name, after->name) != 0)
        say(w, "item %" PRIu32 " renamed to %s", after->id, after->name);
}

/* The item of that id, looked for from *place on, for the order seldom changes. */
static const struct fg_sale_item *find_item(const struct fg_sale *sale, uint32_t id,
                                            uint32_t *place, uint32_t *searched)
{
    for (uint32_t i = 0; i < sale->items_count && *searched < SEARCH_MAX; i++, ++*searched) {
        const struct fg_sale_item *item = &sale->items[(*place + i) % sale->items_count];
        if (item->id != id)
            continue;
        *place = (uint32_t)(item - sale->items) + 1;
        return item;
    }
    return NULL;
}

static void say_items(struct words *w, const struct fg_sale *before, const struct fg_sale *after)
{
    uint32_t place = 0, searched = 0, found = 0;
    for (uint32_t i = 0; i < after->items_count; i++) {
        const struct fg_sale_item *item = &after->items[i];
        const struct fg_sale_item *was = find_item(before, item->id, &place, &searched);
        if (was)
            say_item(w, was, item);
        else
            say(w, "item %" PRIu32 " added with %" PRIu32 " units", item->id, item->stock);
        found += was != NULL;
    }
    if (found < before->items_count)
        say(w, "%" PRIu32 " items removed", before->items_count - found);
}

static void say_definition(struct words *w, const struct fg_sale *before,
                           const struct fg_sale *after)
{
    uint64_t units = 0;
    char opens[32], closes[32];
    if (before) {
        say_sale(w, before, after);
        say_items(w, before, after);
        if (w->length == 0)
            say(w, "defined as before");
        return;
    }
    for (uint32_t i = 0; i < after->items_count; i++)
        units += after->items[i].stock;
    say(w, "defined with %" PRIu32 " item%s, %" PRIu64 " units", after->items_count,
        after->items_count == 1 ? "" : "s", units);
    say(w, "opens %s", time_text(after->opens_ns, opens, sizeof(opens)));
    say(w, "closes %s", time_text(after->closes_ns, closes, sizeof(closes)));
}

/* --- the others --- */

/* The caller frees it. */
static char *value_text(const json_t *value)
{
    return json_is_string(value) ? strdup(json_string_value(value))
                                 : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* A parameter that is an object: its members in a row. */
static void say_members(struct words *w, const char *key, json_t *members)
{
    char text[MEMBERS_MAX] = "";
    size_t length = 0;
    const char *name;
    json_t *value;
    json_object_foreach(members, name, value)
    {
        char *one = value_text(value);
        if (one && length < sizeof(text))
            length += (size_t)snprintf(text + length, sizeof(text) - length, " %s %s", name, one);
        free(one);
    }
    say(w, "%.32s%s", key, text);
}

/* "order.cancel order=5 ..." */
static void say_act(struct words *w, const struct fg_control_event *event, const char *body)
{
    json_t *json = body ? json_loadb(body, event->body_length, 0, NULL) : NULL;
    const char *method = json_string_value(json_object_get(json, "method")), *key;
    json_t *value;
    say(w, "%s", method ? method : "an act that cannot be read");
    json_object_foreach(json, key, value)
    {
        if (json_is_object(value)) {
            say_members(w, key, value);
            continue;
        }
        char *text = value_text(value);
        if (text && strcmp(key, "method") != 0)
            say(w, "%.32s %.*s", key, DETAILS_MAX, text);
        free(text);
    }
    json_decref(json);
}

static void say_event(struct words *w, const struct fg_control_event *event, const char *body,
                      const struct fg_sale *before, const struct fg_sale *after)
{
    switch (event->kind) {
    case FG_EVENT_SALE:
        if (after)
            say_definition(w, before, after);
        else
            say(w, "defined, in a way that cannot be read");
        return;
    case FG_EVENT_SALE_STATE:
        say(w, "%s", fg_sale_state_name((unsigned)event->value));
        return;
    case FG_EVENT_ITEM_STATE:
        say(w, "item %" PRIu64 " %s", event->value2, fg_item_state_name((unsigned)event->value));
        return;
    case FG_EVENT_STOCK_ADD:
        say(w, "%" PRIu64 " units added to item %" PRIu64, event->value, event->value2);
        return;
    case FG_EVENT_STOCK_REMOVE:
        say(w, "%" PRIu64 " unsold units taken off item %" PRIu64, event->value, event->value2);
        return;
    case FG_EVENT_ENGINE_STATE:
        say(w, "engine %s", fg_engine_mode_name((unsigned)event->value));
        return;
    case FG_EVENT_BLOCK_LIST:
        say(w, "a block list was loaded");
        return;
    case FG_EVENT_ACT:
        say_act(w, event, body);
        return;
    default:
        say(w, "%s", fg_event_name(event->kind));
    }
}

char *fg_events_words(const struct fg_control_event *event, const char *body,
                      const struct fg_sale *before, const struct fg_sale *after)
{
    struct words w = {0};
    say_event(&w, event, body, before, after);
    if (w.left_out > 0)
        snprintf(w.text + w.length, sizeof(w.text) - w.length, " and %u more change%s", w.left_out,
                 w.left_out == 1 ? "" : "s");
    fg_utf8_mend(w.text); /* a parameter may be cut anywhere */
    return strdup(w.text);
}
