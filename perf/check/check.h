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

#include "perf/check/findings.h"
#include "perf/check/history.h"
#include "perf/check/streams.h"

/* What an item has from a place of the log on. */
struct fg_supply_change {
    uint64_t after; /* so many entries of its stream come before it */
    uint64_t lsn;
    uint64_t at_ns;  /* when control decided it */
    uint32_t stream; /* place in the input's streams */
    uint32_t item;   /* id; 0: the sale itself, of which only the limit is told */
    uint32_t stock;  /* supply from now on */
    uint32_t limit;  /* units per buyer; 0: none */
};

/* What is known of a sale beside its events. */
struct fg_sale_facts {
    uint32_t number;
    uint8_t state;     /* enum fg_sale_state, the last one */
    bool defined;      /* its definition is known */
    bool cancel_final; /* a final order could be cancelled, at some time */
    uint32_t limit;    /* units per buyer over all its items at the beginning; 0: none */
    bool reacquires;   /* a late CONFIRM could take units anew, at some time */
    /* Where and when it was archived; 0: it is not. Its requests may be used again after that. */
    uint64_t archived_lsn, archived_ns;
};

/* How long a change takes to be in force everywhere, at most, clocks' differences included. */
#define FG_CHECK_SETTLE_NS UINT64_C(10000000000)

struct fg_check_input {
    const struct fg_history_item *items; /* supply and limits at the beginning */
    uint32_t items_count;
    const struct fg_history_record *records;
    uint64_t records_count;
    /* Of all sales that hold the items: the log's events, or Redis' entries read when drained. */
    const struct fg_sale_stream *streams;
    unsigned streams_count;
    /* By stream, then by `after`; none: supply and limits are constant. */
    const struct fg_supply_change *changes;
    uint64_t changes_count;
    uint64_t settle_ns; /* of a change; FG_CHECK_SETTLE_NS unless time is simulated */
    uint64_t skew_ns;   /* by which the clocks of several clients differ at most; 0: one clock */
    const struct fg_sale_facts *sales; /* one for each stream; NULL: nothing is known */
    const uint32_t *item_streams;      /* place of each item's sale in streams; NULL: not known */
    /* Ids of items whose sales are archived and gone, ascending: their orders cannot be judged. */
    const uint32_t *gone;
    uint64_t gone_count;
    /* Ids of orders that an operator cancelled, ascending: that needs no cancel_final. */
    const uint64_t *cancelled;
    uint64_t cancelled_count;
    bool sell_out_expected; /* demand outlived the last return: a unit left is UNSOLD */
};

/* An item's books, in units unless said otherwise. */
struct fg_item_books {
    uint32_t id;
    uint64_t stock;    /* at the end */
    uint64_t requests; /* distinct requests for it */
    uint64_t asked;    /* by distinct requests */
    uint64_t orders;   /* distinct, with an ADMIT event */
    uint64_t admitted; /* by ADMIT and REACQUIRE events */
    uint64_t returned; /* by CANCEL and EXPIRE events */
    uint64_t peak;     /* most units given at any prefix */
    uint64_t oversold; /* most units given above the stock of then */
    uint64_t unsold;   /* stock above what is given at the end */
};

struct fg_check_result {
    uint64_t requests;         /* distinct (buyer, request) that asked for an ORDER */
    uint64_t answered;         /* those with an answer that is not "ask again" */
    uint64_t lost;             /* requests - answered */
    uint64_t admitted;         /* distinct order ids that clients were told of */
    uint64_t redis_orders;     /* distinct orders with an ADMIT event */
    uint64_t duplicate_orders; /* order ids beyond the first of their request, ADMITs repeated */
    uint64_t unjudged_events;  /* of items that the input does not list, or of orders whose ADMIT
                                  went with an old segment */
    uint64_t unjudged_answers; /* that tell of orders of sales that are gone */
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
 * Runs every check, and tells `findings`. 0, -ENOMEM, or -EOVERFLOW (more than 2^32 - 2 records or
 * entries). One thread; fills *result, which the caller ends with fg_check_result_free.
 */
int fg_check_run(const struct fg_check_input *input, struct fg_check_result *result,
                 struct fg_findings *findings);
void fg_check_result_free(struct fg_check_result *result);

#endif
