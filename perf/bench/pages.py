# SPDX-License-Identifier: BSD-3-Clause
"""Huge pages for all parts of the benchmark, or for none: reserved at the start, and at the end as many as
there were before. Whatever stands in the way is a note for the report and no failure."""

import contextlib
import fcntl

PAGE_MIB = 2


def read_free(meminfo):
    """(free pages, of 2 MiB) by /proc/meminfo."""
    words = dict(line.split(':', 1) for line in meminfo.read().splitlines() if ':' in line)
    if int(words.get('Hugepagesize', '0 kB').split()[0]) != PAGE_MIB * 1024:
        raise OSError(f'huge pages here are not of {PAGE_MIB} MiB')
    return int(words['HugePages_Free'])


@contextlib.contextmanager
def reserved(mib, count_file='/proc/sys/vm/nr_hugepages', meminfo_file='/proc/meminfo'):
    """With so many MiB of free huge pages: yields {'huge': bool, 'note': what was done or stood in the way}.
    One at a time does so on a machine: what was there before can only be put back by whoever changed it."""
    with contextlib.ExitStack() as stack:
        try:
            count = stack.enter_context(open(count_file, 'r+'))
            fcntl.flock(count, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = enlarge(stack, count, count_file, meminfo_file, -(-mib // PAGE_MIB))
        except BlockingIOError:
            found = {'huge': False, 'note': 'no huge pages: another benchmark has them'}
        except (OSError, KeyError, ValueError) as failure:
            found = {'huge': False, 'note': f'no huge pages: {failure}'}
        yield found


def enlarge(stack, count, count_file, meminfo_file, pages):
    before = int(count.read())

    def put(number):
        with open(count_file, 'w') as file:
            file.write(f'{number}\n')

    def free():
        with open(meminfo_file) as file:
            return read_free(file)

    if free() < pages:
        stack.callback(put, before)
        put(before + pages - free())
    if free() < pages:
        note = f'no huge pages: {free()} of the {pages} that are needed could be had, for memory is in pieces'
        put(before)
        return {'huge': False, 'note': note}
    return {'huge': True, 'note': f'{pages} huge pages of {PAGE_MIB} MiB, {before} were reserved before'}
