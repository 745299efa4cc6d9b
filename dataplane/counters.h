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

/* X(NAME, text, help): why a frame is met with silence, from the outside in */
#define FG_DROPS(X)                                                                                \
    X(DROP_OTHER_MAC, "drop_other_mac", "frames for another MAC address")                          \
    X(DROP_GROUP, "drop_group", "frames for everybody or a group, that ask nothing of the engine") \
    X(DROP_SOURCE_MAC, "drop_source_mac",                                                          \
      "from a MAC address of no other station: a group's, zero, or the engine's own")              \
    X(DROP_VLAN, "drop_vlan", "frames with more than one VLAN tag, or a service tag")              \
    X(DROP_NOT_FOR_US, "drop_not_for_us",                                                          \
      "packets, and ARP or neighbour questions, for another IP address")                           \
    X(DROP_NOT_IP, "drop_not_ip", "frames neither IP nor ARP")                                     \
    X(DROP_ARP, "drop_arp", "ARP that is malformed or no question")                                \
    X(DROP_RUNT, "drop_runt", "frames or packets that end within a header")                        \
    X(DROP_CUT, "drop_cut", "IP packets longer than their frame")                                  \
    X(DROP_SEGMENTED, "drop_segmented", "jumbo frames: longer than one buffer")                    \
    X(DROP_IP_HEADER, "drop_ip_header",                                                            \
      "IP header of another version, or of an impossible length")                                  \
    X(DROP_IP_OPTIONS, "drop_ip_options", "IPv4 packets with options")                             \
    X(DROP_IP_EXTENSION, "drop_ip_extension",                                                      \
      "IPv6 packets with an extension header, other than fragments")                               \
    X(DROP_IP_CHECKSUM, "drop_ip_checksum", "IPv4 header checksum wrong")                          \
    X(DROP_FRAGMENT, "drop_fragment", "IP fragments, of IPv4 or IPv6")                             \
    X(DROP_SOURCE, "drop_source",                                                                  \
      "source address of no host: unspecified, loopback, reserved, or IPv4 in IPv6")               \
    X(DROP_SOURCE_GROUP, "drop_source_group", "multicast or broadcast source address")             \
    X(DROP_SOURCE_OWN, "drop_source_own", "the engine's own address as the source")                \
    X(DROP_SOURCE_PORT, "drop_source_port", "UDP source port below 1024")                          \
    X(DROP_NOT_UDP, "drop_not_udp", "IP packets neither UDP nor ICMP")                             \
    X(DROP_ICMP, "drop_icmp",                                                                      \
      "ICMP that is not answered: neither echo request nor neighbour solicitation, or an echo "    \
      "longer than 1500 bytes")                                                                    \
    X(DROP_ICMP_CHECKSUM, "drop_icmp_checksum", "ICMP checksum wrong")                             \
    X(DROP_NEIGHBOUR, "drop_neighbour",                                                            \
      "neighbour solicitations that are malformed, or come from beyond the link")                  \
    X(DROP_UDP_LENGTH, "drop_udp_length", "UDP length not that of its packet")                     \
    X(DROP_PORT, "drop_port", "UDP port not the engine's")                                         \
    X(DROP_UDP_CHECKSUM, "drop_udp_checksum", "UDP checksum wrong")                                \
    X(DROP_NO_CHECKSUM, "drop_no_checksum", "UDP over IPv6 without a checksum")                    \
    X(DROP_REPLY, "drop_reply", "replies: another engine's, or a client's mistake")                \
    X(DROP_VERSION, "drop_version", "payload of another protocol version")                         \
    X(DROP_MALFORMED, "drop_malformed", "payload not a version 1 request")                         \
    X(DROP_UNSIGNED, "drop_unsigned", "unsigned where signing is required")                        \
    X(DROP_UNKNOWN_KEY, "drop_unknown_key", "key id not in the key file")                          \
    X(DROP_KEY_SOURCE, "drop_key_source", "key not valid for the source address")                  \
    X(DROP_MAC, "drop_mac", "wrong mac")                                                           \
    X(DROP_STALE, "drop_stale", "right mac, and time_ns outside the freshness window")             \
    X(DROP_EARLY, "drop_early", "right mac, and time_ns before serving began")                     \
    X(DROP_BLOCKED_SOURCE, "drop_blocked_source",                                                  \
      "source on the block list; nothing of it is read")                                           \
    X(DROP_COPIES, "drop_copies", "copies of an order that is still being decided, above four")

/* X(NAME, text, help): frames that were not dropped */
#define FG_FRAME_COUNTERS(X)                                                                       \
    X(RX_FRAMES, "rx_frames", "frames received")                                                   \
    X(TX_REPLIES, "tx_replies",                                                                    \
      "reply datagrams made; tx_dropped says how many of them were not taken")                     \
    X(TX_ARP, "tx_arp", "ARP answers sent")                                                        \
    X(TX_NEIGHBOUR, "tx_neighbour", "IPv6 neighbour advertisements sent")                          \
    X(TX_ICMP_ECHO, "tx_icmp_echo", "ICMP echo answers sent")                                      \
    X(TX_DROPPED, "tx_dropped", "replies, and other answers, that the port did not take")          \
    X(HANDED_OVER, "handed_over", "datagrams given to the worker that owns their partition")       \
    X(TAKEN_OVER, "taken_over", "datagrams taken from another worker")                             \
    X(HANDOVER_FULL, "handover_full", "datagrams answered BUSY because a hand-over ring was full") \
    X(QUEUE_AGED, "queue_aged",                                                                    \
      "datagrams with new orders answered BUSY because they had waited too long in the engine")    \
    X(LATE_LOOPS, "late_loops", "times a worker came back to its ports later than limits.queue_age")

