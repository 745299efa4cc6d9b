/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checker's frame. Two tables say all that is known: `requests`, one for each (buyer, request),
 * and `orders`, one for each order id; both are filled from the events first and from the answers
 * then, so that whatever contradicts shows when it is entered. check_streams.c walks the events,
 * check_clients.c the answers that tell of orders, check_refusals.c those that refuse.
 *
 * A sound checker never cries wolf: every check concludes only what follows for certain from send
 * and reply times, whatever the order in which datagrams travelled or were decided. Replays, double
 * clicks and sends without an answer are therefore legal everywhere.
 */
#include "perf/check/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "perf/check/internal.h"

struct buyer_text check_buyer_text(const uint8_t buyer[FG_BUYER_BYTES])
{
    struct buyer_text text;
    for (unsigned i = 0; i < FG_BUYER_BYTES; i++)
        snprintf(text.text + 2 * i, 3, "%02x", buyer[i]);
    return text;
}

bool check_grow(void **array, uint64_t count, uint64_t *room, size_t size)
{
    if (count < *room)
        return true;
    uint64_t wanted = *room ? 2 * *room : 64;
    void *bigger = realloc(*array, wanted * size);
    if (!bigger)
        return false;
    *array = bigger;
    *room = wanted;
    return true;
}

uint32_t check_item(const struct check *check, uint32_t id)
{
    struct fg_index_probe probe = fg_index_probe(fg_index_mix(id, id));
    uint32_t at;
    while ((at = fg_index_next(&check->item_index, &probe)) != FG_INDEX_NONE)
        if (check->input->items[at].id == id)
            return at;
    return FG_INDEX_NONE;
}

uint32_t check_request(struct check *check, const uint8_t buyer[FG_BUYER_BYTES], uint64_t request)
{
    struct fg_index_probe probe = fg_index_probe(fg_index_hash(buyer, request));
    uint32_t at;
    while ((at = fg_index_next(&check->request_index, &probe)) != FG_INDEX_NONE)
        if (check->requests[at].request == request &&
            memcmp(check->requests[at].buyer, buyer, FG_BUYER_BYTES) == 0)
            return at;

    at = check->requests_count++;
    check->requests[at] = (struct request){.request = request, .told_ns = UINT64_MAX};
    memcpy(check->requests[at].buyer, buyer, FG_BUYER_BYTES);
    fg_index_put(&check->request_index, &probe, at);
    return at;
}

uint32_t check_order(struct check *check, uint64_t id)
{
    struct fg_index_probe probe = fg_index_probe(fg_index_mix(id, ~id));
    uint32_t at;
    while ((at = fg_index_next(&check->order_index, &probe)) != FG_INDEX_NONE)
        if (check->orders[at].id == id)
            return at;

    at = check->orders_count++;
    check->orders[at] = (struct order){
        .id = id, .returned_ns = UINT64_MAX, .place = FG_INDEX_NONE, .told_place = FG_INDEX_NONE};
    fg_index_put(&check->order_index, &probe, at);
    return at;
}

/* Archiving a sale ends the life of its requests: was the one order's sale archived before the
 * other was admitted? */
static bool archived_before(const struct check *check, const struct order *first,
                            const struct order *second)
{
    if (first->state == ORDER_UNSEEN || second->state == ORDER_UNSEEN)
        return false;
    const struct fg_sale_facts *facts = check_facts(check, first->stream);
    return facts && facts->archived_lsn != 0 && facts->archived_lsn < second->lsn;
}

void check_bind(struct check *check, uint32_t place, uint64_t id, const char *where)
{
    struct request *request = &check->requests[place];
    if (request->order == 0)
        request->order = id;
    if (request->order == id)
        return;
    const struct order *known = &check->orders[check_order(check, request->order)];
    const struct order *other = &check->orders[check_order(check, id)];
    if (archived_before(check, known, other)) {
        request->order = id;
        return;
    }
    if (archived_before(check, other, known))
        return;
    check->result->duplicate_orders++;
    fg_found(check->findings, FG_CHECK_TWO_ORDERS,
             "request %" PRIu64 " of buyer %s has order %" PRIu64 " and, %s, order %" PRIu64,
             request->request, check_buyer_text(request->buyer).text, request->order, where, id);
}

bool check_whole(const struct check *check, uint32_t item_place)
{
    if (!check->input->item_streams)
        return true;
    return check->input->streams[check->input->item_streams[item_place]].passed.sale_seq == 0;
}

static int compare_ids(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

bool check_forgotten(const struct check *check, uint32_t item)
{
    uint32_t place = check_item(check, item);
    if (place != FG_INDEX_NONE)
        return !check_whole(check, place);
    return check->input->gone_count > 0 &&
           bsearch(&item, check->input->gone, check->input->gone_count, sizeof(item),
                   compare_ids) != NULL;
}

/* Orders that clients were told of: the upper bound of those that are in no stream. */
static uint64_t answers_with_order(const struct fg_check_input *input)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < input->records_count; i++)
        count += input->records[i].replied_ns != 0 && input->records[i].order != 0;
    return count;
}

