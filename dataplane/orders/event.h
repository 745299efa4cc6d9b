/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The records of the log.
 *
 * A record begins with a 64-byte unit. An order event is that unit alone. A control event is the
 * unit followed by `body_length` bytes, padded with zeros to whole units; its body is JSON text.
 * SALE has the sale as fg_sale_to_json() gives it (its state is the one it had then), NAMES_USED
 * {"sales": [name, ...], "items": [id or [first, last], ...]}; most others have figures and no
 * body.
 *
 * A record's LSN is its number in the log, from 1. Structs have the layout on disk, little-endian.
 *
 * FG_ORDER_FIELDS is the one list of the fields that an order event has in a stream.
 */
#ifndef FG_ORDERS_EVENT_H
#define FG_ORDERS_EVENT_H

#include <stdbool.h>

#include "flashgate/limits.h"
#include "flashgate/protocol.h"

/* X(NAME, code, meaning): the kinds of order event. */
#define FG_ORDER_KINDS(X)                                                                          \
    X(ADMIT, 1, "the order exists; held if hold_ms is not 0")                                      \
    X(CONFIRM, 2, "the held order is final")                                                       \
    X(CANCEL, 3, "the order is withdrawn; its units go back on sale")                              \
    X(EXPIRE, 4, "the hold ran out; its units go back on sale")                                    \
    X(REACQUIRE, 5, "a late CONFIRM took units anew; the order is final")                          \
    X(REFUSE_LATE, 6, "a late CONFIRM was told EXPIRED; that is final")

/* X(NAME, code, meaning): the kinds of control event. */
#define FG_CONTROL_KINDS(X)                                                                        \
    X(SALE, 32, "a sale's whole definition and state, new or changed")                             \
    X(SALE_STATE, 33, "a sale opened, closed, paused, resumed or archived")                        \
    X(ITEM_STATE, 34, "an item was paused, resumed or closed")                                     \
    X(STOCK_ADD, 35, "units were added to an item")                                                \
    X(STOCK_REMOVE, 36, "unsold units were taken off an item")                                     \
    X(ENGINE_STATE, 37, "the engine was paused, resumed, drained or killed")                       \
    X(BLOCK_LIST, 38, "a block list was loaded")                                                   \
    X(ACT, 39, "an operator did what no other kind tells: {\"method\": ..., its parameters}")      \
    X(SALE_POSITION, 48, "base: a sale's next sale_seq and the epoch of its last order event")     \
    X(ITEM_SUPPLY, 49, "base: units of an item added and removed since its definition")            \
    X(NAMES_USED, 50, "all sale names and item ids ever used that no live sale has any more")

enum fg_event_kind {
#define X(name, code, meaning) FG_EVENT_##name = code,
    FG_ORDER_KINDS(X) FG_CONTROL_KINDS(X)
#undef X
};
#define FG_EVENT_CONTROL_FIRST 32 /* kinds from here on are control events */

struct fg_order_event {
    uint8_t kind;      /* enum fg_event_kind, an order kind */
    uint8_t flags;     /* 0 */
    uint16_t quantity; /* units */
    uint32_t item;
    uint32_t sale;     /* sale number, given once in a log, from 1 */
    uint32_t hold_ms;  /* ADMIT: how long it is held; 0: final at once. Else 0 */
    uint64_t sale_seq; /* 1, 2, 3 ... within its sale; set by the journal thread */
    uint64_t order;
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint64_t at_ns; /* CLOCK_REALTIME of the decision */
};

struct fg_control_event {
    uint8_t kind;         /* enum fg_event_kind, a control kind */
    uint8_t flags;        /* 0 */
    uint16_t reserved;    /* 0 */
    uint32_t body_length; /* bytes that follow, before padding */
    uint64_t revision;    /* catalogue revision it made */
    uint32_t uid, gid;    /* who asked; ~0 if the engine itself */
    uint32_t pid;
    uint32_t sale; /* sale number, or 0 */
    uint64_t at_ns;
    /* Figures that the journal itself understands, by kind; 0 where not named:
     *                 value               value2                         value3
     * SALE_STATE      enum fg_sale_state  wall clock of its opening; 0: it has not opened
     * ITEM_STATE      enum fg_item_state  item
     * ENGINE_STATE    enum fg_engine_mode
     * STOCK_ADD       units               item
     * STOCK_REMOVE    units               item
     * SALE_POSITION   next sale_seq       epoch of the last order event
     * ITEM_SUPPLY     units added         item                           units removed */
    uint64_t value, value2, value3;
};

