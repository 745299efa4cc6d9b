/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Macs of many payloads at once. fg_payload_mac() of one is a chain of additions and rotations in
 * which each waits for the one before; so several run side by side, one in each lane of a vector.
 * Payloads of one length go together, whatever their keys; what is left over of a length, one or
 * two, is done alone.
 *
 * Which vectors there are is asked of the CPU at run time. The scalar function is the twin that
 * tests hold all of them against. All take a time that depends on lengths only.
 *
 * Pure; any thread.
 */
#ifndef FG_ADMISSION_SIPHASH_H
#define FG_ADMISSION_SIPHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "flashgate/protocol.h"

/* The mac of `payload` by `key` is wanted. Both at any address; `length` as for fg_payload_mac().
 */
struct fg_mac_job {
    const uint8_t *key; /* FG_SECRET_BYTES */
    const uint8_t *payload;
    uint32_t length; /* bytes */
};

/* Ways to make macs; each is better than the one before it. */
enum fg_lanes {
    FG_LANES_SCALAR, /* one by one */
    FG_LANES_AVX2,   /* 8 at a time */
    FG_LANES_AVX512, /* 16 */
    FG_LANES_COUNT
};

/* macs[i] becomes fg_payload_mac() of jobs[i], for any count of them. */
void fg_macs(const struct fg_mac_job *jobs, unsigned count, uint64_t *macs);

/* The same in one way; this CPU must have it. */
void fg_macs_by(enum fg_lanes lanes, const struct fg_mac_job *jobs, unsigned count, uint64_t *macs);

/* Has this CPU what this way needs? And the best that it has, which fg_macs() takes. */
bool fg_lanes_possible(enum fg_lanes lanes);
enum fg_lanes fg_lanes_best(void);
const char *fg_lanes_name(enum fg_lanes lanes);

#endif
