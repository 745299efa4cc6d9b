# SPDX-License-Identifier: BSD-3-Clause
"""Buys, retries, confirms, cancels and asks, in the sale that trade.sh has opened."""

import time

from client import (BASE_PORT, HELD, PARTITIONS, REPLAY, Client, buyer, case, control, counter,
                    entry, eventually, finish, name)
import wire

client = Client()


def final_orders():
    """Item 1: five units, two for each buyer, sold for good at once."""
    first = client.expect('an order', 'ADMITTED', entry('ORDER', 1, 100, 1, 2), flags=0, item=1,
                          quantity=2)
    case('an admitted order has an id', first.order != 0)
    client.expect('the same again', 'ADMITTED', entry('ORDER', 1, 100, 1, 2), flags=REPLAY,
                  order=first.order)
    client.expect('a query', 'ADMITTED', entry('QUERY', 1, 100), flags=REPLAY, order=first.order,
                  item=1, quantity=2)
    client.expect('the request with another quantity', 'CONFLICT', entry('ORDER', 1, 100, 1, 1))
    client.expect('the request with another item', 'CONFLICT', entry('ORDER', 1, 100, 4, 2))
    client.expect('one more than the limit', 'LIMIT_REACHED', entry('ORDER', 1, 101, 1, 1))
    client.expect('the same request of another buyer', 'ADMITTED', entry('ORDER', 2, 100, 1, 1),
                  flags=0)
    client.expect('confirming what is final', 'CONFIRMED', entry('CONFIRM', 1, 100),
                  order=first.order)
    client.expect('cancelling what is final', 'FORBIDDEN', entry('CANCEL', 1, 100))
    client.expect('a query of nothing', 'NOT_FOUND', entry('QUERY', 1, 999))
    client.expect('confirming nothing', 'NOT_FOUND', entry('CONFIRM', 1, 999))
    units = eventually(lambda: client.stock(1), 2)
    case('two units of five are left', units == 2, f'STOCK said {units}')
    shown = control('order', 'show', buyer(1).hex(), '100')
    case('order show tells the order', shown['item'] == 1 and shown['durable'], shown)


def refusals():
    client.expect('quantity 0', 'BAD_QUANTITY', entry('ORDER', 3, 1, 1, 0))
    client.expect('more than an order may have', 'BAD_QUANTITY', entry('ORDER', 3, 2, 1, 3))
    client.expect('an item nobody sells', 'UNKNOWN_ITEM', entry('ORDER', 3, 3, 999, 1))
    client.expect('item 0', 'UNKNOWN_ITEM', entry('ORDER', 3, 4, 0, 1))
    client.expect('stock of an item nobody sells', 'UNKNOWN_ITEM', entry('STOCK', item=999))
    client.expect('op 7', 'UNSUPPORTED', entry(7, 3, 5, 1, 1))
    client.expect('op 0', 'UNSUPPORTED', entry(0, 3, 5, 1, 1))
    client.expect('an undefined flag', 'UNSUPPORTED', entry('ORDER', 3, 6, 1, 1, flags=1))
    client.expect('a sale that is not open', 'NOT_OPEN', entry('ORDER', 3, 7, 11, 1))
    asking = Client(key_id=8)
    asking.expect('an op that the key may not use', 'FORBIDDEN', entry('ORDER', 3, 8, 1, 1))
    asking.expect('an op that it may', 'NOT_FOUND', entry('QUERY', 3, 8))


def scattered_quantity():
    """Item 4: three units. Two are taken; a request for two more is told that one is left."""
    client.expect('two of three', 'ADMITTED', entry('ORDER', 4, 1, 4, 2))
    client.expect('two when one is left', 'SOLD_OUT', entry('ORDER', 5, 1, 4, 2), available=1)
    client.expect('the one that is left', 'ADMITTED', entry('ORDER', 5, 2, 4, 1))
    client.expect('one when none is left', 'SOLD_OUT', entry('ORDER', 6, 1, 4, 1), available=0)


def held_orders():
    """Item 2: three units under a hold of a minute."""
    held = client.expect('an order under a hold', 'ADMITTED', entry('ORDER', 7, 1, 2, 3),
                         flags=HELD)
    case('it tells how long', 0 < held.wait_ms <= 75000, held)
    waiting = client.expect('while all is held', 'ALL_HELD', entry('ORDER', 8, 1, 2, 1))
    case('ALL_HELD tells when to come back', waiting.wait_ms > 0, waiting)
    client.expect('a wrong order id', 'CONFLICT', entry('CONFIRM', 7, 1, order=held.order + 1))
    client.expect('cancelling it', 'CANCELLED', entry('CANCEL', 7, 1, order=held.order),
                  order=held.order)
    client.expect('cancelling again', 'CANCELLED', entry('CANCEL', 7, 1), flags=REPLAY)
    client.expect('ordering it again', 'CANCELLED', entry('ORDER', 7, 1, 2, 3), flags=REPLAY,
                  order=held.order)
    client.expect('confirming it', 'CANCELLED', entry('CONFIRM', 7, 1))
    units = eventually(lambda: client.stock(2), 3)
    case('its units are back on sale', units == 3, f'STOCK said {units}')
    again = client.expect('another buyer takes them', 'ADMITTED', entry('ORDER', 8, 2, 2, 3),
                          flags=HELD)
    client.expect('and confirms', 'CONFIRMED', entry('CONFIRM', 8, 2), order=again.order)
    client.expect('and again', 'CONFIRMED', entry('CONFIRM', 8, 2), flags=REPLAY)
    client.expect('a query', 'CONFIRMED', entry('QUERY', 8, 2), flags=REPLAY, order=again.order)
    client.expect('now it is sold out', 'SOLD_OUT', entry('ORDER', 9, 1, 2, 1), available=0)


