/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/sign.h"

#include <string.h>

#include "dataplane/admission/siphash.h"

#define AT_ONCE 64

static void sign_some(const uint8_t *secret, uint8_t *const *payloads, unsigned count,
                      size_t length)
{
    struct fg_mac_job jobs[AT_ONCE] = {0};
    uint64_t macs[AT_ONCE];

    for (unsigned i = 0; i < count; i++)
        jobs[i] = (struct fg_mac_job){secret, payloads[i], (uint32_t)length};
    fg_macs(jobs, count, macs);
    for (unsigned i = 0; i < count; i++)
        memcpy(payloads[i] + offsetof(struct fg_header, mac), &macs[i], sizeof(macs[i]));
}

void load_sign(const uint8_t secret[FG_SECRET_BYTES], uint8_t *const *payloads, unsigned count,
               size_t length)
{
    for (unsigned done = 0; done < count; done += AT_ONCE)
        sign_some(secret, payloads + done, count - done < AT_ONCE ? count - done : AT_ONCE, length);
}
