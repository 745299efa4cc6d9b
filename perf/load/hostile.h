/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hostile side of the load: floods that share the wire with the honest buyers, of every kind
 * that a sender can make. What each kind must come to is in its row: the engine's counter that has
 * to grow by one for every such datagram, and whether it may be answered at all.
 *
 * Frames are built and signed when the load begins; only replays and bots are made as they are
 * sent. (What is dropped before its time is looked at may be of any age.) Each kind has a source
 * port of its own, so an answer says whom it was meant for; whatever the engine sends that is not
 * for the honest client is counted here. The exception are replays from the honest client's own
 * address and port: their answers are those that the client does not wait for any more.
 *
 * Bots hold the honest key. What they order is recorded nowhere: to the checker they are clients
 * of whom it has no history (docs/history.md).
 *
 * In turns, so that both are measured within moments of each other: of each slice the first fifth
 * is without hostile traffic, for what was before to drain and for the wire to be judged; then it
 * is with or without it, in the order off on, on off, off on ...
 *
 * Pure: frames in and out, time is told. One thread.
 */
#ifndef LOAD_HOSTILE_H
#define LOAD_HOSTILE_H

#include "perf/load/client.h"
#include "perf/load/wire.h"

#define LOAD_FRAME_BYTES_MAX 1514

/* What may come of a kind. SILENCE: nothing is ever sent. ANSWERED: to its port, as to anybody.
 * OWN: to the honest client. */
enum load_expected { LOAD_SILENCE, LOAD_ANSWERED, LOAD_OWN };

/* X(NAME, text, the engine's counter, what may come of it, help) */
#define LOAD_HOSTILES(X)                                                                           \
    X(RANDOM, "random", "drop_malformed", SILENCE, "payloads of random bytes, of any length")      \
    X(FORM, "form", "drop_malformed", SILENCE, "requests with one field of the header wrong")      \
    X(CUT, "cut", "drop_malformed", SILENCE,                                                       \
      "signed requests that are longer or shorter than their count says")                          \
    X(VERSION, "version", "drop_version", SILENCE, "signed requests of another protocol version")  \
    X(REPLY, "reply", "drop_reply", SILENCE, "replies, as from another engine")                    \
    X(OTHER_MAC, "other-mac", "drop_other_mac", SILENCE, "frames for another MAC address")         \
    X(GROUP_MAC, "group-mac", "drop_group", SILENCE, "requests to everybody's MAC address")        \
    X(SOURCE_MAC, "source-mac", "drop_source_mac", SILENCE, "a group's MAC address as the source") \
    X(VLAN, "vlan", "drop_vlan", SILENCE, "two VLAN tags")                                         \
    X(NOT_IP, "not-ip", "drop_not_ip", SILENCE, "frames of another protocol than IP")              \
    X(NOT_FOR_US, "not-for-us", "drop_not_for_us", SILENCE, "packets for another IP address")      \
    X(IP_CHECKSUM, "ip-checksum", "drop_ip_checksum", SILENCE, "wrong checksum of the IP header")  \
    X(IP_OPTIONS, "ip-options", "drop_ip_options", SILENCE, "IP options")                          \
    X(FRAGMENT, "fragment", "drop_fragment", SILENCE, "IP fragments")                              \
    X(RUNT, "runt", "drop_runt", SILENCE, "frames and packets that end in a header")               \
    X(SHORT, "short", "drop_cut", SILENCE, "frames that end before their IP length")               \
    X(IP_HEADER, "ip-header", "drop_ip_header", SILENCE,                                           \
      "IP headers of another version, or of an impossible length")                                 \
    X(NOT_UDP, "not-udp", "drop_not_udp", SILENCE, "packets of another protocol than UDP")         \
    X(UDP_LENGTH, "udp-length", "drop_udp_length", SILENCE, "UDP lengths not their packets'")      \
    X(UDP_CHECKSUM, "udp-checksum", "drop_udp_checksum", SILENCE, "wrong UDP checksum")            \
    X(OTHER_PORT, "other-port", "drop_port", SILENCE, "UDP ports that are not the engine's")       \
    X(NO_HOST, "no-host", "drop_source", SILENCE,                                                  \
      "source addresses of no host: unspecified, loopback, reserved")                              \
    X(MULTICAST, "multicast", "drop_source_group", SILENCE, "multicast source address")            \
    X(BROADCAST, "broadcast", "drop_source_group", SILENCE, "broadcast source address")            \
    X(MIRROR, "mirror", "drop_source_own", SILENCE, "the engine's own address as the source")      \
    X(LOW_PORT, "low-port", "drop_source_port", SILENCE, "source ports below 1024")                \
    X(UNSIGNED, "unsigned", "drop_unsigned", SILENCE, "well-formed, without a key")                \
    X(UNKNOWN_KEY, "unknown-key", "drop_unknown_key", SILENCE,                                     \
      "well-formed, with a key id that nobody has")                                                \
    X(FORGED, "forged", "drop_mac", SILENCE,                                                       \
      "well-formed, with the honest key's id and a wrong mac")                                     \
    X(STALE, "stale", "drop_stale", SILENCE, "rightly signed an hour ago")                         \
    X(REPLAY, "replay", "requests", OWN,                                                           \
      "copies of honest datagrams just sent, as if the honest client sent them")                   \
    X(REPLAY_PORT, "replay-port", "requests", ANSWERED,                                            \
      "such copies from the honest address and another port")                                      \
    X(REPLAY_ADDRESS, "replay-address", "drop_key_source", SILENCE,                                \
      "such copies from an address that is none of the key's sources")                             \
    X(ONE_BUYER, "one-buyer", "requests", ANSWERED, "a bot with the honest key: one buyer")        \
    X(MANY_BUYERS, "many-buyers", "requests", ANSWERED,                                            \
      "bots with the honest key: each buyer asks once")