/* Sizes all tables for the worst case; pages that are never needed are never touched. */
static int tables_init(struct check *check)
{
    const struct fg_check_input *input = check->input;
    uint64_t entries = 0;
    for (unsigned i = 0; i < input->streams_count; i++)
        entries += input->streams[i].count;
    uint64_t requests = input->records_count + entries;
    uint64_t orders = answers_with_order(input) + entries;
    if (requests >= FG_INDEX_NONE - 1 || orders >= FG_INDEX_NONE - 1)
        return -EOVERFLOW;

    check->requests = malloc((requests + 1) * sizeof(*check->requests));
    check->orders = malloc((orders + 1) * sizeof(*check->orders));
    check->holdings = malloc((2 * entries + 1) * sizeof(*check->holdings));
    check->request_of = malloc((input->records_count + 1) * sizeof(*check->request_of));
    check->limits = malloc((input->items_count + UINT64_C(1)) * sizeof(*check->limits));
    check->sale_limits = malloc((input->streams_count + UINT64_C(1)) * sizeof(*check->sale_limits));
    check->result->books = calloc(input->items_count + UINT64_C(1), sizeof(struct fg_item_books));
    check->result->books_count = input->items_count;
    if (check->requests == NULL || check->orders == NULL || check->holdings == NULL ||
        check->request_of == NULL || check->limits == NULL || check->sale_limits == NULL ||
        check->result->books == NULL ||
        fg_index_init(&check->item_index, input->items_count) != 0 ||
        fg_index_init(&check->request_index, requests) != 0 ||
        fg_index_init(&check->order_index, orders) != 0 ||
        fg_index_init(&check->holding_index, 2 * entries) != 0)
        return -ENOMEM;
    return 0;
}

static void tables_fini(struct check *check)
{
    fg_index_fini(&check->holding_index);
    fg_index_fini(&check->order_index);
    fg_index_fini(&check->request_index);
    fg_index_fini(&check->item_index);
    free(check->sale_limits);
    free(check->limits);
    free(check->request_of);
    free(check->holdings);
    free(check->orders);
    free(check->requests);
}

static struct limit limit_of(uint32_t units)
{
    uint64_t now = units ? units : UINT64_MAX;
    return (struct limit){.now = now, .former = now};
}

static void open_books(struct check *check)
{
    for (uint32_t i = 0; i < check->input->items_count; i++) {
        const struct fg_history_item *item = &check->input->items[i];
        struct fg_index_probe probe = fg_index_probe(fg_index_mix(item->id, item->id));
        while (fg_index_next(&check->item_index, &probe) != FG_INDEX_NONE)
            ;
        fg_index_put(&check->item_index, &probe, i);
        check->result->books[i].id = item->id;
        check->result->books[i].stock = item->stock;
        check->limits[i] = limit_of(item->limit);
    }
    for (unsigned i = 0; i < check->input->streams_count; i++) {
        const struct fg_sale_facts *facts = check_facts(check, i);
        check->sale_limits[i] = limit_of(facts ? facts->limit : 0);
    }
}

/* An old segment may go only when all of its events are of archived sales. */
static void check_retention(struct check *check)
{
    for (unsigned i = 0; check->input->sales && i < check->input->streams_count; i++) {
        const struct fg_sale_stream *stream = &check->input->streams[i];
        if (stream->passed.sale_seq > 0 && check->input->sales[i].archived_lsn == 0)
            fg_found(check->findings, FG_CHECK_LOG_FORGOTTEN,
                     "sale %s is not archived, but its events up to sale_seq %" PRIu64
                     " are not in the log any more",
                     stream->sale, stream->passed.sale_seq);
    }
}

static void close_books(struct check *check)
{
    for (uint32_t i = 0; i < check->result->books_count; i++) {
        struct fg_item_books *book = &check->result->books[i];
        uint64_t given = book->admitted - book->returned;
        /* More returned than admitted was found as an impossible event; it wraps to a huge
         * number. */
        book->unsold = given < book->stock ? book->stock - given : 0;
        if (!check_whole(check, i))
            book->unsold = 0; /* what the forgotten orders had is not known */
        if (book->unsold > 0 && check->input->sell_out_expected)
            fg_found(check->findings, FG_CHECK_UNSOLD,
                     "item %" PRIu32 ": %" PRIu64 " of %" PRIu64 " units are left although %" PRIu64
                     " were asked for",
                     book->id, book->unsold, book->stock, book->asked);
    }
}

int fg_check_run(const struct fg_check_input *input, struct fg_check_result *result,
                 struct fg_findings *findings)
{
    struct check check = {.input = input, .result = result, .findings = findings};

    memset(result, 0, sizeof(*result));
    int error = tables_init(&check);
    if (error == 0) {
        open_books(&check);
        check_retention(&check);
        check_streams(&check);
        check_clients(&check);
        error = check_refusals(&check);
        close_books(&check);
    }
    tables_fini(&check);
    return error;
}

void fg_check_result_free(struct fg_check_result *result)
{
    free(result->books);
    result->books = NULL;
    result->books_count = 0;
}
