/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be found wrong, and where it is told. Every part of the library (the checks over
 * histories and streams, the reader of the log, the comparison of stream and log) tells what it
 * finds through one struct fg_findings of the caller's.
 */
#ifndef FG_CHECK_FINDINGS_H
#define FG_CHECK_FINDINGS_H

#include <stdint.h>

/* X(NAME, invariant, what was found) */
#define FG_CHECKS(X)                                                                               \
    X(OVERSOLD, "I1", "a prefix of the events gives more units than there were")                   \
    X(OVERSOLD_TO_CLIENTS, "I1", "clients own more units than there were")                         \
    X(ORDER_LOST, "I2", "an order that a client was told of has no event")                         \
    X(ORDER_DIFFERS, "I2", "an order's events are not what the client was told")                   \
    X(SETTLEMENT_LOST, "I2", "a client was told a state that has no event")                        \
    X(LOG_FORGOTTEN, "I2", "the log has lost events of a sale that is not archived")               \
    X(EVENT_REPEATED, "I3", "an order has the same event twice")                                   \
    X(EVENT_IMPOSSIBLE, "I3", "an order event does not follow from the earlier ones")              \
    X(SEQUENCE_BROKEN, "I3", "a sale's sale_seq does not count 1, 2, 3 ...")                       \
    X(EPOCH_REUSED, "I3", "a start of the engine did not raise the epoch")                         \
    X(BASE_DIFFERS, "I3", "a segment's base is not what the log says before it")                   \
    X(STREAM_MISSING, "I3", "a stream has lost an event that was delivered")                       \
    X(STREAM_UNKNOWN, "I3", "a stream has an entry that the log does not know")                    \
    X(STREAM_DIFFERS, "I3", "an entry of a stream is not the log's event")                         \
    X(STREAM_BAD_KEY, "I3", "a stream's key holds something else")                                 \
    X(STREAM_BEHIND, "I3", "a stream lacks the log's last events, though it should be drained")    \
    X(TWO_ORDERS, "I4", "a request has two order ids")                                             \
    X(SHARED_ORDER, "I4", "an order id stands for two requests")                                   \
    X(REPLAY_FORGOTTEN, "I4", "a copy of an admitted request was judged anew")                     \
    X(ENGINE_DIFFERS, "I5", "the running engine's books are not the log's")                        \
    X(OVER_LIMIT, "I6", "an admission took a buyer above the item's or the sale's limit")          \
    X(FALSE_SOLD_OUT, "I7", "SOLD_OUT was said while enough units were certainly free")            \
    X(UNSOLD, "I8", "units are left although the item was expected to sell out")

enum fg_check {
#define X(name, invariant, text) FG_CHECK_##name,
    FG_CHECKS(X)
#undef X
        FG_CHECK_COUNT
};

/* "OVERSOLD", and the invariant that it breaks, "I1". */
const char *fg_check_name(enum fg_check check);
const char *fg_check_invariant(enum fg_check check);

/* Sentences told for each kind, at most: a broken run may hold millions. All are counted. */
#define FG_CHECK_SENTENCES 20

struct fg_findings {
    /* Called for each finding with one sentence, valid during the call. NULL: only counted. */
    void (*found)(void *arg, enum fg_check check, const char *sentence);
    void *arg;
    uint64_t counts[FG_CHECK_COUNT];
    uint64_t total;
};

/* Counts a finding, and tells it unless enough of its kind were told. */
void fg_found(struct fg_findings *findings, enum fg_check which, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
