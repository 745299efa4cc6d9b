/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place where the generator signs datagrams by the burst. */
#ifndef LOAD_SIGN_H
#define LOAD_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "flashgate/protocol.h"

/* Writes the mac of each of `count` payloads, all `length` bytes long, into its header. */
void load_sign(const uint8_t secret[FG_SECRET_BYTES], uint8_t *const *payloads, unsigned count,
               size_t length);

#endif
