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
stream_is() { grep -qE "\"stream\": *\"$2\"" <(ctl --json sale show "$1"); }

# equal_to_log SALE [LOG]: the stream's entries are the sale's order events in the log, id by id and
# field by field; says how many.
equal_to_log() {
    "$build/flashgatectl" journal dump "${2:-$dir/log}" --sale "$1" --json > "$dir/log-lines" &&
        redis xrange "flashgate:{$1}:orders" - + > "$dir/stream-lines" &&
        python3 - "$dir/log-lines" "$dir/stream-lines" << 'END'
import json, sys
names = 'event order buyer request item quantity at hold_ms'.split()
records = map(json.loads, open(sys.argv[1]))
logged = [[r['id'], *(w for name in names for w in (name, str(r[name])))]
          for r in records if 'hold_ms' in r]
words = open(sys.argv[2]).read().split()
stored = [words[at:at + 17] for at in range(0, len(words), 17)]
print(len(logged))
sys.exit(not logged or logged != stored)
END
}
# whole WHEN [LOG]: a case for each sale: soon its stream is what the log says, entry by entry.
whole() {
    local sale
    for sale in drop other; do
        wait_for 20 "the stream of $sale to equal the log $1" equal_to_log "$sale" "${2:-}"
        ok "$1 the stream of $sale equals the log"
    done
}
