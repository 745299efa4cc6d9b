/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Randomness of the generator. What a request asks for is a function of (seed, number), so nothing
 * of it is stored and a run repeats from its seed; load_mix64() is that function's core. Only the
 * jitter of retries comes from a running state.
 */
#ifndef LOAD_RANDOM_H
#define LOAD_RANDOM_H

#include <stdint.h>

/* A bijection of 64-bit words whose output bits all depend on all input bits: the finalizer of
 * SplitMix64 (Steele, Lea and Flood, 2014, with Stafford's constants, mix 13). */
static inline uint64_t load_mix64(uint64_t word)
{
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

/* The number-th word of the stream that `seed` names. */
static inline uint64_t load_word(uint64_t seed, uint64_t number)
{
    return load_mix64(seed + (number + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* 0..count-1, as even as 64 bits allow. */
static inline uint64_t load_reduce(uint64_t word, uint64_t count)
{
    return (uint64_t)(((unsigned __int128)word * count) >> 64);
}

#endif
