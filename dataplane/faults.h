/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults on purpose, for tests only. A build with FAULTS=1 can break one rule of the product
 * (a plant: the simulator must find it) or die at a named place (a crash point). In every other
 * build both macros are nothing.
 *
 * FG_PLANTED stands where the rule is kept (NO_PREDECESSOR and NO_FENCE, which append.lua keeps, in
 * the simulated Redis that stands for it); FG_CRASH_POINT between two steps that a crash may part.
 * The environment chooses, once at start: FLASHGATE_PLANT=NAME, FLASHGATE_CRASH=NAME[:N] (dies by
 * SIGKILL the N-th time the point is reached, default the first). A simulator sets the variables
 * and the hook itself.
 */
#ifndef FG_FAULTS_H
#define FG_FAULTS_H

/* X(NAME, what is done wrong) */
#define FG_PLANTS(X)                                                                               \
    X(ACK_BEFORE_FLUSH, "marks are published before the frame is on disk")                         \
    X(RETURN_BEFORE_DURABLE, "units come back on sale when their record is queued")                \
    X(NO_PREDECESSOR, "an append does not compare the stream's last id")                           \
    X(CUT_IN_THE_MIDDLE, "recovery cuts at any invalid frame, though valid ones follow")           \
    X(REUSE_ORDER_IDS, "after a start order ids count from one in the old epoch")                  \
    X(FORGET_EPOCH, "a start does not raise the epoch")                                            \
    X(LOSE_ON_ROTATION, "the last record of a frame that begins a segment is dropped")             \
    X(RELEASE_TWICE, "an expiry puts a hold's units back twice")                                   \
    X(DELETE_LIVE_SEGMENT, "a delivered segment is deleted while its sale is live")                \
    X(STATE_BEFORE_DURABLE, "a reply tells a state whose last record is not durable")              \
    X(NO_FENCE, "an append does not look at the fence")                                            \
    X(ADOPT_STREAM, "delivery believes whatever the stream ends with")                             \
    X(OPEN_LOWERED_EARLY, "`open` is lowered when the record is queued")                           \
    X(DRAINED_EARLY, "an engine is drained while replies still wait for the log")                  \
    X(KILL_LETS_EXPIRE, "holds run out while the kill switch keeps buyers from confirming")        \
    X(FORGET_MODE, "a segment's base does not carry the engine's mode")                            \
    X(REMOVE_SOLD, "a removal of stock takes as much as was asked for, sold or not")               \
    X(CANCEL_TOLD_EARLY, "an operator is told of a cancellation that is not durable")              \
    X(FOLLOW_STEP, "the engine's clock follows a step of the machine's")                           \
    X(TRIM_ALL, "a stream is trimmed as far as it is delivered, not as it is consumed")            \
    X(IGNORE_LISTS, "a worker does not look whether a buyer is blocked")

/* X(NAME, where) */
#define FG_CRASH_POINTS(X)                                                                         \
    X(RECORD_QUEUED, "worker: an order event is in the lane")                                      \
    X(REPLY_SENT, "worker: replies of a loop have gone to their ports")                            \
    X(FRAME_GATHERED, "journal: a frame is made, nothing is written")                              \
    X(FRAME_WRITTEN, "journal: a frame is durable, its marks are not published")                   \
    X(MARKS_PUBLISHED, "journal: the marks are published")                                         \
    X(SEGMENT_OPENED, "journal: a new segment is current, without its base")                       \
    X(BASE_WRITTEN, "journal: a new segment's base is durable")                                    \
    X(SEGMENT_ZEROED, "storage: a segment is zeroed under its unfinished name")                    \
    X(SEGMENT_RENAMED, "storage: it has its name, the directory is not synced")                    \
    X(SEGMENT_REMOVED, "storage: an old segment is gone, the directory is not synced")             \
    X(TAIL_CUT, "recovery: a torn tail is cut, the epoch is not raised")                           \
    X(EPOCH_RAISED, "recovery: the new epoch is durable, nothing is served")                       \
    X(FENCE_CLAIMED, "delivery: a stream's fence is claimed")                                      \
    X(BATCH_APPENDED, "delivery: Redis has a batch, delivery has not noted it")                    \
    X(CHANGE_DURABLE, "control: a change is durable, not published")                               \
    X(CHANGE_PUBLISHED, "control: a change is published, not durable")

enum fg_plant {
    FG_PLANT_NONE,
#define X(name, text) FG_PLANT_##name,
    FG_PLANTS(X)
#undef X
        FG_PLANT_COUNT
};

enum fg_crash_point {
#define X(name, text) FG_CRASH_##name,
    FG_CRASH_POINTS(X)
#undef X
        FG_CRASH_COUNT
};

#ifdef FG_FAULTS
extern unsigned fg_planted;                           /* enum fg_plant */
extern void (*fg_crash_hook)(enum fg_crash_point at); /* takes the place of the environment's */
void fg_crash_point(enum fg_crash_point at);
const char *fg_crash_point_name(enum fg_crash_point at);
#define FG_PLANTED(name)     (fg_planted == FG_PLANT_##name)
#define FG_CRASH_POINT(name) fg_crash_point(FG_CRASH_##name)
#else
#define FG_PLANTED(name)     0
#define FG_CRASH_POINT(name) ((void)0)
#endif

#endif
