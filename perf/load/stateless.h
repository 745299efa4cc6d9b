/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator without memory of its requests, to saturate a wire from one core: what a datagram
 * asks is a function of its number, what comes back is counted by verdict, and nothing is kept in
 * between; so no request is sent again, no order settled and no history written. Pure: payloads in
 * and out, by the burst.
 *
 * One datagram in `sample` is measured. The lowest bit of a datagram's name (time_ns, which is the
 * time at which it was to leave) says so, and since the engine echoes the name nothing else is
 * needed: the reply's latency is its arrival less its name, and its mac and requests are checked.
 *
 * With a pool (pool.h) the datagrams are signed ahead and each is sent again and again, as a
 * network does that repeats what it carries; a measured one is a copy signed for the moment.
 * Without one each datagram is new and is signed as it leaves.
 *
 * With `echo` the peer is no engine but sends every datagram back as it came: then that is what is
 * counted as an answer and, in a sample, measured and checked. An engine and a mere wire are so
 * measured in one way.
 *
 * Retries: the numbers of some admitted requests of each partition are kept in a small ring, and a
 * share of the orders asks one of them again; all of what it asked follows from its number. In a
 * pool that share is put into copies, and an order that was admitted makes room for another
 * buyer's, so that nobody else asks again.
 */
#ifndef LOAD_STATELESS_H
#define LOAD_STATELESS_H

#include "perf/load/client.h"
#include "perf/load/pool.h"

/* So many that those asked again are not all in the engine's cache. */
#define LOAD_RING_PLACES 256

/* Numbers of admitted requests of one partition, the last ones. */
struct load_ring {
    uint64_t numbers[LOAD_RING_PLACES];
    uint64_t admitted; /* ever */
};

struct load_stateless_stats {
    uint64_t offered;     /* orders that were due, set when sending has ended */
    uint64_t sent;        /* orders */
    uint64_t sent_frames; /* datagrams */
    uint64_t signed_frames;
    uint64_t retries; /* orders that asked for an admitted one again */
    uint64_t received;
    uint64_t answered; /* orders */
    uint64_t measured; /* replies whose latency was taken, with mac and requests checked */
    uint64_t admitted; /* orders, not counting replays */
    uint64_t replays;
    uint64_t late_ns_max;
    uint64_t late; /* orders that left 1 ms or more behind the schedule */
    uint64_t answers[FG_VERDICT_MAX + 1];
    uint64_t drops[LOAD_DROP_COUNT]; /* datagrams */
    uint64_t last_answer_ns;
};

struct load_stateless {
    /* set by the caller before load_stateless_start */
    struct load_mix *mix;
    const struct load_schedule *schedule; /* NULL: flat out */
    uint64_t requests;                    /* most to send; flat out it may be UINT64_MAX */
    bool echo;                            /* what comes back is what was sent */
    uint32_t sample;
    uint32_t retries_permille;
    uint16_t key_id; /* 0: unsigned */
    const uint8_t *secret;
    uint64_t origin_ns; /* CLOCK_REALTIME when the link's clock was 0 */
    uint64_t pool_count;

    /* its own */
    uint64_t start_ns; /* of the schedule, by the link's clock */
    uint64_t end_ns;   /* of sending; the caller's */
    uint64_t group;    /* number of the next datagram */
    uint32_t until_sample;
    uint64_t name;           /* last one given, its lowest bit clear */
    struct fg_header header; /* of all datagrams, but for name and mac */
    struct load_ring *rings;
    uint64_t renewed; /* orders of the pool that made room for others */
    struct load_pool pool;
    struct load_stateless_stats stats;
    struct load_histogram latency; /* ns from the scheduled send to the answer */
};

/* A datagram to send. */
struct load_place {
    uint8_t *room;          /* the caller's: for a payload */
    const uint8_t *payload; /* set: there, or in the pool, where it stays until the next call */
    uint32_t partition;     /* set */
};

/* Allocates, and fills the pool, once the engine has told its partitions; then the schedule begins
 * at now_ns (called last). 0 or -ENOMEM; load_stateless_fini frees in any case. */
int load_stateless_init(struct load_stateless *load, uint64_t now_ns);
void load_stateless_start(struct load_stateless *load, uint64_t now_ns);
void load_stateless_fini(struct load_stateless *load);

/* Bytes of every payload. */
static inline size_t load_stateless_bytes(const struct load_stateless *load)
{
    return FG_REQUEST_BYTES(load->mix->batch);
}

/* Names, writes and signs the datagrams that are due at now_ns, `most` at most (FG_BURST or less):
 * how many. They count as sent. */
unsigned load_stateless_write(struct load_stateless *load, uint64_t now_ns,
                              struct load_place *places, unsigned most);

/* Since when the next datagram is due, in ns; 0 when it is not (or has no schedule). */
uint64_t load_stateless_behind_ns(const struct load_stateless *load, uint64_t now_ns);

/* All has been sent. */
static inline bool load_stateless_done(const struct load_stateless *load)
{
    return load->stats.sent >= load->requests;
}

/* Orders whose time had come by now_ns: those sent, and those that are late. */
uint64_t load_stateless_offered(const struct load_stateless *load, uint64_t now_ns);

/* A UDP payload; of an echo, ours. False: it is a PONG, and so the client's. */
bool load_stateless_hear(struct load_stateless *load, uint64_t arrived_ns, const uint8_t *payload,
                         size_t length);

/* The order of a pool that has this number was admitted, and is not to be sent again: another
 * buyer's stands there from now on, for the same item. */
void load_stateless_renew(struct load_stateless *load, uint64_t number);

/* Has a request with this number been written? */
static inline bool load_stateless_wrote(const struct load_stateless *load, uint64_t number)
{
    uint64_t groups = load->pool_count > 0 ? load->pool_count : load->group;

    return load_mix_place(number) < groups * load->mix->batch &&
           number / LOAD_MIX_ANEW <= load->renewed;
}

/* Is this frame one of ours that was sent back? `sent` is what stands before the payload of all
 * that are sent (42 bytes, LOAD_WIRE_HEADERS_BYTES) but for the port that a datagram goes to; MACs
 * must have changed places, and nothing else. The payload's length, or 0. */
size_t load_echo_payload(const uint8_t *sent, const uint8_t *frame, size_t length);

/* Is the reply that begins with this header one to be measured? */
static inline bool load_stateless_is_sample(const uint8_t *payload)
{
    return payload[offsetof(struct fg_header, time_ns)] & 1;
}

#endif
