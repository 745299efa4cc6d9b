# SPDX-License-Identifier: BSD-3-Clause
"""Abuses the control socket in every way at once for some seconds, calling status all the while.

abuse.py SECONDS only abuses, and prints nothing."""

import concurrent.futures
import json
import multiprocessing
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

from client import PATIENCE_S, case, control, eventually, finish

PATH = os.environ['SMOKE_DIR'] + '/control.sock'
CTL = [os.environ['SMOKE_CTL'], '--socket', PATH]
ENGINE = int(os.environ.get('SMOKE_ENGINE', 0))
SECONDS = 4
CONNECTIONS = 10000
STATUS = b'{"jsonrpc":"2.0","id":1,"method":"status"}\n'

over = threading.Event()
counts = {}


def connect():
    """A connection, or None when the kernel's queue is full."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(0.2)
    try:
        s.connect(PATH)
        return s
    except OSError:
        s.close()
        return None


def send(s, data):
    """Whether all of it went."""
    try:
        s.sendall(data)
        return True
    except OSError:
        return False


def hoard(told):
    """A process of its own: opens CONNECTIONS, says so, and keeps them until it is told to end; some
    of them have begun a message."""
    mine = []
    while len(mine) < CONNECTIONS:
        if s := connect():
            mine.append(s)
            if len(mine) % 3 == 0:
                send(s, b'{"jsonrpc": "2.0", "id": 1, "meth')
    told.send(len(mine))
    told.recv()


def endless_line():
    block, sent = b'a' * (1 << 20), 0
    while not over.is_set():
        if s := connect():
            s.settimeout(1)
            for _ in range(1024):
                if over.is_set() or not send(s, block):
                    break
                sent += 1
            s.close()
    counts['endless_mib'] = sent


def long_line():
    """A line of more than 8 MiB: what the engine says to it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(PATH)
        while send(s, b'a' * 100000):
            pass
        return s.recv(300)


def garbage():
    source = random.Random(1)
    while not over.is_set():
        if s := connect():
            for _ in range(20):
                send(s, source.choice([source.randbytes(3000), b'\n' * 5000, b'[' * 4000 + b'\n',
                                       b'{"a":' * 3000 + b'\n', b'[' + b'0,' * 30000 + b'0]\n',
                                       b'"' + b'x' * 60000 + b'"\n']))
            s.close()


def slow_reader():
    while not over.is_set():
        if s := connect():
            s.settimeout(0.05)
            for _ in range(40):
                if not send(s, STATUS * 10):
                    break
            over.wait(0.2)
            s.close()


def killed_callers():
    while not over.is_set():
        if s := connect():
            send(s, STATUS)
            s.close()
        child = subprocess.Popen(CTL + ['status'], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        over.wait(random.uniform(0, 0.02))
        child.send_signal(signal.SIGKILL)
        child.wait()


def timed_status():
    """Seconds, and whether it was answered."""
    began = time.monotonic()
    done = subprocess.run(CTL + ['--json', 'status'], capture_output=True, timeout=20)
    return time.monotonic() - began, done.returncode == 0, done.stderr.decode()


def descriptors():
    return len(os.listdir(f'/proc/{ENGINE}/fd'))


def resident_mib():
    for line in open(f'/proc/{ENGINE}/status'):
        if line.startswith('VmRSS'):
            return int(line.split()[1]) / 1024
    return 0


def control_seconds():
    """Processor time of the control thread, which is the main one."""
    fields = open(f'/proc/{ENGINE}/task/{ENGINE}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def begin():
    """The hoarding process, the pipe to it, and the other abusers' threads."""
    ours, theirs = multiprocessing.Pipe()
    hoarder = multiprocessing.get_context('fork').Process(target=hoard, args=(theirs,),
                                                          daemon=True)
    hoarder.start()
    threads = [threading.Thread(target=t)
               for t in (endless_line, garbage, slow_reader, killed_callers)]
    for thread in threads:
        thread.start()
    return hoarder, ours, threads


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
CONNECTIONS = min(CONNECTIONS, hard - 500)
resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + 500, hard))
if len(sys.argv) > 1:
    abuser = begin()[0]
    time.sleep(float(sys.argv[1]))
    over.set()
    abuser.kill()
    sys.exit(0)
before_limit = resource.prlimit(ENGINE, resource.RLIMIT_NOFILE)
before, memory = control('status')['control'], resident_mib()
# While nobody else asks for anything, lines come to their full length.
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    told = list(pool.map(lambda _: long_line(), range(16)))
case('endless lines are read up to 8 MiB, eight at once, and refused',
     all(b'longer than 8 MiB' in answer for answer in told), *told)
began = time.monotonic()
hoarder, ours, threads = begin()

answers, held = [], 0
while time.monotonic() < began + SECONDS or (not held and time.monotonic() < began + PATIENCE_S):
    if not held and ours.poll():
        held = ours.recv()
    if time.monotonic() > began + SECONDS / 2 and held and 'limit' not in counts:
        # The rest of the time the engine has hardly a descriptor to spare.
        counts['limit'] = descriptors() + 3
        resource.prlimit(ENGINE, resource.RLIMIT_NOFILE, (counts['limit'], before_limit[1]))
    answers.append((*timed_status(), 'limit' in counts))
    time.sleep(0.05)
over.set()
for thread in threads:
    thread.join()
if held:
    ours.send('end')
else:
    hoarder.kill()
hoarder.join()
resource.prlimit(ENGINE, resource.RLIMIT_NOFILE, before_limit)
peak = resident_mib()

slowest, failed = max(a[0] for a in answers), [a[2] for a in answers if not a[1]]
print(f'# {held} connections, {counts["endless_mib"]} MiB of endless lines, {len(answers)} '
      f'calls meanwhile: {len(failed)} failed, slowest {slowest:.2f} s; resident {memory:.0f} MiB, '
      f'then {peak:.0f}')
case(f'{CONNECTIONS} connections were opened', held == CONNECTIONS, held)
case('calls are answered meanwhile', len(failed) * 10 <= len(answers) and len(answers) > 3, *failed)
case('... soon', slowest < 3, slowest)
case('memory stays bounded', peak < memory + 160, memory, peak)

after = control('status')['control']
ticks = after['ticks'] - before['ticks']
late = after['ticks_late'] - before['ticks_late']
print(f'# {ticks} ticks, {late} late by 10 ms or more, latest {after["tick_late_ms_max"]} ms; '
      f'{json.dumps(after)}')
# It is the thread's own time, though a halt of the processor by the host counts in it.
case('no round of the socket computes for a tick or more', after['rounds_long'] == 0,
     f'{after["rounds_long"]} did, the longest for {after["round_cpu_us_max"]} us')
case('the ticks of the control thread come', ticks > SECONDS * 20 and late * 4 <= ticks,
     f'{late} late of {ticks}')
case('connections that made no progress gave way', after['displaced'] > before['displaced'], after)
poor = [a for a in answers if a[3]]
case('calls are answered when hardly a descriptor is left', any(a[1] for a in poor), poor)
case('every connection is given back',
     eventually(lambda: control('status')['control']['connections'], 1) == 1)
took, good, error = timed_status()
case('status answers promptly afterwards', good and took < 1, took, error)
spent = control_seconds()
time.sleep(0.5)
case('the control thread rests again', control_seconds() - spent < 0.2, control_seconds() - spent)
finish()
