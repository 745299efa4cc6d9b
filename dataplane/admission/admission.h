/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Admission: one worker's decisions. Plain C: no EAL, no sockets, no clock; all it needs is passed
 * in. It decides datagrams a burst at a time, keeps those whose answer has to wait (for durability,
 * or for other workers' orders to settle), and gives back datagrams that are ready.
 *
 * A datagram belongs to admission from fg_admission_decide() until fg_admission_ready() gives it
 * back; the payload is then a finished, signed reply of the length told, or the length is 0 and
 * nothing may be sent.
 *
 * Threads: everything here by the owning worker only, but fg_admission_create and _restore, which
 * come before the worker starts.
 */
#ifndef FG_ADMISSION_ADMISSION_H
#define FG_ADMISSION_ADMISSION_H

#include "dataplane/admission/catalogue.h"
#include "dataplane/admission/penalty.h"
#include "dataplane/admission/stock.h"
#include "dataplane/admission/suspects.h"
#include "dataplane/counters.h"
#include "dataplane/orders/lane.h"

struct fg_admission;

struct fg_admission_config {
    unsigned worker, workers;
    unsigned node;
    uint32_t partitions;
    uint16_t base_port;
    uint32_t orders;           /* remembered orders and void requests, at most */
    uint32_t orders_per_buyer; /* of one buyer in one sale */
    uint32_t parked;           /* datagrams waiting, at most */
    uint64_t seed;             /* of the table's hash and of jitter */
    uint32_t lane_records;     /* records its lane takes, at most */
    uint32_t buyer_buckets;    /* of the table of buyers' rates; 0: FG_BUYER_BUCKETS */
    struct fg_penalty_rule penalty;
    struct fg_ip (*source)(const void *packet); /* where a datagram came from; NULL: not known */
    struct fg_stock *stock;                     /* shared by all workers */
    struct fg_counters *counters;
};

/* The time a loop decides by. */
struct fg_now {
    uint64_t wall_ns; /* CLOCK_REALTIME as of the clock page */
    uint32_t ms;      /* elapsed since the engine started; compared by difference */
};

/* One authenticated datagram of a partition of this worker. */
struct fg_datagram {
    void *packet;       /* the caller's; comes back from fg_admission_ready */
    uint8_t *payload;   /* header and entries, checked by fg_payload_check; replied in place */
    uint16_t key_place; /* place of its key in the catalogue's ring */
    uint8_t count;      /* entries */
};

struct fg_ready {
    void *packet;
    uint32_t length; /* of the finished reply payload; 0: send nothing */
};

/* NULL when memory is short. Allocates and touches all it will ever use. */
struct fg_admission *fg_admission_create(const struct fg_admission_config *config);
void fg_admission_destroy(struct fg_admission *admission);

/*
 * Before the worker starts: applies one order event of the log. `held_until_ms` is when a held
 * order expires, in engine ms (ADMIT of a held order only). 0, -ENOSPC when the table is full,
 * -EEXIST when the request has an order of another item (of an archived sale, it may have been used
 * again), -EINVAL when the event does not follow from the earlier ones.
 * Returns in *units by how much the event changed units given: +quantity, -quantity or 0.
 * fg_admission_restored() is called after the last one: held orders get their timers and `open`.
 */
int fg_admission_restore(struct fg_admission *admission, const struct fg_order_event *event,
                         uint32_t held_until_ms, int32_t *units);
void fg_admission_restored(struct fg_admission *admission, const struct fg_catalogue *catalogue);

/* Before the next few events are applied: has the bucket of an event's buyer fetched into the
 * cache, and, in a second pass over them, the buyer's first order. */
void fg_admission_prefetch(const struct fg_admission *admission,
                           const uint8_t buyer[FG_BUYER_BYTES]);
void fg_admission_prefetch_order(const struct fg_admission *admission,
                                 const uint8_t buyer[FG_BUYER_BYTES]);

/* Before the worker starts: forgets one order, which exists and is not held. Its units are not
 * given back. */
void fg_admission_forget_order(struct fg_admission *admission, const uint8_t buyer[FG_BUYER_BYTES],
                               uint64_t request);

/* Before the worker starts: forgets the orders of items that `gone` says are not known any more. */
void fg_admission_forget(struct fg_admission *admission, bool (*gone)(void *arg, uint32_t item),
                         void *arg);

/* Before the worker starts, when the log has been read: where its order events go, and the epoch of
 * its order ids. (The log is read into the admissions before it gives lanes and an epoch.) */
void fg_admission_attach(struct fg_admission *admission, struct fg_lane *lane, unsigned epoch);

/* Decides 1 to FG_BURST datagrams. Entries outside this worker's partitions never get here. What
 * has become ready must be taken back before the next call. */
void fg_admission_decide(struct fg_admission *admission, const struct fg_now *now,
                         const struct fg_catalogue *catalogue, const struct fg_datagram *datagrams,
                         unsigned count);

/* Once a loop: settles what has become durable, judges waiting datagrams again, runs out holds, all
 * bounded. */
void fg_admission_poll(struct fg_admission *admission, const struct fg_now *now,
                       const struct fg_catalogue *catalogue);

/* Signs the replies to what was decided since the last time, all at once. Before the catalogue that
 * they were decided by, or another ring than its, goes. */
void fg_admission_sign(struct fg_admission *admission);

/* Takes up to `max` datagrams that were answered at once, signed if they were not yet; returns how
 * many. Take all before the next burst. */
unsigned fg_admission_ready_at_once(struct fg_admission *admission, struct fg_ready *ready,
                                    unsigned max);
/* ... and then parked ones whose records the last poll found durable, in the order in which they
 * came. These may be left for later: until they are taken they have their places. None is given
 * once the lane is fenced. */
unsigned fg_admission_ready(struct fg_admission *admission, struct fg_ready *ready, unsigned max);

/* At a clean stop, when every lane is durable: nothing waits any more after a poll; what was still
 * undecided is answered BUSY. Returns datagrams still waiting. */
unsigned fg_admission_waiting(const struct fg_admission *admission);

/* --- What control asks for customer service; see dataplane/command.h --- */

struct fg_order_view {
    uint64_t order, request;
    uint64_t ticket; /* of its last record: durable when the gauge `settled` has reached it */
    uint32_t item;
    uint16_t quantity;
    uint8_t verdict; /* FG_VERDICT_ADMITTED, _CONFIRMED, _CANCELLED or _EXPIRED */
    uint8_t held;
    uint8_t durable;
    uint32_t left_ms; /* held: until it expires */
};
/* 0 or -ENOENT. */
int fg_admission_order(const struct fg_admission *admission, const struct fg_now *now,
                       const uint8_t buyer[FG_BUYER_BYTES], uint64_t request,
                       struct fg_order_view *view);

/* Which orders of a buyer are asked for, and where the next page begins. */
struct fg_order_page {
    uint32_t sale;  /* not 0: only those of the sale with this number */
    bool goes_on;   /* only those older than the one with the request `after` */
    uint64_t after; /* answered: the request of the last that was looked at */
    bool more;      /* answered: there are others, or were too many to look through */
};

/* A buyer's orders, newest first: fills up to `max` views. How many, or -ENOENT when the buyer has
 * no request `after`. */
int fg_admission_orders(const struct fg_admission *admission, const struct fg_now *now,
                        const struct fg_catalogue *catalogue, const uint8_t buyer[FG_BUYER_BYTES],
                        struct fg_order_page *page, struct fg_order_view *views, unsigned max);

/* Withdraws an order by an operator's word, held or final, whatever its sale says of cancel_final:
 * its CANCEL is queued, and its units come back when that is durable. 0; -EALREADY when it is
 * withdrawn already, -ESTALE when its hold ran out, -EBUSY when no record can be queued now: with
 * the order in *view. -ENOENT: there is none. */
int fg_admission_cancel(struct fg_admission *admission, const struct fg_now *now,
                        const struct fg_catalogue *catalogue, const uint8_t buyer[FG_BUYER_BYTES],
                        uint64_t request, struct fg_order_view *view);

/* Who is refused for its rate most: buyers in a sale, and keys, in no order. */
struct fg_suspects_view {
    uint32_t now_ms; /* what their times and penalties are to be held against */
    uint32_t buyers_count, keys_count;
    struct fg_suspect buyers[FG_SUSPECTS_MAX], keys[FG_SUSPECTS_MAX];
};
void fg_admission_suspects(const struct fg_admission *admission, const struct fg_now *now,
                           struct fg_suspects_view *view);

/* Orders remembered, holds outstanding. worker: rw, control: ro (relaxed). */
struct fg_admission_gauges {
    _Atomic uint64_t orders, holds, parked, unsettled;
    _Atomic uint64_t queued, settled; /* tickets given out; those that are done with: release */
};
const struct fg_admission_gauges *fg_admission_gauges(const struct fg_admission *admission);

/* A least wait with up to a quarter added at random, as every wait_ms has it. */
uint32_t fg_admission_jitter(struct fg_admission *admission, uint32_t wait_ms);

/* Its buckets: control gives it its shares of the keys' rates there. See rates.h. */
struct fg_rates *fg_admission_rates(struct fg_admission *admission);

/* --- Payload steps, pure --- */

/* Checks form only: magic, version, type, count, length, reserved. */
bool fg_payload_check(const void *payload, size_t length);

/* What a payload is that fg_payload_check() refuses. */
enum fg_unfit {
    FG_UNFIT_MALFORMED,
    FG_UNFIT_VERSION, /* of another protocol version */
    FG_UNFIT_REPLY,   /* a reply: another engine's, or a client's mistake */
};
enum fg_unfit fg_payload_unfit(const void *payload, size_t length);

/* What fg_payload_authenticate found. */
enum fg_authentic {
    FG_AUTHENTIC,
    FG_AUTH_UNSIGNED,
    FG_AUTH_UNKNOWN_KEY,
    FG_AUTH_SOURCE,
    FG_AUTH_MAC,
    FG_AUTH_STALE, /* the mac is right: outside the freshness window, by this clock */
    FG_AUTH_EARLY, /* the mac is right: within it, but sent before the engine began to serve */
};

/* A checked payload that says it is its key's. */
struct fg_claim {
    const uint8_t *payload;
    const struct fg_ip *source; /* where it came from */
    uint16_t length;
    uint16_t key_place; /* answered: of its key, where the mac is right */
    uint8_t found;      /* answered: enum fg_authentic */
};

/* Key, source, mac and freshness of up to FG_BURST payloads, each step for all of them. What is
 * stale by `wall_ns` may be fresh by a clock so much ahead of it; 0: there is none. */
void fg_payloads_authenticate(const struct fg_catalogue *catalogue, uint64_t wall_ns,
                              uint64_t ahead_ns, struct fg_claim *claims, unsigned count);

/* The same of one; *key_place is set where the mac is right. */
enum fg_authentic fg_payload_authenticate(const struct fg_catalogue *catalogue, const void *payload,
                                          size_t length, struct fg_ip source, uint64_t wall_ns,
                                          uint16_t *key_place);

/* The place of a checked payload's key in this catalogue, after it was authentic by one with
 * another ring; -1: the key has gone (*unknown), or its secret is another. */
int fg_payload_still_signed(const struct fg_catalogue *catalogue, const void *payload,
                            bool *unknown);

/* Partition of the first partitioned entry of a checked payload, or -1 if it has none. */
int fg_payload_partition(const void *payload, uint32_t partitions);

/* Does any entry of a checked payload ask for a new order (or repeat one)? */
bool fg_payload_orders(const void *payload);

/* Answers every entry of a checked payload BUSY (a full hand-over ring, too long a wait in one);
 * returns the reply's length. */
uint32_t fg_payload_busy(const struct fg_catalogue *catalogue, uint8_t *payload, uint16_t key_place,
                         uint32_t wait_ms);

#endif
