/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of admission share: the state of one worker's admission. Owned by that worker.
 *
 *   payload.c    the form, authenticity and reply of a payload; pure
 *   siphash.c    macs: siphash.c of one payload, siphash_lanes.c of many at once
 *   decide.c     one entry: the order of checks
 *   states.c     what becomes of an order that exists: the state table
 *   rates.c      how often a key and a buyer may ask
 *   penalty.c    ... and what comes of who asks too often again and again
 *   lists.c      who is blocked or exempt
 *   suspects.c   who is refused for its rate most
 *   operator.c   what control asks: orders shown, listed, cancelled; suspects
 *   records.c    queues order events, and settles what has become durable
 *   waiting.c    datagrams whose answer has to wait
 *   admission.c  creation, bursts, the loop's housekeeping
 *   restore.c    the log's order events applied again after a start
 */
#ifndef FG_ADMISSION_INTERNAL_H
#define FG_ADMISSION_INTERNAL_H

#include "dataplane/admission/admission.h"
#include "dataplane/admission/book.h"
#include "dataplane/admission/holds.h"
#include "dataplane/admission/lists.h"
#include "dataplane/admission/rates_buyer.h"
#include "dataplane/admission/siphash.h"
#include "dataplane/random.h"

/* What is to be done with the stock once a record is durable. */
enum settlement {
    SETTLE_NOTHING, /* ADMIT of a hold, REFUSE_LATE */
    SETTLE_GIVEN,   /* final now: lower `open` */
    SETTLE_UNHOLD,  /* CONFIRM of a hold: no hold any more, lower `open` */
    SETTLE_RETURN,  /* put the units back, lower `open` */
    SETTLE_RELEASE, /* the same of a hold: no hold any more */
};

/* One for each record queued, in the lane's order. */
struct pending {
    uint32_t slot;
    uint16_t quantity;
    uint16_t settlement; /* enum settlement */
};

/* A finished reply that waits for a ticket. */
struct parked {
    void *packet;
    uint64_t ticket;
    uint32_t length;
};

/* A datagram with entries that cannot be judged yet. */
struct undecided {
    struct fg_datagram datagram;
    uint16_t key_id;
    uint32_t ring; /* generation of the key ring that it was authentic by last */
    uint32_t since_ms;
    uint32_t entries; /* bit per entry still to be judged */
    uint64_t ticket;  /* of the entries decided so far */
    uint32_t next, previous;
    struct fg_reply answers[FG_ENTRIES_MAX];
};

#define UNDECIDED_NONE UINT32_MAX

/* What was refused last because the item is sold out, and what its sender was told. */
struct refusal {
    uint64_t what; /* payload_what() of its entry; 0: nothing to go by */
    unsigned key_place;
    const struct fg_item *item;
    struct fg_reply answer; /* but for the request */
};

struct fg_admission {
    struct fg_admission_config config;
    struct fg_lane *lane; /* from fg_admission_attach */
    unsigned epoch;
    struct fg_book book;
    struct fg_holds hold_queues;
    struct fg_rates rates;
    struct fg_suspects suspect_buyers, suspect_keys;
    struct refusal refusal; /* of the present burst: see refused_as_before() in decide.c */
    uint64_t loop;          /* counts polls */
    uint64_t random;
    uint32_t last_count; /* of order ids */
    bool inserts;        /* of the group before one entry in INSERTS_SHARE queued a record */

    /* records queued and not settled: tickets settled+1 .. lane->queued */
    struct pending *pending;
    uint32_t pending_mask;
    uint64_t settled;

    /* parked replies, a ring in order of arrival */
    struct parked *parked;
    uint32_t parked_mask;
    uint64_t parked_head, parked_tail;

    /* undecided datagrams: slots on a free list or on a ring list that is judged round and round */
    struct undecided *undecided;
    uint32_t undecided_capacity, undecided_count;
    uint32_t undecided_free, undecided_cursor;

    /* replies built and not signed yet: they are when the caller takes anything back */
    struct fg_mac_job unsigned_replies[FG_BURST];
    unsigned unsigned_count;

    /* given back to the caller */
    struct fg_ready *ready;
    uint32_t ready_mask;
    uint64_t ready_head, ready_tail;

    uint32_t forgotten_ms; /* housekeeping of remembered refusals: up to this millisecond */
    uint32_t forget_slot;
    uint64_t archives; /* of the catalogue that the last sweep was begun for */
    uint32_t swept;    /* ... has come to this line of the book */
    bool sweeping;
    struct fg_admission_gauges gauges;
    uint64_t holds;
    uint64_t voids; /* void requests in the book */
};

