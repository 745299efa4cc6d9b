# SPDX-License-Identifier: BSD-3-Clause
"""The log's disk fills up during a sale: what is prepared is still used, then orders are answered BUSY
with a warning in the status, and when there is room again the sale goes on by itself."""

import os

from disks import MIB, LoopDisk
from parts import command, need, wait_for
from rig import Counts, Rig

LEFT_MIB = 40  # two segments of 16 MiB and a little, so that the last one is soon reached


def warned(rig):
    return any('FULL' in warning for warning in rig.status()['warnings'])


def busy(rig):
    return rig.status()['totals']['verdicts'].get('BUSY', 0)


def run(settings):
    return sum((one(settings.seed + number) for number in range(settings.disks_full)), Counts())


def one(seed):
    with Rig('disk_full', seed) as rig:
        disk = LoopDisk(rig, mib=300)
        disk.use_for_log()
        leave(disk, LEFT_MIB)
        rig.config = {'stock': 200000}
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=3000)
        fill(rig, disk)
        return rig.finish()


def leave(disk, mib):
    """Takes all but so much of the disk's room."""
    room = os.statvfs(disk.path)
    with open(disk.path / 'most', 'wb') as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - mib * MIB)


def fill(rig, disk):
    filler = disk.path / 'rest'
    command('dd', 'if=/dev/zero', f'of={filler}', 'bs=1M', ok=False)
    rig.faults += 1
    rig.admitting(rig.admitted() + 500)  # what is prepared is used
    wait_for('the warning', lambda: warned(rig), 120)
    seen = busy(rig)
    wait_for('orders to be answered BUSY', lambda: busy(rig) > seen)
    need(rig.engine.alive(), 'the engine ended because its disk was full')
    filler.unlink()
    (disk.path / 'most').unlink()
    wait_for('the warning to go', lambda: not warned(rig))
    rig.admitting(rig.admitted() + 500)
