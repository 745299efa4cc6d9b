# SPDX-License-Identifier: BSD-3-Clause
"""scrapers.py HOST PORT: a hundred slow ones, until it is ended. Half of them have asked for a hundred
pages each and read a byte a second, half send their request a byte a second; whoever is cut comes
again. Says when all have been there."""

import select
import socket
import sys
import time

ASKED = b'GET /metrics HTTP/1.1\r\nHost: engine\r\n\r\n' * 100


def connect(place):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.settimeout(1)
    s.connect((sys.argv[1], int(sys.argv[2])))
    if place % 2:
        s.sendall(ASKED)
    return s


def step(place, s):
    """A byte; False when the connection is over."""
    try:
        if place % 2:
            return not select.select([s], [], [], 0)[0] or s.recv(1) != b''
        return s.send(ASKED[:1]) == 1
    except OSError:
        return False


slow = [None] * 100
first = True
while True:
    for place, s in enumerate(slow):
        if s and step(place, s):
            continue
        if s:
            s.close()
        try:
            slow[place] = connect(place)
        except OSError:
            slow[place] = None
    if first:
        print('all have been there', flush=True)
        first = False
    time.sleep(1)
