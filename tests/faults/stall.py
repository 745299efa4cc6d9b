# SPDX-License-Identifier: BSD-3-Clause
"""Goodput after a stall: the engine, then its disk, does not move for a second while demand goes on.
Within two seconds of its end requests must be answered as fast as before, and clients that follow
the retry rule must not have made a storm of it."""

import csv
import signal
import struct
import time

from disks import LoopDisk
from parts import Skipped, need
from rig import Counts, Rig

STALL_S, BACK_S, ENOUGH = 1.0, 2.0, 0.95
RATE = 1000
SLOT_MS = 100  # of the generator's CSV
WINDOW = 5  # slots over which goodput is taken
# Sends for each request offered. The retry rule gives at most six in the first second of silence, and
# there are double clicks.
MOST_DURING, MOST_AFTER = 7, 4


def run(settings):
    total = Counts()
    for what in ('engine', 'disk'):
        try:
            total += one(settings, what, what == 'disk')
        except Skipped as reason:
            print(f'skip - {reason}', flush=True)
    if total.faults == 0:
        raise Skipped('neither engine nor disk could be stalled, see above')
    return total


def one(settings, what, disk):
    with Rig('stall', settings.seed) as rig:
        if disk:
            disk = LoopDisk(rig)
            disk.use_for_log()
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=RATE, more=('--items', '1', '--quantity', '1'))
        rig.admitting(rig.admitted() + 2 * RATE)  # goodput is steady, however slow the machine
        time.sleep(2)
        began_ns = time.time_ns()
        if disk:
            disk.stall(STALL_S)
        else:
            rig.engine.signal(signal.SIGSTOP)
            time.sleep(STALL_S)
            rig.engine.signal(signal.SIGCONT)
        ended_ns = time.time_ns()
        rig.faults += 1
        time.sleep(BACK_S + 1)
        counts = rig.finish()
        return counts + Counts(differences=judge(rig, what, began_ns, ended_ns))


def judge(rig, what, began_ns, ended_ns):
    """Prints the figures; the number of rules that were broken."""
    with open(rig.dir / 'history', 'rb') as file:
        start_ns = struct.unpack_from('<Q', file.read(64), 24)[0]
    with open(rig.dir / 'goodput.csv', newline='') as file:
        slots = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file)]
    # Whole slots only: the one in which the stall began belongs to nobody.
    began = (began_ns - start_ns) // 1_000_000 // SLOT_MS
    ended = (ended_ns - start_ns) // 1_000_000 // SLOT_MS + 1
    spans = {'before': slots[began - 20:began], 'during': slots[began + 1:ended - 1],
             'after': slots[ended:ended + int(BACK_S * 1000) // SLOT_MS]}
    before = mean(spans['before'], 'answered')
    if before < RATE / 10 / 2:
        raise Skipped(f'stall of the {what}: this machine is too busy now: {before * 10:.0f} of {RATE} '
                      'requests a second were answered before the stall')
    low = min(slot['answered'] for slot in spans['during'])
    back = [at for at in range(ended, ended + int(BACK_S * 1000) // SLOT_MS)
            if mean(slots[at:at + WINDOW], 'answered') >= ENOUGH * before]
    back_ms = (back[0] - ended) * SLOT_MS if back else None
    sends = {name: sum(slot['sent'] for slot in span) / max(1, sum(slot['offered'] for slot in span))
             for name, span in spans.items()}
    print(f'    {what} stalled for {STALL_S:.0f} s at {RATE} requests a second: goodput '
          f'{before * 10:.0f}/s before, {low * 10}/s at the least, '
          + ('not back' if back_ms is None else f'back within {back_ms + SLOT_MS} ms')
          + '; sends for each request: '
          + ', '.join(f'{value:.2f} {name}' for name, value in sends.items()), flush=True)
    need(low < before / 2, f'the {what} did not stall')
    broken = back_ms is None
    broken += sends['during'] > MOST_DURING
    broken += sends['after'] > MOST_AFTER
    return broken


def mean(slots, column):
    return sum(slot[column] for slot in slots) / max(1, len(slots))
