# SPDX-License-Identifier: BSD-3-Clause
"""A crash at every named point of dataplane/faults.h, by a build that can die there (FAULTS=1). The
next life begins with the next point. A point that is never reached fails the run."""

import os
import signal
import struct
import time

from parts import SALE, Failed, Skipped, need, wait_for
from rig import Counts, Rig, crash_points

BUILD = 'build/faults'
BLOCK, MAGIC = 4096, 0x4c474746  # dataplane/orders/log.h
REACHED_S = 30
# A log that is new passes through these before there is a sale; a long run meets them again later.
NEW_LOG = ('SEGMENT_ZEROED', 'SEGMENT_RENAMED', 'SEGMENT_OPENED', 'BASE_WRITTEN', 'EPOCH_RAISED')
CHANGES = ('CHANGE_DURABLE', 'CHANGE_PUBLISHED')
LAST = 'SEGMENT_REMOVED'  # needs an archived sale, so the books are judged before
# The most times that a point is passed before the crash; once where it is not named.
PASSES = {'RECORD_QUEUED': 400, 'REPLY_SENT': 200, 'FRAME_GATHERED': 200, 'FRAME_WRITTEN': 200,
          'MARKS_PUBLISHED': 200, 'BATCH_APPENDED': 60, 'CHANGE_DURABLE': 2, 'CHANGE_PUBLISHED': 2}


def run(settings):
    if not (Rig.build_of(BUILD) / 'flashgated').exists():
        raise Skipped('build/faults/flashgated is missing (make FAULTS=1 build/faults/flashgated)')
    total = Counts()
    for number in range(settings.crash_rounds):
        total += one_round(settings.seed + number, settings.crash_rounds > 1)
    return total


def one_round(seed, long):
    with Rig('crash_points', seed) as rig:
        rig.config = {'budget': '512MiB', 'keep': '0', 'stock': 200000}
        rig.start_redis()
        rig.write_files()
        side = Side(rig)
        for point in NEW_LOG:
            crash(rig, side, point)
        rig.restart()
        rig.open_sale()
        rig.start_load(rate=2500)
        rig.admitting()
        rig.kill()
        points = [point for point in crash_points() if point != LAST]
        if not long:
            points = [point for point in points if point not in NEW_LOG[:4]]
        rig.random.shuffle(points)
        for point in points:
            crash(rig, side, point)
        rig.restart()
        wait_for('a second segment', lambda: rig.status()['journal']['segment'] > 1)
        counts = rig.finish()
        return counts + remove_a_segment(rig, side, counts)


def crash(rig, side, point):
    """A life that ends at the point."""
    passes = rig.random.randint(1, PASSES.get(point, 1))
    if point == 'TAIL_CUT':
        tear_tail(rig)
    engine = rig.start_engine(env={'FLASHGATE_CRASH': f'{point}:{passes}'}, build=rig.build_of(BUILD))
    deadline = time.monotonic() + REACHED_S
    while engine.alive():
        if time.monotonic() > deadline:
            raise Failed(f'{point}:{passes} was not reached in {REACHED_S} s')
        if point in CHANGES and rig.status(fails=False):
            side.change()
        time.sleep(0.002)
    status = engine.wait()
    need(status == -signal.SIGKILL, f'{point}:{passes}: the engine ended with status {status}')
    rig.faults += 1


def tear_tail(rig):
    """A frame that was being written when the power went: its header is there, its records are not."""
    segments = sorted(rig.log_dir.glob('segment-*.fgl'))
    for segment in reversed(segments):
        with open(segment, 'r+b') as file:
            end, header = 0, None
            while (block := file.read(64)) and struct.unpack_from('<I', block)[0] == MAGIC:
                header = bytearray(block)
                end += -(-(64 + struct.unpack_from('<I', block, 48)[0]) // BLOCK) * BLOCK
                file.seek(end)
            if header and end + BLOCK <= os.path.getsize(segment):
                struct.pack_into('<Q', header, 16, struct.unpack_from('<Q', header, 16)[0] + 1)
                struct.pack_into('<I', header, 48, 640)
                file.seek(end)
                file.write(header)
                os.fsync(file.fileno())
                return
    raise Failed('the log has no frame to tear')


def remove_a_segment(rig, side, counts):
    """The sale is archived, so its segments go: a crash just after the first one has. The log must
    still be sound, serve, and take a new sale."""
    lives = rig.lives
    rig.start_engine(env={'FLASHGATE_CRASH': f'{LAST}:1'}, build=rig.build_of(BUILD))
    rig.serving()
    rig.ctl('sale', 'close', '--yes', SALE)
    rig.ctl('sale', 'archive', '--yes', SALE, ok=False)  # it may die meanwhile
    wait_for(f'{LAST} to be reached', lambda: not rig.engine.alive(), REACHED_S)
    status = rig.engine.wait()
    need(status == -signal.SIGKILL, f'{LAST}: the engine ended with status {status}')
    rig.restart()
    side.whole_life()
    rig.stop_engine()
    rig.verify_log()
    return Counts(1, rig.lives - lives)


class Side:
    """Small sales that come and go beside the one that sells: changes by an operator."""

    def __init__(self, rig):
        self.rig, self.number, self.steps = rig, 0, []

    def change(self):
        """One step in the life of a side sale. What a crash has interrupted may or may not have come
        to be, so a step may be refused; then a new sale begins."""
        if not self.steps:
            self.number += 1
            path = self.rig.dir / 'side.yaml'
            path.write_text(f'name: side-{self.number}\nitems:\n'
                            f'  - {{id: {1000 + self.number}, name: side, stock: 10}}\n')
            name = f'side-{self.number}'
            self.steps = [('apply', path), ('open', name), ('close', '--yes', name)]
        step = self.steps.pop(0)
        if self.rig.ctl('sale', *step, ok=False) is None:
            self.steps = []
            return False
        return True

    def whole_life(self):
        self.steps = []
        for _ in range(3):
            need(self.change(), 'a new sale is refused after the crash')
