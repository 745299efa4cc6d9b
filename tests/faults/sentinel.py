# SPDX-License-Identifier: BSD-3-Clause
"""Redis behind a Sentinel: the master dies while its replica lags, so the new master lacks the last
orders. The engine asks the Sentinel, finds them missing and sends them again."""

import shutil
import signal
import time

from parts import STREAM, Process, Redis, Skipped, need, needs, wait_for
from rig import Rig

PORTS, SENTINEL_PORT = (6401, 6402), 26401


def run(settings):
    if not shutil.which('redis-sentinel'):
        raise Skipped('redis-sentinel is not installed (make deps)')
    needs('redis-server')
    with Rig('sentinel', settings.seed) as rig:
        master, replica = start_servers(rig)
        rig.redis = master
        rig.write_files(more=f'redis:\n  sentinels: ["127.0.0.1:{SENTINEL_PORT}"]\n'
                             '  master: orders\n  timeout: 300ms\n')
        rig.start_all(rate=800)
        for _ in range(settings.failovers):
            fail_over(rig, master, replica)
            master, replica = replica, master
        return rig.finish()


def start_servers(rig):
    servers = [Redis(rig, f'redis{port}', '--repl-diskless-sync-delay', 0, '--repl-ping-replica-period',
                     1, port=port) for port in PORTS]
    servers[1]('REPLICAOF', '127.0.0.1', PORTS[0])
    config = rig.dir / 'sentinel.conf'
    config.write_text(f'port {SENTINEL_PORT}\ndir {rig.dir}\n'
                      f'sentinel monitor orders 127.0.0.1 {PORTS[0]} 1\n'
                      'sentinel down-after-milliseconds orders 400\n'
                      'sentinel failover-timeout orders 2000\n')
    Process(rig, 'redis-sentinel', 'redis-sentinel', config)
    wait_for('the replica', lambda: linked(servers[1]))
    return servers


def linked(replica):
    return 'master_link_status:up' in replica('INFO', 'replication')


def fail_over(rig, master, replica):
    wait_for('the replica to be in step', lambda: linked(replica) and replica('XLEN', STREAM) > 0)
    rig.admitting(rig.admitted() + 50)
    replica.process.signal(signal.SIGSTOP)
    had = master('XLEN', STREAM)
    wait_for('orders that the replica lacks', lambda: master('XLEN', STREAM) >= had + 20)
    master.kill()
    rig.faults += 1
    replica.process.signal(signal.SIGCONT)
    wait_for('the Sentinel to promote the replica', lambda: replica('ROLE')[0] == 'master')
    rig.redis = replica
    before = replica('XLEN', STREAM)
    wait_for('deliveries to the new master', lambda: replica('XLEN', STREAM) > before + 20)
    master.start()  # empty; the Sentinel makes it the new master's replica
    wait_for('the old master to follow', lambda: master('ROLE')[0] == 'slave' and linked(master))
    need(rig.engine.alive(), 'the engine ended during the failover')
    time.sleep(rig.random.uniform(0, 0.2))
