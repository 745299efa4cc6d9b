/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything a worker counts, in one list: index, name and help come from it. Names are what status
 * and metrics show; control/figures/figures.c makes their figures, and docs/metrics.md, from these
 * lists.
 */
#ifndef FG_COUNTERS_H
#define FG_COUNTERS_H

#include "dataplane/histogram.h"
#include "flashgate/protocol.h"

/* X(NAME, text, help): why a frame is met with silence */
#define FG_DROPS(X)                                                                                \
    X(DROP_NOT_FOR_US, "drop_not_for_us", "frames for another MAC or IP address")                  \
    X(DROP_NOT_IP, "drop_not_ip", "frames neither IPv4 nor ARP")                                   \
    X(DROP_RUNT, "drop_runt", "frames or packets shorter than their headers say")                  \
    X(DROP_SEGMENTED, "drop_segmented", "frames in more than one buffer")                          \
    X(DROP_IP_HEADER, "drop_ip_header", "IP header malformed, with options, or checksum wrong")    \
    X(DROP_FRAGMENT, "drop_fragment", "IP fragments")                                              \
    X(DROP_SOURCE, "drop_source",                                                                  \
      "multicast, broadcast or own source address, or port below 1024")                            \
    X(DROP_NOT_UDP, "drop_not_udp", "IP packets neither UDP nor ICMP echo")                        \
    X(DROP_PORT, "drop_port", "UDP port not the engine's")                                         \
    X(DROP_UDP_CHECKSUM, "drop_udp_checksum", "UDP checksum wrong")                                \
    X(DROP_MALFORMED, "drop_malformed", "payload not a version 1 request")                         \
    X(DROP_UNSIGNED, "drop_unsigned", "unsigned where signing is required")                        \
    X(DROP_UNKNOWN_KEY, "drop_unknown_key", "key id not in the key file")                          \
    X(DROP_KEY_SOURCE, "drop_key_source", "key not valid for the source address")                  \
    X(DROP_MAC, "drop_mac", "wrong mac")                                                           \
    X(DROP_STALE, "drop_stale", "time_ns outside the freshness window or before serving began")    \
    X(DROP_COPIES, "drop_copies", "copies of an order that is still being decided, above four")

/* X(NAME, text, help): frames that were not dropped */
#define FG_FRAME_COUNTERS(X)                                                                       \
    X(RX_FRAMES, "rx_frames", "frames received")                                                   \
    X(TX_REPLIES, "tx_replies", "reply datagrams sent")                                            \
    X(TX_ARP, "tx_arp", "ARP answers sent")                                                        \
    X(TX_ICMP_ECHO, "tx_icmp_echo", "ICMP echo answers sent")                                      \
    X(TX_DROPPED, "tx_dropped", "replies the port did not take")                                   \
    X(HANDED_OVER, "handed_over", "datagrams given to the worker that owns their partition")       \
    X(TAKEN_OVER, "taken_over", "datagrams taken from another worker")                             \
    X(HANDOVER_FULL, "handover_full", "datagrams answered BUSY because a hand-over ring was full")

/* X(NAME, text, help): decisions */
#define FG_WORK_COUNTERS(X)                                                                        \
    X(REQUESTS, "requests", "datagrams accepted for a decision")                                   \
    X(ENTRIES, "entries", "entries decided")                                                       \
    X(REPLAYS, "replays", "answers that repeat an earlier decision")                               \
    X(UNSETTLED, "unsettled", "entries that waited for other workers' orders to settle")           \
    X(PARKED, "parked", "replies that waited for durability")                                      \
    X(THROTTLED_KEY, "throttled_key", "entries refused because their key asks too often")          \
    X(THROTTLED_BUYER, "throttled_buyer", "entries refused because their buyer asks too often")    \
    X(BUYERS_FORGOTTEN, "buyers_forgotten",                                                        \
      "buyers' rates forgotten early, because others needed their places")                         \
    X(HOLDS_EXPIRED, "holds_expired", "holds that ran out")                                        \
    X(COMMANDS, "commands", "control commands done")

#define FG_COUNTERS(X) FG_FRAME_COUNTERS(X) FG_DROPS(X) FG_WORK_COUNTERS(X)

enum fg_counter {
#define X(name, text, help) FG_COUNTER_##name,
    FG_COUNTERS(X)
#undef X
        FG_COUNTER_COUNT
};

/* X(NAME, text, help): how an answer came about; its time runs from the burst that the request came
 * in until the reply is finished, which leaves at the end of that loop */
#define FG_LATENCIES(X)                                                                            \
    X(AT_ONCE, "at_once", "decided and answered as it came in")                                    \
    X(PARKED, "parked", "waited for the log's flush, or for other workers' orders to settle")

enum fg_latency {
#define X(name, text, help) FG_LATENCY_##name,
    FG_LATENCIES(X)
#undef X
        FG_LATENCY_COUNT
};

/* One worker's counters. worker: rw, control and metrics: ro (relaxed). */
struct fg_counters {
    _Atomic uint64_t count[FG_COUNTER_COUNT];
    _Atomic uint64_t verdicts[FG_VERDICT_MAX + 1]; /* by code */
    _Atomic uint64_t loops;
    _Atomic uint64_t busy_cycles, total_cycles;
    struct fg_histogram latency[FG_LATENCY_COUNT];
} __attribute__((aligned(128)));

/* Its worker only: one more. */
static inline void fg_count(struct fg_counters *counters, enum fg_counter which)
{
    fg_count_add(&counters->count[which], 1);
}

#endif
