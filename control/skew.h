/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose clock is wrong? A datagram with the right mac and a time outside the freshness window says
 * that a sender's clock is, or the engine's, or that somebody sends old datagrams again. Once a
 * second control looks at what each worker has counted for each key, keeps the last ten seconds,
 * and judges:
 *
 *   copies   what is stale gets older by a second each second: no clock does that
 *   engine   most of what is authentic is stale, many datagrams, from several senders: they do not
 *            all go wrong together. Or all of it is
 *   sender   else: the key that has the most of them, and where the last came from
 *
 * Each look keeps the last stale datagram of each key and worker, some of the second's, to tell by
 * how much they are off. Pure but for fg_skew_look(). One thread: control.
 */
#ifndef FG_CONTROL_SKEW_H
#define FG_CONTROL_SKEW_H

#include "dataplane/engine.h"

#define FG_SKEW_SECONDS 10
#define FG_SKEW_SAMPLES 32  /* of a second */
#define FG_SKEW_SENDER  10  /* stale datagrams of ten seconds that are worth a word ... */
#define FG_SKEW_ENGINE  100 /* ... and a suspicion of the engine's clock, when they are most */

struct fg_skew_sample {
    uint16_t id; /* of the key */
    uint64_t stale;
    int64_t skew_ns; /* the sender's time less the engine's */
    struct fg_ip source;
};

struct fg_skew_second {
    uint64_t accepted, stale;
    unsigned count;
    struct fg_skew_sample samples[FG_SKEW_SAMPLES];
};

struct fg_skew {
    uint64_t next_ms; /* of the next look; monotonic */
    uint64_t looks;
    struct fg_skew_second seconds[FG_SKEW_SECONDS];
    struct fg_skew_seen { /* as of the last look */
        uint16_t id;
        uint64_t accepted, stale;
    } seen[FG_KEYS_MAX][FG_WORKERS_MAX];
};

enum fg_skew_kind { FG_SKEW_NONE, FG_SKEW_OF_SENDER, FG_SKEW_OF_ENGINE, FG_SKEW_COPIES };

struct fg_skew_finding {
    enum fg_skew_kind kind;
    uint64_t accepted, stale; /* of the last ten seconds */
    int64_t skew_ns;          /* the median; of a sender its last */
    uint16_t id;              /* the key with the most stale datagrams */
    struct fg_ip source;      /* of its last */
};

/* Begins the next second, and forgets the one that is ten seconds old. */
struct fg_skew_second *fg_skew_next(struct fg_skew *skew);
/* Adds what a worker has seen of a key in the second that was begun last. */
void fg_skew_add(struct fg_skew_second *second, uint64_t accepted,
                 const struct fg_skew_sample *sample);
struct fg_skew_finding fg_skew_judge(const struct fg_skew *skew);

/* Once a second: looks at all workers, judges, and tells figures what is found. `now_ms` monotonic.
 */
void fg_skew_look(struct fg_skew *skew, const struct fg_keyring *ring, struct fg_engine *engine,
                  uint64_t now_ms);

#endif
