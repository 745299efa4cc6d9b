#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark: all rows of rows.py, unattended, in one run. Writes report.json, report.md and the plots to
a folder. docs/benchmarks.md tells how to read them. Exit status 0 if all rows ran to their end and
their accounts add up, met or not."""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure
import parts
import report
import rows
import sums
import turns


def said(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        return (done.stdout or done.stderr).strip().split('\n')[0] or 'unknown'
    except (OSError, subprocess.TimeoutExpired):
        return 'unknown'


def environment(arguments):
    with open('/proc/cpuinfo') as file:
        models = [line.split(':', 1)[1].strip() for line in file if line.startswith('model name')]
    with open('/proc/loadavg') as file:
        load = file.read().split()[0]
    return {
        'commit': said('git', 'rev-parse', 'HEAD'),
        'changed_since': bool(subprocess.run(['git', 'status', '--porcelain', '-uno'], capture_output=True,
                                             check=False).stdout),
        'compiler': said(arguments.compiler, '--version'), 'flags': arguments.flags or said('make', '-s', 'flags'),
        'cpu': f'{len(models)} x {models[0] if models else platform.machine()}',
        'kernel': platform.release(), 'load_at_start': float(load),
        'versions': {'dpdk': said('pkg-config', '--modversion', 'libdpdk'),
                     'redis': said('redis-server', '--version'),
                     'hiredis': said('pkg-config', '--modversion', 'hiredis'),
                     'flashgate': said(os.path.join(arguments.build, 'flashgated'), '--version')},
        'began': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
    }


def run_row(bench, row):
    run, began = turns.Run(), time.monotonic()
    try:
        measure.ROWS[row.name](bench, run)
    except sums.Refused as refusal:
        run.because(str(refusal))
    except (parts.Failed, OSError, subprocess.SubprocessError, KeyError) as failure:
        run.because(f'it failed: {type(failure).__name__}: {failure}')
        run.more['failed'] = True
        for name in [name for name, part in bench.running.items() if part.process.poll() is not None]:
            bench.end(name)  # the next row starts it anew
    found = sums.judge(row, run.found, run.slices, run.reasons)
    found.update(run.more, seconds=round(time.monotonic() - began, 1))
    found['limits'] = sums.limited(run.slices) if row.limits else []
    found['generator_limited'] = any(mark['generator_limited'] for mark in found['limits'])
    found['failed'] = found.get('failed', False) or not found['adds_up']
    return found


def say(name, row):
    value = 'no value' if row['value'] is None else f'{report.figure(row["value"])} {row["unit"]}'
    verdict = 'met' if row['met'] else 'floor met' if row['floor_met'] else 'not met'
    print(f'{name} {row["title"]}: {value}, {verdict}, {row["seconds"]} s', flush=True)
    for reason in row['reasons']:
        print(f'    {reason}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', default='build/release', help='folder of the binaries')
    parser.add_argument('--form', default='full', choices=rows.FORMS, help='how much of everything')
    parser.add_argument('--out', default='build/bench', help='folder of the results')
    parser.add_argument('--rows', default='', help='only these, such as P1,P2')
    parser.add_argument('--compiler', default='gcc')
    parser.add_argument('--flags', default='', help='of the compiler; without them, those that make has now')
    arguments = parser.parse_args()
    if re.search(r'asan|tsan|fuzz|faults|coverage|simulated', arguments.build) or '-fsanitize' in arguments.flags:
        sys.exit('bench.py: a build with sanitizers or faults is not measured; give a release build')
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda *_: sys.exit('bench.py: stopped'))
    names = [row.name for row in rows.ROWS]
    unknown = [name for name in filter(None, arguments.rows.split(',')) if name not in names]
    if unknown:
        sys.exit(f'bench.py: --rows has {", ".join(unknown)}; the rows are {", ".join(names)}')
    os.makedirs(arguments.out, exist_ok=True)

    wanted = [row for row in rows.ROWS if not arguments.rows or row.name in arguments.rows.split(',')]
    bench = turns.Bench(arguments.build, rows.FORMS[arguments.form])
    results = {'form': arguments.form, **environment(arguments),
               'cores': {'worker': bench.cores[0], 'else': bench.cores[1]}, 'rows': {}}
    began = time.monotonic()
    with bench.started():
        results['pages'] = bench.pages
        for row in wanted:
            found = run_row(bench, row)
            results['rows'][row.name] = found
            say(row.name, found)
        results['configuration'] = {name: text if isinstance(text, str) else ' '.join(text)
                                    for name, text in bench.configuration.items()}
    results['seconds'] = round(time.monotonic() - began, 1)
    results['seeds'] = [1, bench.seed]
    report.write(results, arguments.out)
    print(f'{arguments.out}/report.md has it all; {results["seconds"]:.0f} s')
    sys.exit(1 if any(row.get('failed') for row in results['rows'].values()) else 0)


if __name__ == '__main__':
    main()
