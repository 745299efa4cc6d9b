/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 of payloads of one length in the lanes of two vectors, which take turns: while one
 * waits for its last addition, the other has work. Included once for each width, with
 *
 *   KERNEL         the function's name
 *   KERNEL_TARGET  attributes that allow the instructions it is made for
 *   KERNEL_WORDS   64-bit words of a vector: 4 or 8
 *
 * The vectors are the compilers' own, so one text serves all widths, and a test can run any of them
 * on any CPU. Payloads lie at any address and are read within their length only.
 */
#define KERNEL_LANES (2 * KERNEL_WORDS)

#define KERNEL_PASTE_(a, b) a##_##b
#define KERNEL_PASTE(a, b)  KERNEL_PASTE_(a, b)
#define OWN(name)           KERNEL_PASTE(KERNEL, name)
#define PART                KERNEL_TARGET static inline __attribute__((always_inline))
#define vector              OWN(vector)
#define quad                OWN(quad)
#define lanes_state         OWN(state)

typedef uint64_t quad __attribute__((vector_size(32)));
typedef uint64_t vector __attribute__((vector_size(8 * KERNEL_WORDS)));

struct lanes_state {
    vector v0, v1, v2, v3;
};

#if KERNEL_WORDS == 4
/* Where there are no rotations, those by whole bytes are one shuffle instead of three steps. */
PART quad OWN(rotate16)(quad word)
{
    typedef uint16_t halves __attribute__((vector_size(32)));
    halves h = (halves)word;
    return (quad)__builtin_shufflevector(h, h, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13,
                                         14);
}

PART quad OWN(rotate32)(quad word)
{
    typedef uint32_t halves __attribute__((vector_size(32)));
    halves h = (halves)word;
    return (quad)__builtin_shufflevector(h, h, 1, 0, 3, 2, 5, 4, 7, 6);
}

#define ROTATE16(word)  OWN(rotate16)(word)
#define ROTATE32(word)  OWN(rotate32)(word)
#define JOIN(low, high) (low)
#else
#define ROTATE16(word)  ROTATE(word, 16)
#define ROTATE32(word)  ROTATE(word, 32)
#define JOIN(low, high) __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7)
#endif

#define ROTATE(word, bits) ((word) << (bits) | (word) >> (64 - (bits)))

PART void OWN(round)(struct lanes_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = ROTATE(s->v1, 13) ^ s->v0;
    s->v3 = ROTATE16(s->v3) ^ s->v2;
    s->v0 = ROTATE32(s->v0);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = ROTATE(s->v1, 17) ^ s->v2;
    s->v3 = ROTATE(s->v3, 21) ^ s->v0;
    s->v2 = ROTATE32(s->v2);
}

PART void OWN(rounds)(struct lanes_state s[2], int count)
{
#pragma GCC unroll 4
    for (int i = 0; i < count; i++) {
        OWN(round)(&s[0]);
        OWN(round)(&s[1]);
    }
}

PART void OWN(compress)(struct lanes_state s[2], const vector *first, const vector *second)
{
    s[0].v3 ^= *first;
    s[1].v3 ^= *second;
    OWN(rounds)(s, 2);
    s[0].v0 ^= *first;
    s[1].v0 ^= *second;
}

/* One word of each lane, or `bytes` of it. */
PART void OWN(gather)(const struct fg_mac_job *const *jobs, size_t at, size_t bytes, vector *words)
{
#pragma GCC unroll 8
    for (int i = 0; i < KERNEL_WORDS; i++) {
        uint64_t word = 0;
        memcpy(&word, jobs[i]->payload + at, bytes);
        (*words)[i] = word;
    }
}

/* Four words each of four lanes, turned over: words[w] has word w of each. */
PART void OWN(turn)(const struct fg_mac_job *const *jobs, size_t at, quad words[4])
{
    quad a, b, c, d;

    memcpy(&a, jobs[0]->payload + at, sizeof(a));
    memcpy(&b, jobs[1]->payload + at, sizeof(b));
    memcpy(&c, jobs[2]->payload + at, sizeof(c));
    memcpy(&d, jobs[3]->payload + at, sizeof(d));
    quad ab_even = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    quad ab_odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    quad cd_even = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    quad cd_odd = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    words[0] = __builtin_shufflevector(ab_even, cd_even, 0, 1, 4, 5);
    words[1] = __builtin_shufflevector(ab_odd, cd_odd, 0, 1, 4, 5);
    words[2] = __builtin_shufflevector(ab_even, cd_even, 2, 3, 6, 7);
    words[3] = __builtin_shufflevector(ab_odd, cd_odd, 2, 3, 6, 7);
}

