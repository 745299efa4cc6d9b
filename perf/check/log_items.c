/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control events in the book: definitions, supply, states, positions. The rules by which records
 * supersede each other stand in event.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "control/sale/sale.h"
#include "perf/check/internal.h"
#include "perf/check/log_internal.h"

/* --- items --- */

uint32_t fg_log_book_item(const struct fg_log_book *book, uint32_t id)
{
    struct fg_index_probe probe = fg_index_probe(fg_index_mix(id, id));
    uint32_t at;
    while ((at = fg_index_next(&book->ids, &probe)) != FG_INDEX_NONE)
        if (book->items[at].id == id)
            return at;
    return FG_INDEX_NONE;
}

static void index_item(struct fg_log_book *book, uint32_t place)
{
    uint32_t id = book->items[place].id;
    struct fg_index_probe probe = fg_index_probe(fg_index_mix(id, id));
    while (fg_index_next(&book->ids, &probe) != FG_INDEX_NONE)
        ;
    fg_index_put(&book->ids, &probe, place);
}

/* Makes room for one more item. The index never grows, so a greater one takes its place. */
static bool grow_items(struct fg_log_book *book)
{
    if (book->items_count < book->items_room)
        return true;
    uint32_t room = book->items_room ? 2 * book->items_room : 64;
    struct fg_index ids;
    if (!log_book_widen((void **)&book->items, room, sizeof(*book->items)) ||
        !log_book_widen((void **)&book->now, room, sizeof(*book->now)) ||
        !log_book_widen((void **)&book->item_streams, room, sizeof(*book->item_streams)) ||
        fg_index_init(&ids, room) != 0)
        return false;
    fg_index_fini(&book->ids);
    book->ids = ids;
    for (uint32_t i = 0; i < book->items_count; i++)
        index_item(book, i);
    book->items_room = room;
    return true;
}

/* Supply or limit of an item may have moved: a change is noted if it has. */
static int note_change(struct fg_log_book *book, uint32_t place, uint32_t limit,
                       const struct fg_record *record)
{
    struct fg_log_item *now = &book->now[place];
    uint64_t in = now->defined + now->added;
    uint32_t stock = in > now->removed ? (uint32_t)(in - now->removed) : 0;

    if (stock == now->stock && limit == now->limit)
        return 0;
    if (!check_grow((void **)&book->changes, book->changes_count, &book->changes_room,
                    sizeof(*book->changes)))
        return -ENOMEM;
    now->stock = stock;
    now->limit = limit;
    book->changes[book->changes_count++] =
        (struct fg_supply_change){.after = book->streams[now->stream].count,
                                  .lsn = record->lsn,
                                  .at_ns = record->control->at_ns,
                                  .stream = now->stream,
                                  .item = book->items[place].id,
                                  .stock = stock,
                                  .limit = limit};
    return 0;
}

static int define_item(struct fg_log_book *book, uint32_t stream, const struct fg_sale_item *item,
                       const struct fg_record *record)
{
    uint32_t place = fg_log_book_item(book, item->id);

    if (place == FG_INDEX_NONE) {
        if (!grow_items(book))
            return -ENOMEM;
        place = book->items_count++;
        book->items[place] =
            (struct fg_history_item){item->id, item->stock, item->limit, item->hold_ms};
        book->item_streams[place] = stream;
        book->now[place] = (struct fg_log_item){
            .stream = stream, .defined = item->stock, .stock = item->stock, .limit = item->limit};
        index_item(book, place);
        return 0;
    }
    struct fg_log_item *now = &book->now[place];
    if (now->stream != stream)
        return -EBADMSG;
    now->defined = item->stock;
    now->added = now->removed = 0;
    return note_change(book, place, item->limit, record);
}

void fg_log_book_given(const struct fg_log_book *book, int64_t *given)
{
    memset(given, 0, book->items_count * sizeof(*given));
    for (unsigned i = 0; i < book->sales_count; i++) {
        const struct fg_sale_stream *stream = &book->streams[i];
        for (uint64_t at = 0; at < stream->count; at++) {
            const struct fg_order_event *event = &stream->entries[at].event;
            uint32_t place = fg_log_book_item(book, event->item);
            if (place == FG_INDEX_NONE)
                continue;
            if (event->kind == FG_EVENT_ADMIT || event->kind == FG_EVENT_REACQUIRE)
                given[place] += event->quantity;
            else if (event->kind == FG_EVENT_CANCEL || event->kind == FG_EVENT_EXPIRE)
                given[place] -= event->quantity;
        }
    }
}

/* --- events --- */

int log_book_read_sale(struct fg_sale *sale, const struct fg_record *record)
{
    json_t *body = json_loadb(record->body, record->control->body_length, 0, NULL);
    int rc = body && fg_sale_from_json(sale, body) == 0 ? 0 : -EBADMSG;
    json_decref(body);
    return rc;
}

/* The sale's own limit may have moved. */
static int note_sale_limit(struct fg_log_book *book, int place, uint32_t limit,
                           const struct fg_record *record)
{
    if (book->named[place].limit == limit)
        return 0;
    if (!check_grow((void **)&book->changes, book->changes_count, &book->changes_room,
                    sizeof(*book->changes)))
        return -ENOMEM;
    book->named[place].limit = limit;
    book->changes[book->changes_count++] =
        (struct fg_supply_change){.after = book->streams[place].count,
                                  .lsn = record->lsn,
                                  .at_ns = record->control->at_ns,
                                  .stream = (uint32_t)place,
                                  .limit = limit};
    return 0;
}

