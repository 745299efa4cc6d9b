/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checker: proves from what clients sent and heard (the history) and from what was delivered
 * (the streams) that a run kept the invariants. docs/architecture.md lists them; docs/history.md
 * says what the checker concludes from which field.
 *
 * All input is plain arrays in memory. Time is linear but for sorting; beside the input it takes
 * about 100 bytes for each distinct request and each order.
 */
#ifndef FG_CHECK_H
#define FG_CHECK_H

#include <stdbool.h>

#include "perf/check/history.h"
#include "perf/check/streams.h"

/* X(NAME, invariant, what was found) */
#define FG_CHECKS(X)                                                                               \
    X(OVERSOLD, "I1", "a prefix of the streams gives more units than there were")                  \
    X(OVERSOLD_TO_CLIENTS, "I1", "clients own more units than there were")                         \
    X(ORDER_LOST, "I2", "an order that a client was told of is in no stream")                      \
    X(ORDER_DIFFERS, "I2", "an order in a stream is not the one that the client was told of")      \
    X(SETTLEMENT_LOST, "I2", "a client was told a state whose event is in no stream")              \
    X(EVENT_REPEATED, "I3", "an order event is in the streams twice")                              \
    X(EVENT_IMPOSSIBLE, "I3", "an order event does not follow from the earlier ones")              \
    X(SEQUENCE_BROKEN, "I3", "a stream's sale_seq does not count 1, 2, 3 ...")                     \
    X(TWO_ORDERS, "I4", "a request has two order ids")                                             \
    X(SHARED_ORDER, "I4", "an order id stands for two requests")                                   \
    X(REPLAY_FORGOTTEN, "I4", "a copy of an admitted request was judged anew")                     \
    X(OVER_LIMIT, "I6", "a buyer has more units than the item's limit")                            \
    X(FALSE_SOLD_OUT, "I7", "SOLD_OUT was said while enough units were certainly free")            \
    X(UNSOLD, "I8", "units are left although the item was expected to sell out")

enum fg_check {
#define X(name, invariant, text) FG_CHECK_##name,
    FG_CHECKS(X)
#undef X
        FG_CHECK_COUNT
};

const char *fg_check_name(enum fg_check check);
const char *fg_check_invariant(enum fg_check check);

/* Sentences for each kind, at most: a broken run may hold millions. All are counted. */
#define FG_CHECK_SENTENCES 20

struct fg_check_input {
    const struct fg_history_item *items; /* supply and limits, constant over the run */
    uint32_t items_count;
    const struct fg_history_record *records;
    uint64_t records_count;
    const struct fg_sale_stream *streams; /* of all sales that hold the items, read when drained */
    unsigned streams_count;
    bool sell_out_expected; /* demand outlived the last return: a unit left is UNSOLD */
};

/* An item's books, in units unless said otherwise. */
struct fg_item_books {
    uint32_t id;
    uint64_t stock;
    uint64_t requests; /* distinct requests for it */
    uint64_t asked;    /* by distinct requests */
    uint64_t orders;   /* distinct, with an ADMIT event */
    uint64_t admitted; /* by ADMIT and REACQUIRE events */
    uint64_t returned; /* by CANCEL and EXPIRE events */
    uint64_t peak;     /* most units given at any prefix */
    uint64_t oversold; /* peak above stock */
    uint64_t unsold;   /* stock above what is given at the end */
};

struct fg_check_result {
    uint64_t violations[FG_CHECK_COUNT];
    uint64_t violations_total;

    uint64_t requests;         /* distinct (buyer, request) that asked for an ORDER */
    uint64_t answered;         /* those with an answer that is not "ask again" */
    uint64_t lost;             /* requests - answered */
    uint64_t admitted;         /* distinct order ids that clients were told of */
    uint64_t redis_orders;     /* distinct orders with an ADMIT event */
    uint64_t duplicate_orders; /* order ids beyond the first of their request, ADMITs repeated */
    uint64_t unjudged_events;  /* of items that the history does not list */
    uint64_t sent, sends_answered; /* entries, of all ops */
    uint64_t resent; /* entries that are not the first of their op and request: retries, double
                        clicks, repeats */
    uint64_t sent_by_op[FG_OP_MAX + 1];
    uint64_t outcomes[FG_VERDICT_MAX + 1]; /* distinct requests by the verdict they ended with;
                                              [FG_VERDICT_NONE]: never answered */
    uint64_t first_sent_ns, last_replied_ns;

    struct fg_item_books *books; /* one for each item of the input, in its order */
    uint32_t books_count;
};

/*
 * Runs every check. `found` is called for each violation with one sentence (valid during the call).
 * 0, -ENOMEM, or -EOVERFLOW (more than 2^32 - 2 records or entries). One thread; fills *result,
 * which the caller ends with fg_check_result_free.
 */
int fg_check_run(const struct fg_check_input *input, struct fg_check_result *result,
                 void (*found)(void *arg, enum fg_check check, const char *sentence), void *arg);
void fg_check_result_free(struct fg_check_result *result);

#endif
