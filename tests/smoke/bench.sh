#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark cannot rot: its sums against cases that must not pass, and all its rows at toy size with
# their peers. No figure is judged: on a machine that does something else there is none.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for test in sums bench; do
    python3 "perf/bench/test_$test.py" 2> "$dir/$test.log" || failures=$((failures + 1))
done
refused 1 'is not measured' 'a sanitized build is refused' perf/bench/bench.py --build build/asan
check 'its programs build' make -s bench-programs
says 'report.md has it all' 'all rows run to their end' \
    timeout 170 perf/bench/bench.py --build build/release --form toy --out "$dir/bench"
check 'the report has every row, and accounts for every datagram' python3 - "$dir/bench/report.json" << 'END'
import json, re, sys
report = json.load(open(sys.argv[1]))
# What may stand against a row here: the machine does something else, and all is small.
may = re.compile('like gauges|orders are not 10 M|the mix is off|within a slice|no second core')
assert set(report['rows']) == {f'P{n}' for n in range(1, 10)}, report['rows'].keys()
for name, row in report['rows'].items():
    assert {'value', 'unit', 'target', 'floor', 'met', 'floor_met', 'slices'} <= set(row), (name, row.keys())
    assert all(may.search(reason) for reason in row['reasons']), (name, row['reasons'])
    assert row['slices'] or 'no second core' in row['reasons'][0], name
    assert not (row['met'] and row['reasons']), name
    assert row['adds_up'] and not row['failed'], (name, row)
    for one in row['slices']:
        assert one.get('gauges') or name == 'P8', (name, one)
        if 'offered' in one:
            assert one['offered'] == one['answered'] + sum(one['lost'].values()) > 0, (name, one)
for name in 'P1', 'P2', 'P3', 'P5', 'P6', 'P7':
    sides = {one['side'] for one in report['rows'][name]['slices']}
    assert sides == {'engine', 'peer'}, (name, sides)
assert all(report[key] for key in ('commit', 'compiler', 'flags', 'cpu', 'versions', 'configuration', 'seeds'))
sides = {name.split(',')[0]: text for name, text in report['configuration'].items()}
assert {'engine', 'testpmd', 'redis', 'client of Redis'} <= set(sides), sides.keys()
# Peers get the same frames, batching, memory and vectors, and are asked by the same generator.
for name in 'engine', 'testpmd', 'generator to engine', 'generator to testpmd':
    assert '--force-max-simd-bitwidth=512' in sides[name], (name, sides[name])
    assert ('--no-huge' in sides[name]) != report['pages']['huge'], (name, report['pages'])
for option in '--requests', '--batch', '--buyers', '--rate', '--key', '--pool', '--window':
    asked = [re.search(f'{option} ([^ ]+)', sides[f'generator to {side}']) for side in ('engine', 'testpmd')]
    assert asked[0] and asked[1] and asked[0][1] == asked[1][1] or asked == [None, None], (option, sides)
assert '--echo' in sides['generator to testpmd'] and '--echo' not in sides['generator to engine']
for setting in 'key_file:', 'block_buyers:', 'ack: durable', 'rx_descriptors: 1024':
    assert setting in sides['engine'], setting
for sale in 'drop', 'many', 'open', 'limits', 'durable', 'delivery', 'memory':
    assert re.search(r'rate: 1000\b.*limit: [1-9]', sides[f'sale {sale}'], re.S), sale
assert '-O2' in report['flags'], report['flags']
for one in (one for row in report['rows'].values() for one in row['slices'] if 'busy' in one):
    assert one['burst'] >= 1 and one['stages']['decide'] > 0, one
for one in report['rows']['P1']['slices'] + report['rows']['P6']['slices']:
    assert one['seed'] and one['p50'] > 0 and one['generator'], one
assert all(one['mix']['entries'] > 0 for one in report['rows']['P3']['slices'])
assert set(report['rows']['P3']['mix']) == {'one', 'many'}
END
check 'the page has its tables' test "$(grep -c '^|---' "$dir/bench/report.md")" = 6
check 'huge pages are as they were' python3 -c '
import json, re, sys
pages = json.load(open(sys.argv[1]))["pages"]
before = re.search("([0-9]+) were reserved before", pages["note"])
print(pages["note"])
assert bool(before) == pages["huge"]
assert not before or open("/proc/sys/vm/nr_hugepages").read().strip() == before[1]' "$dir/bench/report.json"
for plot in throughput latency stages cost; do
    check "$plot is a plot" python3 -c '
import sys, xml.etree.ElementTree as tree
assert tree.parse(sys.argv[1]).getroot().tag.endswith("svg")' "$dir/bench/$plot.svg"
done
