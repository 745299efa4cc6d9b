# SPDX-License-Identifier: BSD-3-Clause
"""Clients of takeover.sh and journal.sh: takeover.py load | retry | fresh.

load sends orders one after the other until a file `enough` is there, and writes each acknowledgement
down, with its time, as it comes: what is in the file was told to a client. retry asks a second engine
for every one of them again."""

import os
import pathlib
import sys
import time

import client
from client import HELD, REPLAY, Client, case, entry, finish, name

client.ENGINE = os.environ.get('SMOKE_ENGINE', client.ENGINE)
directory = pathlib.Path(os.environ['SMOKE_DIR'])
acknowledged = directory / 'acknowledged'
FIRST = 1000  # requests of the load; others are the scenarios' own


def told():
    """What was written down: request -> (order, time)."""
    lines = [line.split() for line in acknowledged.read_text().splitlines()]
    return {int(request): (int(order), float(at)) for request, order, at in lines}


def load():
    asking, request = Client(), FIRST
    with acknowledged.open('w') as out:
        while not (directory / 'enough').exists():
            item = 1 + request % 2
            sent = entry('ORDER', request, request, item, 1)
            stamp = asking.stamp()
            asking.sent_to = asking.port_of([sent])
            asking.send_raw(client.wire.datagram([sent], stamp, 7, client.SECRETS[7]),
                            asking.sent_to)
            replies = asking.receive(stamp, 0.2)
            if replies and name(replies[0].verdict) == 'ADMITTED':
                print(request, replies[0].order, time.time(), file=out, flush=True)
                request += 1


def retry():
    """Every acknowledgement up to a time (all, if there is none) is this engine's too."""
    until = float(sys.argv[2]) if len(sys.argv) > 2 else float('inf')
    asking, wrong, asked = Client(), [], 0
    for request, (order, at) in told().items():
        if at > until:
            continue
        asked += 1
        reply = asking.ask('ORDER', request, request, 1 + request % 2, 1)
        if (name(reply.verdict), reply.order) != ('ADMITTED', order) or not reply.flags & REPLAY:
            wrong.append((request, order, name(reply.verdict), reply.order))
    case(f'all {asked} acknowledged orders have their old ids', asked > 0 and not wrong, wrong[:5])


def fresh():
    new = Client().expect('a new order', 'ADMITTED', entry('ORDER', 7, 7, 1, 1), flags=0)
    case('its id is new', new.order not in [order for order, _ in told().values()])
    Client().expect('a new held order', 'ADMITTED', entry('ORDER', 8, 8, 2, 1), flags=HELD)


{'load': load, 'retry': retry, 'fresh': fresh}[sys.argv[1]]()
finish()
