# SPDX-License-Identifier: BSD-3-Clause
"""The client's side of retention.sh: retention.py begin | fill STOCK | busy | free | retry."""

import json
import os
import pathlib
import socket
import sys

from client import REPLAY, SECRETS, Client, case, entry, finish, name, wire

BIG, SMALL = 1, 2  # items
SEGMENT_OF_SMALL = 3  # the orders of the small sale begin here: earlier segments can go
BIG_ITEMS, BIG_ORDERS, APPLIES = 2000, 50, 30
BACKSLASH = chr(92)

client = Client()
told = pathlib.Path(os.environ['SMOKE_DIR']) / 'told.json'


def buy_small():
    orders = [client.expect('an order of the small sale', 'ADMITTED',
                            entry('ORDER', who, 100, SMALL, 1), flags=0).order for who in (1, 2, 3)]
    told.write_text(json.dumps(orders))


class Control:
    """The control socket itself: there are hundreds of calls."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f'{os.environ["SMOKE_DIR"]}/control.sock')
        self.lines = self.socket.makefile('r')

    def call(self, method, **params):
        message = {'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}
        self.socket.sendall(json.dumps(message).encode() + b'\n')
        answer = json.loads(self.lines.readline())
        if 'result' not in answer:
            raise RuntimeError(f'{method}: {answer["error"]}')
        return answer['result']


control = Control()


def apply_big(stock):
    """A record of half a MiB: it tells the whole sale again, and JSON doubles a backslash."""
    lines = ['name: big', 'items:', f'  - {{id: {BIG}, name: plain, stock: {stock}, limit: 1}}']
    lines += [f'  - {{id: {number}, name: {BACKSLASH * 95}, stock: 1}}'
              for number in range(10, 10 + BIG_ITEMS)]
    text = '\n'.join(lines) + '\n'
    told.with_name('big.yaml').write_text(text)
    control.call('sale.apply', text=text, source='big.yaml')


def fill():
    """Some more of the log, until the engine says that it is nearly full."""
    first = int(sys.argv[2])
    for stock in range(first, first + APPLIES):
        status = control.call('status')
        if not told.exists() and status['journal']['segment'] >= SEGMENT_OF_SMALL:
            buy_small()
        if any(text.startswith('LOG NEARLY FULL') for text in status['warnings']):
            break
        apply_big(stock)


def verdict_once(request):
    stamp = client.stamp()
    client.sent_to = client.port_of([request])
    client.send_raw(wire.datagram([request], stamp, 7, SECRETS[7]), client.sent_to)
    replies = client.receive(stamp, 5)
    return name(replies[0].verdict) if replies else 'silence'


def busy():
    verdict = verdict_once(entry('ORDER', 4, 100, SMALL, 1))
    case('a new order is BUSY while the log is full', verdict == 'BUSY', verdict)


def free():
    client.expect('a new order is admitted when segments have gone', 'ADMITTED',
                  entry('ORDER', 4, 100, SMALL, 1), flags=0)
    client.expect('an order of the archived sale is none', 'NOT_FOUND', entry('QUERY', 10, 1))
    client.expect('and its item is unknown', 'UNKNOWN_ITEM', entry('ORDER', 10, 1, BIG, 1))


def retry():
    for who, order in zip((1, 2, 3), json.loads(told.read_text())):
        client.expect('a retry gets its order', 'ADMITTED', entry('ORDER', who, 100, SMALL, 1),
                      flags=REPLAY, order=order)
    stock = client.stock(SMALL)
    case('units are as they were', stock == 996, f'STOCK said {stock}')


def begin():
    apply_big(100)
    control.call('sale.open', name='big')
    for who in range(10, 10 + BIG_ORDERS):
        client.ask('ORDER', who, 1, BIG, 1)


{'begin': begin, 'fill': fill, 'busy': busy, 'free': free, 'retry': retry}[sys.argv[1]]()
finish()
