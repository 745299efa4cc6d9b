# SPDX-License-Identifier: BSD-3-Clause
"""control_abuse.py PAIRS HISTORY GENERATOR ABUSE BURN: the slices of perf/control_abuse.sh, and what came
of them. ABUSE and BURN are process groups that stand still but in their slices."""

import os
import random
import signal
import statistics
import struct
import sys
import time

MOST = 1.3
SLICE_S, SETTLE_S = 1.0, 0.2  # of which the first part is not counted
RECORD = struct.Struct('<QQ48x')  # sent and replied, of perf/check/history.h
HEADER = struct.Struct('<8sQQQI28x')


def busy():
    """Of core 0, ticks: at work, and in all."""
    fields = next(line.split() for line in open('/proc/stat') if line.startswith('cpu0 '))
    ticks = [int(field) for field in fields[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def one_slice(group):
    """Its counted span, in ns of CLOCK_REALTIME, and how busy core 0 was."""
    os.killpg(group, signal.SIGCONT)
    time.sleep(SETTLE_S)
    began, work = time.time_ns(), busy()
    time.sleep(SLICE_S - SETTLE_S)
    ended, after = time.time_ns(), busy()
    os.killpg(group, signal.SIGSTOP)
    return began, ended, (after[0] - work[0]) / max(after[1] - work[1], 1)


def records(path):
    with open(path, 'rb') as file:
        magic, count, _, _, items = HEADER.unpack(file.read(HEADER.size))
        assert magic == b'FGHIST01', magic
        file.seek(16 * items, os.SEEK_CUR)
        return list(RECORD.iter_unpack(file.read(count * RECORD.size)))


def p99_us(latencies):
    return sorted(latencies)[len(latencies) * 99 // 100] / 1000


pairs = int(sys.argv[1])
generator, abuse, burn = map(int, sys.argv[3:])
spans = {abuse: [], burn: []}
for pair in range(pairs):
    for group in (abuse, burn) if pair % 2 else (burn, abuse):
        spans[group].append(one_slice(group))
os.kill(generator, signal.SIGTERM)  # it brings what it has offered to its end
while os.path.exists(f'/proc/{generator}') and open(f'/proc/{generator}/stat').read().split()[2] != 'Z':
    time.sleep(0.05)

sent = sorted(records(sys.argv[2]))
unanswered = sum(replied == 0 for _, replied in sent)
found = {abuse: [], burn: []}  # the latencies of each slice
for pair in range(pairs):
    for group in abuse, burn:
        began, ended, _ = spans[group][pair]
        found[group].append([replied - at for at, replied in sent if began <= at < ended and replied])
    ours, others = p99_us(found[abuse][-1]), p99_us(found[burn][-1])
    print(f'pair {pair + 1:2}: p99 {ours:8.1f} us abused, {others:8.1f} us burned, ratio '
          f'{ours / others:.2f}; core 0 busy {spans[abuse][pair][2]:.0%}, {spans[burn][pair][2]:.0%}')


def pooled(group, of):
    return p99_us([latency for pair in of for latency in found[group][pair]])


# One slice's p99 is the host's halts, a few of them or none; all slices of a side together have many.
# How far chance goes is told by drawing the pairs again, with repetition.
ratio = pooled(abuse, range(pairs)) / pooled(burn, range(pairs))
single = [p99_us(found[abuse][pair]) / p99_us(found[burn][pair]) for pair in range(pairs)]
chance = random.Random(1)
drawn = [chance.choices(range(pairs), k=pairs) for _ in range(200)]
spread = statistics.quantiles([pooled(abuse, of) / pooled(burn, of) for of in drawn], n=20)
print(f'p99: {pooled(abuse, range(pairs)):.1f} us abused, {pooled(burn, range(pairs)):.1f} us burned; ratio '
      f'{ratio:.2f} (9 of 10 draws {spread[0]:.2f} to {spread[-1]:.2f}, {pairs} pairs; the median of the pairs\' '
      f'own ratios {statistics.median(single):.2f}), wanted {MOST} or less; '
      f'{len(sent)} datagrams, {unanswered} of them unanswered')
sys.exit(ratio > MOST)
