#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the seeds of the fuzz targets: tests/fuzz/corpus/TARGET/seed-NAME, from the protocol's
vectors, the sample files, the golden logs, and what each part says when all goes well.

generate.py           writes them
generate.py --check   fails if a seed differs from what would be written, but for those made of the
                      sample files, which may change without them"""

import json
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

ORDER_KINDS = 6
CONTROL_KINDS = [32, 33, 34, 35, 36, 37, 38, 39, 48, 49, 50]
ORDER, CONFIRM, CANCEL, QUERY, STOCK, PING = range(1, 7)
FRAME_BYTES, BLOCK = 64, 4096

SALE = {'name': 'spring', 'number': 1, 'state': 'open', 'opens_ns': 0, 'closes_ns': 0, 'limit': 0,
        'cancel_final': True, 'late_confirm': 'reacquire',
        'items': [{'id': 7, 'name': 'Shoe', 'stock': 5, 'limit': 2, 'max_per_order': 2,
                   'hold_ms': 0},
                  {'id': 8, 'name': 'Hat', 'stock': 9, 'limit': 0, 'max_per_order': 4,
                   'hold_ms': 60000}]}


def sale(number=1, **changes):
    return json.dumps({**SALE, 'number': number, **changes}).encode()


# --- frames ---

def sum16(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data + b'\0' * (len(data) % 2))) \
        if len(data) % 2 == 0 else sum16(data + b'\0')
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


ENGINE_MAC, CLIENT_MAC = bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 0, 2])
ENGINE6 = bytes.fromhex('20010db8000000000000000000123456')
CLIENT6 = bytes.fromhex('20010db8000000000000000000000002')


def ethernet(kind, rest, to=ENGINE_MAC, tag=b''):
    return to + CLIENT_MAC + tag + struct.pack('>H', kind) + rest


def ipv4(protocol, rest):
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(rest), 0, 0, 64, protocol, 0,
                       bytes([10, 9, 0, 2]), bytes([10, 9, 0, 1]))
    return head + rest


def ipv6(protocol, rest, to=ENGINE6, hops=255):
    return struct.pack('>IHBB', 6 << 28, len(rest), protocol, hops) + CLIENT6 + to + rest


def udp(payload):
    return struct.pack('>HHHH', 40000, 20480, 8 + len(payload), 0) + payload


def frame_step(op, frame, how=0):
    return bytes([op, how]) + struct.pack('<H', len(frame)) + frame


def signed_step(payload, how=0, key=0, late_ms=0):
    return bytes([3, how, key]) + struct.pack('<HH', late_ms, len(payload)) + payload


def entries_step(*entries, key=0, how=0):
    """Each entry: who, item, quantity, op."""
    body = b''.join(bytes([who, quantity << 5 | item, op]) for who, item, quantity, op in entries)
    return bytes([4, how | key << 2 | (len(entries) - 1)]) + body


FLUSH = b'\x06\x01'


def time_step(ms):
    return b'\x05' + struct.pack('<H', ms)


def around(what, value):
    return bytes([7, what, value])


def command(kind, who):
    return bytes([6, 0, kind, who])


def frame_seeds():
    vectors = json.loads((ROOT / 'tests/vectors/requests.json').read_text())['vectors']
    for i, vector in enumerate(vectors[:12]):
        payload = bytes.fromhex(vector['payload'])
        yield f'vector-{i}', signed_step(payload) + FLUSH + signed_step(payload, how=16)
    silent = json.loads((ROOT / 'tests/vectors/silent.json').read_text())['malformed']
    for i, vector in enumerate(silent):
        payload = bytes.fromhex(vector['payload'])
        if len(payload) < 400:
            yield f'silent-{i}', (bytes([2, i % 2 * 16]) + struct.pack('<H', len(payload)) +
                                  payload)
    yield from wire_seeds(bytes.fromhex(vectors[0]['payload']))
    yield from order_seeds()


def wire_seeds(request):
    """Frames that are no request, or not quite one."""
    arp = struct.pack('>HHBBH6s4s6s4s', 1, 0x800, 6, 4, 1, CLIENT_MAC, bytes([10, 9, 0, 2]),
                      bytes(6), bytes([10, 9, 0, 1]))
    echo = struct.pack('>BBHHH', 8, 0, 0, 77, 3) + b'data'
    echo6 = struct.pack('>BBHHH', 128, 0, 0, 77, 3) + b'data'
    group = bytes.fromhex('ff0200000000000000000001ff123456')
    solicit = struct.pack('>BBHI', 135, 0, 0, 0) + ENGINE6 + b'\x01\x01' + CLIENT_MAC
    for name, frame in {
            'arp': ethernet(0x806, arp, to=b'\xff' * 6),
            'echo': ethernet(0x800, ipv4(1, echo)),
            'echo6': ethernet(0x86dd, ipv6(58, echo6)),
            'neighbour': ethernet(0x86dd, ipv6(58, solicit, to=group),
                                  to=bytes.fromhex('3333ff123456')),
            'udp': ethernet(0x800, ipv4(17, udp(request))),
            'udp-short': ethernet(0x800, ipv4(17, udp(request)[:7])),
            'udp6-short': ethernet(0x86dd, ipv6(17, udp(request)[:7])),
            'icmp-short': ethernet(0x800, ipv4(1, echo[:7])),
            'icmp6-short': ethernet(0x86dd, ipv6(58, echo6[:3])),
            'echo6-short': ethernet(0x86dd, ipv6(58, echo6[:7])),
            'solicit-short': ethernet(0x86dd, ipv6(58, solicit[:23], to=group),
                                      to=bytes.fromhex('3333ff123456')),
            'udp-cut': ethernet(0x800, ipv4(17, udp(request)))[:33],
            'udp6': ethernet(0x86dd, ipv6(17, udp(request))),
            'udp6-cut': ethernet(0x86dd, ipv6(17, udp(request)))[:53],
            'vlan': ethernet(0x800, ipv4(17, udp(request)), tag=b'\x81\x00\x00\x05'),
            'options': ethernet(0x800, b'\x46' + ipv4(17, bytes(4) + udp(request))[1:]),
            'fragment': ethernet(0x800, ipv4(17, udp(request))[:6] + b'\x20\0' +
                                 ipv4(17, udp(request))[8:]),
            'hops': ethernet(0x86dd, ipv6(0, b'\x11\0\x01\x04\0\0\0\0' + udp(request)))}.items():
        yield name, frame_step(1, frame)


def ping(number):
    entry = struct.pack('<16sQIHBBQ', b'', number, 0, 0, PING, 0, 0)
    return struct.pack('<2sBBBBHQQ', b'FG', 1, 1, 1, 0, 0, 0, 0) + entry


def echo_from(last):
    """An echo request from 10.9.0.LAST."""
    frame = bytearray(ethernet(0x800, ipv4(1, struct.pack('>BBHHH', 8, 0, 0, 77, 3) + b'data')))
    frame[14 + 15] = last
    return bytes(frame)


def order_seeds():
    """Requests that go together."""
    order, held = (1, 1, 2, ORDER), (2, 2, 2, ORDER)
    yield 'order', entries_step(order) + FLUSH + entries_step(order) + FLUSH
    yield 'hold', (entries_step(held) + FLUSH + time_step(100) + entries_step((2, 2, 2, CONFIRM)) +
                   FLUSH + entries_step((2, 2, 2, CANCEL)) + FLUSH)
    yield 'expire', (entries_step(held) + FLUSH + time_step(400) + FLUSH +
                     entries_step((2, 2, 2, CONFIRM)) + FLUSH + entries_step((2, 2, 2, QUERY)))
    yield 'sold-out', b''.join(entries_step((who, 1, 3, ORDER)) for who in range(4)) + FLUSH + \
        entries_step((9, 1, 1, ORDER), (9, 1, 0, STOCK))
    listed, free = around(4, 3), around(4, 1)
    asked = b''.join(entries_step((who, 1, 1, ORDER)) for who in range(5)) + FLUSH
    yield 'lists', listed + asked + free + asked + listed + asked
    # Who is blocked is told so whatever else stands in the way.
    for name, state in (('paused', around(1, 128)), ('new', around(0, 0)), ('closed', around(0, 16)),
                        ('sold-out', b''.join(entries_step((who, 1, 3, ORDER)) for who in (4, 5)))):
        yield f'lists-{name}', state + listed + asked
    # From a blocked source, an allowed one in there, and a blocked one in there; of either family.
    places = b''.join(entries_step((4, 1, 1, ORDER), how=how) for how in (0x24, 0x48, 0x60))
    places += b''.join(signed_step(ping(n), how=n << 5 | 16) for n in range(4))
    places += b''.join(frame_step(1, echo_from(last)) for last in (2, 65, 73, 75))
    yield 'sources', listed + places + FLUSH + free + places + FLUSH
    yield 'parked', entries_step((3, 1, 3, ORDER), (3, 1, 3, ORDER)) + \
        entries_step((4, 1, 4, ORDER)) + time_step(6) + FLUSH
    yield 'limit', entries_step((5, 3, 3, ORDER)) + entries_step((0x25, 3, 1, ORDER)) + FLUSH
    yield 'cancel', (entries_step((5, 3, 3, ORDER)) + FLUSH + entries_step((5, 3, 3, CANCEL)) +
                     command(2, 5) + FLUSH + command(1, 5) + command(0, 5))
    yield 'void', entries_step((6, 1, 1, CANCEL), (6, 1, 1, ORDER)) + time_step(4000)
    yield 'states', b''.join(around(what, value) + entries_step((7, 1, 1, ORDER)) + FLUSH
                             for what in range(8) for value in (0, 9))
    yield 'rates', b''.join(entries_step((8, 4, 1, QUERY), key=1) for _ in range(9)) + FLUSH
    yield 'ping', entries_step((0, 0, 0, PING)) + entries_step((0, 1, 0, PING), key=2)


# --- files of operators ---

def sale_seeds():
    sample = (ROOT / 'conf/sale.yaml').read_text()
    plain = '\n'.join(line for line in sample.splitlines() if not line.lstrip().startswith('#'))
    yield 'sample', b'f' + plain.encode() + b'\n'
    small = b'name: spring\nitems:\n  - id: 7\n    name: Shoe\n    stock: 5\n'
    yield 'small', b'f' + small
    yield 'times', b'fopens: 2026-11-27T20:00:00.5Z\ncloses: 2026-11-28T20:00:00+02:00\n' + small
    yield 'quoted', b'f' + small.replace(b'Shoe', b'"Sh\\u00f6e \\"x\\" \xe2\x82\xac"')
    yield 'json', b'j' + sale()
    yield 'json-opened', b'j' + sale(opened=True, opens_ns=1764273600000000000, rate=4, burst=9)
    for field, value in (('opens', '+30s'), ('closes', 'none'), ('limit', '3'), ('rate', '5'),
                         ('late_confirm', 'reacquire'), ('cancel_final', 'true')):
        yield f'set-{field}', f's{field}\n{value}\n'.encode() + small
    for field, value in (('limit', '3'), ('max_per_order', '2'), ('hold', '60s'), ('name', 'Hat')):
        yield f'item-{field}', f'i{field}\n{value}\n'.encode() + small


def config_seeds():
    sample = (ROOT / 'conf/flashgate.yaml').read_text()
    plain = '\n'.join(line for line in sample.splitlines()
                      if line.strip() and not line.lstrip().startswith('#'))
    yield 'sample', plain.encode() + b'\n'
    yield 'redis', plain.encode() + (b'\nredis:\n  sentinels: ["a:1", "b:2"]\n  master: orders\n')
    yield 'ports', (b'ports:\n  - device: net_tap0\n    address: 10.9.0.1/24\n'
                    b'workers: 2\ncores:\n  workers: [1, 2]\nlog:\n  dir: /var/log/flashgate\n')
    yield 'values', (b'ports:\n  - device: "net_tap0,iface=\\"a b\\\\\\U000000a0\\u2028\xc3\xa9"\n'
                     b'    address6: 2001:db8::10/64\n  - {device: b, address: 10.9.0.1/24}\n'
                     b'eal: ["-m", "64"]\nworkers: 2\nworker_cores: [3, 0]\ncores: {journal: 2}\n'
                     b'idle: sleep\nunsigned_allowed: true\nunsigned_ops: [PING, ORDER]\n'
                     b'freshness: 90061\nrestart_grace: 61s\nack: memory\n'
                     b'log: {directory: l, budget: 68157440, segment: 16MiB, keep: 25h}\n'
                     b'redis: {host: "::1", port: 6380, timeout: 1500ms}\n'
                     b'control: {socket: s, roles: [{role: observer, groups: [adm]}]}\n'
                     b'lists: {block_buyers: /b}\n')
    yield 'nothing', b'\n'
    yield 'odd', b'workers: &a 2\nports: *a\n'


def keys_seeds():
    sample = (ROOT / 'conf/keys.sample.yaml').read_text()
    plain = '\n'.join(line for line in sample.splitlines() if not line.lstrip().startswith('#'))
    secret = '000102030405060708090a0b0c0d0e0f'
    yield 'sample', b'\0' + plain.encode() + b'\n'
    key = f'keys:\n  - id: 7\n    secret: {secret}\n    ops: [ORDER, PING]\n'
    yield 'one', b'\1' + key.encode()
    yield 'sources', b'\0' + key.encode() + b'    sources: [10.0.0.0/8, "2001:db8::/32"]\n'
    yield 'sales', b'\0' + key.encode() + b'    sales: [spring]\n    rate: 5\n    burst: 9\n'
    other = key.replace('id: 7', 'id: 9').encode()
    yield 'reload', b'\0' + key.encode() + b'\0' + other + key.split('\n', 1)[1].encode()
    yield 'short', b'\0' + key.replace('0f\n', '\n').encode()
    yield 'twice', b'\0' + key.encode() + key.split('\n', 1)[1].encode()


def lists_seeds():
    buyer = '00112233-4455-6677-8899-aabbccddeeff'
    buyers = f'# bots\n{buyer}\n  {buyer.replace("-", "")[::-1]}  # again\n\n'.encode()
    sources = b'192.0.2.0/24\n10.0.0.0/8\n2001:db8::/32\n198.51.100.7\n'
    yield 'all', buyers + b'\0' + buyers[:45] + b'\0' + sources + b'\0' + b'192.0.2.128/25\n'
    yield 'buyers', buyers
    yield 'sources', b'\0\0' + sources + b'\x00192.0.2.0/24\n0.0.0.0/0\n::/0\n'
    yield 'bits-below', b'\0\0' + b'192.0.2.1/24\n'
    yield 'short', buyers[:20]
    yield 'no-end', b'\0\0' + sources[:-1]
    other = b'ffeeddccbbaa99887766554433221100'
    yield 'added', buyers + b'\0\0' + sources + b'\0\0\0' + other
    yield 'added-lines', buyers[:-2] + b'\0\0' + sources + b'\0\0\4' + other + b'  # new\n\n' + buyers
    yield 'added-sources', b'\0\0' + sources[:-1] + b'\0\0\x06' b'203.0.113.0/24\n2001:db8:1::/48\n'
    yield 'added-wrong', b'\0\0' + sources + b'\0\0\x06' b'203.0.113.0/24\nnobody \x1b[1m\n'
    yield 'added-argument', b'\0\0' + sources + b'\0\0\2nobody\x1b[1m'


# --- the log ---

def event(kind, sale_number=1, revision=1, value=0, value2=0, value3=0, body=b''):
    wide = b''.join(struct.pack('<Q', v) if v > 255 else bytes([v])
                    for v in (value, value2, value3))
    flags = sum(bit for bit, v in ((1, value), (2, value2), (4, value3)) if v > 255)
    return bytes([CONTROL_KINDS.index(kind), sale_number & 255, revision & 255,
                  flags]) + wide + body + b'\0'


def events_seeds():
    one = event(32, body=sale())
    names = json.dumps({'sales': ['old'], 'items': [1, [3, 5]]}).encode()
    yield 'sale', one
    yield 'states', one + b''.join(event(33, revision=2 + s, value=s) for s in (1, 2, 1, 3))
    yield 'archive', one + event(50, 0, 5, body=names) + event(33, revision=6, value=4)
    yield 'items', one + event(34, revision=2, value=1, value2=7) + event(
        34, revision=3, value=2, value2=8)
    yield 'stock', one + event(35, revision=2, value=9, value2=7) + event(
        36, revision=3, value=4, value2=7) + event(49, revision=4, value=9, value2=8, value3=2)
    yield 'again', one + event(32, revision=2, body=sale(limit=3, state='paused'))
    yield 'fewer', one + event(32, revision=2, body=sale(items=SALE['items'][:1])) + event(
        35, revision=3, value=9, value2=8)
    yield 'two', one + event(32, 2, 2, body=sale(2, name='summer', items=[
        {**SALE['items'][0], 'id': 17}])) + event(48, 2, 3, value=9, value2=3)
    yield 'engine', event(37, 0, 1, value=1) + event(38, 0, 2, body=b'{}') + event(
        39, 0, 3, body=b'{"method": "order.cancel", "buyer": "00ff", "n": 5}')


def log_control(kind, sale_number=1, value=0, value2=0, value3=0, body=b'', op=0):
    wide = b''.join(struct.pack('<Q', v) if v > 255 else bytes([v])
                    for v in (value, value2, value3))
    flags = sum(bit for bit, v in ((1, value), (2, value2), (4, value3)) if v > 255)
    return bytes([op, CONTROL_KINDS.index(kind), sale_number & 255, flags]) + wide + body + b'\0'


def log_order(kind, sale_number=1, item=7, who=1, held=False, quantity=1, op=2):
    return bytes([op, (kind - 1) | (quantity - 1) << 6, sale_number, item | held << 6, who, 0])


END = b'\x04\0'


def golden(path):
    """The records of a golden log, written anew; buyers and orders become small numbers."""
    data, at, out, people = path.read_bytes(), 0, b'', {}
    while at + FRAME_BYTES <= len(data):
        head = struct.unpack_from('<IHHQQQQIIIIII', data, at)
        if head[0] != 0x4c474746:
            break
        flags, length, unit = head[2], head[9], at + FRAME_BYTES
        end = unit + length
        while unit < end:
            kind = data[unit]
            if kind < 32:
                quantity, item, number, hold = struct.unpack_from('<HIII', data, unit + 2)
                buyer, request = data[unit + 32:unit + 48], data[unit + 48:unit + 56]
                who = people.setdefault(buyer + request, len(people) + 1)
                out += bytes([2, (kind - 1) | 0, number, 64 if hold else 0, who % 256, 12])
                out += struct.pack('<HI', quantity, item)
                unit += 64
            else:
                body, = struct.unpack_from('<I', data, unit + 4)
                number, = struct.unpack_from('<I', data, unit + 28)
                values = struct.unpack_from('<QQQ', data, unit + 40)
                out += log_control(kind, number, *values, data[unit + 64:unit + 64 + body])
                unit += 64 + -(-body // 64) * 64
        out += bytes([4, flags])
        at += -(-(FRAME_BYTES + length) // BLOCK) * BLOCK
    return b'\0\x01' + out


def journal_seeds():
    begin, one = b'\0\0', log_control(32, body=sale())
    yield 'empty', b'\0\x01'
    yield 'begun', begin
    yield 'orders', begin + one + END + log_order(1) + log_order(
        1, item=8, who=2, held=True) + END + log_order(2, item=8, who=2) + log_order(3) + END
    yield 'expired', begin + one + log_order(1, item=8, held=True) + log_order(4, item=8) + \
        log_order(5, item=8) + END
    yield 'too-many', begin + one + b''.join(log_order(1, who=8 * n) for n in range(7)) + END
    yield 'stock', begin + one + log_control(35, value=9, value2=7) + log_control(
        36, value=4, value2=7) + END
    base = one + log_control(48, value=2, value2=1)
    yield 'segments', begin + one + log_order(1) + END + b'\x05\x01' + base + b'\x04\x01' + \
        log_order(1, who=9) + END
    yield 'shortened', b'\0\x01\x05\x02' + one + b'\x04\x01\x04\x02' + log_order(1) + END
    yield 'gap', begin + one + END + b'\x06\x0a' + log_order(1) + END
    yield 'torn', begin + one + END + b'\x07\x09FGGLxxxxx\x01'
    yield 'version', begin + one + END + b'\x06\0\x03' + END
    yield 'epochs', begin + one + END + b'\x06\x03\x01' + b'\x04\x02' + log_order(1) + END
    written = log_control(32, body=sale()) + b'\x02' + b''.join(
        log_order(1, who=n, op=1) + b'\x02' for n in range(14))
    for name, bent in (('written', b''), ('written-bent', b'\0\x05\x04\0\x09'),
                       ('written-mended', b'\0\x05\x06\x01\x01'), ('written-cut', b'\0\0\x06\x02\0')):
        yield name, b'\x01' + struct.pack('<H', len(written)) + written + b'\x01' + bent
    for version in ('v1', 'v2'):
        yield f'golden-{version}', golden(ROOT / f'tests/golden/{version}/segment-00000001.fgl')


# --- the others ---

def call(method, **params):
    return json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}).encode()


def control_seeds():
    text = 'name: spring\nitems:\n  - id: 7\n    name: Shoe\n    stock: 5\n'
    apply = call('sale.apply', text=text, source='s') + b'\n'
    buyer = '00112233445566778899aabbccddeeff'
    lines = {
        'apply': apply + call('status'),
        'again': apply + call('sale.apply', text=text.replace('5', '9'), source='s'),
        'open': apply + call('sale.open', name='spring') + b'\n' + call('sale.pause',
                                                                        name='spring'),
        'end': apply + b'\n'.join(call(f'sale.{verb}', name='spring', confirmed=True)
                                  for verb in ('open', 'close', 'archive')),
        'stock': apply + call('stock.add', item='7', units='3') + b'\n' + call(
            'stock.remove', item='7', units='2'),
        'item': apply + call('item.set', item='7', field='limit', value='2') + b'\n' + call(
            'item.pause', item='7') + b'\n' + call('item.close', item='7', confirmed=True),
        'set': apply + call('sale.set', name='spring', field='rate', value='3'),
        'engine': call('engine.pause') + b'\n' + call('engine.resume') + b'\n' + call(
            'engine.kill', confirmed=True),
        'order': call('order.show', buyer=buyer, request='42') + b'\n' + call(
            'order.list', buyer=buyer) + b'\n' + call('order.cancel', buyer=buyer, request='42'),
        'events': apply + call('events') + b'\n' + call('methods'),
        'export': apply + call('sale.export', name='spring') + b'\n' + call('sale.list'),
        'odd': b'{}\n[]\n1\n{"jsonrpc":"2.0","id":{},"method":"status"}\n\xff\n{"id":1,"id":2}',
        'lists': b'\n'.join(
            [call('lists.check', who=entry) for entry in
             (buyer, 'ff' * 16, '192.0.2.7', '192.0.2.129', '2001:db8::1', '10.0.0.1', 'nobody')] +
            [call('lists.show'), call('lists.reload'), call('events')]),
        'none': b''}
    for name, line in lines.items():
        yield name, b'\x03' + line + b'\n'
    yield 'socket', b'\x13\x20' + lines['apply'] + b'\n'
    yield 'pieces', b'\x13\x01' + lines['stock'] + b'\n'
    yield 'observer', b'\x01' + lines['apply'] + b'\n'
    yield 'nobody', b'\x10\xff' + lines['engine'] + b'\n'


def redis_seeds():
    connected = b'\x01\x01'
    yield 'append', b'\0' + connected + b'\0\x02\x01'
    yield 'claim', b'\0' + connected + b'\x01\x01'
    yield 'other-id', b'\0' + connected + b'\0\0\x069-9\n'
    yield 'zero-byte', b'\0' + connected + b'\0\0\0\x14*2\r\n$3\r\nOK\0\r\n+7-1\r\n'
    yield 'odd-id', b'\0' + connected + b'\x01\0\x1b*3\r\n+OK\r\n+ 7--1\r\n$1\r\n9\r\n'
    yield 'consumed', b'\0' + connected + b'\x01\0\x1d*3\r\n+OK\r\n+7-4\r\n$3\r\n3x9\r\n'
    yield 'fenced', b'\0' + connected + b'\0\0\0\x17*2\r\n+FENCED\r\n$3\r\n8:1\r\n'
    yield 'gap', b'\0' + connected + b'\0\x01\x047-3\n'
    yield 'info', b'\0' + connected + b'\x02\x01'
    yield 'trim', b'\0' + connected + b'\x03\x01'
    yield 'aside', b'\0' + connected + b'\x04\x01'
    yield 'page', b'\0' + connected + b'\x05\x01\x01\x01\x01'
    yield 'sentinels', b'\x8e\x01\x01\x01\x01\x01\x01\0\0\x01'
    yield 'password', b'\x30\x01\x01\x01\x01\0\0\x01'
    yield 'delivery', b'\x01' + b'\0\x01' * 60
    for error in ('OOM ', 'LOADING ', 'WRONGTYPE ', 'NOPERM ', 'READONLY ',
                  'ERR Function not found'):
        yield 'error-' + error.split()[-1].lower(), b'\x01' + b'\0\x01' * 8 + b'\0\x05' + \
            error.encode() + b'\n' + b'\0\x01' * 30
    yield 'delivery-lost', b'\x01' + b'\0\x01' * 8 + b'\0\x07' + b'\0\x01' * 30
    yield 'delivery-rebuild', b'\x01' + b'\0\x01' * 30 + b'\xff\x01' * 6


def history(records, items=1, seed=5):
    head = struct.pack('<8sQQQI28x', b'FGHIST01', records, seed, 9, items)
    body = b''.join(struct.pack('<IIII', 7 + n, 5, 2, 0) for n in range(items))
    record = struct.pack('<QQ16sQQIHBBBBHI', 10, 20, b'buyer', 1, 77, 7, 1, ORDER, 1, 0, 0, 0, 4)
    return head + body + record * records


def history_seeds():
    def both(one, two, known=0):
        assert len(one) % 16 == 0
        return bytes([len(one) // 16, known]) + one + two
    yield 'empty', both(history(0, 0), history(0, 0))
    yield 'one', both(history(1), history(1))
    yield 'other', both(history(1), history(2, 2), 1)
    yield 'cut', both(history(2), history(2)[:-1])
    yield 'differs', both(history(1), history(1).replace(b'\x05\0\0\0\x02', b'\x06\0\0\0\x02'))


def client_seeds():
    offer, pass_ = b'\x05', b'\x02\x3f'
    verdicts = 22  # of the protocol's list, by place
    yield 'offer', b'\0' + pass_ + offer + pass_
    for first in range(0, verdicts, 4):
        yield f'verdicts-{first}', bytes([first]) + pass_ + offer + b''.join(
            bytes([6, n, 0] + [v, 5] * (1 + first % 4)) + pass_
            for n, v in enumerate(range(first, min(first + 4, verdicts))))
    yield 'pong', b'\0\x04\x06\x01\x02' + pass_ + offer
    yield 'short', b'\0' + pass_ + offer + b'\0\x03FG\x01\x02\x01\0\0\0' + b'x' * 10
    reply = struct.pack('<2sBBBBHQQ', b'FG', 1, 2, 1, 0, 9, 5, 0)
    yield 'unknown', b'\0' + pass_ + offer + b'\x01\x09' + (reply + bytes(32))[:54]
    yield 'bent', b'\x03' + pass_ + offer + bytes([6, 0, 220] + [0, 5] * 4 + [30]) + pass_ * 20


OF_SAMPLES = {'config/seed-sample', 'config/seed-redis', 'sale/seed-sample', 'keys/seed-sample'}

TARGETS = {'frame': frame_seeds, 'sale': sale_seeds, 'config': config_seeds, 'keys': keys_seeds, 'lists': lists_seeds,
           'events': events_seeds, 'journal': journal_seeds, 'control': control_seeds,
           'redis': redis_seeds, 'history': history_seeds, 'client': client_seeds}


def main():
    check, wrong = '--check' in sys.argv[1:], []
    for target, seeds in TARGETS.items():
        folder = HERE / 'corpus' / target
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {f'seed-{name}': data for name, data in seeds()}
        for path in folder.glob('seed-*'):
            if path.name not in wanted:
                wrong.append(path)
                if not check:
                    path.unlink()
        for name, data in wanted.items():
            path = folder / name
            if check and f'{target}/{name}' in OF_SAMPLES:
                continue
            if not path.exists() or path.read_bytes() != data:
                wrong.append(path)
                if not check:
                    path.write_bytes(data)
    for path in wrong if check else []:
        print(f'not ok {path.relative_to(ROOT)} is not what generate.py writes')
    return 1 if check and wrong else 0


if __name__ == '__main__':
    sys.exit(main())
