#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""alerts.py METRICS [ALERTS]: do the alert rules, their tests, the dashboard and the runbook speak of
the same alerts, and of metrics that there are, and is on the dashboard what alerts count? METRICS is
what flashgated --describe-metrics says."""

import json
import pathlib
import re
import sys

figures = pathlib.Path(sys.argv[1]).read_text()
alerts = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else 'conf/alerts.yaml').read_text()
tests = pathlib.Path('tests/alerts/rules.yaml').read_text()
runbook = pathlib.Path('docs/operations.md').read_text()
dashboard = json.loads(pathlib.Path('conf/grafana-dashboard.json').read_text())


def wanted(holds, text):
    if not holds:
        sys.exit(f'alerts.py: {text}')


known = set()
for name, kind in re.findall(r'^\|[^|]*\| `(flashgate_\w+)` \|[^|]*\| (\w+) \|', figures, re.M):
    parts = ('_bucket', '_sum', '_count') if kind == 'histogram' else ('',)
    known.update(name + part for part in parts)
wanted(len(known) > 50, f'only {len(known)} metrics in {sys.argv[1]}')

names = re.findall(r'- alert: (\w+)', alerts)
wanted(len(names) > 20 and len(set(names)) == len(names), 'alerts are missing, or there twice')
queries = [target['expr'] for panel in dashboard['panels'] for target in panel['targets']]
queries += [variable['query'] for variable in dashboard['templating']['list']]
for text in (alerts, tests, *queries):
    for name in re.findall(r'\bflashgate_\w+', text):
        wanted(name in known, f'{name} is no metric')
for name in set(re.findall(r'\bflashgate_\w+_total\b', alerts)):
    wanted(any(name in query for query in queries), f'{name}, which an alert goes by, is on no panel')
for name in names:
    wanted(f'- name: {name}\n' in tests, f'{name} has no test in tests/alerts/rules.yaml')
    entry = re.search(rf'^### {name}\n\n(\w.+?)\n\*\*Look:\*\* (.+?)\n\*\*Do:\*\* \S', runbook, re.M | re.S)
    wanted(entry and '\n\n' not in entry[0].split('\n\n', 1)[1],
           f'{name} has no entry in docs/operations.md of what it means, **Look:** and **Do:**')
    wanted(f'docs/operations.md#{name.lower()}\n' in alerts, f'{name} does not name its entry')
for name in re.findall(r'^### (Flashgate\w+)', runbook, re.M):
    wanted(name in names, f'docs/operations.md tells of {name}, which is no alert')
print(len(names), 'alerts,', len(queries), 'queries')
