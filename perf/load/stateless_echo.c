/* SPDX-License-Identifier: BSD-3-Clause */
/* What an echo sends back, told from all else by its headers. */
#include <string.h>

#include "perf/load/stateless.h"
#include "perf/load/wire.h"

/* Where the parts of the headers of an IPv4 datagram without options begin. */
enum { MAC_BYTES = 6, TYPE_AT = 12, TARGET_PORT_AT = 36, AFTER_PORT_AT = 38, UDP_HEADER_BYTES = 8 };

size_t load_echo_payload(const uint8_t *sent, const uint8_t *frame, size_t length)
{
    uint8_t bytes[2];

    if (length <= LOAD_WIRE_HEADERS_BYTES || memcmp(frame, sent + MAC_BYTES, MAC_BYTES) != 0 ||
        memcmp(frame + MAC_BYTES, sent, MAC_BYTES) != 0 ||
        memcmp(frame + TYPE_AT, sent + TYPE_AT, TARGET_PORT_AT - TYPE_AT) != 0 ||
        memcmp(frame + AFTER_PORT_AT, sent + AFTER_PORT_AT,
               LOAD_WIRE_HEADERS_BYTES - AFTER_PORT_AT) != 0)
        return 0;
    memcpy(bytes, frame + AFTER_PORT_AT, sizeof(bytes)); /* UDP's length, header and all */
    size_t payload = (size_t)(bytes[0] << 8 | bytes[1]) - UDP_HEADER_BYTES;
    return LOAD_WIRE_HEADERS_BYTES + payload <= length ? payload : 0;
}
