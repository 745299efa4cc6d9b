# SPDX-License-Identifier: BSD-3-Clause
"""killed.py COUNT: so many callers add a unit each and are killed in the midst of it: most of them after
a part of their message or all of it, some of them flashgatectl itself. What the log has is then held
against what they said, and the engine against what it was."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

from client import case, control, eventually, finish

COUNT = int(sys.argv[1])
ENGINE = int(os.environ['SMOKE_ENGINE'])
PATH = os.environ['SMOKE_DIR'] + '/control.sock'
CALL = (b'{"jsonrpc":"2.0","id":1,"method":"stock.add","params":{"item":"1","units":"1"}}\n')
LENGTHS = [len(CALL)] * 3 + [1, 40, len(CALL) - 1]


def descriptors():
    return len(os.listdir(f'/proc/{ENGINE}/fd'))


def resident_kib():
    return next(int(line.split()[1]) for line in open(f'/proc/{ENGINE}/status')
                if line.startswith('VmRSS'))


def spawn(length):
    """A process that says so much of a call, and is gone."""
    if pid := os.fork():
        return pid
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect(PATH)
        s.sendall(CALL[:length])
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def figures():
    """What does not come back when it is lost."""
    connections = control('status')['control']['connections']
    return descriptors(), connections


def added():
    """Who added units, by the log: a list of (uid, gid, pid), and the units in all."""
    who, since, more = [], '0', True
    while more:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(PATH)
            s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'events',
                                  'params': {'since': since}}).encode() + b'\n')
            page = json.loads(s.makefile().readline())['result']
        who += [(e['who']['uid'], e['who']['gid'], e['who']['pid']) for e in page['events']
                if e['kind'] == 'STOCK_ADD']
        since, more = str(page['next']), page['more']
    return who


def stock():
    return control('sale', 'show', 'drop')['items'][0]['stock']


source = random.Random(1)
before, memory, supply = figures(), resident_kib(), stock()
whole, cut, tools, running = set(), set(), set(), []
began = time.monotonic()
for number in range(COUNT):
    if number % 50 == 49:
        tool = subprocess.Popen([os.environ['SMOKE_CTL'], '--socket', PATH, 'stock', 'add', '1', '1'],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(source.uniform(0, 0.01))
        tool.send_signal(signal.SIGKILL)
        tool.wait()
        tools.add(tool.pid)
        continue
    length = source.choice(LENGTHS)
    running.append(pid := spawn(length))
    (whole if length == len(CALL) else cut).add(pid)
    if len(running) == 8:
        for pid in running:
            os.waitpid(pid, 0)
        running = []
for pid in running:
    os.waitpid(pid, 0)

settled = eventually(lambda: figures() <= before, True)
who = added()
print(f'# {COUNT} callers killed in {time.monotonic() - began:.1f} s: {len(whole)} had said all, {len(cut)} '
      f'a part; {len(tools)} were flashgatectl; {len(who)} units were added; resident {memory} KiB, '
      f'then {resident_kib()}')
case('descriptors and connections are given back', settled, figures(), before)
case('memory is', resident_kib() < memory + 8192, memory, resident_kib())
pids = [pid for _, _, pid in who]
case('each change is in the log once, with who made it',
     len(set(pids)) == len(pids) and {w[:2] for w in who} <= {(os.getuid(), os.getgid())})
case('whoever said all of it made a change', whole <= set(pids), whole - set(pids))
case('and nobody else', set(pids) <= whole | tools, set(pids) - whole - tools)
case('what is in the log is what is on sale', stock() == supply + len(who), stock(), supply, len(who))
finish()
