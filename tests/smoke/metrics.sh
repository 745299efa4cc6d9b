#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What others see of a real engine that sells: the metrics page in both of its dresses and on both
# kinds of socket, DPDK's telemetry, and the stock that product pages read from Redis.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source tests/smoke/redis_lib.bash
in_own_network "$@"

page() { curl -sf --max-time 5 "$@" http://127.0.0.1:9464/metrics; }
checked() { promtool check metrics < "$dir/page"; }
status_of() { curl -s --max-time 5 -o "$dir/other" -w '%{http_code}' "$@"; }

make_veth
write_keys
start_redis
write_config net_af_packet0,iface=fg0 2 "redis:
  socket: $dir/redis.sock
metrics:
  listen: 127.0.0.1:9464"
start_engine
apply_sales
orders 1 3

check 'the page is there' page -o "$dir/page"
check 'promtool accepts it' checked
open_page() {
    page -o "$dir/open" -D "$dir/headers" \
        -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'
}
check 'OpenMetrics is there for who asks' open_page
check 'its type says so' grep -qi \
    '^content-type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$dir/headers"
# A page between two statuses: where those differ, as a stray frame came in, there is nothing to compare.
compared() {
    ctl --json status > "$dir/before" && open_page && ctl --json status > "$dir/after" || return
    figures=0
    # Debian's own interpreter: it has the packages of packages.txt.
    /usr/bin/python3 tests/smoke/metrics.py "$dir/open" "$dir/before" "$dir/after" \
        > "$dir/figures.log" 2>&1 || figures=$?
    [ "$figures" != 3 ]
}
wait_for 20 'two statuses that agree' compared
check 'figures are what status says' test "$figures" = 0
check 'another path is 404' test "$(status_of http://127.0.0.1:9464/)" = 404
check 'POST is 405' test "$(status_of -d x http://127.0.0.1:9464/metrics)" = 405
resident() { awk '/^VmRSS/ { print $2 }' "/proc/${pids[engine]}/status"; }
resident=$(resident)
start scrapers python3 tests/smoke/scrapers.py 127.0.0.1 9464
wait_for 20 'the slow scrapers' grep -q 'all have been there' "$dir/scrapers.log"
served=0
for _ in 1 2 3 4 5; do
    if page -o "$dir/page" && checked && answers > "$dir/answer"; then served=$((served + 1)); fi
    sleep 0.4
done
check 'a hundred slow scrapers keep nobody else from the page, nor from the engine' test "$served" = 5
check "... and little memory ($resident, then $(resident) KiB)" test "$(resident)" -lt $((resident + 16384))
kill "${pids[scrapers]}"
sed 's/listen: 127.0.0.1/listen: 0.0.0.0/' "$dir/engine.yaml" > "$dir/remote.yaml"
refused 3 'metrics.listen: 0.0.0.0:9464 can be reached from other machines' \
    'an address that others reach is refused' "$build/flashgated" --check --config \
    "$dir/remote.yaml"

stock() { redis hget "flashgate:{drop}:stock" "$1"; }
stock_is() { [ "$(stock 1)" = "$1" ]; }
wait_for 5 'the stock of the sale in Redis' stock_is 997
ok 'Redis has the units on sale of a sale'\''s item'
check 'and the sale'\''s state' test "$(stock state)" = open
ttl=$(redis pttl 'flashgate:{drop}:stock')
check "it goes away by itself ($ttl ms)" test "$ttl" -gt 8000 -a "$ttl" -le 10000
redis del 'flashgate:{drop}:stock' > "$dir/deleted"
wait_for 5 'a lost hash to be whole again' stock_is 997
ok 'a hash that was lost is written again as a whole'

telemetry() { echo "$1" | timeout 5 dpdk-telemetry.py -f "$(basename "$dir")"; }
told() { telemetry "$1" | grep -qE "$2"; }
check 'telemetry tells the status' told /flashgate/status '"mode": "running"'
check 'telemetry tells the workers' told /flashgate/workers '"state": "running"'
check 'telemetry tells a worker'\''s counters' told /flashgate/workers,1 '"rx_frames": [0-9]'
check 'telemetry tells the sales' told /flashgate/sales '"name": "drop", "state": "open"'
check 'telemetry tells the units of an item' told /flashgate/sales,drop '"1": 997'
check 'telemetry tells the histograms' told /flashgate/histograms '"parked": .*"count": 3'

stop engine TERM 0
sed -i "s|listen: .*|listen: unix:$dir/metrics.sock|" "$dir/engine.yaml"
start_engine
check 'the page is on a Unix socket' curl -sf --max-time 5 -o "$dir/page" \
    --unix-socket "$dir/metrics.sock" http://engine/metrics
check 'promtool accepts that too' checked
stop engine TERM 0
check 'its file is gone' test ! -e "$dir/metrics.sock"
