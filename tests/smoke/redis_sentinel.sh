#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Failover by Redis Sentinel to a replica that lost its tail: the engine asks the sentinel who is
# master now, and the streams are the log again, entry by entry.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/redis_lib.bash"
in_own_network "$@"

readonly master_port=6391 replica_port=6392 sentinel_port=26391
# In a network of its own: the ports are nobody else's.
redis() { redis-cli -p "$redis_port" "$@"; }
redis_port=$master_port

# start_server NAME PORT [MORE...]
start_server() {
    local name=$1 port=$2
    shift 2
    mkdir -p "$dir/$name"
    start "$name" redis-server --port "$port" --bind 127.0.0.1 --dir "$dir/$name" --save '' \
        --appendonly no --daemonize no "$@"
    wait_for 20 "$name to answer" redis-cli -p "$port" ping
}
role_is() { [ "$(redis-cli -p "$1" role | head -1)" = "$2" ]; }
entries() { redis-cli -p "$1" xlen 'flashgate:{drop}:orders'; }
has_entries() { [ "$(entries "$1")" = "$2" ]; }
knows_replica() {
    grep -q "^127.0.0.1:$replica_port\$" <(redis-cli -p $sentinel_port sentinel replicas orders)
}

make_veth
write_keys
start_server master $master_port
start_server replica $replica_port --replicaof "127.0.0.1 $master_port"
cat > "$dir/sentinel.conf" << END
port $sentinel_port
bind 127.0.0.1
dir $dir
sentinel monitor orders 127.0.0.1 $master_port 1
sentinel down-after-milliseconds orders 500
sentinel failover-timeout orders 5000
END
start sentinel redis-server "$dir/sentinel.conf" --sentinel
wait_for 20 'the sentinel to know the replica' knows_replica
write_config net_af_packet0,iface=fg0 1 "redis:
  sentinels: [\"127.0.0.1:1\", \"127.0.0.1:$sentinel_port\"]
  master: orders
  timeout: 500ms"
start_engine
apply_sales
orders 1 20
orders 2 5
whole 'to begin with,'
wait_for 20 'the replica to have it too' has_entries $replica_port 20

# Replication is cut off: the replica has no right any more.
redis-cli -p $replica_port config set masteruser nobody > "$dir/said"
redis-cli -p $replica_port config set masterauth wrong >> "$dir/said"
redis-cli -p $master_port client kill type replica >> "$dir/said"
orders 1 10
wait_for 20 'the master to have them' has_entries $master_port 30
check 'the replica has lost the tail' has_entries $replica_port 20
stop master KILL 137
orders 2 10
wait_for 30 'the failover' role_is $replica_port master
redis_port=$replica_port
whole 'after the failover'
orders 1 5
whole 'later on'
check 'no order was lost' has_entries $replica_port 35

# The old master comes back as the replica that it is now.
start_server master $master_port
wait_for 30 'the old master to follow' role_is $master_port slave
orders 1 5
whole 'with the old master back'
stop engine TERM 0
