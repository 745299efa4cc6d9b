# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the scripts of this folder that measure share, beside what smoke tests do: source it first.
source "$(dirname "${BASH_SOURCE[0]}")/../tests/smoke/lib.sh"

# options FLAGS NAMES ARGUMENT...: --NAME WORD sets the variable NAME, --FLAG sets FLAG to true, and --help
# prints the script's head; no other is known. FLAGS and NAMES are lists with a blank between. What a word must be
# like its reader checks.
options() {
    local flags=" $1 " names=" $2 " name
    shift 2
    while [ $# -gt 0 ]; do
        name=${1#--}
        if [ "$1" = --help ]; then
            sed -n '3,/^[^#]/s/^# \{0,1\}//p' "perf/${0##*/}"
            exit 0
        elif [[ $1 = --* && $flags = *" $name "* ]]; then
            printf -v "$name" true
        elif [[ $1 = --* && $names = *" $name "* ]]; then
            [ $# -gt 1 ] || die "$1 wants a word behind it"
            printf -v "$name" %s "$2"
            shift
        else
            die "$1 is not an option; --help lists them"
        fi
        shift
    done
}

# begin_drop SED-SCRIPT [MORE]: an engine with one worker on wire.sock that knows of nothing before, its
# configuration changed so, with MORE at its end; sale.yaml, which is named drop, is applied and open.
begin_drop() {
    rm -rf "${dir:?}/log"
    write_config "net_vhost0,iface=$dir/wire.sock,queues=1" 1 "${2:-}"
    sed -i "$1" "$dir/engine.yaml"
    start_engine
    ctl sale apply "$dir/sale.yaml" > "$dir/apply.log" || die 'the sale is not applied'
    ctl sale open drop > "$dir/apply.log" || die 'the sale is not opened'
}
