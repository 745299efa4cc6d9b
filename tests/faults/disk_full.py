# SPDX-License-Identifier: BSD-3-Clause
"""The log's disk fills up during a sale: what is prepared is still used, then orders are answered BUSY
with a warning in the status, and when there is room again the sale goes on by itself."""

from disks import LoopDisk
from rig import Rig, command, need, wait_for


def warned(rig):
    return any('the log is' in warning for warning in rig.status()['warnings'])


def busy(rig):
    return rig.status()['totals']['verdicts'].get('BUSY', 0)


def run(settings):
    with Rig('disk_full', settings.seed) as rig:
        disk = LoopDisk(rig, mib=200)
        disk.use_for_log()
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=3000)
        for _ in range(settings.disks_full):
            fill(rig, disk)
        return rig.finish()


def fill(rig, disk):
    filler = disk.path / 'filler'
    command('dd', 'if=/dev/zero', f'of={filler}', 'bs=1M', ok=False)
    rig.faults += 1
    before = rig.admitted()
    rig.admitting(before + 1000)  # the prepared segments
    wait_for('the warning', lambda: warned(rig), 60)
    seen = busy(rig)
    wait_for('orders to be answered BUSY', lambda: busy(rig) > seen)
    need(rig.engine.alive(), 'the engine ended because its disk was full')
    filler.unlink()
    wait_for('the warning to go', lambda: not warned(rig))
    rig.admitting(rig.admitted() + 500)
