/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payloads sorted into lanes: of a group of at most 64, those of the first one's length, then those
 * of the next length that is left. A burst is mostly of one length.
 */
#include <stddef.h>
#include <string.h>

#include "dataplane/admission/siphash.h"

#define GROUP     64
#define LANES_MAX 16
#define TOO_FEW   3 /* lanes cost about as much as so many alone: what is left of a length */

#define KERNEL        lanes_avx2
#define KERNEL_TARGET __attribute__((target("avx2")))
#define KERNEL_WORDS  4
#include "dataplane/admission/siphash_kernel.h"

#define KERNEL        lanes_avx512
#define KERNEL_TARGET __attribute__((target("avx512f")))
#define KERNEL_WORDS  8
#include "dataplane/admission/siphash_kernel.h"

static const struct way {
    const char *name;
    unsigned lanes;
    void (*kernel)(const struct fg_mac_job *const *jobs, uint64_t *macs);
} ways[FG_LANES_COUNT] = {
    [FG_LANES_SCALAR] = {"scalar", 1, NULL},
    [FG_LANES_AVX2] = {"avx2", 8, lanes_avx2},
    [FG_LANES_AVX512] = {"avx512", 16, lanes_avx512},
};

const char *fg_lanes_name(enum fg_lanes lanes)
{
    return ways[lanes].name;
}

bool fg_lanes_possible(enum fg_lanes lanes)
{
    switch (lanes) {
    case FG_LANES_AVX512:
        return __builtin_cpu_supports("avx512f");
    case FG_LANES_AVX2:
        return __builtin_cpu_supports("avx2");
    default:
        return true;
    }
}

enum fg_lanes fg_lanes_best(void)
{
    if (fg_lanes_possible(FG_LANES_AVX512))
        return FG_LANES_AVX512;
    return fg_lanes_possible(FG_LANES_AVX2) ? FG_LANES_AVX2 : FG_LANES_SCALAR;
}

static uint64_t alone(const struct fg_mac_job *job)
{
    return fg_payload_mac(job->key, job->payload, job->length);
}

/* Up to as many jobs as there are lanes, all of one length: their places. Lanes that are left do
 * the last one's work again. */
static void fill_lanes(const struct way *way, const struct fg_mac_job *jobs, const uint8_t *places,
                       unsigned count, uint64_t *macs)
{
    const struct fg_mac_job *filled[LANES_MAX];
    uint64_t made[LANES_MAX];

    for (unsigned i = 0; i < way->lanes; i++)
        filled[i] = &jobs[places[i < count ? i : count - 1]];
    way->kernel(filled, made);
    for (unsigned i = 0; i < count; i++)
        macs[places[i]] = made[i];
}

/* The jobs at these places, which are all of one length. */
static void one_length(const struct way *way, const struct fg_mac_job *jobs, const uint8_t *places,
                       unsigned count, uint64_t *macs)
{
    while (count >= TOO_FEW) {
        unsigned n = count < way->lanes ? count : way->lanes;
        fill_lanes(way, jobs, places, n, macs);
        places += n;
        count -= n;
    }
    for (unsigned i = 0; i < count; i++)
        macs[places[i]] = alone(&jobs[places[i]]);
}

/* Takes the places in the set `left` whose jobs are as long as the first one's out of it. Returns
 * how many. */
static unsigned take_length(const struct fg_mac_job *jobs, uint64_t *left, uint8_t places[GROUP])
{
    uint32_t length = jobs[__builtin_ctzll(*left)].length;
    uint64_t others = 0;
    unsigned n = 0;

    for (uint64_t looked = *left; looked != 0; looked &= looked - 1) {
        unsigned i = (unsigned)__builtin_ctzll(looked);
        bool same = jobs[i].length == length;
        places[n] = (uint8_t)i;
        n += same;
        others |= (uint64_t)!same << i;
    }
    *left = others;
    return n;
}

static void group_of(const struct way *way, const struct fg_mac_job *jobs, unsigned count,
                     uint64_t *macs)
{
    // cppcheck-suppress shiftTooManyBits ; a group has at least one
    uint64_t left = UINT64_MAX >> (GROUP - count);
    uint8_t places[GROUP];

    while (left != 0) {
        unsigned n = take_length(jobs, &left, places);
        one_length(way, jobs, places, n, macs);
    }
}

void fg_macs_by(enum fg_lanes lanes, const struct fg_mac_job *jobs, unsigned count, uint64_t *macs)
{
    if (lanes == FG_LANES_SCALAR) {
        for (unsigned i = 0; i < count; i++)
            macs[i] = alone(&jobs[i]);
        return;
    }
    while (count > 0) {
        unsigned n = count < GROUP ? count : GROUP;
        group_of(&ways[lanes], jobs, n, macs);
        jobs += n;
        macs += n;
        count -= n;
    }
}

void fg_macs(const struct fg_mac_job *jobs, unsigned count, uint64_t *macs)
{
    fg_macs_by(fg_lanes_best(), jobs, count, macs);
}
