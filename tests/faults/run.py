#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Faults on the real processes. Each kind of fault is repeated while one generator keeps its buyers
going through all lives of the engine; then the books are judged: no acknowledgement lost, nothing
oversold, stream and log the same.

    tests/faults/run.py [--short] [--seed N] [--table FILE] [KIND...]
    tests/faults/run.py --list

KILLS and POWER_CUTS in the environment say how many of those (default 100 and 20). One line is
printed for each kind. Exit status 0 if every fault was survived or skipped with a reason."""

import argparse
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True

import parts  # noqa: E402

KINDS = ['kills', 'crash_points', 'vhost', 'power_cuts', 'disk_errors', 'disk_full',
         'redis_faults', 'sentinel', 'takeover', 'stall']
OWN_NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']


def run_inside():
    """Starts again inside namespaces of its own, with a folder for all that is written; both go when
    it ends, however it ends. The exit status."""
    user = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
    words = ['unshare', *user, *OWN_NAMESPACES]
    if subprocess.run([*words, 'true'], capture_output=True).returncode != 0:
        print('skip - faults: no right to make namespaces (run as root)')
        return 0
    folder = tempfile.mkdtemp(prefix='flashgate-faults.')
    child = subprocess.Popen([*words, sys.executable, *sys.argv],
                             env={**os.environ, 'TMPDIR': folder,
                                  'FAULTS_INSIDE': 'user' if user else 'root'})
    try:
        return child.wait()
    finally:
        child.kill()  # and --kill-child all that it started
        child.wait()
        for _ in range(50):  # what is being killed may still be writing there
            shutil.rmtree(folder, ignore_errors=True)
            if not os.path.exists(folder):
                break
            time.sleep(0.1)


def make_wire():
    """A veth pair: the engine has fg0, without an address in the kernel; the generator has fg1."""
    for words in ('link set lo up', 'link add fg0 type veth peer name fg1', 'link set fg0 up',
                  'link set fg1 up'):
        parts.command('ip', *words.split())


TABLE = '| kind | faults injected | engine lives | acknowledgements checked | differences |\n' \
        '|---|---:|---:|---:|---:|\n'


def run_kind(name, settings):
    """The line of one kind, and whether it is good."""
    began = time.monotonic()
    try:
        counts = importlib.import_module(name).run(settings)
        good = counts.differences == 0
        line = f'{"ok" if good else "not ok"} - {name}: {counts}'
        if settings.table:
            with open(settings.table, 'a') as table:
                table.write(f'| `{name}` | {counts.faults:,} | {counts.lives:,} | {counts.told:,} | '
                            f'{counts.differences:,} |\n')
    except parts.Skipped as reason:
        return f'skip - {name}: {reason}', True
    except parts.Failed as reason:
        line, good = f'not ok - {name}: {reason}', False
    except Exception:
        traceback.print_exc(file=sys.stdout)
        line, good = f'not ok - {name}: the test itself broke', False
    return f'{line} ({time.monotonic() - began:.0f} s)', good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--short', action='store_true', help='a few faults of each kind')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--table', metavar='FILE', help='write the counts there, in Markdown')
    parser.add_argument('--list', action='store_true', help='print the kinds, do nothing')
    parser.add_argument('kinds', nargs='*', metavar='KIND', help=', '.join(KINDS))
    settings = parser.parse_args()
    for name in settings.kinds:
        if name not in KINDS:
            parser.error(f'there is no kind {name}; there are {", ".join(KINDS)}')
    if settings.list:
        print('\n'.join(KINDS))
        return 0
    few = settings.short
    settings.kills = int(os.environ.get('KILLS') or (12 if few else 100))
    settings.crash_rounds = 1 if few else 4
    settings.redis_rounds = 1 if few else 5
    settings.disks_full = 1 if few else 3
    settings.takeovers = 2 if few else 9
    settings.failovers = 1 if few else 4
    settings.disk_errors = 2 if few else 10
    settings.vhost_kills = 2 if few else 5
    settings.power_cuts = int(os.environ.get('POWER_CUTS') or (4 if few else 20))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if 'FAULTS_INSIDE' not in os.environ:
        if settings.table:
            settings.table = os.path.abspath(settings.table)
            with open(settings.table, 'w') as table:
                table.write(TABLE)
        return run_inside()
    make_wire()
    good = True
    for name in settings.kinds or KINDS:
        line, fine = run_kind(name, settings)
        print(line, flush=True)
        good = good and fine
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
