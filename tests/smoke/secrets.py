# SPDX-License-Identifier: BSD-3-Clause
"""secrets.py memory PID SECRET... | files DIR SECRET...: where are the secrets of the key file, as bytes or as
hex, whole or a half of one? In memory: in no mapping that a core would have. In files: nowhere."""

import pathlib
import re
import sys

from client import case, finish

PIECE, LONGEST = 1 << 20, 32  # of memory at once; the longest form of a secret
ZEROS = bytes(PIECE + LONGEST)


def forms(secret):
    """As the engine may hold a secret, or tell it: its bytes, the two words that it is computed with, hex."""
    raw = bytes.fromhex(secret)
    halves = {raw[:8], raw[8:], raw[7::-1], raw[:7:-1]}
    return {raw} | halves | {text.encode() for text in (secret, secret.upper(), secret[:16], secret[16:])}


def mappings(pid):
    """(begin, end, name, flags) of each that can be read."""
    found = None
    for line in pathlib.Path(f'/proc/{pid}/smaps').read_text().splitlines():
        head = re.match(r'([0-9a-f]+)-([0-9a-f]+) (r?)\S* \S+ \S+ \S+ *(.*)', line)
        if head:
            found = (int(head[1], 16), int(head[2], 16), head[4], head[3])
        elif line.startswith('VmFlags:') and found and found[3]:
            yield *found[:3], line.split()[1:]


def read(file, begin, end):
    """The memory there, in pieces, each with the end of the one before: what lies across is found."""
    kept = b''
    for at in range(begin, end, PIECE):
        file.seek(at)
        text = kept
        while len(text) - len(kept) < min(PIECE, end - at):
            more = file.read(min(PIECE, end - at) - (len(text) - len(kept)))
            if not more:
                raise OSError(f'nothing to be read in {begin:x}-{end:x}')
            text += more
        yield at - len(kept), text
        kept = text[-LONGEST:]


def search(file, begin, end, wanted):
    """(address, form) of those that are there. Most memory was never written: zeros are no key."""
    return [(at + text.find(form), form) for at, text in read(file, begin, end)
            if text != ZEROS[:len(text)] for form in wanted if form in text]


def memory():
    pid, wanted = sys.argv[2], [form for secret in sys.argv[3:] for form in forms(secret)]
    kept, wrong, searched = 0, [], 0
    with open(f'/proc/{pid}/mem', 'rb', 0) as file:
        for begin, end, name, flags in mappings(pid):
            if name in ('[vvar]', '[vsyscall]') or 'io' in flags:
                continue
            try:
                hits = search(file, begin, end, wanted)
            except OSError:
                continue
            searched += end - begin
            if hits and 'dd' in flags:
                kept += 1
                case(f'the pages of keys are wiped at a fork and locked: {" ".join(flags)}',
                     'wf' in flags and 'lo' in flags)
            elif hits:
                at, form = hits[0]
                wrong.append(f'{len(hits)} in {name or "anonymous"} {begin:x}+{at - begin:x} {flags}: '
                             f'{form}')
    case('the keys are in memory that no core has', kept == 1, kept)
    case(f'and nowhere else in {searched >> 20} MiB', searched > 100 << 20 and not wrong, *wrong)


def files():
    wanted = [form for secret in sys.argv[3:] for form in forms(secret)]
    paths = [p for p in pathlib.Path(sys.argv[2]).rglob('*') if p.is_file() and p.name != 'keys.yaml']
    wrong = [str(p) for p in paths for text in (p.read_bytes(),) if any(form in text for form in wanted)]
    print('    ' + ', '.join(sorted(p.name for p in paths)))
    case(f'no secret is in {len(paths)} files', len(paths) >= 10 and not wrong, *wrong)


{'memory': memory, 'files': files}[sys.argv[1]]()
finish()
