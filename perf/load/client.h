/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client: a million gateways' worth of buyers played by one thread. Pure: the link below it
 * carries datagrams and tells the time, so tests drive it by hand.
 *
 * Every request has an ask, which goes through these phases:
 *
 *   UNSENT -> ASKING -> answered by a refusal ---------> LINGERING (copies are still out) -> over
 *              |  ^                         \-> over
 *              |  WAITING (BUSY, PAUSED ...: ask again when told)
 *              +-> admitted, final --------------------> over
 *              +-> admitted, held --> THINKING --> ASKING (CONFIRM or CANCEL) ------------> over
 *   over: DONE, or RESTING before the same request is asked once more (a repeat)
 *
 * Rule 4 of the protocol: an ask that hears nothing is sent again, at last it is cancelled until
 * that is answered. A refusal says nothing about other copies of the request that are under way, so
 * the client waits for their answers too, and cancels when they stay out.
 *
 * A send is under way until it is answered or its timer runs out. What is sent again waits while
 * `resend_cap` of them are under way: an engine that comes back after a stall meets at most so many
 * copies at once, however many requests have been waiting for it. What is asked for the first time
 * is never held back, or the generator would slow down with the engine and hide the stall.
 * For the same reason an ask that hears BUSY again and again waits longer each time than it was
 * told to, as if it had heard nothing.
 *
 * Requests that left in one datagram stay together (the first one leads, its timer is theirs) until
 * an answer parts them.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "perf/check/history.h"
#include "perf/load/histogram.h"
#include "perf/load/mix.h"
#include "perf/load/pending.h"
#include "perf/load/schedule.h"
#include "perf/load/wheel.h"

#define LOAD_REQUESTS_MAX 100000000 /* keeps record numbers within 32 bits */
#define LOAD_MS           UINT64_C(1000000)

/* What the client stands on. */
struct load_link {
    /* Sends a payload to the worker of that partition; false: no room now, nothing was sent. */
    bool (*send)(struct load_link *link, uint32_t partition, const void *payload, size_t length);
    uint64_t (*now_ns)(struct load_link *link); /* never goes back */
};

enum load_phase {
    LOAD_UNSENT,
    LOAD_FOLLOWING, /* left in the datagram of an earlier request, which acts for it */
    LOAD_ASKING,    /* timer: ask again */
    LOAD_WAITING,   /* timer: ask again; the engine said when */
    LOAD_LINGERING, /* timer: cancel */
    LOAD_THINKING,  /* timer: confirm or cancel */
    LOAD_RESTING,   /* timer: repeat */
    LOAD_DONE,
};

/* How an admitted order ended, as far as the client knows. */
enum load_fate { LOAD_FATE_NONE, LOAD_CONFIRMED, LOAD_CANCELLED, LOAD_EXPIRED, LOAD_LEFT };

struct load_ask {
    uint64_t order;    /* 0: none known */
    uint32_t record;   /* newest copy's, in the history */
    uint32_t first;    /* first copy's */
    uint8_t phase : 4; /* enum load_phase */
    uint8_t fate : 3;  /* enum load_fate */
    uint8_t repeated : 1;
    uint8_t op;            /* what is being asked */
    uint8_t retries : 4;   /* since the last answer */
    uint8_t pushed : 3;    /* BUSY and THROTTLED heard one after the other, at most 7 counted */
    uint8_t under_way : 1; /* its newest send is, and it leads */
    uint8_t sends;         /* copies of this op sent, at most 255 counted */
    uint8_t copies;        /* of the ORDER, not answered */
    uint8_t verdict;       /* first final answer; ADMITTED replaces a refusal. 0: none yet */
    uint8_t count;         /* requests that it leads, itself included */
};
static_assert(sizeof(struct load_ask) == 24, "asks are walked by the million");

/* X(NAME, text): why a frame or reply was dropped. */
#define LOAD_DROPS(X)                                                                              \
    X(NOT_FOR_US, "not_for_us")                                                                    \
    X(NOT_UDP, "not_udp")                                                                          \
    X(RUNT, "runt")                                                                                \
    X(CHECKSUM, "checksum")                                                                        \
    X(MALFORMED, "malformed")                                                                      \
    X(NOT_WAITED_FOR, "not_waited_for")                                                            \
    X(COUNT_DIFFERS, "count_differs")                                                              \
    X(ENTRY_DIFFERS, "entry_differs")                                                              \
    X(MAC, "mac")                                                                                  \
    X(VERDICT, "verdict")

enum load_drop {
#define X(name, text) LOAD_DROP_##name,
    LOAD_DROPS(X)
#undef X
        LOAD_DROP_COUNT
};

