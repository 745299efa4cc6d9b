/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule 4 of the protocol: when a client that hears nothing asks again. */
#ifndef LOAD_RETRY_H
#define LOAD_RETRY_H

#include <stdint.h>

#define LOAD_RETRY_FIRST_MS 50
#define LOAD_RETRY_CAP_MS   1000
#define LOAD_RETRIES_MAX    10 /* then CANCEL until answered */

/* How long to wait for the answer after the first send (retries 0) or after a retry (1, 2 ...):
 * doubling from first to cap, times 0.5 to 1.5 at random. */
static inline uint32_t load_retry_wait_ms(unsigned retries, uint64_t random)
{
    uint32_t wait_ms = LOAD_RETRY_FIRST_MS
                       << (retries < LOAD_RETRIES_MAX ? retries : LOAD_RETRIES_MAX);

    if (wait_ms > LOAD_RETRY_CAP_MS)
        wait_ms = LOAD_RETRY_CAP_MS;
    return wait_ms / 2 + (uint32_t)(((random >> 32) * (wait_ms + 1)) >> 32);
}

#endif
