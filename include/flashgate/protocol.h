/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Flashgate order protocol, version 1: what stands on the wire.
 *
 * Everything here follows docs/protocol.md. All integers are little-endian. The structs have the
 * wire's layout, but the UDP payload lies at any address (at 2 mod 8 in an Ethernet frame), so
 * copy entries in and out with memcpy and never cast a payload pointer to them.
 *
 * The lists (FG_OPS, FG_VERDICTS) are the only ones of their kind: codes, names, counters,
 * reports and documentation tables are all made from them.
 */
#ifndef FLASHGATE_PROTOCOL_H
#define FLASHGATE_PROTOCOL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the wire is little-endian and so must be the machine"
#endif

#define FG_MAGIC_0        0x46 /* 'F' */
#define FG_MAGIC_1        0x47 /* 'G' */
#define FG_VERSION        1
#define FG_TYPE_REQUEST   1
#define FG_TYPE_REPLY     2
#define FG_ENTRIES_MAX    32
#define FG_BUYER_BYTES    16
#define FG_SECRET_BYTES   16
#define FG_PARTITIONS_MIN 64

/* Reply flags. */
#define FG_REPLAY 0x01 /* repeats an earlier decision */
#define FG_HELD   0x02 /* the order needs CONFIRM */

/* X(NAME, code, what it does) */
#define FG_OPS(X)                                                                                  \
    X(ORDER, 1, "asks for units of an item")                                                       \
    X(CONFIRM, 2, "makes a held order final")                                                      \
    X(CANCEL, 3, "withdraws an order; without one, voids the request")                             \
    X(QUERY, 4, "asks what became of a request")                                                   \
    X(STOCK, 5, "asks how many units of an item are unsold")                                       \
    X(PING, 6, "asks whether the engine is alive and how to steer")

enum fg_op {
#define X(name, code, help) FG_OP_##name = code,
    FG_OPS(X)
#undef X
};
#define FG_OP_MAX 6 /* greatest code */

/* X(NAME, code, what it means) */
#define FG_VERDICTS(X)                                                                             \
    X(ADMITTED, 1, "the order exists and is durable")                                              \
    X(CONFIRMED, 2, "the order is final")                                                          \
    X(CANCELLED, 3, "the order is withdrawn, or the request is void")                              \
    X(EXPIRED, 4, "the hold ran out before CONFIRM")                                               \
    X(SOLD_OUT, 16, "fewer units are free, held or being decided than asked for")                  \
    X(ALL_HELD, 17, "what remains is held by others or not yet decided")                           \
    X(LIMIT_REACHED, 18, "would exceed a limit of this buyer")                                     \
    X(NOT_OPEN, 19, "the sale has not opened yet")                                                 \
    X(CLOSED, 20, "the sale has ended")                                                            \
    X(PAUSED, 21, "an operator paused the sale")                                                   \
    X(THROTTLED, 32, "this buyer or key asks too often")                                           \
    X(BUSY, 33, "the engine cannot take it now; nothing was changed")                              \
    X(MISROUTED, 34, "the entry's partition differs from the datagram's")                          \
    X(BLOCKED, 35, "the buyer is on the block list")                                               \
    X(FORBIDDEN, 36, "this key may not do this")                                                   \
    X(UNKNOWN_ITEM, 48, "no such item")                                                            \
    X(BAD_QUANTITY, 49, "quantity is 0 or above the item's per-order maximum")                     \
    X(CONFLICT, 50, "the request names an order with another item, quantity or id")                \
    X(NOT_FOUND, 51, "no such order of this buyer")                                                \
    X(UNSUPPORTED, 52, "unknown op or flag")                                                       \
    X(STOCK, 64, "answer to STOCK")                                                                \
    X(PONG, 65, "answer to PING")

enum fg_verdict {
    FG_VERDICT_NONE = 0, /* never on the wire */
#define X(name, code, help) FG_VERDICT_##name = code,
    FG_VERDICTS(X)
#undef X
};
#define FG_VERDICT_MAX 65 /* greatest code */

/* Names of codes; "?" for a code that does not exist. */
static inline const char *fg_op_name(unsigned code)
{
    switch (code) {
#define X(name, value, help)                                                                       \
    case value:                                                                                    \
        return #name;
        FG_OPS(X)
#undef X
    default:
        return "?";
    }
}

static inline const char *fg_verdict_name(unsigned code)
{
    switch (code) {
#define X(name, value, help)                                                                       \
    case value:                                                                                    \
        return #name;
        FG_VERDICTS(X)
#undef X
    default:
        return "?";
    }
}

