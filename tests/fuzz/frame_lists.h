/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Block and allow lists of the target `frame`, and who is on them, told in the plainest way: by
 * the numbers that the lists are made of.
 */
#ifndef FG_TESTS_FUZZ_FRAME_LISTS_H
#define FG_TESTS_FUZZ_FRAME_LISTS_H

#include "dataplane/admission/lists.h"
#include "flashgate/protocol.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/frames.h"

#define BLOCKED 3 /* buyers 1 to 3, of whom the last is allowed, too */
#define BUYERS  12

/* Of either family the last byte of the address decides: 64-127 are blocked, but 72-79, of which
 * 75 is. */
#define BLOCK_FIRST 64
#define ALLOW_FIRST 72
#define BLOCK_AGAIN 75

static inline void a_buyer(uint8_t number, uint8_t buyer[FG_BUYER_BYTES])
{
    memset(buyer, number % BUYERS, FG_BUYER_BYTES);
}

/* Is the buyer on the block list alone? */
static inline bool is_blocked(const uint8_t *buyer)
{
    for (unsigned i = 1; i < FG_BUYER_BYTES; i++)
        if (buyer[i] != buyer[0])
            return false;
    return buyer[0] >= 1 && buyer[0] < BLOCKED;
}

/* The last bytes of where a frame says that it comes from; false: not of a network with lists. */
static inline bool is_blocked_source(const uint8_t *frame, unsigned l3)
{
    const uint8_t *ip = frame + l3;
    bool v4 = ip[0] >> 4 == 4;
    const uint8_t *source = v4 ? ip + 12 : ip + 8;
    uint8_t network[16] = {0}, last = v4 ? source[3] : source[15];

    if (v4)
        put32(network, CLIENT_IP);
    else
        put_ip6(network, CLIENT_IP6);
    if (memcmp(source, network, v4 ? 3 : 15) != 0)
        return false;
    return last / 64 == BLOCK_FIRST / 64 && (last / 8 != ALLOW_FIRST / 8 || last == BLOCK_AGAIN);
}

/* Prefixes of one family, which ends at `host`: two to block and one to allow. */
static inline void put_sources(struct fg_ip host, struct fg_list_prefix *blocked,
                               struct fg_list_prefix *allowed)
{
    host.low &= ~UINT64_C(0xff);
    blocked[0] =
        (struct fg_list_prefix){.address = {host.high, host.low | BLOCK_FIRST}, .bits = 122};
    blocked[1] =
        (struct fg_list_prefix){.address = {host.high, host.low | BLOCK_AGAIN}, .bits = 128};
    allowed[0] =
        (struct fg_list_prefix){.address = {host.high, host.low | ALLOW_FIRST}, .bits = 125};
}

/* Made once; never freed. */
static inline struct fg_lists *make_lists(void)
{
    uint8_t buyers[BLOCKED][FG_BUYER_BYTES];
    struct fg_list_prefix blocked[4], allowed[2];
    struct fg_lists_input input = {.buyers = {(const void *)buyers, (const void *)buyers[2]},
                                   .buyers_count = {BLOCKED, 1},
                                   .sources = {blocked, allowed},
                                   .sources_count = {4, 2},
                                   .seed = {1, 2}};

    for (uint8_t i = 0; i < BLOCKED; i++)
        a_buyer(i + 1, buyers[i]);
    put_sources(fg_ip_of_v4(CLIENT_IP), blocked, allowed);
    put_sources(CLIENT_IP6, blocked + 2, allowed + 1);
    struct fg_lists *lists = fg_lists_create(&input);
    FUZZ_CHECK(lists);
    return lists;
}

/* May a new order of a buyer who is blocked be answered so? What comes before the lists may be
 * told, and what an order has that was there before them; nothing of what comes after. */
static inline bool is_blocked_verdict(unsigned verdict)
{
    switch (verdict) {
    case FG_VERDICT_NOT_OPEN:
    case FG_VERDICT_CLOSED:
    case FG_VERDICT_PAUSED:
    case FG_VERDICT_BAD_QUANTITY:
    case FG_VERDICT_LIMIT_REACHED:
    case FG_VERDICT_SOLD_OUT:
    case FG_VERDICT_ALL_HELD:
        return false;
    default:
        return true;
    }
}

#endif
