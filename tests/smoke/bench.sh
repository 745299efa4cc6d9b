#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark cannot rot: its sums against cases that must not pass, and all its rows at toy size with
# their peers. No figure is judged: on a machine that does something else there is none.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 perf/bench/test_sums.py 2> "$dir/sums.log" || failures=$((failures + 1))
refused 1 'is not measured' 'a sanitized build is refused' perf/bench/bench.py --build build/asan
check 'its programs build' make -s bench-programs
says 'report.md has it all' 'all rows run to their end' \
    timeout 170 perf/bench/bench.py --build build/release --form toy --out "$dir/bench"
check 'the report has every row, and accounts for every datagram' python3 - "$dir/bench/report.json" << 'END'
import json, re, sys
report = json.load(open(sys.argv[1]))
# What may stand against a row here: the machine does something else, and all is small.
may = re.compile('like gauges|orders are not 10 M|two generators|generator retries|within a slice|no second core')
assert set(report['rows']) == {f'P{n}' for n in range(1, 10)}, report['rows'].keys()
for name, row in report['rows'].items():
    assert {'value', 'unit', 'target', 'floor', 'met', 'floor_met', 'slices'} <= set(row), (name, row.keys())
    assert all(may.search(reason) for reason in row['reasons']), (name, row['reasons'])
    assert row['slices'] or 'no second core' in row['reasons'][0], name
    assert not (row['met'] and row['reasons']), name
    for one in row['slices']:
        assert one.get('gauges') or name == 'P8', (name, one)
        if 'offered' in one:
            assert one['offered'] == one['answered'] + sum(one['lost'].values()) > 0, (name, one)
for name in 'P1', 'P2', 'P3', 'P5', 'P6', 'P7':
    sides = {one['side'] for one in report['rows'][name]['slices']}
    assert sides == {'engine', 'peer'}, (name, sides)
assert all(report[key] for key in ('commit', 'compiler', 'flags', 'cpu', 'versions', 'configuration', 'seeds'))
assert {'engine', 'testpmd', 'redis'} <= set(report['configuration']), report['configuration'].keys()
END
check 'the page has its tables' test "$(grep -c '^|---' "$dir/bench/report.md")" = 2
for plot in throughput latency cost; do
    check "$plot is a plot" python3 -c '
import sys, xml.etree.ElementTree as tree
assert tree.parse(sys.argv[1]).getroot().tag.endswith("svg")' "$dir/bench/$plot.svg"
done
