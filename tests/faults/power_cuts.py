# SPDX-License-Identifier: BSD-3-Clause
"""Power cuts: under load the log's file system is shut down, so that exactly what was flushed is
left; it is mounted anew and the engine started again."""

import time

from disks import LoopDisk
from parts import need
from rig import DISK, Counts, Rig

CUTS_A_ROUND = 50


def run(settings):
    left, total, number = settings.power_cuts, Counts(), 0
    while left > 0:
        total += one_round(settings.seed + number, min(left, CUTS_A_ROUND))
        left -= CUTS_A_ROUND
        number += 1
    return total


def one_round(seed, cuts):
    with Rig('power_cuts', seed) as rig:
        disk = LoopDisk(rig, mib=300)
        disk.use_for_log()
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=800)
        for _ in range(cuts):
            rig.admitting(rig.random.choice((1, 10, 60)))
            time.sleep(rig.random.uniform(0, 0.1))
            disk.cut_power()
            rig.faults += 1
            if rig.random.random() < 0.5:
                rig.engine.kill()  # the machine's processes end with it
            else:
                status = rig.engine.wait()
                need(status == DISK, f'without its disk the engine ended with status {status}')
            disk.power_on()
            rig.restart()
        return rig.finish()