/* records.c */
/* May one more record be queued? The last FG_SETTLE_SHARE-th is for what settles orders. */
static inline bool records_room(const struct fg_admission *a, bool settles)
{
    const struct fg_lane *lane = a->lane;
    uint32_t reserve = settles ? 0 : lane->capacity / FG_SETTLE_SHARE;
    uint64_t unsettled = lane->queued - a->settled;

    return fg_lane_log_room(lane, settles) && fg_lane_room(lane) > reserve &&
           unsettled + reserve < a->pending_mask + UINT64_C(1);
}
/* Queues a record of the order; its ticket becomes the order's. */
void records_queue(struct fg_admission *a, enum fg_event_kind kind, struct fg_order *order,
                   const struct fg_item *item, const struct fg_now *now,
                   enum settlement settlement);
void records_settle(struct fg_admission *a);

/* waiting.c */
bool waiting_room(const struct fg_admission *a, bool settles);
/* Builds the reply in place, counts it, and parks it or gives it back. */
void waiting_finish(struct fg_admission *a, const struct fg_datagram *datagram,
                    const struct fg_key *key, const struct fg_reply *answers, uint64_t ticket);
void waiting_silence(struct fg_admission *a, const struct fg_datagram *datagram);
bool waiting_undecided_room(const struct fg_admission *a);
struct undecided *waiting_undecided(struct fg_admission *a, const struct fg_datagram *datagram);
void waiting_decided(struct fg_admission *a, struct undecided *slot);

/* admission.c */
void publish_gauges(struct fg_admission *a);

/* payload.c: builds the reply in place, all but its mac; returns its length. */
uint32_t payload_reply(uint8_t *payload, const struct fg_reply *answers);

/* What an order of this state is told as. */
static inline uint8_t order_verdict(unsigned state)
{
    static const uint8_t verdicts[] = {
        [FG_ORDER_HELD] = FG_VERDICT_ADMITTED,       [FG_ORDER_FINAL] = FG_VERDICT_ADMITTED,
        [FG_ORDER_CONFIRMED] = FG_VERDICT_CONFIRMED, [FG_ORDER_CANCELLED] = FG_VERDICT_CANCELLED,
        [FG_ORDER_EXPIRED] = FG_VERDICT_EXPIRED,     [FG_ORDER_VOID] = FG_VERDICT_CANCELLED,
    };
    return verdicts[state];
}

/* Its number in the book, by which hold queues know it. */
static inline uint32_t order_number(const struct fg_admission *a, const struct fg_order *order)
{
    return (uint32_t)(order - a->book.orders);
}

/* How long a held order still has. */
static inline uint32_t left_ms(const struct fg_order *order, const struct fg_now *now)
{
    int32_t left = (int32_t)(order->deadline_ms - now->ms);
    return left > 0 ? (uint32_t)left : 0;
}

/* A least wait with up to a quarter added, so that clients do not come back all at once. */
static inline uint32_t jitter(struct fg_admission *a, uint32_t wait_ms)
{
    return wait_ms + (uint32_t)((fg_random_next(&a->random) >> 32) * (wait_ms / 4 + 1) >> 32);
}

/* By its sender's clock; also its name. */
static inline uint64_t payload_time_ns(const uint8_t *payload)
{
    uint64_t time_ns;
    memcpy(&time_ns, payload + offsetof(struct fg_header, time_ns), sizeof(time_ns));
    return time_ns;
}

static inline void payload_put_mac(uint8_t *payload, uint64_t mac)
{
    memcpy(payload + offsetof(struct fg_header, mac), &mac, sizeof(mac));
}

/* What of an entry finds whom and what it is about. */
static inline const uint8_t *payload_buyer(const uint8_t *payload, unsigned index)
{
    return payload + FG_REQUEST_BYTES(index) + offsetof(struct fg_request, buyer);
}

static inline uint32_t payload_item(const uint8_t *payload, unsigned index)
{
    uint32_t item;
    memcpy(&item, payload + FG_REQUEST_BYTES(index) + offsetof(struct fg_request, item),
           sizeof(item));
    return item;
}

static inline uint8_t payload_op(const uint8_t *payload, unsigned index)
{
    return payload[FG_REQUEST_BYTES(index) + offsetof(struct fg_request, op)];
}

/* Item, quantity, op and flags of an entry, in one word; of an ORDER never 0, but whoever sends no
 * op at all may send that. */
static inline uint64_t payload_what(const uint8_t *payload, unsigned index)
{
    uint64_t what;
    memcpy(&what, payload + FG_REQUEST_BYTES(index) + offsetof(struct fg_request, item),
           sizeof(what));
    return what;
}
static_assert(offsetof(struct fg_request, flags) - offsetof(struct fg_request, item) == 7,
              "they lie together");

static inline uint64_t payload_request(const uint8_t *payload, unsigned index)
{
    uint64_t request;
    memcpy(&request, payload + FG_REQUEST_BYTES(index) + offsetof(struct fg_request, request),
           sizeof(request));
    return request;
}

/* A copy of one entry: it lies at any address in the payload. */
static inline struct fg_request payload_entry(const uint8_t *payload, unsigned index)
{
    struct fg_request entry;
    memcpy(&entry, payload + FG_REQUEST_BYTES(index), sizeof(entry));
    return entry;
}

#endif
