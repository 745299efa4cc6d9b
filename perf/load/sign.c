/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/sign.h"

#include <string.h>

void load_sign(const uint8_t secret[FG_SECRET_BYTES], uint8_t *const *payloads, unsigned count,
               size_t length)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t mac = fg_payload_mac(secret, payloads[i], length);
        memcpy(payloads[i] + offsetof(struct fg_header, mac), &mac, sizeof(mac));
    }
}
