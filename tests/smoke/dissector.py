# SPDX-License-Identifier: BSD-3-Clause
"""conf/flashgate.lua in tshark, on captures made of the test vectors: each field against the vector's
meaning, over IPv4, IPv6 and a VLAN tag; what is malformed is told so; requests find their replies; no length
that a capture may be cut to makes an error."""

import ipaddress
import json
import os
import pathlib
import struct
import subprocess

from client import case, checksum, finish
import wire

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIRECTORY = pathlib.Path(os.environ['SMOKE_DIR'])
SECOND_NS = 1_000_000_000
CLIENT, ENGINE, PORT, CLIENT_PORT = '10.99.0.2', '10.99.0.1', 20481, 31000
CLIENT6, ENGINE6 = '2001:db8::2', '2001:db8::1'
VERDICT_NAMES, OP_NAMES = wire.VERDICT_NAMES, {code: name for name, code in wire.OPS.items()}


def frame(payload, source=CLIENT, target=ENGINE, source_port=CLIENT_PORT, target_port=PORT, vlan=None):
    """Ethernet, 802.1Q if asked for, IPv4 or IPv6, UDP with its checksum."""
    source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
    length = 8 + len(payload)
    udp = struct.pack('!HHHH', source_port, target_port, length, 0) + payload
    pseudo = source.packed + target.packed + (struct.pack('!BBH', 0, 17, length) if source.version == 4
                                              else struct.pack('!II', length, 17))
    summed = checksum((pseudo + udp).ljust((len(pseudo + udp) + 1) // 2 * 2, b'\0')) or 0xFFFF
    udp = udp[:6] + struct.pack('!H', summed) + udp[8:]
    if source.version == 4:
        ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + length, 0, 0x4000, 64, 17, 0) + source.packed + target.packed
        ip = ip[:10] + struct.pack('!H', checksum(ip)) + ip[12:]
        kind = 0x0800
    else:
        ip = struct.pack('!IHBB', 6 << 28, length, 17, 64) + source.packed + target.packed
        kind = 0x86DD
    tag = struct.pack('!HH', 0x8100, vlan) if vlan is not None else b''
    return bytes.fromhex('020000000001020000000002') + tag + struct.pack('!H', kind) + ip + udp


def reply_frame(payload, **options):
    return frame(payload, ENGINE, CLIENT, options.pop('source_port', PORT), CLIENT_PORT, **options)


def capture(name, frames, snap=65535):
    """A pcap file of nanoseconds; each frame a millisecond after the one before."""
    path = DIRECTORY / name
    text = struct.pack('<IHHIIII', 0xA1B23C4D, 2, 4, 0, 0, snap, 1)
    for number, data in enumerate(frames):
        kept = data[:snap]
        text += struct.pack('<IIII', 1_800_000_000, 1_000_000 * number, len(kept), len(data)) + kept
    path.write_bytes(text)
    return path


def tshark(path, *arguments):
    done = subprocess.run(['tshark', '-n', '-X', f'lua_script:{ROOT}/conf/flashgate.lua', '-r', path, *arguments],
                          capture_output=True, text=True, timeout=60)
    said = [line for line in done.stderr.splitlines() if line and 'Running as user' not in line]
    if done.returncode or said or 'Lua' in done.stdout:
        raise RuntimeError(f'tshark {arguments}: {done.returncode} {said} {done.stdout[:500]}')
    return done.stdout


def fields(path, *names, only='frame', options=()):
    """For each frame that fits `only`, a list of values for each field."""
    names = ['flashgate.' + name if '.' not in name else name for name in names]
    lines = tshark(path, '-Y', only, '-T', 'fields', *sum((['-e', name] for name in names), []),
                   '-E', 'occurrence=a', '-E', 'aggregator=|', *options).splitlines()
    return [[value.split('|') if value else [] for value in line.split('\t')] for line in lines]


def numbers(values):
    return [int(value, 0) for value in values]


def number(text):
    return int(text, 0) if isinstance(text, str) else text


def vectors(name):
    return json.loads((ROOT / 'tests/vectors' / name).read_text())


REQUEST_FIELDS = ['request', 'item', 'quantity', 'op', 'flags', 'order']
REPLY_FIELDS = ['request', 'order', 'item', 'quantity', 'verdict', 'flags', 'wait_ms', 'available']
# What a PONG tells in the place of these.
PONG_FIELDS = {'order': 'epoch', 'item': 'partitions', 'quantity': 'base_port', 'wait_ms': 'workers'}
HEADER = ['version', 'type', 'count', 'reserved', 'key_id', 'time_ns', 'mac']


def header_differs(vector, kind, found):
    payload = bytes.fromhex(vector['payload'])
    head = wire.Header(*wire.HEADER.unpack_from(payload))
    wanted = [head.version, kind, len(vector['entries']), 0, vector['key_id'], number(vector['time_ns']), head.mac]
    return [f'{name}: {got}, not {want}' for name, got, want in zip(HEADER, found, wanted)
            if numbers(got) != [want]]


def requests():
    listed = vectors('requests.json')['vectors']
    path = capture('requests.pcap', [frame(bytes.fromhex(v['payload'])) for v in listed])
    rows = fields(path, *HEADER, *REQUEST_FIELDS, 'buyer', 'frame.protocols')
    for vector, row in zip(listed, rows):
        differ = header_differs(vector, wire.REQUEST, row)
        for name, found in zip(REQUEST_FIELDS, row[len(HEADER):]):
            wanted = [number(entry[name]) for entry in vector['entries']]
            differ += [f'{name}: {found}, not {wanted}'] if numbers(found) != wanted else []
        buyers = [entry['buyer'] for entry in vector['entries']]
        differ += [f'buyer: {row[-2]}'] if [b.replace(':', '') for b in row[-2]] != buyers else []
        case(f'request: {vector["name"]}', not differ and row[-1][0].endswith(':flashgate'), *differ)
    case(f'all {len(listed)} requests were seen', len(rows) == len(listed) >= 10)
    text = tshark(path, '-V')
    absent = [name for name in {OP_NAMES.get(e['op']) for v in listed for e in v['entries']} - {None}
              if f'Op: {name} (' not in text]
    case('ops are told by name', not absent, *absent)


def replies():
    listed = vectors('replies.json')['vectors']
    path = capture('replies.pcap', [reply_frame(bytes.fromhex(v['payload'])) for v in listed])
    every = sorted({*REPLY_FIELDS, *PONG_FIELDS.values()})
    rows = fields(path, *HEADER, *every)
    for vector, row in zip(listed, rows):
        differ = header_differs(vector, wire.REPLY, row)
        wanted = {name: [] for name in every}
        for entry in vector['entries']:
            pong = entry['verdict'] == wire.VERDICTS['PONG']
            for name in REPLY_FIELDS:
                wanted[PONG_FIELDS.get(name, name) if pong else name].append(number(entry[name]))
        for name, found in zip(every, row[len(HEADER):]):
            differ += [f'{name}: {found}, not {wanted[name]}'] if numbers(found) != wanted[name] else []
        case(f'reply: {vector["name"]}', not differ, *differ)
    case(f'all {len(listed)} replies were seen', len(rows) == len(listed) > 20)
    for name, code in wire.VERDICTS.items():
        count = sum(any(e['verdict'] == code for e in v['entries']) for v in listed)
        found = len(fields(path, 'verdict', only=f'flashgate.verdict == "{name}"')) if name in SHOWN else count
        case(f'{name} can be asked for by name', count == found > 0, f'{found} of {count}')
    held = len(fields(path, 'flags', only='flashgate.flags.held == 1'))
    case('flags can be asked for by name',
         held == sum(any(e['flags'] & wire.HELD for e in v['entries']) for v in listed) > 0)


SHOWN = {'ADMITTED', 'SOLD_OUT', 'PONG'}  # a run of tshark each; others by the test of names


def malformed():
    listed = vectors('silent.json')['malformed']
    path = capture('malformed.pcap', [frame(bytes.fromhex(v['payload'])) for v in listed])
    told = {int(row[0][0]) for row in fields(path, 'frame.number', only='flashgate.malformed')}
    # One that is a reply is no request, but well-formed.
    fit = {number for number, vector in enumerate(listed, 1) if is_reply(bytes.fromhex(vector['payload']))}
    missed = [vector['name'] for number, vector in enumerate(listed, 1) if number not in told | fit | empty(listed)]
    case(f'{len(told)} of {len(listed)} malformed payloads are told so', not missed and len(told) > 10, *missed)
    case('no reply is', not told & fit)
    good = DIRECTORY / 'requests.pcap'
    case('no request is', not fields(good, 'frame.number', only='flashgate.malformed'))


def is_reply(payload):
    try:
        wire.parse_reply(payload)
        return True
    except ValueError:
        return False


def empty(listed):
    """UDP gives nothing on to dissect."""
    return {number for number, vector in enumerate(listed, 1) if not vector['payload']}


def pair(stamp, verdict='ADMITTED'):
    entry = wire.Request(bytes(range(16)), 77, 5, 1, wire.OPS['ORDER'])
    answer = wire.Reply(77, 88, 5, 1, wire.VERDICTS[verdict])
    return (wire.datagram([entry], stamp, 7, bytes(16)), wire.datagram([answer], stamp, 7, bytes(16)))


def matching():
    (a, a_reply), (b, b_reply) = pair(1_800_000_000 * SECOND_NS), pair(1_800_000_000 * SECOND_NS + 1)
    other = frame(a, source='10.99.0.9')
    six = dict(source=CLIENT6, target=ENGINE6)
    path = capture('pairs.pcap', [
        frame(a), frame(b), reply_frame(b_reply), other, reply_frame(a_reply),  # 1..5
        frame(a), reply_frame(a_reply), reply_frame(a_reply),                   # 6..8: a copy; one reply too many
        frame(a, **six), frame(a_reply, ENGINE6, CLIENT6, PORT, CLIENT_PORT),   # 9, 10
        frame(a, vlan=100), reply_frame(a_reply, vlan=100)])                    # 11, 12
    rows = fields(path, 'reply_in', 'request_in', 'copy_of', 'response_time', 'frame.protocols',
                  options=['-2'])
    wanted = {1: 5, 2: 3, 6: 7, 9: 10, 11: 12}
    found = {n: int(row[0][0]) for n, row in enumerate(rows, 1) if row[0]}
    case('requests tell where their replies are', found == wanted, found)
    found = {int(row[1][0]): n for n, row in enumerate(rows, 1) if row[1]}
    case('and replies where their requests', found == wanted, found)
    case('the time between', float(rows[4][3][0]) == 0.004 and float(rows[2][3][0]) == 0.001, rows[4], rows[2])
    case('copies tell of what', [n for n, row in enumerate(rows, 1) if row[2] == ['1']] == [6, 11], rows)
    alone = fields(path, 'frame.number', only='flashgate.alone')
    case('a reply that nobody asked for is told', alone == [[['8']]], alone)
    case('IPv6 and a tag are passed', 'ipv6' in rows[8][4][0] and 'vlan' in rows[10][4][0])
    at = fields(path, 'time', only='frame.number == 1')
    case("the sender's time", '2027' in str(at), at)


def by_magic():
    a, a_reply = pair(5)
    path = capture('ports.pcap', [frame(a, target_port=4000), reply_frame(a_reply, source_port=4000),
                                  frame(b'FGnotours', target_port=4000), frame(b'\0' * 30, target_port=4000)])
    rows = fields(path, 'frame.number', 'verdict', only='flashgate')
    case('on other ports by what it begins with', [row[0] for row in rows] == [['1'], ['2']], rows)
    rows = fields(path, 'frame.number', only='flashgate.malformed', options=['-o', 'flashgate.ports:4000-4001'])
    case('and all on a port that is set', rows == [[['3']], [['4']]], rows)


def cut():
    """Every length that a capture can be cut to."""
    whole = [frame(wire.datagram([wire.Request(request=n, op=1) for n in range(3)], 9, 7, bytes(16))),
             reply_frame(wire.datagram([wire.Reply(request=n, verdict=65) for n in range(3)], 9, 7, bytes(16)))]
    header = 14 + 20 + 8
    text = struct.pack('<IHHIIII', 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for data in whole:
        for length in range(header, len(data) + 1):
            text += struct.pack('<IIII', 1, length, length, len(data)) + data[:length]
    path = DIRECTORY / 'cut.pcap'
    path.write_bytes(text)
    expected = sum(len(data) - header for data in whole)
    text = tshark(path, '-V')
    case('no cut makes an error of the script', 'Lua Error' not in text and 'Dissector bug' not in text)
    rows = fields(path, 'frame.number', only='flashgate.cut')
    case('what is cut is told, and not malformed', expected - 2 <= len(rows) <= expected,
         f'{len(rows)} of {expected}')
    case('... nor called malformed', not fields(path, 'frame.number', only='flashgate.malformed'))


requests()
replies()
malformed()
matching()
by_magic()
cut()
finish()
