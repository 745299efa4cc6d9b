# SPDX-License-Identifier: BSD-3-Clause
"""A client of the order protocol over a plain kernel socket, and the few things that a scenario of a
smoke test needs: cases, flashgatectl, ICMP echo. Scenarios are started by the scripts beside this
file, which set SMOKE_DIR and SMOKE_CTL."""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import wire  # noqa: E402
from wire import HELD, REPLAY, Request  # noqa: E402,F401

ENGINE = '10.99.0.1'
BASE_PORT, PARTITIONS = 20480, 64
SECRETS = {7: bytes(range(0x00, 0x10)), 8: bytes(range(0x10, 0x20)), 9: bytes(range(0x20, 0x30)),
           10: bytes(range(0x30, 0x40))}
if 'SMOKE_KEY' in os.environ: # hex
    SECRETS[7] = bytes.fromhex(os.environ['SMOKE_KEY'])
PATIENCE_S = 20  # for what never comes; nothing waits so long for what does

failures = 0


def case(text, holds, *details):
    global failures
    print(('ok - ' if holds else 'not ok - ') + text, flush=True)
    if not holds:
        failures += 1
        for detail in details:
            print(f'    {detail}', flush=True)


def finish():
    sys.exit(1 if failures else 0)


def control(*arguments):
    """The result of a flashgatectl command."""
    directory = os.environ['SMOKE_DIR']
    done = subprocess.run([os.environ['SMOKE_CTL'], '--socket', f'{directory}/control.sock',
                           '--json', *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f'flashgatectl {arguments}: {done.returncode} {done.stderr}')
    return json.loads(done.stdout)


def counter(name):
    return control('status')['totals']['counters'][name]


def eventually(probe, wanted):
    """The value of probe() once it is what is wanted, or what it was in the end."""
    deadline = time.monotonic() + PATIENCE_S
    while (value := probe()) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def buyer(number):
    return b'smoke buyer ' + number.to_bytes(4, 'big')


def name(code):
    return wire.VERDICT_NAMES.get(code, str(code))


def entry(op, who=0, request=0, item=0, quantity=0, order=0, flags=0):
    """A request entry; who is the number of a buyer."""
    return Request(buyer(who) if who else bytes(16), request, item, quantity,
                   wire.OPS.get(op, op), flags, order)


class Client:
    """Sends datagrams from one socket and takes the answers that are meant for it."""

    def __init__(self, key_id=7, port=None, source_port=0):
        self.key_id, self.port, self.last_ns = key_id, port, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('', source_port))

    def stamp(self):
        """A datagram's name: never the same twice."""
        self.last_ns = max(time.time_ns(), self.last_ns + 1)
        return self.last_ns

    def port_of(self, entries):
        if self.port:
            return self.port
        partitioned = [e for e in entries if e.op not in (wire.OPS['STOCK'], wire.OPS['PING'])]
        first = wire.partition(partitioned[0].buyer, PARTITIONS) if partitioned else 0
        return BASE_PORT + first

    def send_raw(self, payload, port=BASE_PORT):
        self.socket.sendto(payload, (ENGINE, port))

    def receive(self, time_ns, seconds):
        """Replies to that datagram, or None. Whatever else arrives must at least be a reply."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                payload, sender = self.socket.recvfrom(2048)
            except TimeoutError:
                return None
            header, replies = wire.parse_reply(payload)
            if header.time_ns == time_ns:
                self.check_reply(payload, header, sender)
                return replies
        return None

    def check_reply(self, payload, header, sender):
        assert sender == (ENGINE, self.sent_to), f'answered from {sender}, not {self.sent_to}'
        assert header.key_id == self.key_id, f'signed with key {header.key_id}'
        assert header.mac == wire.mac(SECRETS[self.key_id], payload), 'wrong mac'

    def ask_all(self, *entries):
        """One datagram's replies, sent again (named anew) until there is an answer that is not
        BUSY."""
        self.sends = 0
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            stamp = self.stamp()
            self.sends += 1
            self.sent_to = self.port_of(entries)
            self.send_raw(wire.datagram(entries, stamp, self.key_id, SECRETS[self.key_id]),
                          self.sent_to)
            replies = self.receive(stamp, 1)
            if replies and all(r.verdict != wire.VERDICTS['BUSY'] for r in replies):
                assert len(replies) == len(entries)
                for sent, reply in zip(entries, replies):
                    assert reply.request == sent.request, 'the request is not echoed'
                return replies
        raise TimeoutError(f'no answer to {entries} in {PATIENCE_S} s')

    def ask(self, *arguments, **fields):
        return self.ask_all(entry(*arguments, **fields))[0]

    def expect(self, text, verdict, request, flags=None, **fields):
        """A case: asked this, the engine answers that verdict (and those fields). An answer that came
        only to a second datagram may be a replay of one that was late."""
        reply = self.ask_all(request)[0]
        may_differ = REPLAY if self.sends > 1 else 0
        holds = name(reply.verdict) == verdict
        holds = holds and (flags is None or (reply.flags ^ flags) & ~may_differ == 0)
        holds = holds and all(getattr(reply, field) == value for field, value in fields.items())
        wanted = {'flags': flags, **fields}
        case(f'{text}: {verdict}', holds, f'answered {name(reply.verdict)} {reply}',
             f'wanted {wanted}')
        return reply

    def expect_silence(self, text, counted, payload, port=BASE_PORT):
        """A case: this payload moves that counter, and is not answered. The PONG of a later PING is
        the first thing that arrives."""
        before = counter(counted)
        self.send_raw(payload, port)
        moved = eventually(lambda: counter(counted) > before, True)
        stamp = self.stamp()
        self.send_raw(wire.datagram([entry('PING')], stamp, 7, SECRETS[7]), BASE_PORT)
        self.socket.settimeout(PATIENCE_S)
        first = wire.parse_reply(self.socket.recv(2048))[0].time_ns
        case(f'{text}: silence, {counted}', moved and first == stamp,
             f'counter moved: {moved}', f'first datagram: {first}, the PONG would be {stamp}')

    def stock(self, item):
        return self.ask('STOCK', item=item).available


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def icmp_echo(data, identifier=0x4647):
    """The data that comes back of an ICMP echo request, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        message = struct.pack('!BBHHH', 8, 0, 0, identifier, 1) + data
        message = message[:2] + struct.pack('!H', checksum(message)) + message[4:]
        raw.sendto(message, (ENGINE, 0))
        deadline = time.monotonic() + PATIENCE_S
        while (left := deadline - time.monotonic()) > 0:
            raw.settimeout(left)
            try:
                packet = raw.recv(4096)
            except TimeoutError:
                return None
            answer = packet[(packet[0] & 15) * 4:]
            if answer[:2] == b'\0\0' and struct.unpack('!HH', answer[4:8]) == (identifier, 1):
                return answer[8:] if checksum(answer) == 0 else None
    return None
