# SPDX-License-Identifier: BSD-3-Clause
"""A program under a pseudo terminal: what it paints, what keys and signals do, what it leaves."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

LIMIT_S = 20
ESCAPES = re.compile(r'\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78A-Za-z]')


class Terminal:
    """`seen` is what was printed since the last forget(), without escape sequences."""

    def __init__(self, command, rows=24, columns=80, term='xterm', **environment):
        self.master, slave = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.raw = b''
        self.from_here = 0
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=os.environ | {'TERM': term, 'LC_ALL': 'C.UTF-8'} | environment,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode())

    def signal(self, number):
        os.kill(self.process.pid, number)

    def forget(self):
        self.from_here = len(self.raw)

    @property
    def seen(self):
        return ESCAPES.sub('', self.raw[self.from_here:].decode(errors='replace'))

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.raw += os.read(self.master, 65536)

    def wait_for(self, pattern, redraw=False):
        """Until the pattern was printed since forget(); with `redraw` Ctrl-L is pressed for it."""
        deadline = time.monotonic() + LIMIT_S
        while not re.search(pattern, self.seen):
            if time.monotonic() > deadline:
                raise AssertionError(f'/{pattern}/ is not in:\n{self.seen}')
            if redraw:
                self.forget()
                self.send('\f')
            self.read(0.2)
            if redraw:  # a screen may come in pieces
                self.read(0.05)

    def end(self):
        """The exit status, once it has ended."""
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f'it did not end:\n{self.seen}')
            self.read(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.raw += os.read(self.master, 65536)
        return self.process.returncode

    def is_sane(self):
        """Are modes as they were, the cursor visible and the first screen back?"""
        assert termios.tcgetattr(self.slave) == self.before, 'the terminal\'s modes were changed'
        text = self.raw.decode(errors='replace')
        for on, off in (('\x1b[?1049h', '\x1b[?1049l'), ('\x1b[?25l', '\x1b[?25h'),
                        ('\x1b[?1h', '\x1b[?1l')):
            assert text.rfind(off) >= text.rfind(on), f'{on!r} was not taken back'

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
