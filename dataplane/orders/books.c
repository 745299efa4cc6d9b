/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules by which records supersede each other stand in event.h. Bodies are kept and given back
 * as they came; only a sale's name is ever looked for inside.
 */
#include "dataplane/orders/books.h"
#include "dataplane/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "dataplane/admission/catalogue.h"

struct book_item {
    uint32_t item;
    uint64_t added, removed;    /* since the sale's definition */
    uint64_t revision;          /* of the last event that added or removed */
    struct fg_book_copy *state; /* NULL: none was ever recorded */
};

struct fg_book_sale {
    uint32_t number;
    struct fg_book_copy *definition; /* NULL: not seen, the log has only a part of the sale */
    struct fg_book_copy *state;      /* since the definition, or NULL */
    struct book_item *items;         /* with a state, or units moved since the definition */
    unsigned items_count, items_room;
};

int fg_books_init(struct fg_books *books)
{
    *books = (struct fg_books){0};
    books->positions = calloc(FG_SALES_EVER_MAX + 1, sizeof(*books->positions));
    return books->positions ? 0 : -ENOMEM;
}

/* Forgets all that came after the definition, and is told by the next one. */
static void supersede(struct fg_book_sale *sale)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < sale->items_count; i++) {
        struct book_item *item = &sale->items[i];
        item->added = item->removed = 0;
        if (item->state)
            sale->items[kept++] = *item;
    }
    sale->items_count = kept;
    free(sale->state);
    sale->state = NULL;
}

static void free_sale(struct fg_book_sale *sale)
{
    supersede(sale);
    for (unsigned i = 0; i < sale->items_count; i++)
        free(sale->items[i].state);
    free(sale->items);
    free(sale->definition);
    free(sale);
}

void fg_books_fini(struct fg_books *books)
{
    for (unsigned i = 0; i < books->sales_count; i++)
        free_sale(books->sales[i]);
    free(books->sales);
    free(books->positions);
    free(books->engine_state);
    free(books->block_list);
    free(books->names_used);
    *books = (struct fg_books){0};
}

static struct fg_book_sale *find_sale(const struct fg_books *books, uint32_t number)
{
    for (unsigned i = 0; i < books->sales_count; i++)
        if (books->sales[i]->number == number)
            return books->sales[i];
    return NULL;
}

static struct fg_book_position *position_of(struct fg_books *books, uint32_t sale)
{
    if (sale == 0 || sale > FG_SALES_EVER_MAX)
        return NULL;
    if (sale >= books->sales_end)
        books->sales_end = sale + 1;
    return &books->positions[sale];
}

int fg_books_number(struct fg_books *books, struct fg_order_event *event, uint32_t epoch)
{
    struct fg_book_position *position = position_of(books, event->sale);

    if (!position)
        return -EINVAL;
    event->sale_seq = ++position->last_seq;
    position->epoch = epoch;
    return 0;
}

int fg_books_order(struct fg_books *books, const struct fg_order_event *event, uint32_t epoch)
{
    struct fg_book_position *position = position_of(books, event->sale);

    if (!position)
        return -EINVAL;
    if (books->shortened && position->last_seq == 0 && !find_sale(books, event->sale)) {
        position->archived = true;
        position->last_seq = event->sale_seq - 1;
    }
    if (event->sale_seq != position->last_seq + 1)
        return -EINVAL;
    position->last_seq = event->sale_seq;
    position->epoch = epoch;
    return 0;
}

/* Makes room for one more element of a growing array. 0 or -ENOMEM. */
static int grow(void **array, unsigned count, unsigned *room, size_t size)
{
    if (count < *room)
        return 0;
    unsigned wanted = *room ? *room * 2 : 16;
    void *bigger = realloc(*array, wanted * size);
    if (!bigger)
        return -ENOMEM;
    *array = bigger;
    *room = wanted;
    return 0;
}

struct fg_book_copy *fg_book_copy_create(const struct fg_control_event *event, const char *body)
{
    struct fg_book_copy *copy = malloc(sizeof(*copy) + event->body_length);

