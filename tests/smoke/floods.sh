#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Hostile traffic, a little of every kind beside honest buyers: perf/floods.sh, small. No forger is
# answered, every datagram is in the counter that its kind names, every honest request is answered, and
# the books are right although bots bought, too.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check 'floods do no harm' perf/floods.sh --toy --out "$dir/floods.md"
check 'every kind was sent, and is in its counter' python3 - "$dir/floods.json" "$build" << 'END'
import json, re, subprocess, sys
rows = json.load(open(sys.argv[1]))
text = subprocess.run([f'{sys.argv[2]}/flashgate-load', '--help'], capture_output=True, text=True).stdout
kinds = set(re.search(r'Kinds:(.*?)\n  --', text, re.S)[1].split())
row, = rows['slices']
assert kinds and kinds == set(row['kinds']), (kinds, row['kinds'])
assert all(kind['sent'] > 0 for kind in row['kinds'].values()), row
assert row['kinds']['replay-port']['answers'] > 0 and row['kinds']['one-buyer']['answers'] > 0, row
assert row['counters']['THROTTLED'] > 0, row  # the one buyer's bot
assert all(not row['faults'] for part in ('slices', 'points') for row in rows[part]), rows
END
check 'the page has its tables' test "$(grep -c '^|---' "$dir/floods.md")" = 3
