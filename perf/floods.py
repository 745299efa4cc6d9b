# SPDX-License-Identifier: BSD-3-Clause
"""The sums of perf/floods.sh. Each step reads what a run has left in the folder DIR (NAME.json of the
generator, NAME.before and NAME.after of the engine, NAME.history) and adds a row to DIR/rows.json.

floods.py rate DIR                                 the one-order rate, from the runs flat out
floods.py slices DIR NAME TITLE SLICE_MS TOY LAST  honest goodput with and without a flood, in turns; status 2
                                                   unless LAST: the generator was the limit, measure again
floods.py point DIR NAME KIND FACTOR SECONDS       what became of everything, at one load
floods.py page DIR                                 all of it, as Markdown
"""

import glob
import json
import os
import platform
import statistics
import struct
import subprocess
import sys

LEAST = 0.95  # of honest goodput, with a flood
HONEST, FLOOD = 0.05, 10  # of the one-order rate; of the honest load
REST = 0.2  # of a slice, in front: flashgate-load sends nothing hostile in it
SETTLED = 0.1  # of a slice: by then the flood before has drained
GAUGES_DIFFER = 1.5
PAIRS_LEAST = 5
AGAIN = 2  # exit status
HEADER = struct.Struct('<8sQQQI28x')
RECORD = struct.Struct('<QQ16xQQIHBBBBHI')
ORDER, ADMITTED = 1, 1
TRANSIENT = {19, 21, 32, 33, 34}  # NOT_OPEN, PAUSED, THROTTLED, BUSY, MISROUTED


def read(directory, name):
    with open(os.path.join(directory, name)) as file:
        return json.load(file)


def rows_of(directory):
    return read(directory, 'rows.json') if os.path.exists(os.path.join(directory, 'rows.json')) else {}


def add_row(directory, part, row):
    rows = rows_of(directory)
    rows.setdefault(part, []).append(row)
    with open(os.path.join(directory, 'rows.json'), 'w') as file:
        json.dump(rows, file, indent=1)


def growth(directory, name):
    """Of the engine's counters and verdicts during a run, all workers together."""
    before, after = (read(directory, f'{name}.{end}')['totals'] for end in ('before', 'after'))
    grown = {}
    for part in 'counters', 'verdicts':
        for key, value in after[part].items():
            grown[key] = value - before[part].get(key, 0)
    return grown


def busy_share(directory, name):
    """Of the workers' cycles between the two looks, which are a little further apart than the load."""
    def cycles(end):
        workers = read(directory, f'{name}.{end}')['workers']
        return (sum(worker[key] for worker in workers) for key in ('busy_cycles', 'total_cycles'))
    (busy, total), (busy_after, total_after) = cycles('before'), cycles('after')
    return (busy_after - busy) / max(total_after - total, 1)


# --- the rate ---

def rate(directory):
    """What the engine can take is what it took while the generator found the wire full."""
    runs = [read(directory, os.path.basename(path)) for path in
            sorted(glob.glob(os.path.join(directory, 'flat*.json')))]
    one_order = int(statistics.median(run['decisions_per_s'] for run in runs))
    honest = int(one_order * HONEST)
    with open(os.path.join(directory, 'rate'), 'w') as file:
        print(one_order, honest, honest * FLOOD, file=file)
    held = statistics.median(run['generator']['held_share'] for run in runs)
    add_row(directory, 'rate', {'one_order': one_order, 'honest': honest, 'flood': honest * FLOOD,
                                'runs': [int(run['decisions_per_s']) for run in runs], 'held': held,
                                'limited': any(run['generator']['limited'] for run in runs)})
    print(f'one-order rate: {one_order} a second (median of {len(runs)} runs flat out; the generator found the wire '
          f'full {held:.0%} of the time); honest load {honest}, floods {honest * FLOOD}')


# --- accounting ---

def account(run, grown):
    """Faults found between what the generator sent and what the engine counted."""
    faults, wanted = [], {}
    hostile = run['hostile']
    for kind, row in hostile['kinds'].items():
        wanted[row['counter']] = wanted.get(row['counter'], 0) + row['sent'] - row['lost']
        if row['silence'] and row['answers']:
            faults.append(f'{row["answers"]} answers to {kind}')
    if hostile['stray']:
        faults.append(f'{hostile["stray"]} stray answers')
    # Honest datagrams are requests, too. What waited too long in the engine is none, but answered BUSY.
    grown = {**grown, 'requests': grown['requests'] + grown.get('queue_aged', 0)}
    wanted['requests'] = wanted.get('requests', 0) + run['datagrams_sent'] - hostile['honest_lost']
    for counter in {*wanted, *(name for name in grown if name.startswith('drop_'))} - {'drop_copies'}:
        if grown.get(counter, 0) != wanted.get(counter, 0):
            faults.append(f'{counter} grew by {grown.get(counter, 0)}, wanted {wanted.get(counter, 0)}')
    return faults


