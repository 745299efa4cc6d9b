#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What conf/ gives to Prometheus and Grafana: promtool takes the alert rules and their tests, and
# rules, dashboard, docs and the engine speak of the same figures. And the pages' links.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check 'promtool takes the alert rules' promtool check rules conf/alerts.yaml
check 'each alert fires when it should and not else' promtool test rules tests/alerts/rules.yaml
"$build/flashgated" --describe-metrics > "$dir/metrics.md"
check 'docs/metrics.md is what the engine tells' diff "$dir/metrics.md" docs/metrics.md
check 'alerts, dashboard and docs go together' python3 tests/smoke/alerts.py "$dir/metrics.md"
sed 's/flashgate_delivery_lag/flashgate_delivery_lagg/' conf/alerts.yaml > "$dir/alerts.yaml"
refused 1 'alerts.py: flashgate_delivery_lagg is no metric' 'a metric that there is not is found' \
    tests/smoke/alerts.py "$dir/metrics.md" "$dir/alerts.yaml"
check 'links, sections and alarms of the pages are there' tests/smoke/pages.py
mkdir "$dir/tree"
ln -s "$PWD"/* "$dir/tree"
rm "$dir/tree/docs"
cp -r docs "$dir/tree"
echo 'See "Upgrades".' >> "$dir/tree/docs/operations.md"
refused 1 'no section "Upgrades"' 'a section that there is not is found' tests/smoke/pages.py "$dir/tree"
