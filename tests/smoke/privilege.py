# SPDX-License-Identifier: BSD-3-Clause
"""What privilege.sh asks of an engine: privilege.py buy | again | rights PID USER."""

import pathlib
import pwd
import re
import sys

from client import REPLAY, Client, case, entry, finish

SYS_NICE = 1 << 23  # kept where root may not raise limits, for the journal's thread
EAL_THREADS = ('rte_', 'eal-', 'vhost', 'telemetry', 'lcore')  # those that were there before the drop


def threads(pid):
    """The name of each thread, and the lines of its status."""
    for status in pathlib.Path(f'/proc/{pid}/task').glob('*/status'):
        lines = dict(re.findall(r'(?m)^(\w+):[ \t]*(.*)$', status.read_text()))
        yield lines['Name'], lines


def rights():
    """No thread has a right of root's."""
    pid, user = sys.argv[2], pwd.getpwnam(sys.argv[3])
    found = list(threads(pid))
    limits = pathlib.Path(f'/proc/{pid}/limits').read_text()
    may_keep = SYS_NICE if re.search(r'Max realtime priority +0 ', limits) else 0
    for text, names, wanted in (
            ('user', ('Uid',), [user.pw_uid] * 4), ('group', ('Gid',), [user.pw_gid] * 4),
            ('other groups', ('Groups',), [user.pw_gid]), ('no new rights', ('NoNewPrivs',), [1])):
        wrong = [(thread, lines[name]) for thread, lines in found for name in names
                 if list(map(int, lines[name].split())) != wanted]
        case(f'{len(found)} threads: {text}', len(found) > 5 and not wrong, *wrong)
    wrong = [(thread, lines['Seccomp']) for thread, lines in found if lines['Seccomp'] != '2']
    case(f'{len(found)} threads: system calls are filtered', not wrong, *wrong)
    wrong = []
    for thread, lines in found:
        mine = 0 if thread.startswith(EAL_THREADS) else may_keep
        for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            allowed = mine if name in ('CapPrm', 'CapEff') else 0
            if int(lines[name], 16) & ~allowed:
                wrong.append((thread, name, lines[name]))
    print('    ' + ', '.join(f'{name} {lines["CapPrm"]}' for name, lines in found))
    case(f'{len(found)} threads: no capability' + ' but CAP_SYS_NICE' * bool(may_keep), not wrong,
         *wrong)


def buy():
    Client().expect('an order', 'ADMITTED', entry('ORDER', 1, 100, 1, 1), flags=0)


def again():
    Client().expect('the order of before', 'ADMITTED', entry('ORDER', 1, 100, 1, 1), flags=REPLAY)
    Client().expect('another', 'ADMITTED', entry('ORDER', 2, 100, 1, 1), flags=0)


{'rights': rights, 'buy': buy, 'again': again}[sys.argv[1]]()
finish()
