# SPDX-License-Identifier: BSD-3-Clause
"""Another engine takes over from one that hangs, or that is only cut off: its switch port is shut, its
log taken by `flashgatectl takeover` (or by `journal copy` while it hangs), and the new engine started
on that. The old one, awake again, must find itself fenced and end with a status of its own."""

import signal
import time

from parts import Failed, command, need
from rig import FENCED, Rig

# The log of an engine that goes on writing and delivering must not be taken by a mere copy: what it
# delivers after that, a hold that runs out, is in no log of the new engine.
WAYS = ('hangs', 'cut off', 'copied')


def run(settings):
    with Rig('takeover', settings.seed) as rig:
        make_switch(rig)
        rig.start_redis()
        rig.write_files(port=device(0))
        rig.start_all(rate=800, port='net_af_packet1,iface=fgload')
        for number in range(settings.takeovers):
            rig.admitting(rig.random.choice((10, 100)))
            time.sleep(rig.random.uniform(0, 0.1))
            take_over(rig, number)
        return rig.finish()


def device(number):
    return f'net_af_packet0,iface=fgeng{number % 2}'


def make_switch(rig):
    """A bridge with the generator and two engines on it."""
    rig.at_end.append(lambda: command('ip', 'link', 'del', 'fgswitch', ok=False))
    for words in ('link add fgswitch type bridge', 'link set fgswitch up'):
        command('ip', *words.split())
    for name in ('fgload', 'fgeng0', 'fgeng1'):
        rig.at_end.append(lambda name=name: command('ip', 'link', 'del', name, ok=False))
        for words in (f'link add {name} type veth peer name {name}p', f'link set {name}p master '
                      'fgswitch', f'link set {name} up', f'link set {name}p up'):
            command('ip', *words.split())


def start_beside(rig, old):
    """DPDK's af_packet makes the name of a group in the namespace of process and interface ids, and
    two engines beside each other may come to the same one: then another process id is tried."""
    for _ in range(5):
        rig.start_engine()
        try:
            return rig.serving()
        except Failed:
            if 'PACKET_FANOUT' not in rig.engine.tail():
                raise
    raise Failed(f'no engine could be started beside {old.name}')


def take_over(rig, number):
    old, source, way = rig.engine, rig.log_dir, WAYS[number % len(WAYS)]
    if way != 'cut off':
        old.signal(signal.SIGSTOP)
    rig.faults += 1
    command('ip', 'link', 'set', f'fgeng{number % 2}p', 'down')
    rig.log_dir, rig.control = rig.dir / f'log{number + 1}', rig.dir / f'control{number + 1}.sock'
    rig.engine_name = f'engine{number + 1}'
    rig.write_engine(rig.engine_name, device(number + 1))
    ctl = rig.build / 'flashgatectl'
    if way != 'copied':
        command(ctl, 'takeover', '--config', rig.dir / f'{rig.engine_name}.yaml', source)
    else:
        command(ctl, 'journal', 'copy', source, rig.log_dir)
    start_beside(rig, old)
    rig.admitting(50)
    old.signal(signal.SIGCONT)
    status = old.wait()
    need(status == FENCED, f'the old engine ended with status {status}, not {FENCED}: {old.tail()}')
    command('ip', 'link', 'set', f'fgeng{number % 2}p', 'up')
