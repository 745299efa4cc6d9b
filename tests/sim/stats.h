/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the simulator counts, in lists. A reader of a run's last lines sees from them that it did
 * something; a whole list of seeds fails if a fault of FAULTS or an operation of OPERATIONS never
 * occurred in it.
 */
#ifndef SIM_STATS_H
#define SIM_STATS_H

#include <stdint.h>

#include "dataplane/faults.h"
#include "flashgate/protocol.h"

/* X(NAME, text) */
#define SIM_FAULTS(X)                                                                              \
    X(CRASH_PROCESS, "crashes of the process")                                                     \
    X(CRASH_POWER, "power cuts")                                                                   \
    X(CRASH_BETWEEN, "... between two steps")                                                      \
    X(CRASH_IN_DISK, "... within a call to the disk")                                              \
    X(CRASH_IN_REDIS, "... within a call to Redis")                                                \
    X(CRASH_IN_START, "... while starting")                                                        \
    X(ZOMBIE, "takeovers from an engine that lives on")                                            \
    X(WALL_FORWARD, "wall clock set forward")                                                      \
    X(WALL_BACK, "wall clock set back")                                                            \
    X(CLOCK_STEP, "machine's clock set under a running engine")                                    \
    X(STALL, "threads that stood still")                                                           \
    X(DISK_TORN, "writes torn by a crash or an error")                                             \
    X(TAIL_CUT, "... torn tails that a start cut off")                                             \
    X(DISK_LOST, "unsynced writes lost in a power cut")                                            \
    X(DISK_NAME_LOST, "unsynced names lost in a power cut")                                        \
    X(DISK_WRITE_EIO, "writes that failed")                                                        \
    X(DISK_FLUSH_EIO, "flushes that failed")                                                       \
    X(DISK_READ_EIO, "reads that failed")                                                          \
    X(DISK_FULL, "files that found no space")                                                      \
    X(DISK_NO_ROOM, "disks without room for a while")                                              \
    X(LOG_FULL, "... steps of a worker while the log had none for new orders")                     \
    X(DISK_ROT, "bits of the log that turned")                                                     \
    X(NET_LOST, "datagrams lost")                                                                  \
    X(NET_DOUBLED, "datagrams doubled")                                                            \
    X(NET_LATE, "datagrams seconds late")                                                          \
    X(REDIS_AWAY, "Redis gone for a while")                                                        \
    X(REDIS_RETRY, "calls that Redis refused for now")                                             \
    X(REDIS_RELOAD, "calls that found no function")                                                \
    X(REDIS_REFUSED, "calls that Redis refused for good")                                          \
    X(REDIS_REPLY_LOST, "appends whose answer was lost")                                           \
    X(REDIS_CALL_LOST, "appends that were lost")                                                   \
    X(REDIS_CALL_LATE, "appends done after their time limit")                                      \
    X(REDIS_OLDER, "Redis restarted from an older state")                                          \
    X(REDIS_OLDER_FENCE, "... that had an older fence")                                            \
    X(REDIS_DEL, "streams deleted")                                                                \
    X(REDIS_FLUSHALL, "all of Redis emptied")                                                      \
    X(REDIS_BAD_KEY, "streams whose key became something else")

enum sim_fault {
#define X(name, text) SIM_##name,
    SIM_FAULTS(X)
#undef X
        SIM_FAULT_COUNT
};

/* X(NAME, text) */
#define SIM_OPERATIONS(X)                                                                          \
    X(APPLY, "sales applied")                                                                      \
    X(OPEN, "sales opened")                                                                        \
    X(PAUSE, "sales paused")                                                                       \
    X(CLOSE, "sales closed")                                                                       \
    X(ARCHIVE, "sales archived")                                                                   \
    X(REBUILD, "streams rebuilt")                                                                  \
    X(RESTOCK, "restocks")                                                                         \
    X(ADD, "units added")                                                                          \
    X(LOWER_LIMIT, "limits lowered")                                                               \
    X(REMOVE, "removals of stock")                                                                 \
    X(PAUSE_ITEM, "items paused")                                                                  \
    X(RESUME_ITEM, "items resumed")                                                                \
    X(CLOSE_ITEM, "items closed")                                                                  \
    X(CANCEL, "orders cancelled by the operator")                                                  \
    X(CANCEL_TOLD, "... who was told so")                                                          \
    X(PAUSE_ENGINE, "engines paused")                                                              \
    X(DRAIN, "engines that were to drain")                                                         \
    X(DRAINED, "... and have")                                                                     \
    X(KILL, "kill switches thrown")                                                                \
    X(RESUME, "engines resumed")                                                                   \
    X(CONSUMED, "streams told to be consumed")                                                     \
    X(ACCEPT, "steps of the clock accepted")                                                       \
    X(EDIT_LISTS, "lists of buyers edited and not reloaded")                                       \
    X(RELOAD_LISTS, "lists of buyers reloaded")

enum sim_operation {
#define X(name, text) SIM_OP_##name,
    SIM_OPERATIONS(X)
#undef X
        SIM_OPERATION_COUNT
};

struct sim_stats {
    uint64_t runs, failed;
    uint64_t steps; /* of any part */
    uint64_t simulated_ms;
    uint64_t starts, refused_starts;
    uint64_t frames, segments, retired;
    uint64_t datagrams, answers, throttled;
    uint64_t penalties, punished; /* buyers' penalties; orders refused because of them */
    uint64_t told;     /* answers that tell an order's state, each checked against the log */
    uint64_t sold_out; /* SOLD_OUTs, each checked when it was said */
    uint64_t blocked;  /* BLOCKEDs, each checked when it was said */
    uint64_t orders;   /* in the logs at the end */
    uint64_t entries;  /* in the streams at the end, each compared with the log */
    uint64_t faults[SIM_FAULT_COUNT];
    uint64_t operations[SIM_OPERATION_COUNT];
    uint64_t crashed_at[FG_CRASH_COUNT];
    uint64_t verdicts[FG_VERDICT_MAX + 1];
};

/* stats.c */
void stats_add(struct sim_stats *sum, const struct sim_stats *more);
void stats_print(const struct sim_stats *stats);
/* Says what never occurred; returns how many. */
unsigned stats_missing(const struct sim_stats *stats);

#endif