static int define_sale(struct fg_log_book *book, int place, const struct fg_record *record,
                       bool base)
{
    struct fg_sale sale;
    int rc = log_book_read_sale(&sale, record);
    if (rc != 0)
        return rc;
    struct fg_sale_facts *facts = &book->sales[place];
    if (!facts->defined)
        facts->limit = book->named[place].limit = sale.limit;
    else
        rc = note_sale_limit(book, place, sale.limit, record);
    facts->defined = true;
    facts->state = sale.state;
    /* What a base supersedes may have allowed more. */
    facts->cancel_final |= base || sale.cancel_final;
    facts->reacquires |= base || sale.late_confirm == FG_LATE_REACQUIRE;
    memcpy(book->streams[place].sale, sale.name, sizeof(sale.name));
    for (uint32_t i = 0; rc == 0 && i < sale.items_count; i++)
        rc = define_item(book, (uint32_t)place, &sale.items[i], record);
    fg_sale_free(&sale);
    return rc;
}

/* Units added or removed; ITEM_SUPPLY tells the sums. */
static int move_units(struct fg_log_book *book, const struct fg_record *record)
{
    const struct fg_control_event *event = record->control;
    uint32_t place = event->value2 <= UINT32_MAX ? fg_log_book_item(book, (uint32_t)event->value2)
                                                 : FG_INDEX_NONE;
    if (place == FG_INDEX_NONE || event->value > INT64_MAX || event->value3 > INT64_MAX)
        return -EBADMSG;

    struct fg_log_item *now = &book->now[place];
    if (event->kind == FG_EVENT_ITEM_SUPPLY) {
        now->added = event->value;
        now->removed = event->value3;
    } else if (event->revision <= now->revision) {
        return 0; /* told before */
    } else if (event->kind == FG_EVENT_STOCK_ADD) {
        now->added += event->value;
    } else {
        now->removed += event->value;
    }
    now->revision = event->revision;
    return note_change(book, place, now->limit, record);
}

/* One id, or [first, last] of a run of them. *left is how many more there may be. */
static int take_gone(struct fg_log_book *book, const json_t *value, uint64_t *left)
{
    bool run = json_is_array(value);
    json_int_t first = json_integer_value(run ? json_array_get(value, 0) : value);
    json_int_t last = run ? json_integer_value(json_array_get(value, 1)) : first;

    if (first <= 0 || last < first || last > UINT32_MAX || (uint64_t)(last - first) >= *left)
        return -EBADMSG;
    *left -= (uint64_t)(last - first) + 1;
    for (json_int_t id = first; id <= last; id++) {
        if (!check_grow((void **)&book->gone, book->gone_count, &book->gone_room,
                        sizeof(*book->gone)))
            return -ENOMEM;
        book->gone[book->gone_count++] = (uint32_t)id;
    }
    return 0;
}

static int take_names(struct fg_log_book *book, const struct fg_record *record)
{
    json_t *body = json_loadb(record->body, record->control->body_length, 0, NULL), *value;
    const json_t *ids = json_object_get(body, "items");
    size_t names = json_array_size(json_object_get(body, "sales"));
    uint64_t left = fg_names_used_ids_max(names);
    int rc = json_is_array(ids) && names <= FG_SALES_EVER_MAX ? 0 : -EBADMSG;
    size_t i;

    book->gone_count = 0; /* it is the whole list */
    json_array_foreach(ids, i, value)
    {
        if (rc == 0)
            rc = take_gone(book, value, &left);
    }
    json_decref(body);
    return rc;
}

/* Of what operators did, what bears on orders: one is cancelled whatever its sale says. */
static int take_act(struct fg_log_book *book, const struct fg_record *record)
{
    json_t *body =
        json_loadb(record->body ? record->body : "", record->control->body_length, 0, NULL);
    const char *method = json_string_value(json_object_get(body, "method"));
    const char *order = json_string_value(json_object_get(body, "order"));
    bool cancels = method && order && strcmp(method, "order.cancel") == 0;
    uint64_t id = cancels ? strtoull(order, NULL, 10) : 0;

    json_decref(body);
    if (!cancels)
        return 0;
    if (!check_grow((void **)&book->cancelled, book->cancelled_count, &book->cancelled_room,
                    sizeof(*book->cancelled)))
        return -ENOMEM;
    book->cancelled[book->cancelled_count++] = id;
    return 0;
}

int log_book_control(struct fg_log_book *book, const struct fg_record *record, bool base)
{
    const struct fg_control_event *event = record->control;

    if (event->kind == FG_EVENT_NAMES_USED)
        return take_names(book, record);
    if (event->kind == FG_EVENT_ACT)
        return take_act(book, record);
    if (event->kind == FG_EVENT_ENGINE_STATE || event->kind == FG_EVENT_BLOCK_LIST)
        return 0;
    int place = log_book_place(book, event->sale);
    if (place < 0)
        return place;
    struct fg_sale_facts *facts = &book->sales[place];
    switch (event->kind) {
    case FG_EVENT_SALE:
        return define_sale(book, place, record, base);
    case FG_EVENT_SALE_STATE:
        facts->state = (uint8_t)event->value;
        if (event->value == FG_SALE_ARCHIVED && facts->archived_lsn == 0) {
            facts->archived_lsn = record->lsn;
            facts->archived_ns = event->at_ns;
        }
        return 0;
    case FG_EVENT_STOCK_ADD:
    case FG_EVENT_STOCK_REMOVE:
    case FG_EVENT_ITEM_SUPPLY:
        return move_units(book, record);
    case FG_EVENT_SALE_POSITION:
        book->streams[place].passed = (struct fg_stream_id){event->value2, event->value - 1};
        return 0;
    case FG_EVENT_ITEM_STATE:
        return 0;
    default:
        return -EBADMSG;
    }
}
