# SPDX-License-Identifier: BSD-3-Clause
"""Gateways that order without a pause while an operator rotates their key."""

import os
import pathlib
import select
import subprocess
import threading
import time

from client import SECRETS, Client, case, control, counter, entry, eventually, finish
import wire

SECRETS.update({key_id: bytes.fromhex(f'{key_id:02x}' + '5eed' * 7 + '99')
                for key_id in range(20, 25)})
GATEWAYS = 4
LOST_S = 5  # nothing on this wire takes so long


class Gateway(threading.Thread):
    """Asks one thing after another, each once."""

    def __init__(self, number):
        super().__init__()
        self.number, self.asked, self.lost, self.key_id = number, 0, [], 0
        self.refused = []
        self.client = Client()
        self.goes_on = True

    def run(self):
        while self.goes_on:
            self.asked += 1
            key_id = current['key']
            ask = [entry('ORDER', self.number * 100000 + self.asked, 1, 1, 1),
                   entry('PING')][self.asked % 2:]
            self.client.key_id = key_id
            stamp = self.client.stamp()
            self.client.sent_to = self.client.port_of(ask)
            self.client.send_raw(wire.datagram(ask, stamp, key_id, SECRETS[key_id]),
                                 self.client.sent_to)
            replies = self.client.receive(stamp, LOST_S)
            if not replies:
                self.lost.append((key_id, stamp))
            elif any(r.verdict == wire.VERDICTS['FORBIDDEN'] for r in replies):
                self.refused.append((key_id, replies))
            self.key_id = key_id


def write(*keys, text=None):
    """The key file, with these: an id, or an id and whose secret it has."""
    path = pathlib.Path(os.environ['SMOKE_DIR']) / 'keys.yaml'
    if text is None:
        text = 'keys:\n'
        for key in keys:
            key_id, of = key if isinstance(key, tuple) else (key, key)
            text += f'  - {{id: {key_id}, secret: "{SECRETS[of].hex()}", ops: all}}\n'
    path.write_text(text)


def refused(text, part):
    """A reload of this file fails with that in its sentence."""
    write(text=text)
    done = subprocess.run([os.environ['SMOKE_CTL'], '--socket',
                           os.environ['SMOKE_DIR'] + '/control.sock', 'keys', 'reload', '--yes'],
                          capture_output=True, text=True, timeout=60)
    holds = done.returncode != 0 and part in done.stderr and 'a5a5a5' not in done.stderr
    case(f'a bad file is refused: {part}', holds, done.returncode, done.stdout, done.stderr)


def is_silent(key_id, of=None):
    """A datagram with that key gets no answer; what a later one gets is the first to arrive."""
    probe = Client()
    probe.send_raw(wire.datagram([entry('PING')], probe.stamp(), key_id, SECRETS[of or key_id]))
    stamp = probe.stamp()
    probe.send_raw(wire.datagram([entry('PING')], stamp, current['key'], SECRETS[current['key']]))
    probe.socket.settimeout(LOST_S)
    return wire.parse_reply(probe.socket.recv(2048))[0].time_ns == stamp


def rotate(old, new):
    write(old, new, 9)
    told = control('keys', 'reload')
    current['key'] = new  # from the answer on the new one is known
    case(f'key {new} is added', told['added'] == [new] and told['removed'] == [], told)
    eventually(lambda: all(g.key_id == new for g in gateways), True)
    write(new, 9)
    told = control('keys', 'reload', '--yes')
    silent = is_silent(old)
    case(f'key {old} goes, and is silence at once',
         told['removed'] == [old] and told['added'] == [] and silent, told, silent)


SHIFT_S = 40  # beyond the freshness window


def alarm(part):
    return any(part in warning for warning in control('status')['warnings'])


def whose_clock():
    """Two gateways by whose clocks the engine is 40 s ahead, before any other has been heard."""
    probe = Client()
    for key_id in (7, 8):
        for _ in range(80):
            stamp = probe.stamp() - SHIFT_S * 10**9
            probe.send_raw(wire.datagram([entry('PING')], stamp, key_id, SECRETS[key_id]))
    raised = eventually(lambda: alarm('ENGINE CLOCK: '), True)
    clock = control('status')['clock']
    skew_s = clock['suspect_skew_ms'] / 1000
    case('most authentic datagrams are stale: the engine suspects its own clock, by 40 s',
         raised and clock['suspect'] == 1 and -SHIFT_S - 5 < skew_s <= -SHIFT_S,
         control('status')['warnings'], clock)
    case('... and answered none', not select.select([probe.socket], [], [], 0)[0])


if __name__ == '__main__':
    whose_clock()
    current = {'key': 7}
    write(7, 9)
    control('keys', 'reload', '--yes')
    gateways = [Gateway(n + 1) for n in range(GATEWAYS)]
    for gateway in gateways:
        gateway.start()
    before = {name: counter(name) for name in ('drop_unknown_key', 'drop_mac', 'drop_key_source')}
    try:
        rotate(7, 20)
        refused('keys:\n  - {id: 21, secret: a5a5a5, ops: all}\n', 'keys.yaml:2:22: keys.secret:')
        rotate(20, 21)
        refused('keys: []\n', 'keys.yaml:1:7: keys:')
        rotate(21, 22)
        refused('keys:\n  - {id: 22, secret: ' + 'a5' * 16 + ', ops: [BUY]}\n', 'keys.ops')
        rotate(22, 23)
        asked = sum(g.asked for g in gateways)
        eventually(lambda: sum(g.asked for g in gateways) > asked + 20, True)
    finally:
        for gateway in gateways:
            gateway.goes_on = False
        for gateway in gateways:
            gateway.join()
    asked = sum(g.asked for g in gateways)
    lost = [one for g in gateways for one in g.lost]
    unheard = [one for g in gateways for one in g.refused]
    case(f'{asked} requests, each answered to its first datagram', not lost, lost[:3])
    case('... and none was forbidden', not unheard, unheard[:3])
    now = {name: counter(name) for name in before}
    case('only what was sent with keys that had gone was dropped',
         now['drop_unknown_key'] == before['drop_unknown_key'] + 4 and
         now['drop_mac'] == before['drop_mac'], before, now)

    write((23, 24), 9)
    told = control('keys', 'reload', '--yes')
    probe = Client()
    probe.send_raw(wire.datagram([entry('PING')], probe.stamp(), 23, SECRETS[23]))
    stamp = probe.stamp()
    probe.send_raw(wire.datagram([entry('PING')], stamp, 23, SECRETS[24]))
    probe.socket.settimeout(LOST_S)
    heard = wire.parse_reply(probe.socket.recv(2048))[0].time_ns
    case('another secret under the same id: the old one is silence, the new one is answered',
         told['secrets'] == [23] and heard == stamp and
         counter('drop_mac') == now['drop_mac'] + 1, told, heard, stamp)
    write((23, 24), 9)
    told = control('keys', 'reload')
    case('the same file changes nothing', told['changed'] is False, told)
    listed = {key['id']: key for key in control('keys', 'list')['keys']}
    case('the engine trusts its clock again', eventually(lambda: alarm('ENGINE CLOCK'), False) is False)
    case('the list has them, and how often each was used',
         sorted(listed) == [9, 23] and listed[23]['datagrams'] > 0, listed)
    finish()
