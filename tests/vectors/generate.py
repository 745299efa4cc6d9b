#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the test vectors of the order protocol, as JSON that clients in any language can read.

generate.py           writes the files beside itself
generate.py --check   fails if a file differs from what would be written

Byte strings are hex. 64-bit integers are hex strings ("0x..."), since many JSON readers keep only
53 bits; smaller integers are numbers."""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import wire  # noqa: E402

NOW_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000
WINDOW_NS = 30 * SECOND_NS

STOREFRONT = {'id': 7, 'secret': bytes(range(16)), 'prefixes': ['10.20.0.0/16', '192.0.2.7/32']}
PAYMENTS = {'id': 65535, 'secret': bytes.fromhex('f0e1d2c3b4a5968778695a4b3c2d1e0f'),
            'prefixes': []}
SOURCE = '10.20.30.40'

BUYER = bytes.fromhex('0123456789abcdef0011223344556677')
ORDER_ID = 0x0040_0001_0000_002A


def word(value):
    return f'0x{value:016x}'


def siphash_vectors():
    key = bytes(range(16))
    vectors = [{'input': bytes(range(n)).hex(), 'hash': word(wire.siphash(key, bytes(range(n))))}
               for n in range(64)]
    # The check values of the algorithm's authors, which docs/protocol.md repeats.
    assert vectors[0]['hash'] == '0x726fdb47dd0e0e31'
    assert vectors[15]['hash'] == '0xa129ca6149be45e5'
    return {'about': 'SipHash-2-4 with a 64-bit result; the authors\' reference inputs',
            'key': key.hex(), 'vectors': vectors}


def crc32c_vectors():
    # The first is the usual check value; the next four stand in RFC 3720, appendix B.4.
    known = [(b'123456789', 0xE3069283), (bytes(32), 0x8A9136AA), (b'\xff' * 32, 0x62A8AB43),
             (bytes(range(32)), 0x46DD794E), (bytes(range(31, -1, -1)), 0x113FDB5C)]
    for data, crc in known:
        assert wire.crc32c(data) == crc
    inputs = [data for data, _ in known] + [b''] + [bytes(range(n)) for n in (1, 7, 8, 9, 15, 16)]
    buyers = [bytes(16), b'\xff' * 16, BUYER, b'flashgate buyer!'] + [
        n.to_bytes(16, 'little') for n in range(1, 9)]
    return {'about': 'CRC-32C (Castagnoli), and the partition of a buyer',
            'vectors': [{'input': data.hex(), 'crc': wire.crc32c(data)} for data in inputs],
            'partitions': [{'buyer': buyer.hex(), 'partitions': count,
                            'partition': wire.partition(buyer, count)}
                           for buyer in buyers for count in (64, 256, 32768)]}


def entry_json(entry):
    fields = entry._asdict()
    for name in ('request', 'order'):
        fields[name] = word(fields[name])
    if 'buyer' in fields:
        fields['buyer'] = fields['buyer'].hex()
    return fields


def datagram_json(name, entries, time_ns, key):
    payload = wire.datagram(entries, time_ns, key['id'] if key else 0,
                            key['secret'] if key else None)
    return {'name': name, 'key_id': key['id'] if key else 0,
            'secret': key['secret'].hex() if key else None, 'time_ns': word(time_ns),
            'entries': [entry_json(entry) for entry in entries], 'payload': payload.hex()}


def request(op, **fields):
    return wire.Request(buyer=BUYER, request=0x1122334455667788, op=wire.OPS[op])._replace(**fields)


def request_vectors():
    order = request('ORDER', item=1001, quantity=2)
    single = {
        'ORDER': order,
        'CONFIRM': request('CONFIRM', order=ORDER_ID),
        'CANCEL': request('CANCEL'),
        'QUERY': request('QUERY'),
        'STOCK': wire.Request(item=1001, op=wire.OPS['STOCK']),
        'PING': wire.Request(op=wire.OPS['PING']),
    }
    assert single.keys() == wire.OPS.keys()
    vectors = [datagram_json(f'{op}, signed', [entry], NOW_NS + entry.op, STOREFRONT)
               for op, entry in single.items()]
    vectors.append(datagram_json('ORDER, unsigned', [order], NOW_NS, None))
    vectors.append(datagram_json('ORDER, extreme values', [wire.Request(
        b'\xff' * 16, wire.WORD, 0xFFFFFFFF, 0xFFFF, wire.OPS['ORDER'], 0, wire.WORD)],
        wire.WORD, PAYMENTS))
    vectors.append(datagram_json('unknown op and undefined flag (answered UNSUPPORTED)', [
        order._replace(op=7), order._replace(flags=0x80)], NOW_NS, STOREFRONT))
    vectors.append(datagram_json('a full datagram', [
        order._replace(request=n, quantity=n % 4 + 1) for n in range(1, 33)], NOW_NS, STOREFRONT))
    return {'about': 'requests, in order of their fields and as UDP payload',
            'ops': wire.OPS, 'vectors': vectors}


def reply_vectors():
    told = wire.Reply(request=0x1122334455667788, item=1001, quantity=2, available=9)
    fields = {
        'ADMITTED': {'order': ORDER_ID},
        'CONFIRMED': {'order': ORDER_ID},
        'CANCELLED': {'order': ORDER_ID},
        'EXPIRED': {'order': ORDER_ID},
        'SOLD_OUT': {'available': 1},
        'ALL_HELD': {'wait_ms': 30000, 'available': 0},
        'NOT_OPEN': {'wait_ms': 0xFFFFFFFF},
        'PAUSED': {'wait_ms': 1000},
        'THROTTLED': {'wait_ms': 100},
        'BUSY': {'wait_ms': 5},
        'STOCK': {'request': 0, 'quantity': 0, 'available': 0xFFFFFFFF},
        'PONG': {'request': 0, 'item': 256, 'quantity': 4096, 'wait_ms': 4, 'order': 3,
                 'available': 0},
    }
    entries = {name: told._replace(verdict=code, **fields.get(name, {}))
               for name, code in wire.VERDICTS.items()}
    vectors = [datagram_json(name, [entry], NOW_NS, STOREFRONT) for name, entry in entries.items()]
    admitted = entries['ADMITTED']
    vectors += [
        datagram_json('ADMITTED, held', [admitted._replace(flags=wire.HELD, wait_ms=60000)],
                      NOW_NS, STOREFRONT),
        datagram_json('ADMITTED, a held order told again', [
            admitted._replace(flags=wire.HELD | wire.REPLAY, wait_ms=59000)], NOW_NS, STOREFRONT),
        datagram_json('CANCELLED, a void request', [
            entries['CANCELLED']._replace(order=0, item=0, quantity=0)], NOW_NS, STOREFRONT),
        datagram_json('ADMITTED, unsigned', [admitted], NOW_NS, None),
        datagram_json('a full datagram', (list(entries.values()) * 2)[:32], NOW_NS, PAYMENTS),
    ]
    return {'about': 'replies, in order of their fields and as UDP payload',
            'verdicts': wire.VERDICTS, 'flags': {'REPLAY': wire.REPLAY, 'HELD': wire.HELD},
            'vectors': vectors}


def malformed():
    """(name, payload): each fails on its form alone, though its mac is right."""
    key = STOREFRONT
    order = request('ORDER', item=1001, quantity=1)

    def bent(**header):
        return wire.datagram([order], NOW_NS, key['id'], key['secret'], **header)

    def resized(size):
        return wire.sign(key['secret'], bent().ljust(size, b'\0')[:size])

    yield 'empty', b''
    yield 'one byte', b'F'
    yield 'a byte short of a header', bent()[:23]
    yield 'a header alone, count 1', resized(24)
    yield 'a header alone, count 0', wire.sign(key['secret'], bent(count=0)[:24])
    yield 'magic, first byte', bent(magic=b'fG')
    yield 'magic, second byte', bent(magic=b'Fg')
    yield 'version 0', bent(version=0)
    yield 'version 2', bent(version=2)
    yield 'type 0', bent(type=0)
    yield 'type 3', bent(type=3)
    yield 'a reply\'s type', bent(type=wire.REPLY)
    yield 'count 0 with an entry', bent(count=0)
    yield 'count 2 with one entry', bent(count=2)
    yield 'count 33, all there', wire.datagram([order] * 33, NOW_NS, key['id'], key['secret'])
    yield 'count 255', bent(count=255)
    yield 'reserved byte set', bent(reserved=1)
    yield 'a byte short', resized(63)
    yield 'a byte long', resized(65)
    yield 'a reply', wire.datagram([wire.Reply(verdict=1)], NOW_NS, key['id'], key['secret'])


def misform(payload):
    """What a malformed payload is counted as: other versions and replies have their own names."""
    if len(payload) < 24 or payload[:2] != b'FG':
        return 'drop_malformed'
    if payload[2] != 1:
        return 'drop_version'
    return 'drop_reply' if payload[3] == wire.REPLY else 'drop_malformed'


def unauthentic():
    """(name, what it is counted as, payload, source): well-formed, yet to be met with silence."""
    order = request('ORDER', item=1001, quantity=1)
    key = STOREFRONT

    def made(time_ns=NOW_NS, key_id=key['id'], secret=key['secret']):
        return wire.datagram([order], time_ns, key_id, secret)

    def flipped(byte):
        payload = bytearray(made())
        payload[byte] ^= 1
        return bytes(payload)

    yield 'unsigned', 'drop_unsigned', wire.datagram([order], NOW_NS), SOURCE
    yield 'a key nobody has', 'drop_unknown_key', made(key_id=8), SOURCE
    yield 'source outside the prefixes', 'drop_key_source', made(), '10.21.0.1'
    yield 'source beside a /32', 'drop_key_source', made(), '192.0.2.8'
    yield 'mac zero', 'drop_mac', made(secret=None), SOURCE
    yield 'mac changed', 'drop_mac', flipped(16), SOURCE
    yield 'mac\'s last byte changed', 'drop_mac', flipped(23), SOURCE
    yield 'time changed after signing', 'drop_mac', flipped(8), SOURCE
    yield 'buyer changed after signing', 'drop_mac', flipped(24), SOURCE
    yield 'last byte changed after signing', 'drop_mac', flipped(63), SOURCE
    yield 'another key\'s secret', 'drop_mac', made(secret=PAYMENTS['secret']), SOURCE
    yield 'too old', 'drop_stale', made(NOW_NS - WINDOW_NS - 1), SOURCE
    yield 'too far ahead', 'drop_stale', made(NOW_NS + WINDOW_NS + 1), SOURCE
    yield 'time zero', 'drop_stale', made(0), SOURCE


def authentic():
    """(name, payload, source): the edges that are still taken."""
    order = request('ORDER', item=1001, quantity=1)

    def made(key, time_ns=NOW_NS):
        return wire.datagram([order], time_ns, key['id'], key['secret'])

    yield 'plain', made(STOREFRONT), SOURCE
    yield 'first address of the prefix', made(STOREFRONT), '10.20.0.0'
    yield 'last address of the prefix', made(STOREFRONT), '10.20.255.255'
    yield 'the /32 itself', made(STOREFRONT), '192.0.2.7'
    yield 'as old as may be', made(STOREFRONT, NOW_NS - WINDOW_NS), SOURCE
    yield 'as far ahead as may be', made(STOREFRONT, NOW_NS + WINDOW_NS), SOURCE
    yield 'a key without prefixes, from anywhere', made(PAYMENTS), '203.0.113.1'


def silent_vectors():
    keys = [{'id': key['id'], 'secret': key['secret'].hex(), 'prefixes': key['prefixes']}
            for key in (STOREFRONT, PAYMENTS)]
    late = wire.datagram([request('ORDER', item=1001, quantity=1)], NOW_NS - SECOND_NS - 1,
                         STOREFRONT['id'], STOREFRONT['secret'])
    return {
        'about': 'payloads that are never answered, each with the counter it moves, and edges '
                 'that are. The engine has these keys, requires signing, and its clock says now_ns',
        'keys': keys, 'now_ns': word(NOW_NS), 'freshness_ns': word(WINDOW_NS),
        'malformed': [{'name': name, 'counter': misform(payload), 'payload': payload.hex()}
                      for name, payload in malformed()],
        'unauthentic': [{'name': name, 'counter': counter, 'source': source,
                         'payload': payload.hex()}
                        for name, counter, payload, source in unauthentic()],
        'before_serving': {'serving_since_ns': word(NOW_NS - SECOND_NS), 'counter': 'drop_early',
                           'source': SOURCE, 'payload': late.hex()},
        'authentic': [{'name': name, 'source': source, 'payload': payload.hex()}
                      for name, payload, source in authentic()],
    }


FILES = {
    'siphash.json': siphash_vectors,
    'crc32c.json': crc32c_vectors,
    'requests.json': request_vectors,
    'replies.json': reply_vectors,
    'silent.json': silent_vectors,
}


def main():
    check = sys.argv[1:] == ['--check']
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = 0
    for name, make in FILES.items():
        text = json.dumps(make(), indent=1) + '\n'
        path = HERE / name
        if not check:
            path.write_text(text)
        elif path.exists() and path.read_text() == text:
            print(f'ok - {name} is what the generator makes')
        else:
            print(f'not ok - {name} differs from what the generator makes: run {__file__}')
            stale += 1
    sys.exit(1 if stale else 0)


if __name__ == '__main__':
    main()
