# SPDX-License-Identifier: BSD-3-Clause
"""What must be met with silence, each with the counter that tells it; and ICMP echo, which must
not."""

import collections
import json
import os
import pathlib
import time

from client import ENGINE, SECRETS, Client, case, control, counter, entry, eventually, finish
from client import icmp_echo
import wire

VECTORS = pathlib.Path(__file__).resolve().parent.parent / 'vectors'
SECOND_NS = 1_000_000_000

client = Client()
query = entry('QUERY', 1, 100)


def made(time_ns=None, key_id=7, secret=SECRETS[7]):
    return wire.datagram([query], client.stamp() if time_ns is None else time_ns, key_id, secret)


def malformed():
    vectors = json.loads((VECTORS / 'silent.json').read_text())['malformed']
    wanted = dict(collections.Counter(vector['counter'] for vector in vectors))
    before = {name: counter(name) for name in wanted}
    for vector in vectors:
        client.send_raw(bytes.fromhex(vector['payload']))
    moved = eventually(lambda: {name: counter(name) - before[name] for name in wanted}, wanted)
    case('every malformed payload of the vectors is counted, by its name', moved == wanted,
         f'{moved}, wanted {wanted}')
    client.expect_silence('malformed: one more', 'drop_malformed', b'FG')


def unauthentic():
    changed = bytearray(made())
    changed[40] ^= 1
    now = time.time_ns()
    client.expect_silence('unsigned', 'drop_unsigned', wire.datagram([query], client.stamp()))
    client.expect_silence('a key nobody has', 'drop_unknown_key', made(key_id=77))
    client.expect_silence('a wrong secret', 'drop_mac', made(secret=bytes(16)))
    client.expect_silence('changed after signing', 'drop_mac', bytes(changed))
    client.expect_silence('another source\'s key', 'drop_key_source',
                          made(key_id=9, secret=SECRETS[9]))
    client.expect_silence('a minute old', 'drop_stale', made(now - 60 * SECOND_NS))
    client.expect_silence('a minute ahead', 'drop_stale', made(now + 60 * SECOND_NS))


def addresses():
    client.expect_silence('a port that is not the engine\'s', 'drop_port', made(), port=9999)
    # The kernel puts fragments together before it gives them to the wire's driver, cut to a frame.
    client.expect_silence('more than fits a frame', 'drop_cut', bytes(3000))
    if os.geteuid() == 0:
        low = Client(source_port=900)
        before = counter('drop_source_port')
        low.send_raw(made())
        case('a source port below 1024: silence, drop_source_port',
             eventually(lambda: counter('drop_source_port') > before, True))


def echo():
    for size in (0, 56, 1400):
        data = bytes(n & 0xFF for n in range(size))
        case(f'ICMP echo of {size} bytes is answered', icmp_echo(data) == data)
    case('and counted', eventually(lambda: counter('tx_icmp_echo') >= 3, True))


malformed()
unauthentic()
addresses()
echo()
client.expect('after all that the engine still answers', 'ADMITTED', query)
case(f'no worker of {ENGINE} stopped',
     all(worker['state'] == 'running' for worker in control('status')['workers']))
finish()