    if (!copy)
        return NULL;
    copy->event = *event;
    if (event->body_length > 0)
        memcpy(copy->body, body, event->body_length);
    return copy;
}

/* Puts a copy of the event in the place of the one before. */
static int keep(struct fg_book_copy **place, const struct fg_control_event *event, const char *body)
{
    struct fg_book_copy *copy = fg_book_copy_create(event, body);

    if (!copy)
        return -ENOMEM;
    free(*place);
    *place = copy;
    return 0;
}

static struct fg_book_sale *sale_of(struct fg_books *books, uint32_t number)
{
    struct fg_book_sale *sale = find_sale(books, number);

    if (sale)
        return sale;
    if (grow((void **)&books->sales, books->sales_count, &books->sales_room,
             sizeof(struct fg_book_sale *)) != 0)
        return NULL;
    sale = calloc(1, sizeof(*sale));
    if (!sale)
        return NULL;
    sale->number = number;
    books->sales[books->sales_count++] = sale;
    return sale;
}

static struct book_item *item_of(struct fg_book_sale *sale, uint64_t item)
{
    for (unsigned i = 0; i < sale->items_count; i++)
        if (sale->items[i].item == item)
            return &sale->items[i];

    if (grow((void **)&sale->items, sale->items_count, &sale->items_room, sizeof(*sale->items)))
        return NULL;
    struct book_item *entry = &sale->items[sale->items_count++];
    *entry = (struct book_item){.item = (uint32_t)item};
    return entry;
}

static int note_item(struct fg_book_sale *sale, const struct fg_control_event *event,
                     const char *body)
{
    struct book_item *item = item_of(sale, event->value2);

    if (!item)
        return -ENOMEM;
    if (event->kind == FG_EVENT_ITEM_STATE)
        return keep(&item->state, event, body);
    item->revision = event->revision;
    if (event->kind == FG_EVENT_STOCK_ADD) {
        item->added += event->value;
    } else if (event->kind == FG_EVENT_STOCK_REMOVE) {
        item->removed += event->value;
    } else {
        item->added = event->value;
        item->removed = event->value3;
    }
    return 0;
}

static int note_definition(struct fg_book_sale *sale, const struct fg_control_event *event,
                           const char *body)
{
    int rc = keep(&sale->definition, event, body);

    if (rc == 0)
        supersede(sale);
    return rc;
}

static void archive(struct fg_books *books, uint32_t number)
{
    books->positions[number].archived = true;
    for (unsigned i = 0; i < books->sales_count; i++)
        if (books->sales[i]->number == number) {
            free_sale(books->sales[i]);
            books->sales_count--;
            memmove(&books->sales[i], &books->sales[i + 1],
                    (books->sales_count - i) * sizeof(struct fg_book_sale *));
            return;
        }
}

bool fg_books_archives(const struct fg_control_event *event)
{
    return event->kind == FG_EVENT_SALE_STATE && event->value == FG_SALE_ARCHIVED;
}

/* An event of a sale, its number checked. */
static int note_sale(struct fg_books *books, const struct fg_control_event *event, const char *body)
{
    if (fg_books_archives(event)) {
        archive(books, event->sale);
        return 0;
    }
    struct fg_book_sale *sale = sale_of(books, event->sale);
    if (!sale)
        return -ENOMEM;
    switch (event->kind) {
    case FG_EVENT_SALE:
        return note_definition(sale, event, body);
    case FG_EVENT_SALE_STATE:
        return keep(&sale->state, event, body);
    case FG_EVENT_ITEM_STATE:
    case FG_EVENT_STOCK_ADD:
    case FG_EVENT_STOCK_REMOVE:
    case FG_EVENT_ITEM_SUPPLY:
        return note_item(sale, event, body);
    default:
        return -EINVAL;
    }
}

