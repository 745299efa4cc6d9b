#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What must be refused, with one sentence and the right exit status, while a running engine goes on:
# a second engine on the same log or socket, wrong files, wrong command lines.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
readonly engine=$build/flashgated ctl=$build/flashgatectl

write_keys
write_config "net_vhost0,iface=$dir/vhost.sock,queues=1" 1
start_engine
cat > "$dir/drop.yaml" << END
name: drop
items:
  - {id: 1, name: plain, stock: 5, max_per_order: 2}
END
check 'a sale is applied' ctl sale apply "$dir/drop.yaml"

# --- A second engine ---
refused 6 'log' 'a second engine on the same log' "$engine" --config "$dir/engine.yaml"
check 'the first one still answers' ctl status
check 'its port is still there' test -S "$dir/vhost.sock"
mkdir "$dir/log2"
refused 6 'socket' 'a second engine on the same control socket' "$engine" --config \
    "$(altered same-socket "s|$dir/log|$dir/log2|; s|vhost|vhost2|g; s|file_prefix: |&second-|")"
check 'the first one still answers' ctl status

# --- Configuration ---
refused 3 'no-such' 'a configuration that is not there' "$engine" --config "$dir/no-such.yaml"
refused 3 'wrong-name.yaml:[0-9]+:[0-9]+: wrokers' 'a name that is unknown' "$engine" --check --config \
    "$(altered wrong-name 's/^workers:/wrokers:/')"
refused 3 ':[0-9]+:[0-9]+: .*workers' 'workers out of range' "$engine" --check --config \
    "$(altered range 's/^workers: 1/workers: 1000/')"
refused 3 ':[0-9]+:[0-9]+: .*base_port' 'a base port that is no multiple' "$engine" --check \
    --config "$(altered base 's/^base_port: .*/base_port: 20481/')"
refused 3 ':[0-9]+:[0-9]+: ' 'what is not YAML' "$engine" --check --config \
    "$(altered yaml 's/^ports:/ports: [/')"
chmod 644 "$dir/keys.yaml"
refused 3 'keys.yaml' 'a key file that others may read' "$engine" --config \
    "$(altered keys "s|$dir/log|$dir/log2|; s|control.sock|control2.sock|; s|vhost|vhost2|g")"
chmod 600 "$dir/keys.yaml"
check '--check accepts a good one' "$engine" --check --config "$dir/engine.yaml"

# --- Command lines ---
refused 2 'no-such-option' 'the engine with an unknown option' "$engine" --no-such-option
refused 2 'config' 'the engine without a configuration' "$engine"
refused 2 'sail open' 'a command nobody knows' "$ctl" --socket "$dir/control.sock" sail open drop
refused 2 'sale open NAME' 'a command without its argument' "$ctl" --socket "$dir/control.sock" sale open
refused 4 "$dir/nowhere" 'a socket nobody answers on' "$ctl" --socket "$dir/nowhere" status
refused 5 'nosuch' 'a sale that is not there' "$ctl" --socket "$dir/control.sock" sale open nosuch
refused 2 'buyer' 'a buyer that is no buyer' "$ctl" --socket "$dir/control.sock" order show x 1
check 'help for the engine' "$engine" --help
check 'help for the CLI' "$ctl" --help

# --- Sale files: refused whole, the running state as it was ---
revision() { ctl --json status | field revision; }
before=$(revision)
bad_sale() { # STATUS TEXT PATTERN: the file is standard input
    cat > "$dir/bad.yaml"
    refused "$1" "$3" "$2" "$ctl" --socket "$dir/control.sock" sale apply "$dir/bad.yaml"
}
bad_sale 3 'an unknown key in a sale' 'bad.yaml:3:[0-9]+: ' << END
name: bad
items:
  - {id: 2, name: x, stock: 5, max_per_order: 2, colour: red}
END
bad_sale 3 'a stock that is no number' 'bad.yaml:3:[0-9]+: ' << END
name: bad
items:
  - {id: 2, name: x, stock: many, max_per_order: 2}
END
bad_sale 3 'a sale name with a slash' 'bad.yaml:1:[0-9]+: ' << END
name: ../bad
items:
  - {id: 2, name: x, stock: 1, max_per_order: 1}
END
bad_sale 3 'an empty sale file' 'bad.yaml' < /dev/null
bad_sale 5 'an item id of another sale' 'item 1' << END
name: bad
items:
  - {id: 1, name: x, stock: 1, max_per_order: 1}
END
check 'the running state is as it was' test "$(revision)" = "$before"
check 'and so is the sale' ctl sale show drop

stop engine INT 0
check 'the control socket is gone' test ! -e "$dir/control.sock"
