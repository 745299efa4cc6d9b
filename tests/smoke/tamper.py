# SPDX-License-Identifier: BSD-3-Clause
"""Does to logs and histories what no program of ours would: for audit.sh.

tamper.py lose DIR NUMBER       takes the NUMBERth ADMIT out of a log and mends the chain of frames
tamper.py damage DIR NUMBER     turns a bit in the NUMBERth frame with records
tamper.py boast FILE TO         copies a history with one more order that was admitted
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from wire import crc32c  # noqa: E402

FRAME = struct.Struct('<IHHQQQQIIIIII')  # as dataplane/orders/log.h has it
FIRST_LSN, COUNT, LENGTH, PREVIOUS, CRC = 6, 8, 9, 10, 11
BLOCK, UNIT = 4096, 64
ADMIT, CONTROL_FIRST = 1, 32


def frames(data):
    """(offset, header fields, records) of each frame of a segment."""
    at = 0
    while at + BLOCK <= len(data) and data[at:at + 4] == b'FGGL':
        header = list(FRAME.unpack_from(data, at))
        begin = at + FRAME.size
        yield at, header, bytes(data[begin:begin + header[LENGTH]])
        at += -(-(FRAME.size + header[LENGTH]) // BLOCK) * BLOCK


def units(records):
    """The records of a frame, each with its body."""
    at = 0
    while at < len(records):
        size = UNIT
        if records[at] >= CONTROL_FIRST:
            body = struct.unpack_from('<I', records, at + 4)[0]
            size += -(-body // UNIT) * UNIT
        yield records[at:at + size]
        at += size


def lose(directory, number):
    left, previous, fewer = number, 0, 0
    for path in sorted(pathlib.Path(directory).glob('segment-*.fgl')):
        data = bytearray(path.read_bytes())
        for at, header, records in frames(data):
            kept = []
            for unit in units(records):
                left -= unit[0] == ADMIT
                if left == 0 and unit[0] == ADMIT:
                    continue
                kept.append(unit)
            header[FIRST_LSN] -= fewer
            fewer += header[COUNT] - len(kept)
            header[COUNT] = len(kept)
            body = b''.join(kept)
            header[LENGTH], header[PREVIOUS], header[CRC] = len(body), previous, 0
            previous = header[CRC] = crc32c(FRAME.pack(*header) + body)
            data[at:at + FRAME.size] = FRAME.pack(*header)
            begin = at + FRAME.size
            data[begin:begin + len(records)] = body + bytes(len(records) - len(body))
        path.write_bytes(data)
    if fewer != 1:
        sys.exit(f'the log has no ADMIT number {number}')


def damage(directory, number):
    path = min(pathlib.Path(directory).glob('segment-*.fgl'))
    data = bytearray(path.read_bytes())
    full = [at for at, header, _ in frames(data) if header[COUNT] > 0]
    data[full[number - 1] + FRAME.size + 1] ^= 1
    path.write_bytes(data)


def boast(source, target):
    data = bytearray(pathlib.Path(source).read_bytes())
    records, = struct.unpack_from('<Q', data, 8)
    struct.pack_into('<Q', data, 8, records + 1)
    last = data[-64:]
    sent, replied = struct.unpack_from('<QQ', last)
    data += struct.pack('<QQ16sQQIHBBBBHI', sent, max(sent, replied), b'nobody ordered!!', 1,
                        424242, 3, 1, 1, 1, 0, 0, 0, 0)
    pathlib.Path(target).write_bytes(data)


if __name__ == '__main__':
    {'lose': lose, 'damage': damage, 'boast': boast}[sys.argv[1]](
        sys.argv[2], int(sys.argv[3]) if sys.argv[3].isdigit() else sys.argv[3])