struct load_stats {
    uint64_t offered, answered;           /* requests */
    uint64_t finished;                    /* requests that are DONE */
    uint64_t sent, received;              /* datagrams */
    uint64_t retransmissions;             /* datagrams sent again because no answer came */
    uint64_t told_to_wait;                /* datagrams sent again because the engine said so */
    uint64_t held_back;                   /* times that a datagram waited at the resend cap */
    uint64_t lives;                       /* of the engine: epochs that PONGs told */
    uint64_t double_clicks;               /* datagrams */
    uint64_t repeats;                     /* requests */
    uint64_t confirms, cancels;           /* of held orders, first copies */
    uint64_t given_up;                    /* requests cancelled because no answer came */
    uint64_t replays;                     /* answers with the REPLAY flag */
    uint64_t admitted;                    /* requests that have an order */
    uint64_t late_ns_max;                 /* how far behind its schedule a request left */
    uint64_t late_requests;               /* that left 1 ms or more behind their schedule */
    uint64_t answers[FG_VERDICT_MAX + 1]; /* every answer by verdict */
    uint64_t drops[LOAD_DROP_COUNT];
    uint64_t last_answer_ns; /* when the last request got its first final answer */
};

struct load_client {
    /* set by the caller before load_client_init, and the items of mix and history */
    struct load_link *link;
    struct load_mix mix;
    uint32_t requests;
    uint64_t rate; /* requests a second; 0: flat out, or the schedule says when */
    const struct load_schedule *schedule; /* NULL: the rate is even */
    uint64_t window;                      /* flat out: most datagrams that wait for answers */
    uint64_t resend_cap; /* sends under way above which nothing is sent again; 0: none */
    uint32_t think_ms;
    uint16_t key_id; /* 0: unsigned */
    uint8_t secret[FG_SECRET_BYTES];
    uint64_t origin_ns; /* CLOCK_REALTIME when the link's clock was 0 */

    /* the engine, as PING told */
    bool ponged;
    uint32_t partitions, workers;
    uint16_t base_port;
    uint64_t epoch;

    /* the client's */
    uint64_t start_ns;  /* of the schedule */
    uint32_t next;      /* request to offer */
    uint32_t capacity;  /* requests that there is memory for */
    uint64_t name;      /* time_ns of the last datagram */
    uint64_t under_way; /* datagrams: see above */
    uint64_t random_number;
    bool ping_wanted; /* an entry was misrouted: ask again how to steer */
    struct load_ask *asks;
    struct load_timer *timers;
    struct load_wheel wheel;
    struct load_pending pending;
    uint64_t forgotten; /* records before it wait for nothing any more */
    struct fg_history history;
    struct load_stats stats;
    struct load_histogram latency; /* ns from the scheduled send to the first final answer */
};

/* Allocates what the run needs. 0 or -ENOMEM; load_client_fini frees in any case. */
int load_client_init(struct load_client *client);
void load_client_fini(struct load_client *client);

/* Asks how to steer; `ponged` tells when the answer came. False: no room. */
bool load_client_ping(struct load_client *client);

/* Once `partitions` is known: the schedule begins now. */
void load_client_start(struct load_client *client);

/* No request is offered any more; those that were come to their end. */
void load_client_wind_up(struct load_client *client);

/* Has every request that is to come a time of its own? (Else: flat out.) */
static inline bool load_client_has_schedule(const struct load_client *client)
{
    return client->schedule || client->rate > 0;
}

/* Sends requests that are due, `most` datagrams at most; how many. */
unsigned load_client_offer(struct load_client *client, unsigned most);

/* A UDP payload that arrived at arrived_ns (of the link's clock). */
void load_client_receive(struct load_client *client, uint64_t arrived_ns, const void *payload,
                         size_t length);

/* Runs timers that are due, `most` at most; how many. */
unsigned load_client_tick(struct load_client *client, unsigned most);

/* Every request has come to its end. */
static inline bool load_client_done(const struct load_client *client)
{
    return client->stats.finished == client->requests;
}

/* Between client.c and answers.c. */

/* Sends `count` requests from `first` on in one datagram, asking the op of the first's ask. False:
 * no room. */
bool load_client_send(struct load_client *client, uint32_t first, uint32_t count);
/* (Re)starts the timer of an ask, which thereby is not under way any more. */
void load_client_arm(struct load_client *client, uint32_t request, uint32_t wait_ms);
uint64_t load_client_random(struct load_client *client);
/* The ask's newest send was answered, or its time has run out. */
void load_client_land(struct load_client *client, uint32_t request);
/* When the request was to leave. */
uint64_t load_client_scheduled_ns(const struct load_client *client, uint32_t request);
/* Those that an ask leads act for themselves from now on, with its phase and timer. */
void load_client_part(struct load_client *client, uint32_t first);
/* An ask is over: it rests before a repeat, or is done. */
void load_client_finish(struct load_client *client, uint32_t request);

#endif
