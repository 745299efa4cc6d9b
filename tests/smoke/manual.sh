#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Manual pages and completion as `make man` leaves them: whole, told right, and what the shell offers
# where a running engine has sales.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

variant=()
[ "$build" != build/asan ] || variant=(SANITIZE=1)
check 'pages and completion are made' make -s "${variant[@]}" man
readonly pages=(flashgatectl.1 flashgated.8 flashgate-load.1 flashgate-check.1 flashgated.yaml.5
    flashgate-sale.yaml.5)
check 'there is a page for each program and file' ls "${pages[@]/#/build/man/}"

# What scdoc makes is told to have empty paragraphs; nothing else may be.
faults() { mandoc -T lint -W warning build/man/*.[158] | grep -v 'skipping paragraph macro'; }
no_faults() { ! faults; }
if command -v mandoc > /dev/null; then check 'mandoc finds no fault in them' no_faults; else
    echo 'skip - mandoc is not there'
fi
page() { mandoc -T utf8 -O width=200 "build/man/$1" 2> /dev/null | sed 's/.\x08//g'; }

# all_in PAGE: every line of standard input is in the page.
all_in() {
    local text word missing=0
    text=$(page "$1")
    while IFS= read -r word; do
        grep -qF -- "$word" <<< "$text" || { echo "$1 has nothing of: $word"; missing=1; }
    done
    return $missing
}
commands() { "$build/flashgatectl" --help | sed -n '/^Commands:/,/^Options:/s/^  \([a-z].*\)/\1/p'; }
# The words of a command: what stands before its arguments, options and help.
command_words() { commands | sed -E 's/ (--|[A-Z]|  ).*//; s/ +$//' | sort -u; }
long_options() { grep -oE -- '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'; }
every_option() {
    local words
    command_words | while read -r words; do
        # shellcheck disable=SC2086
        "$build/flashgatectl" $words --help | long_options
    done | sort -u
}
check 'flashgatectl(1) has every command' all_in flashgatectl.1 < <(command_words | sed 's/^/flashgatectl /')
check 'flashgatectl(1) has every option' all_in flashgatectl.1 < <(every_option)
check 'flashgated(8) has every option' all_in flashgated.8 < <("$build/flashgated" --help | long_options)
check 'flashgate-load(1) has every option' all_in flashgate-load.1 \
    < <("$build/flashgate-load" --help | long_options)
check 'flashgate-check(1) has every option' all_in flashgate-check.1 \
    < <("$build/flashgate-check" --help | long_options)
check 'flashgated.yaml(5) has every option' all_in flashgated.yaml.5 \
    < <("$build/flashgated" --describe-config | grep -oE '^[a-z][^ ]+')
check 'flashgate-sale.yaml(5) has the items' all_in flashgate-sale.yaml.5 \
    < <(printf '%s\n' 'items[].id' 'items[].stock' opens closes late_confirm 'name: spring-drop')
check 'exit statuses are told' all_in flashgated.8 < <(echo 'another engine has taken over')
counted() { [ "$(command_words | wc -l)" -gt 15 ] && [ "$(every_option | wc -l)" -gt 10 ]; }
check 'there was something to look for' counted

# --- completion ---

# offered WORD...: what the shell offers for the last of the words, one a line.
offered() {
    (
        # shellcheck disable=SC1091
        source build/completion/flashgatectl
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _flashgatectl 2> "$dir/completion.err"
        cat "$dir/completion.err" >&2
        printf '%s\n' "${COMPREPLY[@]}"
    )
}
# offers TEXT WANTED WORD...: WANTED are all words that are offered.
offers() {
    local text=$1 wanted=$2 found
    shift 2
    found=$(offered "$@" 2>&1 | sort | paste -sd ' ')
    if [ "$found" = "$wanted" ]; then ok "$text"; else
        not_ok "$text: offered \"$found\", not \"$wanted\""
    fi
}
readonly ctl=$build/flashgatectl
firsts=$(command_words | cut -d' ' -f1 | sort -u | paste -sd ' ')
offers 'first words of commands' "$firsts" "$ctl" ''
offers 'a word that is begun' 'takeover top' "$ctl" t
seconds=$(command_words | sed -n 's/^sale //p' | sort | paste -sd ' ')
offers 'second words' "$seconds" "$ctl" sale ''
offers 'nothing after an unknown word' '' "$ctl" burn ''
offers 'nothing after all arguments' '' "$ctl" sale open spring ''
offers 'options of a command' '--help --history' "$ctl" audit --h
offers 'options of every command before there is one' \
    '--help --json --socket --version' "$ctl" --
offers 'kinds of records' 'SALE SALE_POSITION SALE_STATE' "$ctl" journal dump --kind SALE
offers 'no sale without an engine, and not a word of it' '' \
    "$ctl" --socket "$dir/none.sock" sale open ''
mkdir "$dir/there"
touch "$dir/there/a.yaml"
offers 'files' "$dir/there/a.yaml" "$ctl" sale apply "$dir/there/a"
offers 'folders' "$dir/there" "$ctl" journal verify "$dir/the"
offers 'the file that an option wants' "$dir/there/a.yaml" \
    "$ctl" takeover --config "$dir/there/a"
offers 'the same after =' "$dir/there/a.yaml" "$ctl" takeover --config = "$dir/there/a"

write_keys
write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1
start_engine
id=0
for sale in spring.1 spring.2 winter; do
    echo "{name: $sale, items: [{id: $((++id)), name: x, stock: 1}]}" > "$dir/$sale.yaml"
    check "sale $sale is applied" ctl sale apply "$dir/$sale.yaml"
done
readonly on=("$ctl" --socket "$dir/control.sock")
offers 'sales of the engine' 'spring.1 spring.2 winter' "${on[@]}" sale open ''
offers 'a sale that is begun' 'spring.1 spring.2' "${on[@]}" sale show s
offers 'a sale, with the socket behind the command' winter \
    "$ctl" sale show --socket "$dir/control.sock" w
offers 'a sale, where an option stands before it' winter "${on[@]}" sale show --watch -i 2s w
offers 'a sale as the value of an option' winter "${on[@]}" journal dump --sale w
stop engine TERM 0
