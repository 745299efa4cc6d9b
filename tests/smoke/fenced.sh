#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Another engine has taken over the streams: this one ends with a status of its own, and so does one
# that is started on the same log while the fence stands above its epoch.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export RUNTIME_DIRECTORY=$dir # EAL's own files go with the rest

# ends_fenced TEXT TIMES: a case: the engine ends by itself, with FG_EXIT_FENCED and the reason.
ends_fenced() {
    ends engine 10 "$1"
    check '... and says why' test "$(grep -c 'taken over the streams' "$dir/engine.log")" = "$2"
}

cat > "$dir/sale.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 5, limit: 2}
END
write_keys
start_redis
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 "redis:
  socket: $dir/redis.sock"
start_engine
check 'a sale is applied' ctl sale apply "$dir/sale.yaml"
claimed() { [ -n "$(redis get 'flashgate:{drop}:fence')" ]; }
wait_for 20 'the fence to be claimed' claimed
redis set 'flashgate:{drop}:fence' 500:1 > "$dir/set"
ends_fenced 'an engine that is fenced off ends with its own status' 1
start engine "$build/flashgated" --config "$dir/engine.yaml"
ends_fenced 'started again below the fence, it ends so too' 2
check 'the fence is the other engine'"'"'s still' test \
    "$(redis get 'flashgate:{drop}:fence')" = 500:1