static_assert(sizeof(struct fg_order_event) == FG_RECORD_BYTES, "one order event is one unit");
static_assert(sizeof(struct fg_control_event) == FG_RECORD_BYTES, "a control event starts as one");

/*
 * What a base frame repeats of all this, so that it alone gives the same state: for each sale that
 * is not archived its last SALE event and what came after it. A SALE event supersedes every earlier
 * event of its sale but ITEM_STATE, which a definition does not tell; a SALE_STATE, and an
 * ITEM_STATE of the same item, the one before. STOCK_ADD
 * and STOCK_REMOVE since the definition are summed into one ITEM_SUPPLY, which tells the sums and
 * adds nothing to them. Of ENGINE_STATE, BLOCK_LIST and NAMES_USED the last one counts: control
 * writes NAMES_USED, with the whole list, before a sale is archived or loses an item. An ACT is for
 * those who read the log: nothing follows from it, and no base frame repeats it.
 */

/*
 * How many ids a NAMES_USED with so many names may tell: each sale has its bound, and live sales
 * may have lost items. Whoever expands its runs refuses more, before four bytes of log take all
 * memory.
 */
static inline uint64_t fg_names_used_ids_max(size_t names)
{
    return ((uint64_t)names + FG_SALES_LIVE_MAX) * FG_ITEMS_PER_SALE_MAX;
}

/* One record as found in a frame. */
struct fg_record {
    uint64_t lsn;
    uint32_t epoch; /* of the frame that holds it */
    bool base;      /* the frame heads a segment and repeats what came before it */
    union {
        const void *unit; /* alignment 8 */
        const struct fg_order_event *order;
        const struct fg_control_event *control;
    };
    const char *body; /* control events: body_length bytes, not terminated; else NULL */
};

/* The id of a stream's entry: the epoch its record was written under, and its sale_seq. 0-0: none.
 */
struct fg_stream_id {
    uint64_t epoch, sale_seq;
};

/* Of a record's 64-byte unit. */
static inline unsigned fg_event_kind(const void *unit)
{
    return *(const uint8_t *)unit;
}

static inline int fg_event_is_control(const void *unit)
{
    return fg_event_kind(unit) >= FG_EVENT_CONTROL_FIRST;
}

/* Name of a kind ("ADMIT"), or "?" */
const char *fg_event_name(unsigned kind);

/* Bytes that a record takes in a frame, its padded body included. */
static inline size_t fg_record_bytes(const void *unit)
{
    if (!fg_event_is_control(unit))
        return FG_RECORD_BYTES;
    size_t body = ((const struct fg_control_event *)unit)->body_length;
    return FG_RECORD_BYTES + (body + FG_RECORD_BYTES - 1) / FG_RECORD_BYTES * FG_RECORD_BYTES;
}

/* Order ids: node (10 bits) | epoch (16) | worker (6) | count (32). Nothing takes an id apart. */
static inline uint64_t fg_order_id(unsigned node, unsigned epoch, unsigned worker, uint32_t count)
{
    return (uint64_t)node << 54 | (uint64_t)epoch << 38 | (uint64_t)worker << 32 | count;
}

/*
 * X(NAME, value of an order event `e` as text): the fields of a stream entry, in this order. The
 * macros text_* are defined by whoever expands the list.
 */
#define FG_ORDER_FIELDS(X)                                                                         \
    X(event, text_kind(e->kind))                                                                   \
    X(order, text_u64(e->order))                                                                   \
    X(buyer, text_hex(e->buyer))                                                                   \
    X(request, text_u64(e->request))                                                               \
    X(item, text_u64(e->item))                                                                     \
    X(quantity, text_u64(e->quantity))                                                             \
    X(at, text_u64(e->at_ns))                                                                      \
    X(hold_ms, text_u64(e->hold_ms))

#endif
