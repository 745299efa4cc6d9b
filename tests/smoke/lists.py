# SPDX-License-Identifier: BSD-3-Clause
"""Lists as buyers and gateways meet them. `load`: they are loaded while orders come in, and a storm
is met as the page has it; `kept`: what was in force still is."""

import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

from client import ENGINE, HELD, REPLAY, SECRETS, Client, buyer, case, checksum, control, counter
from client import entry, eventually, finish
import wire

DIR = pathlib.Path(os.environ['SMOKE_DIR'])
PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'operations.md'
BUYERS, PREFIXES = int(os.environ['LISTED_BUYERS']), int(os.environ['LISTED_PREFIXES'])
BLOCKED, SUSPECT, EXEMPT, BOT = 1, 2, 3, 4  # numbers of buyers; the crowd's are not among them
TICK_MS = 10
OTHER, EXCEPTION = '10.99.0.3', '10.99.0.4'

client = Client()


def write_lists():
    with open(DIR / 'block-buyers.txt', 'w') as file:
        file.write('# who bought it all last time\n')
        file.writelines(f'{n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}\n'
                        for n in range(1, BUYERS))
        file.write(buyer(BLOCKED).hex() + '\n' + buyer(EXEMPT).hex() + '\n')
    (DIR / 'allow-buyers.txt').write_text(buyer(EXEMPT).hex() + ' # pays for the party\n')
    with open(DIR / 'block-sources.txt', 'w') as file:
        file.writelines(f'172.{16 + n // 65536}.{n // 256 % 256}.{n % 256}\n'
                        for n in range(PREFIXES // 2))
        file.writelines(f'2001:db8:{n:x}::/48\n' for n in range(PREFIXES // 2 - 1))
        file.write(f'{OTHER}/32\n10.99.0.4/30\n')
    (DIR / 'allow-sources.txt').write_text(EXCEPTION + '\n')


class Crowd(threading.Thread):
    """Orders one after the other, and how long each waited for its answer."""

    def __init__(self):
        super().__init__()
        self.going, self.waits, self.verdicts = True, [], set()

    def run(self):
        crowd = Client()
        number = 1000
        while self.going:
            number += 1
            began = time.monotonic()
            self.verdicts.add(crowd.ask('ORDER', number, 1, 1, 1).verdict)
            self.waits.append(time.monotonic() - began)
            time.sleep(0.002)


def signed(source):
    """A client of another address of ours."""
    other = Client()
    other.socket.close()
    other.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.socket.bind((source, 0))
    return other


def sources():
    other, before = signed(OTHER), counter('drop_blocked_source')
    stamp = other.stamp()
    other.send_raw(wire.datagram([entry('PING')], stamp, 7, SECRETS[7]))
    moved = eventually(lambda: counter('drop_blocked_source') > before, True)
    other.sent_to = 20480
    case('a blocked source: silence, drop_blocked_source', moved
         and other.receive(stamp, 0.1) is None)
    echo()
    signed(EXCEPTION).expect('an exception to a blocked prefix', 'PONG', entry('PING'))


def echo():
    message = struct.pack('!BBHHH', 8, 0, 0, 1, 1)
    message = message[:2] + struct.pack('!H', checksum(message)) + message[4:]
    before, answered = counter('drop_blocked_source'), counter('tx_icmp_echo')
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.bind((OTHER, 0))
        raw.sendto(message, (ENGINE, 0))
        moved = eventually(lambda: counter('drop_blocked_source') > before, True)
    case('... nor is its ICMP echo answered', moved and counter('tx_icmp_echo') == answered)


def who_is_blocked():
    client.expect('a blocked buyer\'s new order', 'BLOCKED', entry('ORDER', BLOCKED, 9, 1, 1),
                  flags=0, wait_ms=0)
    client.expect('... his old one is told', 'ADMITTED', entry('ORDER', BLOCKED, 1, 1, 1),
                  flags=REPLAY)
    client.expect('who is exempt', 'ADMITTED', entry('ORDER', EXEMPT, 1, 1, 1))
    sources()
    found = control('lists', 'check', buyer(BLOCKED).hex())
    case('lists check tells by which list', found['list'] == 'block_buyers', found)
    found = control('lists', 'check', EXCEPTION)
    case('... and by which entry', (found['listed'], found['entry']) == ('allowed',
                                                                       EXCEPTION + '/32'), found)


def load():
    client.expect('before that anybody buys', 'ADMITTED', entry('ORDER', BLOCKED, 1, 1, 1))
    client.expect('... and holds', 'ADMITTED', entry('ORDER', BLOCKED, 2, 2, 1), flags=HELD)
    write_lists()
    crowd = Crowd()
    crowd.start()
    eventually(lambda: len(crowd.waits) >= 20, True)
    before, asked = control('status')['control'], len(crowd.waits)
    shown = control('lists', 'reload')
    during, after = crowd.waits[asked:], control('status')['control']
    crowd.going = False
    crowd.join()
    entries = {one['list']: one['entries'] for one in shown['lists']}
    case(f'{BUYERS:,} buyers and {PREFIXES:,} prefixes are in force after '
         f'{shown["took_ms"]} ms, in {shown["memory_bytes"] >> 20} MiB',
         entries == {'block_buyers': BUYERS + 1, 'allow_buyers': 1, 'block_sources': PREFIXES + 1,
                     'allow_sources': 1}, entries)
    waits = sorted(during)
    p99 = waits[len(waits) * 99 // 100]
    case(f'{len(waits)} orders meanwhile: p99 {p99 * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} '
         'ms',
         len(waits) >= 20 and p99 < 0.5 and crowd.verdicts == {wire.VERDICTS['ADMITTED']},
         crowd.verdicts)
    ticks, late = (after[one] - before[one] for one in ('ticks', 'ticks_late'))
    case(f'control ticks while it reads: {ticks} times in {shown["took_ms"]} ms, {late} of them '
         'late',
         ticks >= shown['took_ms'] / TICK_MS / 4 and late <= 2 + ticks // 2)
    who_is_blocked()
    client.expect('a blocked buyer\'s hold', 'CONFIRMED', entry('CONFIRM', BLOCKED, 2))
    client.expect('a suspect', 'ADMITTED', entry('ORDER', SUSPECT, 1, 2, 1), flags=HELD)
    control('lists', 'add', 'block-buyers', buyer(SUSPECT).hex())
    client.expect('... is blocked by one command', 'BLOCKED', entry('ORDER', SUSPECT, 9, 1, 1))
    client.expect('... and may cancel what he holds', 'CANCELLED', entry('CANCEL', SUSPECT, 1))
    storm()


def storm():
    """A bot storm, by the commands of the page, one after the other."""
    throttled = 0
    for request in range(1, 41):
        throttled += client.ask('ORDER', BOT, request, 3, 1).verdict == wire.VERDICTS['THROTTLED']
    blocks = PAGE.read_text().split('```sh storm\n')[1:]
    commands = [line for block in blocks for line in block.split('```')[0].splitlines()
                if line.strip()]
    shell = ('set -euo pipefail; '
             'flashgatectl() { "$SMOKE_CTL" --socket "$SMOKE_DIR/control.sock" "$@"; }')
    ctl = {'SMOKE_CTL': str(pathlib.Path(os.environ['SMOKE_CTL']).resolve())}
    done = subprocess.run(['bash', '-c', '\n'.join([shell, *commands])], cwd=DIR, text=True,
                          env=os.environ | ctl, capture_output=True, timeout=60)
    case(f'a buyer is THROTTLED {throttled} times; the page\'s commands block it',
         throttled > 20 and len(commands) == 3 and done.returncode == 0, done.stdout, done.stderr)
    client.expect('... and the bot is blocked', 'BLOCKED', entry('ORDER', BOT, 50, 1, 1))


def kept():
    who_is_blocked()
    client.expect('the bot is blocked', 'BLOCKED', entry('ORDER', BOT, 51, 1, 1))
    client.expect('the suspect still is', 'BLOCKED', entry('ORDER', SUSPECT, 10, 1, 1))


{'load': load, 'kept': kept}[sys.argv[1]]()
finish()