# --- slices ---

def requests_of(path):
    """When each honest request was due is a function of its number; when it was answered at last, and
    by what, is in its records. Yields the start of the schedule, then {number: (replied, verdict)}."""
    answered = {}
    with open(path, 'rb') as file:
        magic, count, _, began, items = HEADER.unpack(file.read(HEADER.size))
        assert magic == b'FGHIST01', magic
        file.seek(16 * items, os.SEEK_CUR)
        for (_, replied, request, _, _, _, op, verdict, *_) in RECORD.iter_unpack(
                file.read(count * RECORD.size)):
            if op == ORDER and replied and verdict not in TRANSIENT and (
                    request not in answered or replied < answered[request][0]):
                answered[request] = (replied, verdict)
    return began, answered


def quantile(values, part):
    values = sorted(values)
    return values[min(int(len(values) * part), len(values) - 1)] if values else float('nan')


class Slice:
    def __init__(self, began, answered, number, slice_ns, due_rate):
        start = began + number * slice_ns
        self.flooded = (number ^ number // 2) & 1 == 1  # as load_hostile_on() has it
        self.span = (start + int(REST * slice_ns), start + slice_ns)
        latencies, rest, self.answered = [], [], 0
        first = (start - began) * due_rate // 10**9
        for request in range(first + 1, (start + slice_ns - began) * due_rate // 10**9 + 1):
            due = began + (request - 1) * 10**9 // due_rate
            replied, verdict = answered.get(request, (0, 0))
            if due < start + SETTLED * slice_ns or not replied:
                continue
            if due < self.span[0]:
                if verdict != ADMITTED:
                    rest.append(replied - due)
            else:
                latencies.append(replied - due)
        self.latencies = latencies
        self.gauge = quantile(rest, 0.1)  # what a round trip takes when nothing disturbs it
        self.seconds = (self.span[1] - self.span[0]) / 10**9


def slices(directory, name, title, slice_ms, toy, last):
    run, grown = read(directory, f'{name}.json'), growth(directory, name)
    slice_ns = int(slice_ms) * 10**6
    began, answered = requests_of(os.path.join(directory, f'{name}.history'))
    count = int(run['requests'] * 10**9 / run['rate'] / slice_ns) // 2 * 2
    found = [Slice(began, answered, number, slice_ns, run['rate']) for number in range(count)]
    # Answers are counted where they arrive.
    for replied, _ in answered.values():
        number = (replied - began) // slice_ns
        if 0 <= number < count and replied >= found[number].span[0]:
            found[number].answered += 1
    pairs = []
    for number in range(0, count, 2):
        quiet, flood = sorted(found[number:number + 2], key=lambda s: s.flooded)
        assert flood.flooded and not quiet.flooded
        gauges = [s.gauge for s in found[number:number + 3]]
        pairs.append((quiet, flood, max(gauges) / min(gauges)))
    kept = [pair for pair in pairs if pair[2] <= GAUGES_DIFFER]
    judged = kept if len(kept) >= PAIRS_LEAST else pairs
    ratios = [flood.answered / max(quiet.answered, 1) for quiet, flood, _ in judged]
    low, median, high = statistics.quantiles(ratios, n=4, method='inclusive')
    faults = account(run, grown)
    if toy != 'true' and median < LEAST:
        faults.append(f'goodput fell to {median:.1%}')
    if run['answered'] != run['requests']:
        faults.append(f'{run["requests"] - run["answered"]} honest requests lost')
    if toy != 'true' and run['generator']['limited']:
        late = f'the generator was late by itself {run["generator"]["own_late_share"]:.0%} of the time'
        if last != 'true':
            print(f'{title}: {late}: once more')
            return AGAIN
        faults.append(f'{late}: it was the limit, and nothing is shown of the engine')

    def side(which):
        of = [pair[which] for pair in judged]
        pooled = [latency for s in of for latency in s.latencies]
        return {'goodput': sum(s.answered for s in of) / sum(s.seconds for s in of),
                'p50_us': quantile(pooled, 0.5) / 1000, 'p99_us': quantile(pooled, 0.99) / 1000}
    kinds = run['hostile']['kinds'].values()
    row = {
        'title': title, 'pairs': len(pairs), 'kept': len(kept), 'quiet': side(0), 'flood': side(1),
        'ratio': [low, median, high], 'faults': faults,
        'hostile_sent': sum(kind['sent'] for kind in kinds), 'skipped': run['hostile']['skipped'],
        'hostile_rate': sum(kind['sent'] for kind in kinds) / (count / 2 * (1 - REST) * slice_ns / 10**9),
        'no_room': sum(kind['lost'] for kind in kinds), 'honest_no_room': run['hostile']['honest_lost'],
        'forgers_answered': sum(kind['answers'] for kind in kinds if kind['silence']) +
        run['hostile']['stray'],
        'resent': run['retransmissions'], 'told_to_wait': run['told_to_wait'],
        'kinds': run['hostile']['kinds'],
        'counters': {key: value for key, value in grown.items()
                     if value and (key.startswith('drop_') or key in ('requests', 'queue_aged', 'THROTTLED', 'BUSY'))},
    }
    add_row(directory, 'slices', row)
    print(f'{title}: goodput {row["quiet"]["goodput"]:.0f}/s quiet, {row["flood"]["goodput"]:.0f}/s '
          f'flooded at {row["hostile_rate"]:.0f}/s; ratio {median:.3f} ({low:.3f} to {high:.3f}, '
          f'{len(kept)} of {len(pairs)} pairs with like gauges); p99 {row["quiet"]["p99_us"]:.0f} and '
          f'{row["flood"]["p99_us"]:.0f} us; forgers answered: {row["forgers_answered"]}')
    verdict(faults, f'{title}: as it must be, {row["hostile_sent"]} hostile datagrams accounted for')
    return not faults


def verdict(faults, text):
    for fault in faults:
        print(f'not ok - {text.split(":")[0]}: {fault}')
    if not faults:
        print(f'ok - {text}')


# --- overload ---

def point(directory, name, kind, factor, seconds):
    run, grown, seconds = read(directory, f'{name}.json'), growth(directory, name), float(seconds)
    hostile = run['hostile']['kinds'][kind]
    sent = run['datagrams_sent'] + hostile['sent']
    no_room = hostile['lost'] + run['hostile']['honest_lost']
    drops = {key: value for key, value in grown.items() if key.startswith('drop_') and value}
    row = {
        'kind': kind, 'factor': float(factor), 'seconds': seconds,
        'offered': run['requests'] + hostile['sent'] + run['hostile']['skipped'],
        'sent': sent, 'skipped': run['hostile']['skipped'], 'no_room': no_room,
        'received': grown['rx_frames'] - grown.get('tx_arp', 0),
        'drops': drops, 'decided': grown['requests'], 'THROTTLED': grown.get('THROTTLED', 0),
        'BUSY': grown.get('BUSY', 0), 'replies': grown['tx_replies'],
        'tx_dropped': grown.get('tx_dropped', 0),
        'heard': run['datagrams_received'] + hostile['answers'],
        'busy': busy_share(directory, name), 'honest': run['requests'], 'honest_answered': run['answered'],
        'honest_no_room': run['hostile']['honest_lost'], 'resent': run['retransmissions'],
        'p50_us': run['p50_us'], 'p99_us': run['p99_us'],
        'faults': account(run, grown),
    }
    add_row(directory, 'points', row)
    print(f'{kind} x {factor}: sent {sent / seconds:.0f}/s, without room {no_room / seconds:.0f}/s, '
          f'received {row["received"] / seconds:.0f}/s, decided {row["decided"] / seconds:.0f}/s, '
          f'answers {row["replies"] / seconds:.0f}/s; honest answered {run["answered"]} of '
          f'{run["requests"]}, resent {row["resent"]}')
    verdict(row['faults'], f'{kind} x {factor}: all accounted for')
    return not row['faults']


# --- the page ---

def table(head, lines):
    yield '| ' + ' | '.join(head) + ' |'
    yield '|' + '---|' * len(head)
    for line in lines:
        yield '| ' + ' | '.join(str(cell) for cell in line) + ' |'


def command(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def machine():
    with open('/proc/cpuinfo') as file:
        models = [line.split(':', 1)[1].strip() for line in file if line.startswith('model name')]
    return f'{len(models)} x {models[0] if models else platform.machine()}'


def thousands(value, seconds=1):
    return f'{value / seconds / 1000:.1f} k'


def slices_lines(rows):
    for row in rows:
        low, median, high = row['ratio']
        yield (row['title'], thousands(row['hostile_rate']), thousands(row['quiet']['goodput']),
               thousands(row['flood']['goodput']), f'{median:.3f} ({low:.3f} to {high:.3f})',
               f'{row["kept"]} of {row["pairs"]}', row['forgers_answered'],
               f'{row["quiet"]["p99_us"]:.0f}', f'{row["flood"]["p99_us"]:.0f}',
               'yes' if not row['faults'] else '; '.join(row['faults']))


def counters_lines(rows):
    for row in rows:
        counters = ', '.join(f'{key} {value}' for key, value in sorted(row['counters'].items()))
        yield (row['title'], row['hostile_sent'], row['no_room'], row['honest_no_room'], row['skipped'],
               counters, row['resent'], row['told_to_wait'])


def points_lines(rows):
    for row in rows:
        per_s = [thousands(row[key], row['seconds']) for key in ('offered', 'sent', 'no_room', 'received')]
        yield (row['kind'], row['factor'], *per_s, thousands(sum(row['drops'].values()), row['seconds']),
               *(thousands(row[key], row['seconds']) for key in
                 ('decided', 'THROTTLED', 'BUSY', 'replies', 'tx_dropped', 'heard')),
               f'{row["busy"]:.0%}', f'{row["honest_answered"]} of {row["honest"]}', row['resent'],
               f'{row["p50_us"]:.0f}', f'{row["p99_us"]:.0f}',
               'generator' if row['skipped'] > 0.01 * row['offered'] else '')


def page(directory):
    rows = rows_of(directory)
    rates, slices_rows, points = rows['rate'][-1], rows.get('slices', []), rows.get('points', [])
    print(f'''# Floods

Made by `perf/floods.sh`, which says how; commit {command('git', 'rev-parse', '--short', 'HEAD')}, \
{machine()}, kernel {platform.release()}, DPDK {command('pkg-config', '--modversion', 'libdpdk')}. \
One worker, shared-memory wire (vhost and virtio-user), one order in a datagram, generator and worker on a core each.

One-order rate: {rates['one_order']} a second (flat out: {', '.join(map(str, rates['runs']))}; the generator found \
the wire full {rates['held']:.0%} of the time{', and was the limit all the same' if rates['limited'] else ''}). Honest load {rates['honest']} a second, floods {rates['flood']}.

## Honest goodput, with and without a flood

Goodput: final answers that arrived in a slice, a second. The ratio is the median of the pairs, with its \
quartiles; pairs between which the wire changed its speed are left out. p99 in us, from when a request was due, \
with its retries.
''')
    print(*table(('flood', 'datagrams/s', 'goodput/s without', 'with', 'ratio', 'pairs kept',
                  'forgers answered', 'p99 without', 'p99 with', 'as it must be'),
                 slices_lines(slices_rows)), sep='\n')
    print('''
Where they ended: what was sent, less what the wire had no room for, is what the counters grew by (honest
datagrams are in `requests`, too).
''')
    print(*table(('flood', 'hostile sent', 'without room', 'honest without room', 'not sent: generator behind',
                  'counters grew by', 'honest resent', 'told to wait'), counters_lines(slices_rows)), sep='\n')
    print('''
## Above what the engine can take

Offered: the honest load and hostile datagrams, so many times the one-order rate together; a second. Without
room: the engine's ring was full, as a NIC counts in imissed. The honest send again what is lost.
''')
    print(*table(('kind', 'times', 'offered', 'sent', 'without room', 'received', 'dropped by name', 'decided',
                  'THROTTLED', 'BUSY', 'answers sent', 'not taken by the port', 'answers heard', 'worker busy',
                  'honest answered', 'honest resent', 'p50 us', 'p99 us', 'limited by'),
                 points_lines(points)), sep='\n')
    return True


STEPS = {'rate': rate, 'slices': slices, 'point': point, 'page': page}
if len(sys.argv) < 3 or sys.argv[1] not in STEPS:
    sys.exit(__doc__)
done = STEPS[sys.argv[1]](*sys.argv[2:])
sys.exit(AGAIN if done is AGAIN else 0 if done in (True, None) else 1)
