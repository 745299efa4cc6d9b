#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demo, small: the engine on the shared-memory wire, the generator, Redis, and books that must
# balance.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
readonly report=$build/demo-small/report.json
rm -f "$report"
check 'a small sale balances its books' env BUILD="$build" perf/demo.sh --small
check 'the report has what programs read, and it adds up' python3 - "$report" << 'END'
import json, sys
report = json.load(open(sys.argv[1]))
wanted = '''requests answered lost retransmissions admitted stock oversold unsold duplicate_orders
            redis_orders decisions_per_s p50_us p99_us p999_us'''.split()
missing = [name for name in wanted if name not in report]
assert not missing, f'missing: {missing}'
assert report['requests'] == report['answered'] + report['lost'], report
assert 0 < report['admitted'] <= report['redis_orders'], report
assert report['oversold'] == report['unsold'] == report['duplicate_orders'] == 0, report
assert 0 < report['p50_us'] <= report['p99_us'] <= report['p999_us'], report
END
