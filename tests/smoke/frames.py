# SPDX-License-Identifier: BSD-3-Clause
"""One frame of each kind, as bytes on the wire. What is met with silence moves one counter by one and
no other; what is answered is answered right."""

import ipaddress
import itertools
import json
import os
import socket
import struct
import subprocess
import time

from client import BASE_PORT, ENGINE, PATIENCE_S, SECRETS, case, checksum, entry, eventually
from client import finish
import wire

ENGINE6, CLIENT, CLIENT6 = '2001:db8:99::10:1', '10.99.0.2', '2001:db8:99::2'
TWO, TWO6 = '10.99.0.3', '2001:db8:99::10:3'
US = bytes.fromhex(os.environ['ENGINE_MAC'].replace(':', ''))
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.bind(('fg1', 0))
ME = raw.getsockname()[4]
GROUP_MAC = bytes.fromhex('3333ff100001')
GROUP6 = 'ff02::1:ff10:1'
PINGS = 20
CHATTER = {'drop_group', 'rx_frames'}  # what the kernel says by itself moves these now and then


class Control:
    """status, without a process for each."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f'{os.environ["SMOKE_DIR"]}/{name}/control.sock')
        self.file = self.socket.makefile('rw')

    def counters(self):
        self.file.write('{"jsonrpc": "2.0", "id": 1, "method": "status"}\n')
        self.file.flush()
        counters = json.loads(self.file.readline())['result']['totals']['counters']
        del counters['late_loops']  # the machine's doing, not the frames'
        return counters


one, two = Control('one'), Control('two')


# --- frames ---

def packed(address):
    return ipaddress.ip_address(address).packed


def ethernet(packet, kind=None, to=US, source=ME, tags=b''):
    kind = kind or (0x86dd if packet[0] >> 4 == 6 else 0x0800)
    return to + source + tags + struct.pack('!H', kind) + packet


def summed(data):
    return checksum(data + b'\0' * (len(data) % 2))


def ip4(part, protocol=17, source=CLIENT, to=ENGINE, first=0x45, length=None, fragment=0, bad=0,
        options=b''):
    head = struct.pack('!BBHHHBBH', first, 0, length or 20 + len(options) + len(part), 0, fragment,
                       64, protocol, 0) + packed(source) + packed(to) + options
    return head[:10] + struct.pack('!H', summed(head) ^ bad) + head[12:] + part


def ip6(part, protocol=17, source=CLIENT6, to=ENGINE6, hops=64, first=0x60, length=None):
    return struct.pack('!BBHHBB', first, 0, 0, len(part) if length is None else length, protocol,
                       hops) + packed(source) + packed(to) + part


def udp(payload, source=CLIENT, to=ENGINE, source_port=40000, port=BASE_PORT, length=None, sum_=None):
    part = struct.pack('!HHHH', source_port, port, length or 8 + len(payload), 0) + payload
    pseudo = packed(source) + packed(to) + struct.pack('!HH', 17, len(part))
    made = summed(pseudo + part) or 0xffff
    return part[:6] + struct.pack('!H', made if sum_ is None else made ^ sum_ if sum_ else 0) + \
        part[8:]


def icmp6(body, source=CLIENT6, to=ENGINE6, bad=0):
    pseudo = packed(source) + packed(to) + struct.pack('!HH', 58, len(body))
    return body[:2] + struct.pack('!H', summed(pseudo + body) ^ bad) + body[4:]


def solicitation(target=ENGINE6, source=CLIENT6, to=GROUP6, hops=255, code=0, bad=0,
                 options=b'\1\1' + ME):
    body = struct.pack('!BBHI', 135, code, 0, 0) + packed(target) + options
    return ip6(icmp6(body, source, to, bad), 58, source, to, hops)


def arp(operation=1, sender=CLIENT, target=ENGINE, mac=ME, hardware=1):
    return struct.pack('!HHBBH', hardware, 0x0800, 6, 4, operation) + mac + packed(sender) + \
        bytes(6) + packed(target)


def ping(stamp=None, **header):
    return wire.datagram([entry('PING')], stamp or time.time_ns(), 7, SECRETS[7], **header)


def request4(payload=None, ip=None, **fields):
    ends = {name: value for name, value in fields.items() if name in ('source', 'to')}
    return ip4(udp(payload or ping(), **fields), **ends, **(ip or {}))


def request6(payload=None, ip=None, **fields):
    ends = {'source': CLIENT6, 'to': ENGINE6} | \
        {name: value for name, value in fields.items() if name in ('source', 'to')}
    return ip6(udp(payload or ping(), **(fields | ends)), **ends, **(ip or {}))


TAG, SERVICE_TAG = b'\x81\0\0\5', b'\x88\xa8\0\6'
PROBE = dict(source='::', options=b'')


# Each yields (what, the counter that it moves, frame).

def silent_stations():
    """What Ethernet and ARP say."""
    four, six = request4(), request6()
    yield 'another MAC', 'drop_other_mac', ethernet(four, to=b'\2\1\1\1\1\1')
    yield 'to everybody', 'drop_group', ethernet(four, to=b'\xff' * 6)
    yield 'to a group', 'drop_group', ethernet(six, to=b'\x33\x33\0\0\0\1')
    yield 'a request to the group of solicitations', 'drop_group', ethernet(six, to=GROUP_MAC)
    yield 'from a multicast MAC', 'drop_source_mac', ethernet(four, source=b'\3\1\1\1\1\1')
    yield 'from the engine\'s own MAC', 'drop_source_mac', ethernet(four, source=US)
    yield 'LLDP', 'drop_not_ip', ethernet(bytes(46), 0x88cc)
    yield 'ARP of Token Ring', 'drop_arp', ethernet(arp(hardware=6), 0x0806)
    yield 'an ARP answer', 'drop_arp', ethernet(arp(2), 0x0806)
    yield 'ARP for another', 'drop_not_for_us', ethernet(arp(target=TWO), 0x0806, to=b'\xff' * 6)
    yield 'ARP from our address', 'drop_source_own', ethernet(arp(sender=ENGINE), 0x0806)
    yield 'ARP from a multicast MAC', 'drop_source_mac', ethernet(arp(mac=b'\1' * 6), 0x0806)
    yield 'another IPv4 address', 'drop_not_for_us', ethernet(request4(to=TWO))
    yield 'another IPv6 address', 'drop_not_for_us', ethernet(request6(to=TWO6))


def silent_forms():
    """Lengths, versions and headers."""
    four, six = request4(), request6()
    yield 'a runt', 'drop_runt', ethernet(four[:19])
    yield 'an IPv6 runt', 'drop_runt', ethernet(six[:39])
    yield 'a UDP runt', 'drop_runt', ethernet(ip4(udp(b'')[:7]))
    yield 'cut', 'drop_cut', ethernet(four[:-1])
    yield 'cut, IPv6', 'drop_cut', ethernet(six[:-1])
    yield 'jumbo, as the kernel cuts it', 'drop_cut', ethernet(request4(bytes(8000)))
    yield 'a version that there is not', 'drop_ip_header', ethernet(b'\x55' + four[1:], 0x0800)
    yield 'IPv4 said to be IPv6', 'drop_ip_header', ethernet(four + bytes(40), 0x86dd)
    yield 'a header of 16 bytes', 'drop_ip_header', ethernet(request4(ip={'first': 0x44}))
    yield 'a total length of 19', 'drop_ip_header', ethernet(request4(ip={'length': 19}))
    yield 'IP options', 'drop_ip_options', ethernet(request4(ip={'first': 0x46,
                                                                'options': b'\1\1\1\0'}))
    yield 'a wrong IP checksum', 'drop_ip_checksum', ethernet(request4(ip={'bad': 1}))
    for name, header in (('hop-by-hop options', 0), ('routing', 43), ('AH', 51), ('ESP', 50),
                         ('destination options', 60)):
        yield f'IPv6, {name}', 'drop_ip_extension', \
            ethernet(ip6(bytes([17]) + bytes(7) + six[40:], header))
    yield 'an IPv6 fragment', 'drop_fragment', \
        ethernet(ip6(bytes([17, 0, 0, 1, 0, 0, 0, 9]) + six[40:], 44))


def silent_sources():
    for source in ('0.0.0.0', '127.0.0.1', '240.0.0.1'):
        yield f'from {source}', 'drop_source', ethernet(request4(source=source))
    for source in ('::', '::1', f'::ffff:{CLIENT}', f'::{CLIENT}'):
        yield f'from {source}', 'drop_source', ethernet(request6(source=source))
    for source in ('224.0.0.1', '255.255.255.255', '10.99.0.255', '10.99.0.0'):
        yield f'from {source}', 'drop_source_group', ethernet(request4(source=source))
    yield 'from ff02::1', 'drop_source_group', ethernet(request6(source='ff02::1'))
    yield 'from the engine itself', 'drop_source_own', \
        ethernet(request4(source=ENGINE, source_port=BASE_PORT))
    yield 'from the engine itself, IPv6', 'drop_source_own', \
        ethernet(request6(source=ENGINE6, source_port=BASE_PORT))


def silent_icmp():
    """Other protocols than UDP."""
    six = request6()
    yield 'TCP', 'drop_not_udp', ethernet(ip4(bytes(20), 6))
    yield 'IPv6 in IPv6', 'drop_not_udp', ethernet(ip6(six, 41))
    yield 'an echo answer', 'drop_icmp', ethernet(ip4(b'\0\0\xff\xff' + bytes(4), 1))
    yield 'an IPv6 echo answer', 'drop_icmp', ethernet(ip6(icmp6(b'\x81' + bytes(7)), 58))
    yield 'a router\'s word', 'drop_icmp', ethernet(ip6(icmp6(b'\x86' + bytes(15)), 58))
    yield 'an echo of 1600 bytes', 'drop_icmp', ethernet(ip6(icmp6(b'\x80' + bytes(1600)), 58))
    yield 'a wrong ICMP checksum', 'drop_icmp_checksum', ethernet(ip4(b'\x08' + bytes(9), 1))
    yield 'a wrong ICMPv6 checksum', 'drop_icmp_checksum', \
        ethernet(ip6(icmp6(b'\x80' + bytes(7), bad=1), 58))
    yield 'a solicitation from beyond the link', 'drop_neighbour', \
        ethernet(solicitation(hops=254), to=GROUP_MAC)
    yield 'one with a code', 'drop_neighbour', ethernet(solicitation(code=1), to=GROUP_MAC)
    yield 'one with an empty option', 'drop_neighbour', \
        ethernet(solicitation(options=b'\1\0' + ME), to=GROUP_MAC)
    yield 'a probe that tells its MAC', 'drop_neighbour', \
        ethernet(solicitation(source='::'), to=GROUP_MAC)
    yield 'one for another', 'drop_not_for_us', \
        ethernet(solicitation('2001:db8:99::1110:1'), to=GROUP_MAC)
    yield 'one from our address', 'drop_source_own', \
        ethernet(solicitation(source=ENGINE6), to=GROUP_MAC)


def silent_datagrams():
    """UDP and what is in it; frames with two tags."""
    four = request4()
    yield 'a UDP length too short', 'drop_udp_length', ethernet(request4(length=71))
    yield 'a UDP length too long', 'drop_udp_length', ethernet(request6(length=73))
    yield 'source port 1023', 'drop_source_port', ethernet(request4(source_port=1023))
    yield 'source port 53, IPv6', 'drop_source_port', ethernet(request6(source_port=53))
    yield 'another port', 'drop_port', ethernet(request4(port=9999))
    yield 'a wrong UDP checksum', 'drop_udp_checksum', ethernet(request4(sum_=1))
    yield 'a wrong UDP checksum, IPv6', 'drop_udp_checksum', ethernet(request6(sum_=1))
    yield 'none over IPv6', 'drop_no_checksum', ethernet(request6(sum_=0))
    yield 'a reply', 'drop_reply', ethernet(request4(ping(type=wire.REPLY)))
    yield 'version 2', 'drop_version', ethernet(request6(ping(version=2)))
    yield 'no request', 'drop_malformed', ethernet(request6(b'hello'))
    yield 'two tags', 'drop_vlan', ethernet(four, tags=TAG + TAG)
    yield 'a service tag within a tag', 'drop_vlan', ethernet(four, tags=TAG + SERVICE_TAG)


def moved(before):
    """What counters moved, but for the kernel's chatter."""
    now = one.counters()
    return {name: now[name] - before[name] for name in now
            if now[name] != before[name] and name not in CHATTER}