/* The same of all lanes of a vector. */
PART void OWN(load)(const struct fg_mac_job *const *jobs, size_t at, vector words[4])
{
    quad low[4], high[4];

    OWN(turn)(jobs, at, low);
    OWN(turn)(jobs + KERNEL_WORDS - 4, at, high);
#pragma GCC unroll 4
    for (int w = 0; w < 4; w++)
        words[w] = JOIN(low[w], high[w]);
}

PART void OWN(begin)(const struct fg_mac_job *const *jobs, struct lanes_state *s)
{
    vector k0 = {0}, k1 = {0};

#pragma GCC unroll 8
    for (int i = 0; i < KERNEL_WORDS; i++) {
        uint64_t half;
        memcpy(&half, jobs[i]->key, sizeof(half));
        k0[i] = half;
        memcpy(&half, jobs[i]->key + 8, sizeof(half));
        k1[i] = half;
    }
    s->v0 = k0 ^ UINT64_C(0x736f6d6570736575);
    s->v1 = k1 ^ UINT64_C(0x646f72616e646f6d);
    s->v2 = k0 ^ UINT64_C(0x6c7967656e657261);
    s->v3 = k1 ^ UINT64_C(0x7465646279746573);
}

/* Whole words from `at` on; the mac itself, the third word, is taken as zero. Returns where the
 * last bytes begin. */
PART size_t OWN(words)(struct lanes_state s[2], const struct fg_mac_job *const *jobs,
                       const struct fg_mac_job *const *others, size_t length)
{
    const vector none = {0};
    size_t at = 0;

    for (; at + 32 <= length; at += 32) {
        vector first[4], second[4];
        OWN(load)(jobs, at, first);
        OWN(load)(others, at, second);
        if (at == 0)
            first[2] = second[2] = none;
#pragma GCC unroll 4
        for (int w = 0; w < 4; w++)
            OWN(compress)(s, &first[w], &second[w]);
    }
    for (; at + 8 <= length; at += 8) {
        vector first = none, second = none;
        if (at != offsetof(struct fg_header, mac)) {
            OWN(gather)(jobs, at, 8, &first);
            OWN(gather)(others, at, 8, &second);
        }
        OWN(compress)(s, &first, &second);
    }
    return at;
}

/* All jobs are of the first one's length. */
KERNEL_TARGET static void KERNEL(const struct fg_mac_job *const *jobs, uint64_t macs[KERNEL_LANES])
{
    const struct fg_mac_job *const *others = jobs + KERNEL_WORDS;
    struct lanes_state s[2];
    vector first = {0}, second = {0};
    size_t length = jobs[0]->length;

    OWN(begin)(jobs, &s[0]);
    OWN(begin)(others, &s[1]);
    size_t at = OWN(words)(s, jobs, others, length);
    if (at < length) { /* a datagram's length is of whole words */
        OWN(gather)(jobs, at, length - at, &first);
        OWN(gather)(others, at, length - at, &second);
    }
    first += (uint64_t)length << 56;
    second += (uint64_t)length << 56;
    OWN(compress)(s, &first, &second);
    s[0].v2 ^= 0xff;
    s[1].v2 ^= 0xff;
    OWN(rounds)(s, 4);
#pragma GCC unroll 2
    for (int v = 0; v < 2; v++) {
        vector folded = s[v].v0 ^ s[v].v1 ^ s[v].v2 ^ s[v].v3;
        memcpy(macs + (size_t)v * KERNEL_WORDS, &folded, sizeof(folded));
    }
}

#undef ROTATE
#undef ROTATE16
#undef ROTATE32
#undef JOIN
#undef vector
#undef quad
#undef lanes_state
#undef PART
#undef OWN
#undef KERNEL_PASTE
#undef KERNEL_PASTE_
#undef KERNEL_LANES
#undef KERNEL
#undef KERNEL_TARGET
#undef KERNEL_WORDS
