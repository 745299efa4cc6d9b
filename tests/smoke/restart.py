# SPDX-License-Identifier: BSD-3-Clause
"""The client's side of restart.sh: restart.py before | after | end, around the engine's crashes."""

import json
import os
import pathlib
import sys

from client import HELD, REPLAY, Client, case, entry, eventually, finish

client = Client()
told = pathlib.Path(os.environ['SMOKE_DIR']) / 'told.json'


def stock_is(item, units):
    found = eventually(lambda: client.stock(item), units)
    case(f'item {item} has {units} units', found == units, f'STOCK said {found}')


def before():
    final = client.expect('an order', 'ADMITTED', entry('ORDER', 1, 100, 1, 2), flags=0)
    held = client.expect('a held order', 'ADMITTED', entry('ORDER', 2, 200, 2, 1), flags=HELD)
    left = client.expect('another', 'ADMITTED', entry('ORDER', 3, 300, 2, 1), flags=HELD)
    told.write_text(json.dumps([final.order, held.order, left.order, client.ask('PING').order]))


def after():
    final, held, left, epoch = json.loads(told.read_text())
    later = client.ask('PING').order
    case('the epoch has risen', later > epoch, f'{epoch}, then {later}')
    client.expect('a retry', 'ADMITTED', entry('ORDER', 1, 100, 1, 2), flags=REPLAY, order=final)
    client.expect('the limit still counts it', 'LIMIT_REACHED', entry('ORDER', 1, 101, 1, 1))
    stock_is(1, 3)
    stock_is(2, 1)
    client.expect('the held order is still held', 'ADMITTED', entry('QUERY', 2, 200),
                  flags=HELD | REPLAY, order=held)
    client.expect('and can be confirmed', 'CONFIRMED', entry('CONFIRM', 2, 200), order=held)
    client.expect('the other can be cancelled', 'CANCELLED', entry('CANCEL', 3, 300), order=left)
    stock_is(2, 2)


def end():
    final, held, left, _ = json.loads(told.read_text())
    client.expect('the order', 'ADMITTED', entry('QUERY', 1, 100), order=final)
    client.expect('the confirmed one', 'CONFIRMED', entry('QUERY', 2, 200), order=held)
    client.expect('the cancelled one', 'CANCELLED', entry('ORDER', 3, 300, 2, 1), order=left,
                  flags=REPLAY)
    stock_is(1, 3)
    stock_is(2, 2)
    fresh = client.expect('a new order', 'ADMITTED', entry('ORDER', 4, 400, 1, 1), flags=0)
    case('its id is new', fresh.order not in (final, held, left))


{'before': before, 'after': after, 'end': end}[sys.argv[1]]()
finish()
