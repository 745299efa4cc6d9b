#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""unit_calls.py UNIT: does the unit let through what the engine's own filter of system calls does, and
the call that puts it on?"""

import pathlib
import re
import subprocess
import sys

header = pathlib.Path('dataplane/seccomp.h').read_text()


def table(name):
    """The rows of an X-macro: their strings, those that stand side by side joined."""
    body = re.search(rf'#define {name}\(X\)(.*?[^\\])\n\n', header, re.S)[1].replace('\\\n', ' ')
    return [[''.join(re.findall(r'"([^"]*)"', word)) for word in row.split('",')]
            for row in re.findall(r'X\((.*?"\s*)\)(?=\s|$)', body.replace(') ', ')  '), re.S)]


def groups():
    """What systemd's names of sets stand for."""
    found, name = {}, None
    for line in subprocess.run(['systemd-analyze', 'syscall-filter', '--no-pager'], text=True,
                               capture_output=True, check=True).stdout.splitlines():
        if line.startswith('@'):
            name = line.strip()
            found[name] = set()
        elif line.startswith('    ') and not line.strip().startswith('#') and name:
            found[name].add(line.strip())
    return found


def expand(word, sets):
    return set().union(*(expand(part, sets) for part in sets[word])) if word in sets else {word}


sets = groups()
allowed = expand('@default', sets)
for line in re.findall(r'(?m)^SystemCallFilter=(.*)$', pathlib.Path(sys.argv[1]).read_text()):
    calls = set().union(*(expand(word, sets) for word in line.lstrip('~').split()))
    allowed = allowed - calls if line.startswith('~') else allowed | calls
needed = {'seccomp', 'chown'}
for row in table('FG_SECCOMP_ALLOWED'):
    needed.update(row[1].split())
for row in table('FG_SECCOMP_GUARDED'):
    needed.add(row[0])
needed.discard('')
missing = sorted(needed - allowed)
if len(needed) < 100:
    sys.exit(f'unit_calls.py: found only {len(needed)} calls in dataplane/seccomp.h')
if missing:
    sys.exit(f'unit_calls.py: {sys.argv[1]} refuses what the engine needs: {" ".join(missing)}')
print(len(needed), 'calls,', len(allowed), 'let through')
