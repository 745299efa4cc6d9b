# SPDX-License-Identifier: BSD-3-Clause
"""What may befall Redis while a sale runs, one fault after the other, every fourth together with a kill
of the engine. Sales go on; once Redis is well again each stream is what the log says."""

import signal
import time

from parts import FENCE, STREAM, need, wait_for
from rig import Rig


def killed(rig):
    """It comes back empty."""
    rig.redis.kill()
    time.sleep(rig.random.uniform(0, 0.3))
    sales_go_on(rig)
    rig.redis.start()


def older_dump(rig):
    """It comes back as it was some time ago."""
    at = rig.redis('XLEN', STREAM)
    rig.redis('SAVE')
    wait_for('events after the dump', lambda: rig.redis('XLEN', STREAM) > at + 20)
    rig.redis.kill()
    rig.redis.start()
    need(rig.redis('XLEN', STREAM) >= at, 'the dump was not loaded')


def stopped(rig):
    """It hears and does not answer, longer than the engine waits."""
    rig.redis.process.signal(signal.SIGSTOP)
    time.sleep(0.5)
    sales_go_on(rig)
    rig.redis.process.signal(signal.SIGCONT)


def emptied(rig):
    rig.redis('FLUSHALL')


def stream_deleted(rig):
    rig.redis('DEL', STREAM)


def fence_deleted(rig):
    rig.redis('DEL', FENCE)


def out_of_memory(rig):
    rig.redis('CONFIG', 'SET', 'maxmemory', 1)
    time.sleep(0.3)
    sales_go_on(rig)
    rig.redis('CONFIG', 'SET', 'maxmemory', 0)


def function_lost(rig):
    rig.redis('FUNCTION', 'FLUSH')


def connections_cut(rig):
    rig.redis('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')


def paused(rig):
    rig.redis('CLIENT', 'PAUSE', 400, 'WRITE')


FAULTS = (killed, older_dump, stopped, emptied, stream_deleted, fence_deleted, out_of_memory,
          function_lost, connections_cut, paused)


def sales_go_on(rig):
    """Without Redis orders are admitted as before."""
    rig.admitting(rig.admitted() + 20)


def run(settings):
    with Rig('redis_faults', settings.seed) as rig:
        rig.config = {'stock': 200000}
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=800)
        for number in range(settings.redis_rounds):
            for fault in rig.random.sample(FAULTS, len(FAULTS)):
                fault(rig)
                rig.faults += 1
                if rig.random.random() < 0.25:
                    time.sleep(rig.random.uniform(0, 0.1))
                    rig.kill()
                    rig.restart()
                    rig.admitting(10)
                wait_for(f'the delivery to catch up after {fault.__name__}', lambda: caught_up(rig))
        return rig.finish()


def caught_up(rig):
    delivery = rig.status()['delivery']
    return delivery['state'] == 'running' and delivery['lag'] < 50 and rig.redis('EXISTS', STREAM)