int fg_books_control(struct fg_books *books, const struct fg_control_event *event, const char *body)
{
    struct fg_book_position *position;

    switch (event->kind) {
    case FG_EVENT_ENGINE_STATE:
        return FG_PLANTED(FORGET_MODE) ? 0 : keep(&books->engine_state, event, body);
    case FG_EVENT_BLOCK_LIST:
        return keep(&books->block_list, event, body);
    case FG_EVENT_NAMES_USED:
        return keep(&books->names_used, event, body);
    case FG_EVENT_ACT:
        return 0;
    case FG_EVENT_SALE_POSITION:
        position = position_of(books, event->sale);
        if (!position || event->value == 0)
            return -EINVAL;
        position->last_seq = event->value - 1;
        position->epoch = (uint32_t)event->value2;
        return 0;
    default:
        return position_of(books, event->sale) ? note_sale(books, event, body) : -EINVAL;
    }
}

/* --- What recovery asks --- */

bool fg_books_name(const struct fg_book_sale *sale, char name[FG_SALE_NAME_MAX + 1])
{
    const struct fg_book_copy *copy = sale->definition;
    json_t *body = copy ? json_loadb(copy->body, copy->event.body_length, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(body, "name"));
    bool good = text && text[0] != '\0' && strlen(text) <= FG_SALE_NAME_MAX;

    name[0] = '\0';
    if (good)
        memcpy(name, text, strlen(text) + 1);
    json_decref(body);
    return good;
}

struct fg_stream_id fg_books_last_id(const struct fg_books *books, const struct fg_book_sale *sale)
{
    const struct fg_book_position *position = &books->positions[sale->number];

    return (struct fg_stream_id){.epoch = position->last_seq > 0 ? position->epoch : 0,
                                 .sale_seq = position->last_seq};
}

/* --- The base --- */

struct emitter {
    uint64_t at_ns;
    int (*emit)(void *arg, const struct fg_control_event *event, const char *body);
    void *arg;
    int rc; /* first answer that was not 0; nothing is emitted after it */
};

static void emit_copy(struct emitter *to, const struct fg_book_copy *copy)
{
    if (copy && to->rc == 0)
        to->rc = to->emit(to->arg, &copy->event, copy->body);
}

/* A record of the journal's own: completes `event` and emits it. */
static void emit_own(struct emitter *to, struct fg_control_event event)
{
    event.uid = event.gid = UINT32_MAX;
    event.at_ns = to->at_ns;
    if (to->rc == 0)
        to->rc = to->emit(to->arg, &event, NULL);
}

static void emit_sale(struct emitter *to, const struct fg_book_sale *sale)
{
    emit_copy(to, sale->definition);
    emit_copy(to, sale->state);
    for (unsigned i = 0; i < sale->items_count; i++) {
        const struct book_item *item = &sale->items[i];
        if (item->added || item->removed)
            emit_own(to, (struct fg_control_event){.kind = FG_EVENT_ITEM_SUPPLY,
                                                   .revision = item->revision,
                                                   .sale = sale->number,
                                                   .value = item->added,
                                                   .value2 = item->item,
                                                   .value3 = item->removed});
        emit_copy(to, item->state);
    }
}

int fg_books_base(const struct fg_books *books, uint64_t at_ns,
                  int (*emit)(void *arg, const struct fg_control_event *event, const char *body),
                  void *arg)
{
    struct emitter to = {.at_ns = at_ns, .emit = emit, .arg = arg};

    emit_copy(&to, books->names_used);
    for (unsigned i = 0; i < books->sales_count; i++)
        emit_sale(&to, books->sales[i]);
    for (uint32_t sale = 1; sale < books->sales_end; sale++) {
        const struct fg_book_position *position = &books->positions[sale];
        if (position->last_seq > 0 && !position->archived)
            emit_own(&to, (struct fg_control_event){.kind = FG_EVENT_SALE_POSITION,
                                                    .sale = sale,
                                                    .value = position->last_seq + 1,
                                                    .value2 = position->epoch});
    }
    emit_copy(&to, books->block_list);
    emit_copy(&to, books->engine_state);
    return to.rc;
}
