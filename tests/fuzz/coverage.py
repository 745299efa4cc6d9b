#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the unit tests and the fuzz corpora reach of the parser, the journal and delivery, in lines
and branches. Fails when a group is below its floor. Run by `make coverage`, which builds what runs
here with clang's counters.

coverage.py [--files] PROGRAM...   --files (make coverage FILES=1): a row for each file, too, and the
lines that nothing reaches. A program of an older build would spoil the figures of what has changed
since: those to run are named, not found."""

import concurrent.futures
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / 'build/coverage'
FLOOR = 95.0  # percent of lines, of each group

GROUPS = {
    'parser': ['dataplane/net/frame.c', 'dataplane/net/ipv4.c', 'dataplane/net/ipv6.c',
               'dataplane/net/udp.c', 'dataplane/net/neighbour.c', 'dataplane/net/reply.c',
               'dataplane/net/parse.h', 'dataplane/admission/payload.c',
               'control/config/option*.c'],
    'journal': ['dataplane/orders/journal*.c', 'dataplane/orders/log*.c',
                'dataplane/orders/segment.c', 'dataplane/orders/recovery*.c',
                'dataplane/orders/event.c', 'dataplane/orders/event.h',
                'dataplane/orders/books.c'],
    'delivery': ['dataplane/orders/delivery*.c', 'dataplane/orders/streams.c',
                 'dataplane/orders/batches.c', 'dataplane/orders/retention.c',
                 'dataplane/orders/redis_*.c'],
}


def group_of(path):
    for group, patterns in GROUPS.items():
        if any(fnmatch.fnmatch(path, pattern) for pattern in patterns):
            return group
    return None


def run(number, command):
    environment = {**os.environ, 'LLVM_PROFILE_FILE': str(BUILD / f'raw/{number}-%p.profraw')}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True,
                          timeout=600, check=False)
    if done.returncode != 0:
        print(f'{" ".join(command)}: status {done.returncode}\n{done.stdout[-800:]}'
              f'{done.stderr[-800:]}')
    return done.returncode == 0


def run_all(programs):
    shutil.rmtree(BUILD / 'raw', ignore_errors=True)
    (BUILD / 'raw').mkdir(parents=True)
    commands = []
    for path in programs:
        corpus = ROOT / 'tests/fuzz/corpus' / pathlib.Path(path).name
        commands.append([path, '-runs=0', '-rss_limit_mb=0', str(corpus)]
                        if 'fuzzers' in path else [path])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(run, range(len(commands)), commands))
    return all(passed)


def export(programs):
    raw = [str(path) for path in (BUILD / 'raw').iterdir()]
    profile = str(BUILD / 'all.profdata')
    subprocess.run(['llvm-profdata', 'merge', '-sparse', '-o', profile, *raw], check=True)
    objects = [option for program in programs[1:] for option in ('-object', program)]
    text = subprocess.run(['llvm-cov', 'export', '-format=text', f'-instr-profile={profile}',
                           programs[0], *objects, '-ignore-filename-regex=tests/'],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(text)['data'][0]['files']


def unreached(file):
    """Lines where a region begins that was never run."""
    lines = set()
    for line, _, count, has_count, entry, gap in (segment[:6] for segment in file['segments']):
        if has_count and entry and count == 0 and not gap:
            lines.add(line)
    return sorted(lines)


def share(part):
    return 100.0 * part[0] / part[1] if part[1] else 100.0


def row(name, lines, branches):
    print(f'| {name} | {lines[0]} of {lines[1]} | {share(lines):.1f} % | '
          f'{branches[0]} of {branches[1]} | {share(branches):.1f} % |')


def main():
    programs = [argument for argument in sys.argv[1:] if argument != '--files']
    passed = run_all(programs)
    sums = {group: [[0, 0], [0, 0]] for group in GROUPS}
    details = []
    for file in export(programs):
        path = os.path.relpath(file['filename'], ROOT)
        group = group_of(path)
        if not group:
            continue
        figures = [(file['summary'][kind]['covered'], file['summary'][kind]['count'])
                   for kind in ('lines', 'branches')]
        for total, figure in zip(sums[group], figures):
            total[0] += figure[0]
            total[1] += figure[1]
        details.append((group, path, figures, unreached(file)))
    print('| part | lines | | branches | |\n|---|---|---|---|---|')
    for group, (lines, branches) in sums.items():
        row(group, lines, branches)
    if '--files' in sys.argv[1:]:
        for group, path, (lines, branches), missing in sorted(details):
            row(path, lines, branches)
            if missing:
                print('    not reached: ' + ', '.join(str(line) for line in missing))
    low = [group for group, (lines, _) in sums.items() if share(lines) < FLOOR]
    for group in low:
        print(f'{group}: below the floor of {FLOOR:.0f} % of lines')
    return 0 if passed and not low else 1


if __name__ == '__main__':
    sys.exit(main())
