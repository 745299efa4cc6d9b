# SPDX-License-Identifier: BSD-3-Clause
"""The Flashgate order protocol, version 1, in plain Python: what docs/protocol.md says and nothing
of the C code, so that the two can be held against each other. Used by the test vectors and by the
tests' client."""

import struct
from typing import NamedTuple

MAGIC = b'FG'
VERSION = 1
REQUEST, REPLY = 1, 2
ENTRIES_MAX = 32

OPS = {'ORDER': 1, 'CONFIRM': 2, 'CANCEL': 3, 'QUERY': 4, 'STOCK': 5, 'PING': 6}

VERDICTS = {
    'ADMITTED': 1, 'CONFIRMED': 2, 'CANCELLED': 3, 'EXPIRED': 4,
    'SOLD_OUT': 16, 'ALL_HELD': 17, 'LIMIT_REACHED': 18, 'NOT_OPEN': 19, 'CLOSED': 20,
    'PAUSED': 21,
    'THROTTLED': 32, 'BUSY': 33, 'MISROUTED': 34, 'BLOCKED': 35, 'FORBIDDEN': 36,
    'UNKNOWN_ITEM': 48, 'BAD_QUANTITY': 49, 'CONFLICT': 50, 'NOT_FOUND': 51, 'UNSUPPORTED': 52,
    'STOCK': 64, 'PONG': 65,
}
VERDICT_NAMES = {code: name for name, code in VERDICTS.items()}

REPLAY, HELD = 1, 2  # reply flags

HEADER = struct.Struct('<2sBBBBHQQ')
REQUEST_ENTRY = struct.Struct('<16sQIHBBQ')
REPLY_ENTRY = struct.Struct('<QQIHBBII')
assert (HEADER.size, REQUEST_ENTRY.size, REPLY_ENTRY.size) == (24, 40, 32)

WORD = 0xFFFFFFFFFFFFFFFF


class Request(NamedTuple):
    """One request entry."""
    buyer: bytes = bytes(16)
    request: int = 0
    item: int = 0
    quantity: int = 0
    op: int = 0
    flags: int = 0
    order: int = 0


class Reply(NamedTuple):
    """One reply entry."""
    request: int = 0
    order: int = 0
    item: int = 0
    quantity: int = 0
    verdict: int = 0
    flags: int = 0
    wait_ms: int = 0
    available: int = 0


class Header(NamedTuple):
    """What starts every datagram."""
    magic: bytes = MAGIC
    version: int = VERSION
    type: int = REQUEST
    count: int = 0
    reserved: int = 0
    key_id: int = 0
    time_ns: int = 0
    mac: int = 0


def siphash(key, data):
    """SipHash-2-4, 64-bit: two rounds a word, four to finish."""
    def rotate(word, bits):
        return ((word << bits) | (word >> (64 - bits))) & WORD

    def rounds(v, count):
        v0, v1, v2, v3 = v
        for _ in range(count):
            v0 = (v0 + v1) & WORD
            v1 = rotate(v1, 13) ^ v0
            v0 = rotate(v0, 32)
            v2 = (v2 + v3) & WORD
            v3 = rotate(v3, 16) ^ v2
            v0 = (v0 + v3) & WORD
            v3 = rotate(v3, 21) ^ v0
            v2 = (v2 + v1) & WORD
            v1 = rotate(v1, 17) ^ v2
            v2 = rotate(v2, 32)
        return v0, v1, v2, v3

    k0, k1 = struct.unpack('<QQ', key)
    start = b'somepseudorandomlygeneratedbytes'
    v = [part ^ k for part, k in zip(struct.unpack('>QQQQ', start), (k0, k1, k0, k1))]
    whole = len(data) // 8 * 8
    last = data[whole:].ljust(7, b'\0') + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack('<Q', data[:whole] + last):
        v0, v1, v2, v3 = rounds((v[0], v[1], v[2], v[3] ^ word), 2)
        v = [v0 ^ word, v1, v2, v3]
    v0, v1, v2, v3 = rounds((v[0], v[1], v[2] ^ 0xFF, v[3]), 4)
    return v0 ^ v1 ^ v2 ^ v3


def crc32c(data):
    """CRC-32C, a bit at a time; 0x82F63B78 is the polynomial 0x1EDC6F41 reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def partition(buyer, partitions):
    return crc32c(buyer) % partitions


def mac(secret, payload):
    """The mac of a whole payload, its mac field taken as zero."""
    return siphash(secret, payload[:16] + bytes(8) + payload[24:])


def sign(secret, payload):
    return payload[:16] + struct.pack('<Q', mac(secret, payload)) + payload[24:]


def datagram(entries, time_ns, key_id=0, secret=None, **header):
    """A payload of Request or of Reply entries, signed if a secret is given. Further header fields
    (magic, version, ...) may be bent by name."""
    replies = isinstance(entries[0], Reply)
    fields = {'type': REPLY if replies else REQUEST, 'count': len(entries), 'key_id': key_id,
              'time_ns': time_ns, **header}
    layout = REPLY_ENTRY if replies else REQUEST_ENTRY
    payload = HEADER.pack(*Header(**fields)) + b''.join(layout.pack(*entry) for entry in entries)
    return sign(secret, payload) if secret else payload


def parse_reply(payload):
    """(Header, [Reply]) of a reply's payload; ValueError if it is not one."""
    if len(payload) < HEADER.size:
        raise ValueError('shorter than a header')
    header = Header(*HEADER.unpack_from(payload))
    if (header.magic, header.version, header.type, header.reserved) != (MAGIC, VERSION, REPLY, 0):
        raise ValueError(f'not a version 1 reply: {header}')
    if len(payload) != HEADER.size + header.count * REPLY_ENTRY.size:
        raise ValueError(f'{len(payload)} bytes do not hold {header.count} entries')
    return header, [Reply(*fields) for fields in REPLY_ENTRY.iter_unpack(payload[HEADER.size:])]
