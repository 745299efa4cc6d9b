# SPDX-License-Identifier: BSD-3-Clause
"""What the fault tests share: one engine's world of real processes, and the judgement of its books.

run.py starts everything inside fresh network, mount and process namespaces, so whatever was started,
mounted or attached ends with it, also when it is killed."""

import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import tempfile

from parts import (PATIENCE_S, ROOT, SALE, STREAM, Failed, Process, Redis, Skipped, command, need,
                   wait_for)

ENGINE_IP, CLIENT_IP, BASE_PORT, PARTITIONS = '10.97.0.1', '10.97.0.2', 20480, 64
STATES = ('ADMITTED', 'CONFIRMED', 'CANCELLED', 'EXPIRED')  # verdicts that are acknowledgements
DISK, BOOKS, FENCED = 8, 11, 10  # include/flashgate/exit_status.h
PORT = 'net_af_packet0,iface=fg0'


class Rig:
    """One engine's world: folder, wire, Redis, log, generator."""

    def __init__(self, name, seed, build='build/release'):
        self.name, self.build, self.processes = name, ROOT / build, []
        self.at_end = []  # what else must be undone
        self.random = random.Random(f'{name} {seed}')
        self.seed = seed
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='f.'))
        self.log_dir = self.dir / 'log'
        self.log_dir.mkdir()
        self.control = self.dir / 'control.sock'
        self.engine = self.load = self.redis = None
        self.lives = self.faults = 0
        self.config = {}
        self.engine_name = 'engine'

    @staticmethod
    def build_of(folder):
        return ROOT / folder

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error and not isinstance(error, Skipped):
            for process in self.processes[-40:]:
                if process.name.startswith('redis'):
                    print(process.tail(4))
            for process in (self.engine, self.load):
                if process:
                    print(process.tail())
        for undo in reversed(self.at_end):
            undo()
        for process in reversed(self.processes):
            process.signal(signal.SIGCONT)
            process.kill()
        if not (error and os.environ.get('FAULTS_KEEP')):
            shutil.rmtree(self.dir, ignore_errors=True)

    # --- the parts ---

    def start_redis(self, *options):
        self.redis = Redis(self, 'redis', *options)
        return self.redis

    def write_files(self, items=None, port=PORT, more=''):
        """keys.yaml, sale.yaml, engine.yaml. A hold runs out soon, also after a restart, and what is
        cancelled is sold again: units move all the time."""
        keys = self.dir / 'keys.yaml'
        keys.write_text('keys:\n  - {id: 7, secret: 000102030405060708090a0b0c0d0e0f, ops: all, '
                        'sales: all}\n')
        keys.chmod(0o600)
        (self.dir / 'sale.yaml').write_text(f'name: {SALE}\ncancel_final: true\nitems:\n' + (items or f'''\
  - {{id: 1, name: plenty, stock: {self.stock()}, limit: 0, max_per_order: 3}}
  - {{id: 2, name: held, stock: 40, limit: 4, max_per_order: 3, hold: 150ms}}
  - {{id: 3, name: few, stock: 2000, limit: 2, max_per_order: 2, hold: 300ms}}
'''))
        self.write_engine('engine', port, more)

    def stock(self):
        """Of the item that must not run out before the run is over. What is allocated for its orders
        is touched at every start, so it is no more than that."""
        return self.config.get('stock', 100000)

    def write_engine(self, name, port, more=''):
        """The configuration NAME.yaml of an engine at that port, with this rig's log and socket."""
        redis = more
        if self.redis and not more:
            redis = f'redis:\n  socket: {self.redis.socket}\n  timeout: 300ms\n'
        (self.dir / f'{name}.yaml').write_text(f'''\
user: {pwd.getpwuid(os.geteuid()).pw_name}
eal: ["--no-huge", "--no-pci", "-m", "96"]
file_prefix: {self.dir.name}-{name}
ports:
  - device: "{port}"
    address: {ENGINE_IP}/24
mbufs: 4096
workers: 2
worker_cores: [{', '.join(map(str, cores(2)))}]
idle: sleep
base_port: {BASE_PORT}
partitions: {PARTITIONS}
key_file: {self.dir}/keys.yaml
log:
  directory: {self.log_dir}
  budget: {self.config.get('budget', '256MiB')}
  segment: 16MiB
  keep: {self.config.get('keep', '24h')}
restart_grace: {self.config.get('restart_grace', '100ms')}
limits:
  orders: {self.stock() + 20000}
  items: 64
  parked: 1024
control:
  socket: {self.control}
{redis}''')

    def start_engine(self, env=None, build=None):
        self.lives += 1
        # FAULTS_BUILD=build/faults FLASHGATE_PLANT=NAME shows whether the tests find a planted fault.
        build = build or ROOT / os.environ.get('FAULTS_BUILD', 'build/release')
        self.engine = Process(self, self.engine_name, build / 'flashgated', '--config',
                              self.dir / f'{self.engine_name}.yaml',
                              env={'RUNTIME_DIRECTORY': str(self.dir), **(env or {})})
        return self.engine

    def serving(self, engine=None, patience=PATIENCE_S):
        """Waits until the engine answers its control socket."""
        engine = engine or self.engine

        def probe():
            need(engine.alive(), f'the engine ended at start with status {engine.popen.returncode}')
            return self.status(fails=False)
        wait_for('the engine to serve', probe, patience)

    def ctl(self, *words, ok=True, seconds=60):
        done = command(self.build / 'flashgatectl', '--socket', self.control, '--json',
                       *words, ok=ok, seconds=seconds)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None

    def status(self, fails=True):
        """flashgatectl's status, asked for without a process of its own."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(5)
                link.connect(str(self.control))
                link.sendall(b'{"jsonrpc": "2.0", "id": 1, "method": "status"}\n')
                answer = link.makefile('rb').readline()
            return json.loads(answer)['result']
        except (OSError, ValueError, KeyError) as error:
            if fails:
                raise Failed(f'the engine does not tell its status: {error}') from None
            return None

    def open_sale(self):
        self.ctl('sale', 'apply', self.dir / 'sale.yaml')
        self.ctl('sale', 'open', SALE)

    def start_load(self, rate=1500, seconds=600, more=(), port='net_af_packet1,iface=fg1'):
        self.load = Process(
            self, 'load', self.build / 'flashgate-load', '--port', port,
            '--eal=--no-huge', '--eal=-m', '--eal=128', f'--eal=--lcores=0@{cores(1)[0]}',
            '--source', f'{CLIENT_IP}/24', '--target', ENGINE_IP, '--base-port', BASE_PORT,
            '--key-file', self.dir / 'keys.yaml', '--key', 7, '--sale', self.dir / 'sale.yaml',
            '--items', '1:2,2:3,3:2', '--quantity', '1:3,2:2,3:1', '--buyers', 200000,
            '--rate', rate, '--duration', seconds, '--timeout', 40,
            '--double-click', 30, '--repeat', 20, '--confirm', 10, '--cancel', 60, '--leave', 30,
            '--think', 20, '--sleep', '--seed', self.seed, '--history', self.dir / 'history',
            '--report', self.dir / 'load.json', '--goodput', self.dir / 'goodput.csv', *more,
            env={'RUNTIME_DIRECTORY': str(self.dir)})
        return self.load

    def start_all(self, **load):
        """Engine, sale, load, and the first orders under way."""
        self.start_engine()
        self.serving()
        self.open_sale()
        for attempt in range(5):
            self.start_load(**load)
            try:
                return self.admitting()
            except Failed:
                # DPDK's af_packet makes the name of a group in the namespace of process and
                # interface ids; where that is the engine's, another process id is tried.
                if attempt == 4 or 'PACKET_FANOUT' not in self.load.tail():
                    raise

    def admitted(self, status=None):
        return (status or self.status())['totals']['verdicts'].get('ADMITTED', 0)

    def admitting(self, orders=1):
        """Waits until this engine has admitted so many orders."""
        def probe():
            need(self.load.alive(), 'the generator ended')
            need(self.engine.alive(), f'the engine ended: {self.engine.popen.returncode}')
            status = self.status(fails=False)
            return status and self.admitted(status) >= orders
        wait_for(f'{orders} orders to be admitted', probe)

    def delivered(self):
        """Waits until Redis has all: nothing left to deliver and nothing new, for a while."""
        seen = []

        def probe():
            delivery = self.status()['delivery']
            if delivery['state'] != 'running' or delivery['lag'] > 0:
                seen.clear()
                return False
            seen.append((delivery['delivered'], self.redis('XLEN', STREAM)))
            return len(seen) > 8 and len(set(seen[-8:])) == 1
        wait_for('the deliveries to Redis', probe, pause=0.025)

    def kill(self):
        self.faults += 1
        self.engine.kill()

    def restart(self):
        self.start_engine()
        self.serving()

    def stop_engine(self):
        self.engine.signal(signal.SIGTERM)
        status = self.engine.wait()
        need(status == 0, f'the engine ended on SIGTERM with status {status}')

    # --- the judgement ---

    def finish(self):
        """Ends the load, lets everything come to its end, and judges the whole run: what clients were
        told against the streams, and the streams against the log. The counts of the run."""
        self.load.signal(signal.SIGTERM)
        status = self.load.wait(90)
        need(status == 0, f'the generator ended with status {status}')
        return self.judge()

    def judge(self):
        self.delivered()
        done = command(self.build / 'flashgate-check', '--history', self.dir / 'history', '--redis',
                       self.redis.socket, '--sale', SALE, '--json', self.dir / 'check.json', ok=False,
                       seconds=120)
        need(done.returncode in (0, BOOKS), f'the checker failed: {done.stderr.strip()}')
        books = json.loads((self.dir / 'check.json').read_text())
        load = json.loads((self.dir / 'load.json').read_text())
        # A request whose buyer gave up and was told CANCELLED has no answer to its ORDER, which the
        # checker calls lost; what the generator calls lost has no answer at all.
        differences = sum(books['violations'].values()) + load['lost']
        if differences > 0:
            print(done.stdout + done.stderr)
        differences += self.audit(self.dir / 'history')
        differences += self.compare_log()
        self.stop_engine()
        self.verify_log()
        told = sum(load['answers'].get(state, 0) for state in STATES)
        need(told > 0, 'no acknowledgement was given: nothing was tested')
        return Counts(self.faults, self.lives, told, differences)

    def audit(self, history):
        """Differences that flashgatectl audit finds between log, streams, clients and engine."""
        done = command(self.build / 'flashgatectl', '--socket', self.control, 'audit',
                       self.log_dir, '--redis', self.redis.socket, '--history', history, '--drained',
                       ok=False, seconds=120)
        need(done.returncode in (0, BOOKS), f'audit failed: {done.stderr.strip()}')
        if done.returncode == 0:
            return 0
        print(done.stdout + done.stderr)
        return 1

    def verify_log(self):
        """The log that is left is sound, as a program sees it that only reads."""
        command(self.build / 'flashgatectl', 'journal', 'verify', self.log_dir)

    def compare_log(self):
        """What a new engine delivers from the log alone to an emptied Redis must be what was there."""
        before = self.redis.stream()
        self.stop_engine()
        self.redis('FLUSHALL')
        self.restart()
        try:
            wait_for('the stream', lambda: self.redis('XLEN', STREAM) >= before[0], 20)
        except Failed:
            pass
        self.delivered()
        after = self.redis.stream()
        if before == after:
            return 0
        print(f'    the stream had {before[0]} entries, the log gives {after[0]}: they differ')
        return 1


class Counts:
    """What a kind of fault came to."""

    def __init__(self, faults=0, lives=0, told=0, differences=0):
        self.faults, self.lives, self.told, self.differences = faults, lives, told, differences

    def __add__(self, other):
        return Counts(self.faults + other.faults, self.lives + other.lives, self.told + other.told,
                      self.differences + other.differences)

    def __str__(self):
        return (f'{self.faults} faults injected, {self.lives} engine lives, {self.told} '
                f'acknowledgements checked, {self.differences} differences')


def cores(count):
    """Cores that this process may use, in turn."""
    mine = sorted(os.sched_getaffinity(0))
    return [mine[i % len(mine)] for i in range(count)]


def crash_points():
    """The names in dataplane/faults.h."""
    text = (ROOT / 'dataplane/faults.h').read_text()
    table = text[text.index('FG_CRASH_POINTS(X)'):text.index('enum fg_plant')]
    return re.findall(r'X\((\w+), "', table)