enum load_hostile_kind {
#define X(name, text, counter, expected, help) LOAD_HOSTILE_##name,
    LOAD_HOSTILES(X)
#undef X
        LOAD_HOSTILE_COUNT
};

#define LOAD_HOSTILE_VARIANTS 32   /* ready frames of a kind */
#define LOAD_OVERHEARD        1024 /* honest datagrams that may be replayed; a power of two */

struct load_hostile_frame {
    uint16_t length;
    uint8_t bytes[LOAD_FRAME_BYTES_MAX];
};

struct load_overheard {
    uint32_t partition;
    uint16_t length;
    uint8_t payload[FG_REQUEST_BYTES(FG_ENTRIES_MAX)];
};

/* How the frames leave: on the queue that leads to the worker of that partition. What finds no room
 * is lost, and counted in `lost`. */
struct load_hostile_link {
    void (*send)(struct load_hostile_link *link, uint32_t partition, const uint8_t *frame,
                 size_t length, enum load_hostile_kind kind);
};

struct load_hostile {
    /* set by the caller before load_hostile_start */
    const struct load_client *client; /* whose key, mix and clock are used */
    struct load_hostile_link *link;
    struct load_weights kinds; /* values: kind + 1 */
    uint64_t rate;             /* datagrams a second; 0: there is no hostile side */
    uint64_t slice_ns;         /* 0: no turns */
    uint16_t first_port;       /* of the source ports, one for each kind */
    uint32_t hosts_mask;       /* of the subnet: the bits that tell its hosts apart */

    struct load_wire wires[LOAD_HOSTILE_COUNT]; /* who each kind says it is */
    uint32_t target_base_port;
    struct load_hostile_frame *frames; /* VARIANTS of each kind, by kind */
    struct load_overheard *overheard;  /* a ring */
    uint64_t overheard_count;
    uint64_t name;    /* time_ns of the last bot's datagram */
    uint64_t number;  /* of datagrams drawn so far */
    uint64_t last_ns; /* when what is due was counted last */
    uint64_t credit;  /* due and not sent yet, in 1e-9 datagrams */

    /* figures */
    uint64_t skipped;                  /* due, but the generator was too far behind to send it */
    uint64_t sent[LOAD_HOSTILE_COUNT]; /* what the engine could take is this less `lost` */
    uint64_t lost[LOAD_HOSTILE_COUNT]; /* the wire had no room */
    uint64_t honest_lost;              /* honest datagrams that it had none for */
    uint64_t answers[LOAD_HOSTILE_COUNT];
    uint64_t stray; /* frames of the engine's to an address and port that nobody has */
};

/* Reads "KIND:WEIGHT,..." or "all". 0; or -1 with a sentence in `message`. */
int load_hostile_parse(struct load_weights *weights, const char *text, char *message, size_t size);

/* Once the engine is known (its MAC in the honest wire, its ports and workers in the client) and
 * the schedule begun: builds the frames. 0 or -ENOMEM; load_hostile_fini frees in any case. */
int load_hostile_start(struct load_hostile *hostile, const struct load_wire *honest,
                       uint32_t target_base_port);
void load_hostile_fini(struct load_hostile *hostile);

/* Is there hostile traffic at that time of the link's clock? */
bool load_hostile_on(const struct load_hostile *hostile, uint64_t now_ns);

/* Sends what is due, `most` datagrams at most; how many. */
unsigned load_hostile_play(struct load_hostile *hostile, uint64_t now_ns, unsigned most);

/* An honest datagram leaves: it may be replayed. */
void load_hostile_overhear(struct load_hostile *hostile, uint32_t partition, const void *payload,
                           size_t length);

/* A frame came that is not for the honest client: whose is it? */
void load_hostile_hear(struct load_hostile *hostile, const uint8_t *frame, size_t length);

const char *load_hostile_name(enum load_hostile_kind kind);
const char *load_hostile_counter(enum load_hostile_kind kind);
enum load_expected load_hostile_expected(enum load_hostile_kind kind);

#endif
