# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmark found, for programs (report.json), for people (report.md) and as plots (SVG, by
gnuplot)."""

import json
import os
import statistics
import subprocess

import sums


def figure(value):
    if value is None:
        return '-'
    if abs(value) >= 999_950:  # from here on it would be 1000.0 k
        return f'{value / 1e6:.2f} M'
    if abs(value) >= 1e4:
        return f'{value / 1e3:.1f} k'
    return f'{value:.0f}' if abs(value) >= 1000 else f'{value:.3g}'


def called(case, side):
    return ' '.join(filter(None, (case, side)))


def table(head, lines):
    yield '| ' + ' | '.join(head) + ' |'
    yield '|' + '---|' * len(head)
    for line in lines:
        yield '| ' + ' | '.join(str(cell) for cell in line) + ' |'


def part_lines(results):
    for name, row in results['rows'].items():
        for part in row['parts']:
            spread = ' to '.join(figure(value) for value in part['quartiles'][::2]) if 'quartiles' in part else ''
            verdict = ('not met' if part['value'] is None else 'shown' if part['target'] is None else 'met' if part['met'] else
                       'floor met' if part['floor_met'] else 'not met')
            if row['reasons'] and part['target'] is not None:
                verdict = f'not met ({verdict} if it were for the figure alone)' if part['met'] or part[
                    'floor_met'] else 'not met'
            busy = part.get('by_busy_share') if row['generator_limited'] else None
            yield (name, part['what'], figure(part['value']), spread, part['unit'], figure(part['target']),
                   figure(part['floor']), verdict, f'{part["kept"]} of {part["pairs"]}' if 'kept' in part else '',
                   '' if busy is None else figure(busy))


def side_lines(results):
    """What each side of a row with a peer did by itself: medians over its slices."""
    for name, row in results['rows'].items():
        if not any(one['side'] == 'peer' for one in row['slices']):
            continue
        for (case, side), ones in sums.by_side(row['slices']).items():
            low, middle, high = map(figure, sums.quartiles([one['value'] for one in ones]))
            delays = [figure(statistics.median(one[key] for one in ones)) if key in ones[0] else '' for key in ('p50', 'p99')]
            yield name, called(case, side), f'{middle}/s', f'{low} to {high}', *delays, len(ones)


def limit_lines(results):
    """Of each side whose busy share is known, or which the generator held up."""
    for name, row in results['rows'].items():
        for mark in row['limits']:
            if 'busy' not in mark and not mark['generator_limited']:
                continue
            busy = f'{mark["busy"]:.0%}' if 'busy' in mark else 'not known'
            limit = 'its schedule' if name == 'P4' else 'generator'
            yield (name, called(mark['case'], mark['side']), busy,
                   f'{figure(mark["rate"])}/s' if 'rate' in mark else '',
                   f'{figure(mark["rate_by_busy_share"])}/s' if 'busy' in mark else '',
                   limit if mark['generator_limited'] else 'itself')


def stage_lines(results):
    """Of each engine that was asked: medians over its slices."""
    for name, row in results['rows'].items():
        told = [one for one in row['slices'] if 'stages' in one]
        for (case, side), ones in sums.by_side(told).items():
            stages = stage_medians(ones).items()
            yield (name, called(case, side), figure(statistics.median(one['burst'] for one in ones)),
                   figure(statistics.median(sum(one['stages'].values()) for one in ones)),
                   ', '.join(f'{stage} {figure(count)}' for stage, count in stages if count))


def stage_medians(slices):
    return {stage: statistics.median(one['stages'][stage] for one in slices) for stage in slices[0]['stages']}


def row_lines(results):
    for name, row in results['rows'].items():
        lost = {}
        for one in row['slices']:
            for cause, count in one.get('lost', {}).items():
                key = f'{one["side"]}: {cause}'
                lost[key] = lost.get(key, 0) + count
        offered, answered = (sum(one.get(key, 0) for one in row['slices']) for key in ('offered', 'answered'))
        yield (name, row['workload'], row['peer'], figure(offered), figure(answered),
               ', '.join(f'{cause} {count}' for cause, count in lost.items()) or 'none',
               'yes' if row['adds_up'] else 'NO')


def mix_lines(results):
    for name, row in results['rows'].items():
        for case, shares in row.get('mix', {}).items():
            yield f'- {name} {case}: ' + ', '.join(f'{share:.2%} {what}' for what, share in shares.items())


def ladder_lines(results):
    """P4: each rate that was tried."""
    for one in results['rows'].get('P4', {'slices': ()})['slices']:
        seconds = one['requests'] / one['rate']
        yield (f'{figure(one["rate"])}/s', f'{seconds:.3g}', f'{figure(one["value"])}/s', figure(one['p50'] / 1000),
               figure(one['p99'] / 1000), one['offered'] - one['answered'], 'yes' if one['held'] else 'no')


def gauge_range(results):
    gauges = sorted(gauge for row in results['rows'].values() for one in row['slices'] for gauge in one.get('gauges', ()))
    return f'{gauges[0]:.0f} to {gauges[-1]:.0f} ns a line, median {statistics.median(gauges):.0f}' if gauges else 'none'


def page(results, plots):
    versions = ', '.join(f'{name} {version}' for name, version in results['versions'].items())
    yield f'''# Benchmark

Form {results['form']}{'' if results['form'] == 'full' else ': NOT a measurement, only the way to one'}; \
began {results['began']}, {results['seconds']:.0f} s; commit {results['commit']}\
{', with changes that are in no commit' if results['changed_since'] else ''}.
{results['cpu']}, kernel {results['kernel']}, load {results['load_at_start']} at the start; worker on core \
{results['cores']['worker']}, all else on core {results['cores']['else']}.
{results['compiler']}; {versions}.
Flags: `{results['flags']}`. Seeds {results['seeds'][0]} to {results['seeds'][1]}. Memory of engine, generator and \
testpmd alike: {results['pages']['note']}. Gauge: {gauge_range(results)}.

## Rows
'''
    yield from table(('row', 'what', 'value', 'quartiles', 'unit', 'target', 'floor', 'verdict', 'pairs kept',
                      'by rate / busy share'),
                     part_lines(results))
    reasons = [f'- {name}: {reason}' for name, row in results['rows'].items() for reason in row['reasons']]
    if reasons:
        yield '\n## What stands against them\n'
        yield from reasons
    if lines := list(side_lines(results)):
        yield '\n## What each side did\n\nMedians of all slices, whatever their gauges; ratios above are of pairs.\n'
        yield from table(('row', 'side', 'decisions, frames or orders', 'quartiles', 'p50 us', 'p99 us', 'slices'), lines)
    yield '\n## Accounts\n\noffered = answered + lost, in datagrams (a peer\'s: frames or orders).\n'
    yield from table(('row', 'workload', 'peer', 'offered', 'answered', 'lost by cause', 'adds up'), row_lines(results))
    if mixes := list(mix_lines(results)):
        yield '\n## Mix, by the engine\'s counters\n'
        yield from mixes
    if ladder := list(ladder_lines(results)):
        yield '\n## Durable orders by rate\n\nP4, in turn; from when an order was due until it was acknowledged.\n'
        yield from table(('rate', 's', 'admitted', 'p50 ms', 'p99 ms', 'without an answer', 'held'), ladder)
    if limits := list(limit_lines(results)):
        yield '\n## Who was the limit\n'
        yield from table(('row', 'side', 'busy', 'rate', 'rate / busy share', 'limited by'), limits)
    if lines := list(stage_lines(results)):
        yield '\n## Where the cycles go\n\nMedians; frames that the port gave at once, and cycles of a decision.\n'
        yield from table(('row', 'side', 'frames in a burst', 'cycles', 'of these'), lines)
    yield '\n## Plots\n'
    for name, title in plots:
        yield f'![{title}]({name})\n'
    yield '## Configurations\n'
    for name, text in results['configuration'].items():
        yield f'{name}:\n\n```\n{text.strip()}\n```\n'


# --- plots ---

def medians(row, value='value', **wanted):
    values = [one[value] for one in row['slices'] if value in one and
              all(one.get(key) == wish for key, wish in wanted.items())]
    return statistics.median(values) if values else None


def gnuplot(path, title, commands, data):
    """One plot; the sentence that says why not, or None."""
    blocks = ''.join(f'${name} << END\n' + '\n'.join(lines) + '\nEND\n' for name, lines in data.items())
    script = f'''set terminal svg size 800,450 font "sans,12" background "white"
set output "{path}"
set title "{title}"
set grid
set key outside bottom center horizontal
{blocks}{commands}
'''
    try:
        done = subprocess.run(['gnuplot'], input=script, capture_output=True, text=True, timeout=30, check=False)
    except OSError as failure:
        return f'gnuplot: {failure.strerror}; `make deps` brings it'
    return None if done.returncode == 0 else done.stderr.strip()[-300:]


def bars(values):
    return [f'"{name}" {value}' for name, value in values if value is not None]


BARS = '''set style data histogram
set style fill solid 0.8
set boxwidth 0.7
unset key
set yrange [0:*]
set ylabel "{}"
plot $bars using 2:xtic(1) linecolor rgb "#3465a4"'''


def throughput(rows):
    values = []
    for name in 'P1', 'P2', 'P4':
        if name in rows:
            values.append((f'{name} engine', medians(rows[name], side='engine')))
            values.append((f'{name} peer', medians(rows[name], side='peer')))
    for name, case in ('P3', 'one'), ('P3', 'many'), ('P7', 'items'), ('P7', 'buyers'), ('P7', 'limits'):
        if name in rows:
            values.append((f'{name} {case}', medians(rows[name], side='engine', case=case)))
    values += [(f'P5 {side}', medians(rows['P5'], side=side)) for side in ('engine', 'peer') if 'P5' in rows]
    # From 40 M to 40 k: on a logarithmic axis.
    return {'bars': bars(values)}, BARS.format('1/s').replace('set yrange [0:*]', 'set logscale y\n'
                                                              'set xtics rotate by -35')


def curves(rows):
    data = {}
    for side in 'engine', 'peer':
        slices = [one['curve'] for one in rows['P6']['slices'] if one['side'] == side and one.get('curve')]
        if slices:
            data[side] = [f'{1 / (1 - min(at, 99.99) / 100)} {statistics.median(points)}'
                          for at, points in ((point[0], [c[i][1] for c in slices])
                                             for i, point in enumerate(slices[0])) if at < 100]
    lines = ', '.join(f'${name} using 1:2 with linespoints title "{"testpmd" if name == "peer" else name}"'
                      for name in data)
    return data, f'''set logscale xy
set xlabel "percentile"
set xtics ("50" 2, "90" 10, "99" 100, "99.9" 1000, "99.99" 10000)
set ylabel "us, from the scheduled send time"
plot {lines}'''


def stages(rows):
    for name in 'P1', 'P2':
        slices = [one for one in rows.get(name, {'slices': []})['slices'] if 'stages' in one]
        if slices:
            return {'bars': bars(stage_medians(slices).items())}, BARS.format(f'cycles of a decision, {name}')
    return {}, ''


def cost(rows):
    slices = rows['P7']
    values = [('1 item, few buyers', medians(slices, side='peer', case='items')),
              ('many items', medians(slices, side='engine', case='items')),
              ('many buyers', medians(slices, side='engine', case='buyers')),
              ('LIMIT_REACHED', medians(slices, side='engine', case='limits')),
              ('SOLD_OUT to them', medians(slices, side='peer', case='limits'))]
    return {'bars': bars([(name, 1e9 / value if value else None) for name, value in values])}, BARS.format(
        'ns of a decision')


PLOTS = (('throughput.svg', 'Throughput by workload', throughput, ()),
         ('latency.svg', 'Latency of refusals', curves, ('P6',)),
         ('stages.svg', 'Cycles by stage', stages, ()),
         ('cost.svg', 'What items and buyers cost', cost, ('P7',)))


def draw(results, out):
    """(file, title) of the plots that are there; what is not there is told in results['plots_missing']."""
    drawn, missing = [], {}
    for name, title, make, needs in PLOTS:
        reason = 'its row did not run'
        if all(need in results['rows'] for need in needs):
            data, commands = make(results['rows'])
            reason = 'there are no figures'
            if any(data.values()):
                reason = gnuplot(os.path.join(out, name), title, commands, data)
        if reason is None:
            drawn.append((name, title))
        else:
            missing[name] = reason
    results['plots_missing'] = missing
    return drawn


def write(results, out):
    plots = draw(results, out)
    with open(os.path.join(out, 'report.json'), 'w') as file:
        json.dump(results, file, indent=1)
        file.write('\n')
    with open(os.path.join(out, 'report.md'), 'w') as file:
        for line in page(results, plots):
            print(line, file=file)
        for name, reason in results['plots_missing'].items():
            print(f'- {name} is missing: {reason}', file=file)
