/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The trace: every event of a run goes into a hash, by which two runs of a seed are compared, and
 * with --trace onto the screen.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, format of up to three values) */
#define SIM_EVENTS(X)                                                                              \
    X(START, "engine %llu starts: %llu workers, flushes by itself %llu")                           \
    X(STARTED, "engine %llu serves in epoch %llu, after %llu records")                             \
    X(REFUSED, "engine %llu does not start: status %llu")                                          \
    X(CRASH, "engine %llu dies: %llu (0 process, 1 power), place %llu")                            \
    X(STOP, "engine %llu stops by itself: %llu")                                                   \
    X(TAKEOVER, "engine %llu is left behind, its successor begins on a copy")                      \
    X(WALL, "wall clock: %llu ms ahead or (2^64 -) behind")                                        \
    X(SEND, "client: datagram %llu leaves, %llu entries, op %llu")                                 \
    X(ASK, "client:   buyer %llu request %llu item and quantity %llu")                             \
    X(ANSWER, "client:   request %llu is told verdict %llu, order %llu")                           \
    X(GIVE_UP, "client: request %llu is given up")                                                 \
    X(RECEIVE, "worker %llu takes datagram %llu")                                                  \
    X(REPLY, "worker %llu answers datagram %llu with %llu bytes")                                  \
    X(FRAME, "journal: frames up to %llu are durable (step answered %llu)")                        \
    X(FAILED, "journal: failed with %llu")                                                         \
    X(PREPARED, "storage: prepare answered %llu")                                                  \
    X(RETIRED, "storage: retire answered %llu")                                                    \
    X(CLAIM, "Redis: claim by epoch %llu is answered %llu, the stream ends with %llu")             \
    X(APPEND, "Redis: append of %llu entries from %llu on is answered %llu")                       \
    X(REDIS_FAULT, "Redis: fault %llu of the list")                                                \
    X(LATE_APPEND, "Redis: a late append of %llu entries is done, answer %llu")                    \
    X(DISK_FAULT, "disk: fault %llu of the list, file %llu offset %llu")                           \
    X(POWER, "disk: power is back; %llu sectors and %llu names were lost")                         \
    X(OPERATOR, "operator: operation %llu of the list on sale %llu item %llu")                     \
    X(CHANGE, "control: change of revision %llu in stage %llu")                                    \
    X(STALL, "thread %llu stands still for %llu us")                                               \
    X(HEAL, "all faults are healed")                                                               \
    X(DRAIN, "last orders: %llu requests for item %llu")                                           \
    X(TIME, "%llu us pass")

enum sim_event {
#define X(name, format) SIM_EVENT_##name,
    SIM_EVENTS(X)
#undef X
        SIM_EVENT_COUNT
};

struct sim_trace {
    uint64_t hash;
    bool print;
};

/* trace.c: `at_ns` is the simulated time. */
void trace_event(struct sim_trace *trace, uint64_t at_ns, enum sim_event event, uint64_t a,
                 uint64_t b, uint64_t c);

#endif
