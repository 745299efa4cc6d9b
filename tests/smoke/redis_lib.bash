# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the smoke tests of Redis's faults share: sales, orders, and a stream compared with the log.

# apply_sales: "drop" with item 1 and "other" with item 2, both open.
apply_sales() {
    local name item=1
    for name in drop other; do
        printf 'name: %s\nitems:\n  - {id: %d, name: plain, stock: 1000}\n' "$name" "$item" \
            > "$dir/$name.yaml"
        check "sale $name is applied" ctl sale apply "$dir/$name.yaml"
        check "sale $name is opened" ctl sale open "$name"
        item=$((item + 1))
    done
}

next_buyer=1
# orders ITEM COUNT: admits them.
orders() {
    scenario redis_orders.py "$1" "$next_buyer" $((next_buyer + $2 - 1))
    next_buyer=$((next_buyer + $2))
}

# stream_is SALE STATE: as the engine sees it.
stream_is() { ctl --json sale show "$1" | grep -qE "\"stream\": *\"$2\""; }

# A sale's order events as the log has them, and the entries of its stream: one a line, the id and
# every field.
log_lines() {
    "$build/flashgatectl" journal dump "${2:-$dir/log}" --sale "$1" --json | python3 -c '
import json, sys
names = "event order buyer request item quantity at hold_ms".split()
for line in sys.stdin:
    record = json.loads(line)
    if "hold_ms" in record:
        print(record["id"], *(f"{name}={record[name]}" for name in names))'
}
stream_lines() {
    redis xrange "flashgate:{$1}:orders" - + | python3 -c '
import sys
words = sys.stdin.read().split()
for at in range(0, len(words), 17):
    fields = words[at + 1:at + 17]
    print(words[at], *(f"{name}={value}" for name, value in zip(fields[::2], fields[1::2])))'
}
equal_to_log() {
    log_lines "$1" "${2:-}" > "$dir/log-lines" && stream_lines "$1" > "$dir/stream-lines" &&
        [ -s "$dir/log-lines" ] && cmp -s "$dir/log-lines" "$dir/stream-lines"
}
# whole WHEN [LOG]: a case: soon both streams are what the log says, entry by entry.
whole() {
    local sale
    for sale in drop other; do
        wait_for 20 "the stream of $sale to equal the log $1" equal_to_log "$sale" "${2:-}"
        ok "$1 the stream of $sale equals the log: $(wc -l < "$dir/log-lines") entries"
    done
}
