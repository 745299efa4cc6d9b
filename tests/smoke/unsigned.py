# SPDX-License-Identifier: BSD-3-Clause
"""Unsigned datagrams, as the configuration has them."""

import sys

from client import Client, case, entry, finish, name
import wire

LOST_S = 5


def ask(*arguments):
    """The verdict of an unsigned request, whose answer is unsigned, too."""
    asked = entry(*arguments)
    for _ in range(10):
        stamp = client.stamp()
        client.send_raw(wire.datagram([asked], stamp), client.port_of([asked]))
        client.socket.settimeout(LOST_S)
        header, replies = wire.parse_reply(client.socket.recv(2048))
        assert (header.time_ns, header.key_id, header.mac) == (stamp, 0, 0), header
        if name(replies[0].verdict) != 'BUSY':
            return name(replies[0].verdict)
    return 'BUSY'


def expect(text, verdict, *arguments):
    answered = ask(*arguments)
    case(f'{text}: {verdict}', answered == verdict, answered)


def as_a_rule():
    expect('unsigned, a PING', 'PONG', 'PING')
    expect('... an order', 'ADMITTED', 'ORDER', 1, 1, 1, 1)
    expect('... its CONFIRM', 'FORBIDDEN', 'CONFIRM', 1, 1)
    expect('... its CANCEL', 'FORBIDDEN', 'CANCEL', 1, 1)
    expect('... it is still held', 'ADMITTED', 'QUERY', 1, 1)
    client.expect('a key settles it', 'CONFIRMED', entry('CONFIRM', 1, 1))


def named():
    expect('unsigned, an order', 'ADMITTED', 'ORDER', 2, 1, 1, 1)
    expect('... its CONFIRM, which is named', 'CONFIRMED', 'CONFIRM', 2, 1)
    expect('... another, cancelled', 'ADMITTED', 'ORDER', 2, 2, 1, 1)
    expect('... by CANCEL, which is named', 'CANCELLED', 'CANCEL', 2, 2)
    expect('... a QUERY, which is not', 'FORBIDDEN', 'QUERY', 2, 1)


client = Client()
{'as_a_rule': as_a_rule, 'named': named}[sys.argv[1]]()
finish()
