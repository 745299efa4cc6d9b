/* SPDX-License-Identifier: BSD-3-Clause */
/* What the checker's files share: the tables they fill and read. Not for users of the library. */
#ifndef FG_CHECK_INTERNAL_H
#define FG_CHECK_INTERNAL_H

#include <stdbool.h>

#include "perf/check/check.h"
#include "perf/check/index.h"

/* A distinct (buyer, request) of the history or the streams. */
struct request {
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint64_t order;         /* the first order id seen for it; 0: none */
    uint64_t first_sent_ns; /* of its first ORDER; 0: no client sent one */
    uint64_t told_ns;       /* when a client first heard that it has an order; UINT64_MAX: never */
    uint32_t item;
    uint16_t quantity;
    uint8_t verdict; /* how it ended, so far: enum fg_verdict */
    uint8_t flags;
};

#define REQUEST_OFFERED   0x01 /* an ORDER was sent */
#define REQUEST_ANSWERED  0x02 /* an ORDER had an answer that is not "ask again" */
#define REQUEST_CANCELLED 0x04 /* a CANCEL was sent, whatever became of it */

enum order_state { ORDER_UNSEEN, ORDER_HELD, ORDER_FINAL, ORDER_CANCELLED, ORDER_EXPIRED };

/* An order id of the history or the streams. */
struct order {
    uint64_t id;
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint64_t returned_ns; /* when a client first heard that its units are back; UINT64_MAX: never */
    uint32_t place;       /* in requests, of its request by the streams (else by the client) */
    uint32_t told_place;  /* in requests, of the first that a client was told it for, or NONE */
    uint32_t stream;      /* place of its sale in streams, once it has an event */
    uint64_t lsn;         /* of its ADMIT */
    uint32_t item;
    uint16_t quantity;
    uint8_t state;    /* enum order_state, by the streams */
    uint8_t kinds;    /* bit (1 << kind) for each event in the streams */
    uint8_t told;     /* TOLD_* */
    uint8_t had_hold; /* by the streams */
};

#define TOLD_OWNED    0x01 /* ADMITTED without a hold, or CONFIRMED */
#define TOLD_RETURNED 0x02 /* CANCELLED or EXPIRED */
#define TOLD_LOST     0x04 /* ORDER_LOST was reported */

/* Units that a buyer has of an item, or of a sale. */
struct holding {
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t units;
    uint32_t of; /* the item's id, or the stream's place */
    bool of_sale;
};

/* An item's or a sale's limit at the place of the walk. */
struct limit {
    uint64_t now;             /* units; UINT64_MAX: none */
    uint64_t former;          /* one that was lowered binds to here... */
    uint64_t former_until_ns; /* ... for events up to this time */
};

struct check {
    const struct fg_check_input *input;
    struct fg_check_result *result;
    struct fg_findings *findings;

    struct fg_index item_index;
    struct request *requests;
    struct order *orders;
    struct holding *holdings;
    struct limit *limits;      /* by item */
    struct limit *sale_limits; /* by stream */
    uint32_t requests_count, orders_count, holdings_count;
    struct fg_index request_index, order_index, holding_index;
    uint32_t *request_of; /* place in requests of each record; NONE for STOCK and PING */
};

/* Place of an item in the books, or FG_INDEX_NONE. */
uint32_t check_item(const struct check *check, uint32_t id);

/* Place of a request, of an order; made if new. */
uint32_t check_request(struct check *check, const uint8_t buyer[FG_BUYER_BYTES], uint64_t request);
uint32_t check_order(struct check *check, uint64_t id);

/* Tells that request `place` has order `id`: TWO_ORDERS if it has another that it should have been
 * known by. */
void check_bind(struct check *check, uint32_t place, uint64_t id, const char *where);

/* Are all orders of an item in the input? Not if old segments of the log went with some. */
bool check_whole(const struct check *check, uint32_t item_place);

/* May the log have forgotten an order of this item id? */
bool check_forgotten(const struct check *check, uint32_t item);

/* What is known of a stream's sale, or NULL. */
static inline const struct fg_sale_facts *check_facts(const struct check *check, uint32_t stream)
{
    return check->input->sales ? &check->input->sales[stream] : NULL;
}

static inline bool check_has(const struct order *order, enum fg_event_kind kind)
{
    return (order->kinds & 1u << kind) != 0;
}

/* A buyer as text. */
struct buyer_text {
    char text[2 * FG_BUYER_BYTES + 1];
};
struct buyer_text check_buyer_text(const uint8_t buyer[FG_BUYER_BYTES]);

/* Makes room for one more element of a growing array. False when memory is short. */
bool check_grow(void **array, uint64_t count, uint64_t *room, size_t size);

/* The parts, in the order in which they run. */
void check_streams(struct check *check); /* the events: I1, I3, I4, I6 */
void check_clients(struct check *check); /* I1, I2, I4; counts */
int check_refusals(struct check *check); /* I4 (replays), I7; 0 or -ENOMEM */

#endif