def void_requests():
    client.expect('cancelling what never came', 'CANCELLED', entry('CANCEL', 10, 1), order=0)
    client.expect('when it comes after all', 'CANCELLED', entry('ORDER', 10, 1, 1, 1),
                  flags=REPLAY, order=0)


def expiry():
    """Item 3: one unit under a hold of a second."""
    held = client.expect('an order under a short hold', 'ADMITTED', entry('ORDER', 11, 1, 3, 1),
                         flags=HELD)
    ended = eventually(lambda: name(client.ask('QUERY', 11, 1).verdict), 'EXPIRED')
    case('the hold runs out', ended == 'EXPIRED', ended)
    client.expect('confirming too late', 'EXPIRED', entry('CONFIRM', 11, 1), order=held.order)
    client.expect('cancelling too late', 'EXPIRED', entry('CANCEL', 11, 1))
    units = eventually(lambda: client.stock(3), 1)
    case('its unit is back on sale', units == 1, f'STOCK said {units}')
    client.expect('another buyer takes it', 'ADMITTED', entry('ORDER', 12, 1, 3, 1), flags=HELD)


def many_entries():
    status = control('status')
    pong = client.ask('PING')
    case('a ping tells how to steer', (name(pong.verdict), pong.item, pong.quantity, pong.wait_ms)
         == ('PONG', PARTITIONS, BASE_PORT, 2) and pong.order == status['epoch'], pong)
    replies = client.ask_all(entry('STOCK', item=1), entry('QUERY', 1, 100), entry('PING'),
                             entry('QUERY', 1, 999))
    names = [name(reply.verdict) for reply in replies]
    case('entries are answered in their order', names == ['STOCK', 'ADMITTED', 'PONG', 'NOT_FOUND'],
         names)
    away = next(n for n in range(2, 100) if wire.partition(buyer(n), PARTITIONS)
                != wire.partition(buyer(1), PARTITIONS))
    replies = client.ask_all(entry('QUERY', 1, 100), entry('QUERY', away, 12345))
    names = [name(reply.verdict) for reply in replies]
    case('another partition in the same datagram', names == ['ADMITTED', 'MISROUTED'], names)
    full = client.ask_all(*[entry('QUERY', 1, 100 + n) for n in range(32)])
    case('a full datagram is answered whole', [r.request for r in full] == list(range(100, 132)))
    for port in (BASE_PORT, BASE_PORT + PARTITIONS - 1):
        Client(port=port).expect('at any of the engine\'s ports', 'ADMITTED',
                                 entry('QUERY', 1, 100), flags=REPLAY)


def rates():
    """A buyer's in one sale, live; and a key's, of which each of the two workers has a half."""
    control('sale', 'set', '--yes', 'drop', 'rate', '10')
    control('sale', 'set', '--yes', 'drop', 'burst', '1')
    asks = [entry('ORDER', 30, n, 1, 0) for n in (1, 2)]
    replies = client.ask_all(*asks)
    names = [name(reply.verdict) for reply in replies]
    case('who asks too often is told so', names == ['BAD_QUANTITY', 'THROTTLED'], names)
    wait_ms = replies[1].wait_ms
    case('... and how long to wait', 100 <= wait_ms <= 125, replies)
    time.sleep(wait_ms / 1000)
    client.expect('after that wait', 'BAD_QUANTITY', entry('ORDER', 30, 4, 1, 0))
    punished()
    control('sale', 'set', 'drop', 'rate', '0')
    names = [name(reply.verdict) for reply in client.ask_all(*asks)]
    case('without a rate at once', names == ['BAD_QUANTITY', 'BAD_QUANTITY'], names)
    names = [name(reply.verdict) for reply in Client(key_id=10).ask_all(*[entry('PING')] * 5)]
    case('a key has a rate', names == ['PONG'] * 2 + ['THROTTLED'] * 3, names)
    case('both are counted', counter('throttled_buyer') >= 1 and counter('throttled_key') == 3)
    rated = [(key['id'], key['asked'], key['throttled'])
             for key in control('status')['keys'] if key['asked']]
    case('... and by key', rated == [(10, 5, 3)], rated)


def punished():
    """Who is refused fifty times in ten seconds may not order for ten more, and is a suspect."""
    for first in (1000, 1032):
        replies = client.ask_all(*[entry('ORDER', 31, first + n, 1, 0) for n in range(32)])
    last = replies[-1]
    case('who is refused again and again is told to wait for long',
         name(last.verdict) == 'THROTTLED' and 5000 < last.wait_ms <= 12500, last)
    client.expect('... but is told of orders', 'NOT_FOUND', entry('QUERY', 31, 1, 1))
    suspects = control('suspects', '--count', '5')
    worst = suspects['buyers'][0]
    case('it is the first suspect', worst['buyer'] == buyer(31).hex() and worst['sale'] == 'drop'
         and worst['key'] == 7 and worst['source'] == '10.99.0.2'
         and 50 <= worst['refused'] < 64 and 0 < worst['penalty_ms'] <= 10000, suspects)
    case('... and its key a suspect', suspects['keys'][0]['key'] == 7
         and suspects['late_workers'] == [], suspects)
    case('penalties are counted', counter('penalties') == 1 and counter('throttled_penalty') > 0)


def closing():
    control('sale', 'close', '--yes', 'drop')
    client.expect('after closing', 'CLOSED', entry('ORDER', 20, 1, 1, 1))
    client.expect('a replay after closing', 'ADMITTED', entry('ORDER', 1, 100, 1, 2), flags=REPLAY)


for part in (final_orders, refusals, scattered_quantity, held_orders, void_requests, expiry,
             many_entries, rates, closing):
    part()
finish()