def silence():
    kinds = (silent_stations, silent_forms, silent_sources, silent_icmp, silent_datagrams)
    for what, counter, frame in itertools.chain.from_iterable(kind() for kind in kinds):
        before = one.counters()
        raw.send(frame)
        wanted = {counter: 1} if counter not in CHATTER else {}
        if counter in CHATTER:
            came = eventually(lambda: one.counters()[counter] > before[counter], True)
        else:
            came = eventually(lambda: moved(before), wanted) == wanted
        case(f'{what}: silence, {counter}', came and moved(before) == wanted, moved(before))


# --- what is answered ---

def heard(wanted, seconds=PATIENCE_S):
    """The first frame from the engine that is as wanted; None after so long. The kernel takes a tag
    off and tells it beside the frame; it is put back here."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        raw.settimeout(left)
        try:
            frame, ancillary, _, place = raw.recvmsg(2048, 256)
        except TimeoutError:
            return None
        for _, kind, data in ancillary:
            status, _, _, _, _, tag, _ = struct.unpack('IIIHHHH', data[:20])
            if kind == 8 and status & 16:
                frame = frame[:12] + struct.pack('!HH', 0x8100, tag) + frame[12:]
        if place[2] != socket.PACKET_OUTGOING and frame[6:12] == US and wanted(frame):
            return frame
    return None


def drain():
    """What was heard before is forgotten."""
    raw.settimeout(0)
    try:
        while raw.recv(2048):
            continue
    except BlockingIOError:
        pass


def pong_of(stamp, at):
    """Is the frame the answer to that ping, `at` its payload?"""
    return lambda frame: frame[at:at + 4] == b'FG\1\2' and \
        wire.parse_reply(frame[at:])[0].time_ns == stamp


def answers():
    """Frames by hand, whose answers no socket waits for: from an address that the kernel has not."""
    other, other6 = '10.99.0.9', '2001:db8:99::9'
    for what, build, ends, at in (('IPv4', request4, (other, ENGINE), 42),
                                  ('IPv6', request6, (other6, ENGINE6), 62)):
        for tags in (b'', TAG):
            stamp = time.time_ns()
            drain()
            raw.send(ethernet(build(ping(stamp), source=ends[0]), tags=tags))
            frame = heard(pong_of(stamp, at + len(tags)))
            begin = 14 + len(tags)
            right = frame is not None and frame[:6] == ME and frame[12:12 + len(tags)] == tags
            if right and what == 'IPv4':
                right = summed(frame[begin:begin + 20]) == 0 and frame[begin + 8] == 64 and \
                    frame[begin + 12:begin + 20] == packed(ends[1]) + packed(ends[0])
            elif right:
                right = frame[begin:begin + 4] == b'\x60\0\0\0' and frame[begin + 7] == 64 and \
                    frame[begin + 8:begin + 40] == packed(ends[1]) + packed(ends[0])
            if right:
                part = frame[at - 8 + len(tags):]
                pseudo = packed(ends[1]) + packed(ends[0]) + struct.pack('!HH', 17, len(part))
                right = summed(pseudo + part) == 0
            case(f'a request over {what}{", tagged" if tags else ""} is answered right', right, frame)


def neighbour():
    """Solicitations by hand: to the group, to the engine, and from one that has no address yet."""
    head = packed(ENGINE6)
    for what, packet, to, source, flags in (
            ('to the group', solicitation(), GROUP_MAC, CLIENT6, 0x60),
            ('to the engine', solicitation(to=ENGINE6), US, CLIENT6, 0x60),
            ('of a router', solicitation(source='fe80::77'), GROUP_MAC, 'fe80::77', 0x60),
            ('of a probe', solicitation(**PROBE), GROUP_MAC, 'ff02::1', 0x20)):
        told = (b'\x33\x33\0\0\0\1' if flags == 0x20 else ME) + US
        rest = head + packed(source) + b'\x88\0'
        drain()
        raw.send(ethernet(packet, to=to))
        frame = heard(lambda frame: frame[:12] == told and frame[22:56] == rest and
                      frame[58] == flags and frame[62:] == head + b'\2\1' + US)
        pseudo = frame[22:54] + struct.pack('!HH', 58, 32) + frame[54:] if frame else b'\0'
        case(f'a solicitation {what} is answered', summed(pseudo) == 0, frame)


def socket_answer(family, us):
    """Is a PING from a plain socket answered?"""
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        stamp = time.time_ns()
        client.settimeout(PATIENCE_S)
        client.sendto(ping(stamp), (us, BASE_PORT))
        payload, sender = client.recvfrom(2048)
        return sender[:2] == (us, BASE_PORT) and wire.parse_reply(payload)[0].time_ns == stamp


def kernel():
    """The kernel finds the engine by itself, and takes its answers."""
    for what, family, us in (('IPv4', socket.AF_INET, ENGINE), ('IPv6', socket.AF_INET6, ENGINE6)):
        case(f'a socket is answered over {what}', socket_answer(family, us))
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as pinger:
        pinger.settimeout(PATIENCE_S)
        for size in (0, 57, 1400):
            pinger.sendto(struct.pack('!BBHHH', 128, 0, 0, 77, size) + bytes(size), (ENGINE6, 0))
            while (answer := pinger.recv(2048))[0] != 129:
                continue
            case(f'ICMPv6 echo of {size} bytes is answered',
                 answer[4:] == struct.pack('!HH', 77, size) + bytes(size))
    told = subprocess.run(['ip', '-6', 'neigh', 'show', ENGINE6], capture_output=True, text=True,
                          check=True).stdout
    case('the kernel has the MAC by neighbour discovery', os.environ['ENGINE_MAC'] in told, told)
    subprocess.run(['ip', '-6', 'address', 'add', f'{ENGINE6}/64', 'dev', 'fg1'], check=True)
    state = eventually(lambda: 'dadfailed' in subprocess.run(
        ['ip', '-6', 'address', 'show', 'dev', 'fg1'], capture_output=True, text=True,
        check=True).stdout, True)
    case('nobody else can take the engine\'s IPv6 address: the kernel finds it in use', state)
    subprocess.run(['ip', '-6', 'address', 'del', f'{ENGINE6}/64', 'dev', 'fg1'], check=True)


def two_engines():
    """Each engine's answer reaches the other as a reply, and that is the end of it."""
    for what, build, ends in (('IPv4', request4, (TWO, ENGINE)), ('IPv6', request6, (TWO6, ENGINE6))):
        before, before2 = one.counters(), two.counters()
        raw.send(ethernet(build(ping(), source=ends[0], source_port=BASE_PORT + 3)))
        came = eventually(lambda: two.counters()['drop_reply'] - before2['drop_reply'], 1)
        for _ in range(PINGS):  # in that time a loop would go round hundreds of times
            socket_answer(socket.AF_INET, ENGINE)
        after, after2 = one.counters(), two.counters()
        case(f'two engines over {what}: the second drops the reply',
             came == 1 and after2['drop_reply'] - before2['drop_reply'] == 1)
        case('and both are silent from then on',
             after['tx_replies'] - before['tx_replies'] == 1 + PINGS and
             after2['tx_replies'] == before2['tx_replies'] and
             after['drop_reply'] == before['drop_reply'],
             after['tx_replies'] - before['tx_replies'], after2['tx_replies'], after['drop_reply'])


raw.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
kernel()
neighbour()
answers()
silence()
two_engines()
answers()
finish()
