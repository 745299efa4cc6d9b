# SPDX-License-Identifier: BSD-3-Clause
"""The processes of the benchmark: engine, testpmd, Redis, the clients and the gauge. Each is started here,
stopped here by its pid, and writes into one folder that goes at the end. Whoever is not measured at the
moment is stopped (SIGSTOP), so that the worker's core belongs to one at a time: vhost wires live through that,
because all of them is shared memory and a socket that nobody hurries."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

WIRE = 'net_virtio_user0,path={},queues=1,packed_vq=1,in_order=1,mrg_rxbuf=0,vectorized=1,queue_size=1024'
SIMD = '--force-max-simd-bitwidth=512'  # lets the wire's vectorized path be chosen, on all sides
BURST = 64  # FG_BURST: the engine's, and so testpmd's
DESCRIPTORS = 1024
ENGINE_IP, CLIENT_IP, BASE_PORT = '10.97.0.1', '10.97.0.2', 20480
GENERATOR_MIB = 128  # its frames are no more than the wire's rings hold


class Failed(Exception):
    """A part did not do what it was started for."""


def memory_mib(form):
    """Of DPDK in the engine, and in testpmd: frames of some 2.4 KiB, and what else lies there."""
    return form.mbufs // 384 + 96


def huge_mib(form):
    """Of all who run at once: testpmd, two engines and a generator; and a little to spare."""
    return 3 * memory_mib(form) + GENERATOR_MIB + 64


def eal_memory(bench, mib):
    """The same on all sides. One file for all: a wire shares few pieces of memory."""
    kind = ['--in-memory', '--single-file-segments', '--iova-mode=va'] if bench.pages['huge'] else ['--no-huge']
    return [*kind, '-m', str(mib)]


def write_keys(bench):
    """The keys of engine and generator, whoever the generator talks to."""
    path = os.path.join(bench.dir, 'keys.yaml')
    secret = ''.join(f'{byte:02x}' for byte in range(16))
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as file:
        print('keys:\n  - {id: 7, secret: ' + secret + ', ops: all, sales: all, '
              f'sources: [{CLIENT_IP}], rate: 1000000000, burst: 1000000000}}', file=file)
    return path


class Part:
    """A process in the background."""

    def __init__(self, bench, name, command, core=None, stdin=subprocess.DEVNULL):
        self.bench, self.name, self.running = bench, name, True
        self.log = os.path.join(bench.dir, f'{name}.log')
        if core is not None:
            command = ['taskset', '-c', str(core), *command]
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(command, stdin=stdin, stdout=log, stderr=log)
        bench.running[name] = self

    def wait_for(self, what, condition, limit_s=60):
        end = time.monotonic() + limit_s
        while not condition():
            if self.process.poll() is not None:
                raise Failed(f'{self.name} ended before {what}: {self.tail()}')
            if time.monotonic() > end:
                raise Failed(f'{self.name}: waited {limit_s} s in vain for {what}')
            time.sleep(0.01)

    def tail(self):
        with open(self.log, errors='replace') as log:
            return ' | '.join(log.read().strip().split('\n')[-3:])[-400:]

    def pause(self):
        if self.running and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGSTOP)
            self.running = False

    def go_on(self):
        if not self.running and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
            self.running = True

    def stop(self, at_once=False):
        self.go_on()
        if self.process.poll() is None:
            self.ask_to_end(at_once)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()

    def ask_to_end(self, at_once):
        if at_once:
            self.process.kill()
        else:
            self.process.terminate()


class Engine(Part):
    """One worker alone on its core, everything else on the other. `orders`: room for so many."""

    def __init__(self, bench, name, orders, redis=None, idle=None):
        self.bench, self.home = bench, os.path.join(bench.dir, name)
        shutil.rmtree(self.home, ignore_errors=True)  # of one of that name before
        os.makedirs(os.path.join(self.home, 'log'))
        self.wire = os.path.join(self.home, 'wire.sock')
        self.socket = os.path.join(self.home, 'control.sock')
        self.orders, self.idle = orders, idle or bench.form.idle
        self.write_files(redis)
        super().__init__(bench, name, [bench.program('flashgated'), '--config',
                                       os.path.join(self.home, 'engine.yaml')])
        self.wait_for('it answers', lambda: self.ask('status') is not None)

    def write_files(self, redis):
        with open(self.path('block.txt'), 'w') as file:
            for number in range(1000):
                print(f'ffffffff{number:024x}', file=file)
        segment = self.segment_mib = 16 if self.orders < 1_000_000 else 256
        # What a sale must have room for: 512 bytes of log for an order, whatever it takes in the end.
        log_mib = max(8 * segment, (self.orders * 512 // 2**20 // segment + 4) * segment)
        worker, other = self.bench.cores
        eal_words = [*eal_memory(self.bench, memory_mib(self.bench.form)), '--no-pci', SIMD]
        self.config = f'''user: {self.bench.user}
eal: {json.dumps(eal_words)}
file_prefix: {os.path.basename(self.bench.dir)}-{os.path.basename(self.home)}
ports:
  - {{device: "net_vhost0,iface={self.wire},queues=1", address: {ENGINE_IP}/24}}
mbufs: {self.bench.form.mbufs}
rx_descriptors: {DESCRIPTORS}
tx_descriptors: {DESCRIPTORS}
workers: 1
worker_cores: [{worker}]
cores: {{control: {other}, journal: {other}, storage: {other}, delivery: {other}}}
idle: {self.idle}
base_port: {BASE_PORT}
partitions: 64
key_file: {self.bench.keys}
lists: {{block_buyers: {self.path('block.txt')}}}
log: {{directory: {self.path('log')}, budget: {log_mib}MiB, segment: {segment}MiB, lane_records: 65536}}
ack: durable
limits: {{orders: {self.orders}, items: 20000, parked: {self.bench.form.mbufs // 4}}}
control: {{socket: {self.socket}}}
'''
        if redis:
            # One that is stopped for a slice is not one that failed.
            self.config += f'redis: {{socket: {redis.socket}, timeout: 1m, retry_max: 10ms}}\n'
        with open(self.path('engine.yaml'), 'w') as file:
            file.write(self.config)

    def path(self, name):
        return os.path.join(self.home, name)

    def ask(self, *words):
        """An answer of the CLI, or None."""
        done = subprocess.run([self.bench.program('flashgatectl'), '--socket', self.socket, '--json', *words],
                              capture_output=True, text=True, timeout=60, check=False)
        self.refusal = done.stderr.strip() or done.stdout.strip()
        return json.loads(done.stdout or '{}') if done.returncode == 0 else None

    def status(self):
        status = self.ask('status')
        if status is None:
            raise Failed(f'{self.name} does not answer: {self.tail()}')
        return {**status, 'asked_at': time.monotonic()}

    def open_sale(self, name, items, rate=1000, limit=1):
        """items: (id, stock). A buyer may have `limit` units of each, and ask so often a second."""
        path = self.path(f'{name}.yaml')
        with open(path, 'w') as file:
            print(f'name: {name}\nrate: {rate}\nitems:', file=file)
            for item, stock in items:
                print(f'  - {{id: {item}, name: i{item}, stock: {stock}, limit: {limit}, max_per_order: 1}}', file=file)
        with open(path) as file:
            lines = file.read().split('\n', 4)
        rest = [f'  # ... and so on, {len(items)} in all'] if len(items) > 1 else []
        self.bench.configuration[f'sale {name}'] = '\n'.join(lines[:4] + rest)
        for words in ('apply', path), ('open', name):
            if self.ask('sale', *words) is None:
                raise Failed(f'{self.name}: sale {words[0]} {name} is refused: {self.refusal}')

    def wait_for_segments(self):
        """Until the storage helper has made what it makes ahead, before the load."""
        self.wait_for('its segments', lambda: self.status()['journal']['log_bytes'] >= 3 * self.segment_mib << 20)

    def memory(self):
        """Bytes resident, huge pages with them."""
        sizes = {}
        with open(f'/proc/{self.ask("status")["process"]["pid"]}/smaps_rollup') as file:
            for line in file:
                words = line.split()
                if words[-1] == 'kB':
                    sizes[words[0].rstrip(':')] = int(words[1]) * 1024
        return sum(sizes.get(name, 0) for name in ('Rss', 'Shared_Hugetlb', 'Private_Hugetlb'))


class Testpmd(Part):
    """Swaps the MACs of each frame and sends it back, on the worker's core. On the other one it reads
    commands, and tells what came in and went out."""

    def __init__(self, bench):
        self.wire = os.path.join(bench.dir, 'testpmd.sock')
        worker, other = bench.cores
        self.arguments = [
            '--lcores', f'0@{other},1@{worker}', *eal_memory(bench, memory_mib(bench.form)),
            '--no-pci', '--no-telemetry', '--no-shconf', f'--file-prefix={os.path.basename(bench.dir)}-testpmd', SIMD,
            '--vdev', f'net_vhost0,iface={self.wire},queues=1',
            '--', '--interactive', '--forward-mode=macswap', f'--burst={BURST}',
            '--nb-cores=1', '--rxq=1', '--txq=1', f'--rxd={DESCRIPTORS}', f'--txd={DESCRIPTORS}',
            f'--total-num-mbufs={bench.form.mbufs}', '--disable-link-check', '--auto-start']
        # Its words are to be had at once, line by line.
        super().__init__(bench, 'testpmd', ['stdbuf', '-oL', 'dpdk-testpmd', *self.arguments],
                         stdin=subprocess.PIPE)
        self.wait_for('its wire', lambda: os.path.exists(self.wire))

    def say(self, words):
        self.process.stdin.write(f'{words}\n'.encode())
        self.process.stdin.flush()

    def ask_to_end(self, _):
        self.say('quit')

    def counters(self):
        """Frames that came in, and that the wire took back."""
        heard = os.path.getsize(self.log)
        self.say('show port stats 0')

        def told():
            with open(self.log, errors='replace') as log:
                log.seek(heard)
                return re.search(r'RX-packets: +(\d+)[^#]*TX-packets: +(\d+)[^#]*###', log.read())
        self.wait_for('its counters', told, 20)
        return {name: int(count) for name, count in zip(('rx', 'tx'), told().groups())}


class Redis(Part):
    """On the worker's core, without persistence."""

    def __init__(self, bench):
        self.socket = os.path.join(bench.dir, 'redis.sock')
        self.arguments = ['--port', '0', '--unixsocket', self.socket, '--dir', bench.dir, '--save', '',
                          '--appendonly', 'no', '--daemonize', 'no', '--lazyfree-lazy-user-del', 'yes']
        super().__init__(bench, 'redis', ['redis-server', *self.arguments], core=bench.cores[0])
        self.wait_for('it answers', lambda: self.ask('ping') == 'PONG')

    def ask(self, *words):
        done = subprocess.run(['redis-cli', '-s', self.socket, *words], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.stdout.strip()


def client(bench, name, command, limit_s=180):
    """Runs a client on the other core to its end; what it reported."""
    report = os.path.join(bench.dir, f'{name}.json')
    with contextlib.suppress(FileNotFoundError):
        os.unlink(report)
    done = subprocess.run([*command, '--report', report], capture_output=True, text=True,
                          timeout=limit_s, check=False, preexec_fn=lambda: os.sched_setaffinity(
                              0, {bench.cores[1]}))
    try:
        with open(report) as file:
            return json.load(file)
    except (OSError, ValueError):
        lines = (done.stderr or done.stdout).strip().split('\n')
        raise Failed(f'{name} ended with status {done.returncode}: {" | ".join(lines[-3:])}') from None


def load(bench, target, items, requests, **options):
    """A run of the traffic generator, asking for the items alike, or for each as often as its weight in `items`.
    Its report. echo: the target is no engine, and the same frames come back. stateless: as fast as it can and
    nothing sent again. The one place that knows its options."""
    if not isinstance(items, dict):
        items = dict.fromkeys(items, 1)
    options = {'rate': 0, 'stateless': True, **options}
    if not options['stateless']:
        options.update(window=1024, confirm=0, leave=100)
    memory = [f'--eal={word}' for word in eal_memory(bench, GENERATOR_MIB)]
    words = [bench.program('flashgate-load'), '--port', WIRE.format(target.wire), f'--eal=--lcores=0@{bench.cores[1]}',
             f'--eal=--file-prefix={os.path.basename(bench.dir)}-load', *memory, f'--eal={SIMD}',
             '--source', f'{CLIENT_IP}/24', '--target', ENGINE_IP, '--base-port', str(BASE_PORT),
             '--key-file', bench.keys, '--key', '7', '--timeout', '120', '--items',
             ','.join(f'{item}:{weight}' for item, weight in items.items()), '--requests', str(requests)]
    for name, value in options.items():
        if value is not False:
            words += [f'--{name}'] if value is True else [f'--{name}', str(value)]
    bench.configuration.setdefault(f'generator to {target.name}, at first', words)
    run = client(bench, 'load', words)
    return {'retransmissions': 0, 'stateless': False, **run, 'verdicts': run.get('verdicts', run['answers'])}


def redis_client(bench, redis, mode, seconds, **options):
    words = [bench.program('bench/redis_peer'), '--socket', redis.socket, '--mode', mode,
             '--script', 'perf/bench/sale.lua', '--ms', str(max(1, int(seconds * 1000)))]
    for name, value in options.items():
        words += [f'--{name}', str(value)]
    bench.configuration.setdefault(f'client of Redis, {mode}, at first', words)
    return client(bench, 'redis-peer', words)


def gauge(bench):
    """ns that a line takes from core to core, now."""
    worker, other = bench.cores
    done = subprocess.run([bench.program('bench/gauge'), 'line', str(other), str(worker),
                           str(bench.form.gauge_ms)], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)['line_ns']