/* X(NAME, text, help): decisions */
#define FG_WORK_COUNTERS(X)                                                                        \
    X(REQUESTS, "requests", "datagrams accepted for a decision")                                   \
    X(ENTRIES, "entries", "entries decided")                                                       \
    X(REPLAYS, "replays", "answers that repeat an earlier decision")                               \
    X(UNSETTLED, "unsettled", "entries that waited for other workers' orders to settle")           \
    X(PARKED, "parked", "replies that waited for durability")                                      \
    X(THROTTLED_KEY, "throttled_key", "entries refused because their key asks too often")          \
    X(THROTTLED_BUYER, "throttled_buyer", "entries refused because their buyer asks too often")    \
    X(THROTTLED_PENALTY, "throttled_penalty",                                                      \
      "new orders refused because their buyer is under a penalty for asking too often")            \
    X(PENALTIES, "penalties", "penalties begun, each of one buyer in one sale")                    \
    X(PENALTIES_FULL, "penalties_full",                                                            \
      "refused orders that counted towards no penalty, because others had their places")           \
    X(BUYERS_FORGOTTEN, "buyers_forgotten",                                                        \
      "buyers' rates forgotten early, because others needed their places")                         \
    X(HOLDS_EXPIRED, "holds_expired", "holds that ran out")                                        \
    X(COMMANDS, "commands", "control commands done")                                               \
    X(THROTTLED_COPIES, "throttled_copies",                                                        \
      "entries refused that may be copies: no newer than what their buyer, or their key, has "     \
      "asked before, and too often")

#define FG_COUNTERS(X) FG_FRAME_COUNTERS(X) FG_DROPS(X) FG_WORK_COUNTERS(X)

enum fg_counter {
#define X(name, text, help) FG_COUNTER_##name,
    FG_COUNTERS(X)
#undef X
        FG_COUNTER_COUNT
};

/* "drop_mac", and what it counts; "?" for a number that is none. */
static inline const char *fg_counter_name(unsigned counter)
{
    static const char *const names[] = {
#define X(name, text, help) [FG_COUNTER_##name] = (text),
        FG_COUNTERS(X)
#undef X
    };
    return counter < FG_COUNTER_COUNT ? names[counter] : "?";
}

static inline const char *fg_counter_help(unsigned counter)
{
    static const char *const helps[] = {
#define X(name, text, help) [FG_COUNTER_##name] = (help),
        FG_COUNTERS(X)
#undef X
    };
    return counter < FG_COUNTER_COUNT ? helps[counter] : "?";
}

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

/* X(NAME, text, help): what a worker does with its time, in a datagram's order */
#define FG_STAGES(X)                                                                               \
    X(RECEIVE, "receive", "frames taken from the ports' queues")                                   \
    X(PARSE, "parse", "headers read; ARP, neighbour solicitations and echo answered")              \
    X(CHECK, "check", "payloads held against the form of a request")                               \
    X(AUTHENTICATE, "authenticate", "keys, sources, macs and times checked")                       \
    X(HAND_OVER, "hand_over",                                                                      \
      "datagrams sorted by owner, given to other workers, taken from them")                        \
    X(DECIDE, "decide", "entries decided, and replies built")                                      \
    X(SIGN, "sign", "macs of replies made")                                                        \
    X(SEND, "send", "headers of replies written, and frames given to the ports")                   \
    X(SETTLE, "settle",                                                                            \
      "orders settled that are durable, waiting datagrams judged again, holds run out")            \
    X(OTHER, "other", "all else: the clock, the catalogue, commands of control")

enum fg_stage {
#define X(name, text, help) FG_STAGE_##name,
    FG_STAGES(X)
#undef X
        FG_STAGE_COUNT
};

/* X(frames, text, help): how many frames a port gave at once; each ends where the next begins */
#define FG_FILLS(X)                                                                                \
    X(1, "1", "1 frame")                                                                           \
    X(2, "2", "2 or 3")                                                                            \
    X(4, "4", "4 to 7")                                                                            \
    X(8, "8", "8 to 15")                                                                           \
    X(16, "16", "16 to 31")                                                                        \
    X(32, "32", "32 to 63")                                                                        \
    X(64, "64", "64, a full burst")

enum fg_fill {
#define X(frames, text, help) FG_FILL_##frames,
    FG_FILLS(X)
#undef X
        FG_FILL_COUNT
};

/* Of so many frames, at least one. */
static inline enum fg_fill fg_fill_of(unsigned frames)
{
    return (enum fg_fill)(31 - __builtin_clz(frames));
}

/* One worker's counters. worker: rw, control and metrics: ro (relaxed). */
struct fg_counters {
    _Atomic uint64_t count[FG_COUNTER_COUNT];
    _Atomic uint64_t verdicts[FG_VERDICT_MAX + 1]; /* by code */
    _Atomic uint64_t loops;
    _Atomic uint64_t busy_cycles, total_cycles;
    _Atomic uint64_t stages[FG_STAGE_COUNT]; /* the cycles of busy_cycles, by stage */
    _Atomic uint64_t bursts[FG_FILL_COUNT];  /* that had a frame, by how many */
    struct fg_histogram latency[FG_LATENCY_COUNT];
} __attribute__((aligned(128)));

/* Its worker only: one more. */
static inline void fg_count(struct fg_counters *counters, enum fg_counter which)
{
    fg_count_add(&counters->count[which], 1);
}

#endif
