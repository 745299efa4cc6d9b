# SPDX-License-Identifier: BSD-3-Clause
"""What a client sees of an opening, and of an engine that is drained: see opening.sh."""

import datetime
import os
import sys
import time

from client import SECRETS, Client, case, control, entry, finish, name, wire

client = Client()
LATE_S = 1  # the machine may be busy; how late the engine was, it tells itself


def ask_once(request):
    """(verdict's name, reply, sent, received), the times in ns of CLOCK_REALTIME; None: silence."""
    stamp = client.stamp()
    client.sent_to = client.port_of([request])
    sent = time.time_ns()
    client.send_raw(wire.datagram([request], stamp, 7, SECRETS[7]), client.sent_to)
    replies = client.receive(stamp, 2)
    return replies and (name(replies[0].verdict), replies[0], sent, time.time_ns())


def opening():
    control('sale', 'apply', f"{os.environ['SMOKE_DIR']}/drop.yaml")
    shown = control('sale', 'show', 'drop')['opens']
    opens = datetime.datetime.fromisoformat(shown.replace('Z', '+00:00')).timestamp()
    opens_ms = round(opens * 1000)  # told in whole ms, cut
    waits, exact, wrong, early, late, admitted = [], 0, [], [], [], None
    for number in range(1, 100000):
        answer = ask_once(entry('ORDER', number, 1, 1, 1))
        if not answer:
            continue
        verdict, reply, sent, received = answer
        if verdict == 'NOT_OPEN':
            least, most = opens_ms - received / 1e6, opens_ms + 1 - sent / 1e6
            waits.append(reply.wait_ms)
            exact += least - 0.2 <= reply.wait_ms <= most + 1.2
            # A loop that was preempted before it received judges by the time when it began.
            if not least - 0.2 <= reply.wait_ms <= most + 1000 * LATE_S:
                wrong.append((reply.wait_ms, least, most))
            if sent / 1e6 > opens_ms + 1000 * LATE_S:
                late.append((sent / 1e6 - opens_ms, reply))
                break
        elif verdict == 'ADMITTED':
            admitted = received / 1e6 - opens_ms
            early = [received] if admitted < 0 else []
            break
        time.sleep(0.001 if reply.wait_ms < 50 else 0.02)
    case(f'NOT_OPEN tells the ms that are left, {exact} of {len(waits)} times to the millisecond',
         len(waits) > 10 and exact > len(waits) / 2 and not wrong, wrong[:5])
    case('and they grow fewer', all(a >= b for a, b in zip(waits, waits[1:])), waits)
    case(f'the first ADMITTED comes {admitted} ms after the instant (cut to ms)',
         admitted is not None and not early and not late and admitted < 1000 * LATE_S, early, late)
    seen = control('sale', 'show', 'drop')['opening']
    case(f'the engine says how exactly it opened: {seen}',
         seen and 0 <= seen['opened_after_ns'] < 1e9 * LATE_S and seen['closed_before_ns'] > 0, seen)
    clock = control('status')['clock']
    case(f'and how right its clock is: {clock}',
         clock['samples'] > 50 and clock['error_us_p999'] < 100 and not clock['held'], clock)
    client.expect('a held order', 'ADMITTED', entry('ORDER', 100001, 1, 2, 1))


def drained():
    answer = ask_once(entry('ORDER', 100002, 1, 1, 1))
    case('a drained engine answers ORDER BUSY', answer and answer[0] == 'BUSY', answer)
    client.expect('a query', 'NOT_FOUND', entry('QUERY', 100002, 1))


def confirm():
    client.expect('CONFIRM goes on while it drains', 'CONFIRMED', entry('CONFIRM', 100001, 1))


def resumed():
    client.expect('an order after it', 'ADMITTED', entry('ORDER', 100002, 1, 1, 1))


{'opening': opening, 'drained': drained, 'confirm': confirm, 'resumed': resumed}[sys.argv[1]]()
finish()
