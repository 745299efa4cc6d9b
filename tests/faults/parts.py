# SPDX-License-Identifier: BSD-3-Clause
"""Processes, Redis among them, and waiting for events: what rig.py makes an engine's world of."""

import hashlib
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 30  # for what never comes
SALE = 'drop'
STREAM, FENCE = f'flashgate:{{{SALE}}}:orders', f'flashgate:{{{SALE}}}:fence'


class Failed(Exception):
    """The fault was not survived, or the test could not be made."""


class Skipped(Exception):
    """This machine cannot have that fault; the reason is the message."""


def need(holds, sentence):
    if not holds:
        raise Failed(sentence)


def wait_for(what, probe, seconds=PATIENCE_S, pause=0.003):
    """The first true value of probe()."""
    deadline = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            raise Failed(f'waited {seconds} s in vain for {what}')
        time.sleep(pause)
    return value


def command(*words, ok=True, seconds=60):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=seconds)
    if ok and done.returncode != 0:
        raise Failed(f'{" ".join(map(str, words))}: status {done.returncode}: '
                     f'{(done.stderr or done.stdout).strip()}')
    return done


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f'{program} is not installed (make deps)')


class Process:
    """A process whose output goes to a file of the rig's folder."""

    def __init__(self, rig, name, *words, env=None):
        self.name, self.log = name, rig.dir / f'{name}.log'
        with open(self.log, 'ab') as log:
            self.popen = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log,
                                          stdin=subprocess.DEVNULL, cwd=ROOT,
                                          env={**os.environ, **(env or {})})
        rig.processes.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, seconds=PATIENCE_S):
        """Its exit status; minus the signal that killed it."""
        handle = os.pidfd_open(self.pid) if self.alive() else None
        if handle:  # popen.wait() with a limit would poll, ever more slowly
            select.select([handle], [], [], seconds)
            os.close(handle)
        if self.alive():
            raise Failed(f'{self.name} does not end within {seconds} s; its threads: '
                         f'{self.threads()}')
        return self.popen.returncode

    def threads(self):
        """What each thread is and waits for, to tell a process that is stuck from a slow machine."""
        told = []
        for task in pathlib.Path(f'/proc/{self.pid}/task').glob('*'):
            try:
                state = (task / 'stat').read_text().rsplit(')', 1)[1].split()[0]
                told.append(f'{(task / "comm").read_text().strip()} {state} '
                            f'{(task / "wchan").read_text()}')
            except OSError:
                continue
        return ', '.join(told)

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def tail(self, lines=15):
        text = self.log.read_text(errors='replace').splitlines() if self.log.exists() else []
        return '\n'.join(f'    {self.name}: {line}' for line in text[-lines:])


class Redis:
    """A private server on a Unix socket, and the little of its protocol that tests need."""

    def __init__(self, rig, name='redis', *options, port=0):
        self.rig, self.name, self.options, self.port = rig, name, options, port
        self.socket = rig.dir / f'{name}.sock'
        self.link = None
        self.start()

    def start(self):
        self.process = Process(self.rig, self.name, 'redis-server', '--port', self.port,
                               '--unixsocket', self.socket, '--dir', self.rig.dir, '--save', '',
                               '--appendonly', 'no', '--daemonize', 'no', '--dbfilename',
                               f'{self.name}.rdb', '--loglevel', 'warning', *self.options)
        wait_for('Redis to answer', self.answers)

    def answers(self):
        if not self.process.alive():
            raise Failed(f'Redis ended: {self.process.tail()}')
        try:
            return self('PING') == 'PONG'
        except (OSError, Failed):  # it is not there yet, or is loading
            return False

    def __call__(self, *words):
        again = self.link is not None  # the server may have closed it, as at a failover
        try:
            return self.ask(words)
        except OSError:
            self.hang_up()
            if not again:
                raise
            return self.ask(words)

    def ask(self, words):
        if not self.link:
            self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.link.settimeout(PATIENCE_S)
            self.link.connect(str(self.socket))
            self.file = self.link.makefile('rb')
        words = [str(word).encode() for word in words]
        self.link.sendall(b'*%d\r\n' % len(words) +
                          b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError('Redis has gone')
        kind, rest = chr(line[0]), line[1:-2].decode()
        if kind == '-':
            raise Failed(f'Redis says {rest}')
        if kind == ':':
            return int(rest)
        if kind == '$':
            return None if rest == '-1' else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == '*':
            return None if rest == '-1' else [self.reply() for _ in range(int(rest))]
        return rest

    def hang_up(self):
        if self.link:
            self.link.close()
        self.link = None

    def kill(self):
        self.process.kill()
        self.hang_up()

    def stream(self):
        """How many entries the sale's stream has, and a digest of them, ids and fields."""
        digest, count, start = hashlib.sha256(), 0, '-'
        while page := self('XRANGE', STREAM, start, '+', 'COUNT', 5000):
            digest.update(repr(page).encode())
            count, start = count + len(page), '(' + page[-1][0]
        return count, digest.hexdigest()
