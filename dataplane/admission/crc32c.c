/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C (RFC 3720, appendix B.4). The instruction where the processor has it (every x86-64 since
 * 2008, so the build asks for it here alone), eight bytes at a time.
 */
#include <string.h>

#include <nmmintrin.h>

#include "flashgate/protocol.h"

__attribute__((target("sse4.2"))) uint32_t fg_crc32c(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *at = data;
    uint64_t sum = ~crc;

    for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        sum = _mm_crc32_u64(sum, word);
    }
    for (; length > 0; length--, at++)
        sum = _mm_crc32_u8((uint32_t)sum, *at);
    return ~(uint32_t)sum;
}
