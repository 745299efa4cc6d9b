# SPDX-License-Identifier: BSD-3-Clause
"""Orders for the smoke tests of Redis: redis_orders.py ITEM FIRST LAST, one of each buyer."""

import sys

from client import Client, case, finish, wire

item, first, last = map(int, sys.argv[1:])
client = Client()
got = [client.ask('ORDER', number, number, item, 1).verdict for number in range(first, last + 1)]
admitted = sum(verdict == wire.VERDICTS['ADMITTED'] for verdict in got)
case(f'{len(got)} orders of item {item} are admitted', admitted == len(got), got)
finish()
