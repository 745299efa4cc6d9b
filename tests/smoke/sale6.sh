#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demo, small, over IPv6: the engine and the generator find each other by neighbour discovery, and
# the books balance.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
readonly report=$build/demo-small6/report.json
rm -f "$report"
check 'a small sale over IPv6 balances its books' env BUILD="$build" perf/demo.sh --small --ipv6
says '^2001:db8:98::1/64 True True$' 'the engine had no other address, and all was answered' \
    python3 - "$report" << 'END'
import json, pathlib, sys
report = json.load(open(sys.argv[1]))
config = pathlib.Path(sys.argv[1]).with_name('engine.yaml').read_text()
address = config.split('address6: "')[1].split('"')[0]
print(address, 'address:' not in config, 0 < report['admitted'] and report['lost'] == 0)
END
