/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deciding: what decide.c (the order of checks), states.c (what becomes of an order) and those who
 * drive them share. Runs on the worker that owns the admission; nothing here waits.
 */
#ifndef FG_ADMISSION_DECIDE_H
#define FG_ADMISSION_DECIDE_H

#include "dataplane/admission/internal.h"

#define BUSY_WAIT_MS     20   /* some flushes: what is full has moved on by then */
#define STOPPED_WAIT_MS  500  /* what an operator has stopped and is told BUSY: seconds at least */
#define CONFIRM_GRACE_MS 1000 /* no expiry so long after a CONFIRM that was answered BUSY */
static_assert(STOPPED_WAIT_MS + STOPPED_WAIT_MS / 4 < CONFIRM_GRACE_MS,
              "who is told to come back, jitter included, finds the hold");

/* What a burst is decided by, and in it the datagram at hand; one that is judged again has a turn
 * of its own. */
struct turn {
    const struct fg_now *now;
    const struct fg_catalogue *catalogue;
    const struct fg_key *key; /* the datagram's, like all that follows */
    unsigned key_place;       /* of that in its ring */
    const void *packet;       /* for config.source(); NULL where it is judged again */
    uint64_t key_sales;       /* bit per sale_index that the key may touch */
    int partition;            /* of the first partitioned entry; -1: there is none */
    bool again;               /* it has its place to wait, and its rates were asked */
    uint64_t ticket;          /* greatest that the reply must wait for */
};

/* Is there room to wait for an order, or (`settles`) for what settles one? */
static inline bool may_park(const struct fg_admission *a, const struct turn *turn, bool settles)
{
    return turn->again || waiting_room(a, settles);
}

/* Whom and what an entry is about: looked up while what will be needed of it is fetched. */
struct subject {
    uint64_t hash;              /* the buyer's, in the book */
    uint32_t partition;         /* the buyer's */
    bool may_be_listed;         /* false: no ORDER, or the buyer is surely on no list */
    const struct fg_item *item; /* that the entry names; NULL: there is none */
};

/* Outcomes of an entry that are no verdicts. */
#define OUTCOME_UNSETTLED 0xfe /* judge again later */
#define OUTCOME_SILENT    0xff /* the datagram gets no answer */

/* What a buyer already has, as far as it bears on one item. */
struct possession {
    uint32_t units;      /* of the item, given and not returned */
    uint32_t sale_units; /* of all items of its sale */
    uint32_t orders;     /* remembered ones of its sale */
};

/* May the buyer have so many units more, by the item's and the sale's limit? */
static inline bool within_limits(const struct fg_item *item, const struct possession *has,
                                 uint32_t quantity)
{
    return (item->limit == 0 || has->units + quantity <= item->limit) &&
           (item->sale_limit == 0 || has->sale_units + quantity <= item->sale_limit);
}

/* decide.c */
/* Judges the entries in the set `entries` of a datagram, and fills their answers; returns those
 * still unsettled, or ENTRIES_SILENT: the datagram gets no answer. */
#define ENTRIES_SILENT UINT64_MAX
uint64_t decide_entries(struct fg_admission *a, struct turn *turn, const uint8_t *payload,
                        uint32_t entries, const struct subject *subjects, struct fg_reply *answers);
/* Counts over a buyer's orders; `first` is the buyer's first one, or NULL. */
struct possession possession_of(const struct fg_admission *a, const struct turn *turn,
                                const struct fg_order *first, const struct fg_item *item);

/* states.c; each fills `answer` and returns its verdict, or an OUTCOME. */
/* Tells an order as it is. The datagram waits for the order's last record. */
unsigned order_tell(struct turn *turn, const struct fg_order *order, struct fg_reply *answer);
/* Tells an order that was decided earlier. While its record is on the way, few copies wait. */
unsigned order_repeat(struct fg_admission *a, struct turn *turn, struct fg_order *order,
                      struct fg_reply *answer);
unsigned order_confirm(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                       const struct fg_order *first, struct fg_order *order,
                       struct fg_reply *answer);
unsigned order_cancel(struct fg_admission *a, struct turn *turn, const struct fg_item *item,
                      struct fg_order *order, struct fg_reply *answer);
/* A CANCEL without an order: whoever gave up must be sure that no late copy is admitted. */
unsigned order_void(struct fg_admission *a, const struct turn *turn, uint64_t hash,
                    const struct fg_order *first, const struct fg_request *ask,
                    struct fg_reply *answer);

/* From now on a void request is remembered for twice the freshness window, because copies may be
 * under way that were sent just before this CANCEL. */
void order_keep_void(struct fg_admission *a, const struct turn *turn, struct fg_order *order);
/* The CONFIRM of a hold was told BUSY: its next try comes in time. */
void order_respite(struct fg_admission *a, const struct fg_now *now, struct fg_order *order);
/* Withdraws an order that holds units, held or final: queues its CANCEL, for which the caller has
 * seen room. */
void order_withdraw(struct fg_admission *a, const struct fg_now *now, const struct fg_item *item,
                    struct fg_order *order);

/* The hold of this order ran out (called by the wheel); also forgets void requests. */
struct expiry {
    struct fg_admission *admission;
    const struct fg_now *now;
    const struct fg_catalogue *catalogue;
};
void order_expire(void *arg, struct fg_order *order);

/* Answers with a refusal; wait_ms is a least time, jitter is added. Returns the verdict. */
static inline unsigned refuse(struct fg_admission *a, struct fg_reply *answer, unsigned verdict,
                              uint32_t wait_ms)
{
    answer->verdict = (uint8_t)verdict;
    answer->wait_ms = wait_ms ? jitter(a, wait_ms) : 0;
    return verdict;
}

static inline unsigned busy(struct fg_admission *a, struct fg_reply *answer)
{
    return refuse(a, answer, FG_VERDICT_BUSY, BUSY_WAIT_MS);
}

#endif
