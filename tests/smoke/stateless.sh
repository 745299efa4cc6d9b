#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The generator without memory of its requests, against a real engine on the shared-memory wire: what it
# offered is answered, the engine counted the same, retries are replays, and each report adds up.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=2" 2
sed -i 's/orders: 4096/orders: 65536/' "$dir/engine.yaml"
cat > "$dir/rush.yaml" << END
name: rush
items:
  - {id: 1, name: gone, stock: 1, limit: 40, max_per_order: 2}
  - {id: 2, name: plenty, stock: 60000, limit: 40, max_per_order: 2}
END
start_engine
check 'a sale is applied' ctl sale apply "$dir/rush.yaml"
check '... and is opened' ctl sale open rush
generate 2 "$dir/rush.yaml"

# rush NAME ARGUMENT...: a run whose report is NAME.json.
rush() {
    check "$1: a run ends" timeout 60 "${generate[@]}" --stateless --sleep --sample 4 --seed "$((++seed))" \
        --report "$dir/$1.json" --hgrm "$dir/$1.hgrm" "${@:2}"
}
seed=0
rush single --items 1:9,2:1 --profile 0:100,100:100,110:10000,510:10000 --buyer-zipf 1.1
rush full --items 1 --rate 0 --requests 100000 --batch 32 --buyers 1000000 --pool 500
rush mixed --items 1,2 --item-zipf 3 --bots 20 --rate 20000 --requests 8000 --batch 4 --retries 200
rush pooled --items 1:9,2:1 --rate 5000 --requests 8000 --batch 4 --retries 200 --pool 400 --buyers 1000000

# A ring of no more than a burst. A vhost wire that is left is as new for the next one.
generate=("${generate[@]/queue_size=1024/queue_size=64}")
rush small --items 1 --rate 5000 --requests 2000

check 'the reports add up' python3 - "$dir" << 'END'
import json, sys
runs = {name: json.load(open(f'{sys.argv[1]}/{name}.json'))
        for name in ('single', 'full', 'mixed', 'pooled', 'small')}
for name, run in runs.items():
    assert run['requests'] == run['answered'] + run['lost'], (name, run)
    assert run['lost'] == sum(run['lost_by'].values()), (name, run)
    assert run['answered'] == sum(run['answers'].values()) - run['surplus'], (name, run)
    assert run['answered'] > run['requests'] * 0.9, (name, run)
    assert run['answers']['SOLD_OUT'] > 0 and not any(run['drops'].values()), (name, run)
    assert not run['lost_by']['dropped'] and not run['surplus'], (name, run)
    assert 0.2 < run['measured'] * run['batch'] / run['answered'] < 0.3, (name, run)
    assert 0 < run['p50_us'] <= run['p99_us'] <= run['max_us'], (name, run)
    assert 0 <= run['generator']['own_late_share'] <= run['generator']['late_share'] <= 1, (name, run)
    lines = open(f'{sys.argv[1]}/{name}.hgrm').read().splitlines()
    assert lines[0].split() == ['Value', 'Percentile', 'TotalCount', '1/(1-Percentile)'], lines[0]
    last = [line.split() for line in lines[2:] if line[0] != '#'][-1]
    assert int(last[2]) == run['measured'] and abs(float(last[0]) - run['max_us']) < 0.01, last
single = runs['single']
assert single['requests'] == single['datagrams_signed'] == 4060, single
assert runs['full']['datagrams_signed'] < runs['full']['datagrams_sent'] + 500, runs['full']
for mixed in runs['mixed'], runs['pooled']:
    assert 0.86 < mixed['answers']['SOLD_OUT'] / (mixed['answered'] - mixed['retries']) < 0.92, mixed # 8 of 9
    assert 0.1 < mixed['retries'] / mixed['requests'] < 0.25, mixed
    assert mixed['replays'] > mixed['retries'] * 0.9, mixed
    assert mixed['admitted'] + mixed['replays'] == mixed['answers']['ADMITTED'], mixed
# Whom the pool has had admitted it does not ask for again: its items' shares go on being admitted.
pooled = runs['pooled']
assert pooled['replays'] < pooled['retries'] * 1.1 and pooled['admitted'] > pooled['requests'] * 0.06, pooled
END

refused 2 'say who asks; give one of them' 'Zipf and bots together' \
    "${generate[@]}" --stateless --items 1 --buyer-zipf 1 --bots 10
refused 2 'give 2048' 'fewer buyers than datagrams need' \
    "${generate[@]}" --stateless --items 1 --batch 32 --buyers 2047 --rate 1000 --duration 1