/* Starts every datagram, either way. */
struct fg_header {
    uint8_t magic[2];
    uint8_t version;
    uint8_t type;
    uint8_t count; /* entries that follow, 1..FG_ENTRIES_MAX */
    uint8_t reserved;
    uint16_t key_id;  /* 0: unsigned */
    uint64_t time_ns; /* sender's CLOCK_REALTIME and the datagram's name; echoed in the reply */
    uint64_t mac;     /* SipHash-2-4 over the payload with this field zero; 0 if key_id is 0 */
};

struct fg_request {
    uint8_t buyer[FG_BUYER_BYTES];
    uint64_t request;
    uint32_t item;
    uint16_t quantity;
    uint8_t op;
    uint8_t flags; /* 0 in version 1 */
    uint64_t order;
};

struct fg_reply {
    uint64_t request;
    uint64_t order;
    uint32_t item;     /* PONG: partition count */
    uint16_t quantity; /* PONG: base UDP port */
    uint8_t verdict;
    uint8_t flags;
    uint32_t wait_ms; /* PONG: number of workers */
    uint32_t available;
};

#define FG_REQUEST_BYTES(count) (sizeof(struct fg_header) + (count) * sizeof(struct fg_request))
#define FG_REPLY_BYTES(count)   (sizeof(struct fg_header) + (count) * sizeof(struct fg_reply))

static_assert(sizeof(struct fg_header) == 24, "header is 24 bytes on the wire");
static_assert(offsetof(struct fg_header, version) == 2, "wire offset");
static_assert(offsetof(struct fg_header, type) == 3, "wire offset");
static_assert(offsetof(struct fg_header, count) == 4, "wire offset");
static_assert(offsetof(struct fg_header, reserved) == 5, "wire offset");
static_assert(offsetof(struct fg_header, key_id) == 6, "wire offset");
static_assert(offsetof(struct fg_header, time_ns) == 8, "wire offset");
static_assert(offsetof(struct fg_header, mac) == 16, "wire offset");

static_assert(sizeof(struct fg_request) == 40, "request entry is 40 bytes on the wire");
static_assert(offsetof(struct fg_request, request) == 16, "wire offset");
static_assert(offsetof(struct fg_request, item) == 24, "wire offset");
static_assert(offsetof(struct fg_request, quantity) == 28, "wire offset");
static_assert(offsetof(struct fg_request, op) == 30, "wire offset");
static_assert(offsetof(struct fg_request, flags) == 31, "wire offset");
static_assert(offsetof(struct fg_request, order) == 32, "wire offset");

static_assert(sizeof(struct fg_reply) == 32, "reply entry is 32 bytes on the wire");
static_assert(offsetof(struct fg_reply, order) == 8, "wire offset");
static_assert(offsetof(struct fg_reply, item) == 16, "wire offset");
static_assert(offsetof(struct fg_reply, quantity) == 20, "wire offset");
static_assert(offsetof(struct fg_reply, verdict) == 22, "wire offset");
static_assert(offsetof(struct fg_reply, flags) == 23, "wire offset");
static_assert(offsetof(struct fg_reply, wait_ms) == 24, "wire offset");
static_assert(offsetof(struct fg_reply, available) == 28, "wire offset");

static_assert(FG_REQUEST_BYTES(FG_ENTRIES_MAX) == 1304, "a full request fits a 1500-byte MTU");
static_assert(FG_REPLY_BYTES(FG_ENTRIES_MAX) <= FG_REQUEST_BYTES(FG_ENTRIES_MAX),
              "a reply is never longer than its request");

/*
 * SipHash-2-4 with a 64-bit result (Aumasson and Bernstein, 2012). `key` is 16 bytes, little-endian
 * k0 then k1. Any thread.
 */
uint64_t fg_siphash(const uint8_t key[FG_SECRET_BYTES], const void *data, size_t length);

/* The mac of a whole UDP payload (header.mac is taken as zero). length >= sizeof(fg_header). */
uint64_t fg_payload_mac(const uint8_t key[FG_SECRET_BYTES], const void *payload, size_t length);

/*
 * CRC-32C, Castagnoli (polynomial 0x1EDC6F41 reflected, initial value and final xor 0xFFFFFFFF,
 * RFC 3720). `crc` is 0 to begin with, or the result over what came before. Any thread.
 */
uint32_t fg_crc32c(uint32_t crc, const void *data, size_t length);

/* The buyer's partition; `partitions` is a power of two. */
static inline uint32_t fg_partition(const uint8_t buyer[FG_BUYER_BYTES], uint32_t partitions)
{
#ifdef __SSE4_2__ /* fg_crc32c() without its call: each entry's partition is asked for */
    uint64_t words[2];
    memcpy(words, buyer, sizeof(words));
    uint64_t sum = __builtin_ia32_crc32di(UINT32_MAX, words[0]);
    return ~(uint32_t)__builtin_ia32_crc32di(sum, words[1]) & (partitions - 1);
#else
    return fg_crc32c(0, buyer, FG_BUYER_BYTES) & (partitions - 1);
#endif
}

#endif
