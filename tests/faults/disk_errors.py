# SPDX-License-Identifier: BSD-3-Clause
"""Writes of the log that fail: the engine must stop with its own status, and what it had not made
durable must not have been acknowledged."""

import time

from disks import NetworkDisk
from parts import need
from rig import DISK, Rig


def run(settings):
    with Rig('disk_errors', settings.seed) as rig:
        disk = NetworkDisk(rig)
        disk.use_for_log()
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=800)
        for _ in range(settings.disk_errors):
            rig.admitting(rig.random.choice((1, 30)))
            time.sleep(rig.random.uniform(0, 0.1))
            disk.fail_writes(True)
            rig.faults += 1
            status = rig.engine.wait()
            need(status == DISK, f'when a write failed the engine ended with status {status}')
            need('nothing was acknowledged after it' in rig.engine.tail(),
                 f'the reason is not told:\n{rig.engine.tail()}')
            disk.fail_writes(False)
            disk.unmount()
            disk.check()
            disk.mount()
            rig.restart()
        return rig.finish()
