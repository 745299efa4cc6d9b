# SPDX-License-Identifier: BSD-3-Clause
"""metrics.py PAGE STATUS: reads an OpenMetrics page as strictly as its reference parser does, and
compares it with what status said a moment later."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

page = {}
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    for sample in family.samples:
        page[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
status = json.load(open(sys.argv[2]))


def total(name, **labels):
    """The sum of a metric's samples that have these labels."""
    found = [value for (metric, own), value in page.items()
             if metric == name and labels.items() <= dict(own).items()]
    assert found, f'{name} {labels} is not on the page'
    return sum(found)


def same(name, wanted, **labels):
    value = total(name, **labels)
    assert value == wanted, f'{name} {labels}: {value}, status says {wanted}'


totals = status['totals']
for verdict, count in totals['verdicts'].items():
    same('flashgate_decisions_total', count, verdict=verdict)
assert totals['verdicts']['ADMITTED'] == 3
for reason, count in totals['counters'].items():
    if reason.startswith('drop_'):
        same('flashgate_drops_total', count, reason=reason[5:])
same('flashgate_tx_replies_total', totals['counters']['tx_replies'])
same('flashgate_orders', totals['gauges']['orders'])
for worker in status['workers']:
    same('flashgate_rx_frames_total', worker['counters']['rx_frames'],
         worker=str(worker['worker']))
    same('flashgate_worker_state', 1, worker=str(worker['worker']), state=worker['state'])
    for stage, cycles in worker['stages'].items():
        assert cycles <= worker['busy_cycles'], f'{stage}: {cycles} of {worker["busy_cycles"]}'
    off = sum(worker['stages'].values()) - worker['busy_cycles']
    assert abs(off) <= worker['busy_cycles'] / 100, f'stages: {off} more than all busy cycles'
each = totals['cycles_per_decision']
assert each['all'] > 0 and abs(sum(each.values()) / each['all'] - 2) < 0.01, each
assert sum(totals['bursts'].values()) <= totals['counters']['rx_frames']
for how in 'at_once', 'parked':
    same('flashgate_reply_seconds_count', totals['latency'][how]['count'], how=how)
same('flashgate_reply_seconds_count', 3, how='parked')
same('flashgate_journal_flush_seconds_count', total('flashgate_journal_frames_total'))
same('flashgate_log_room_bytes', status['journal']['room_bytes'])
same('flashgate_revision', status['revision'])
same('flashgate_mode', 1, mode=status['mode'])
for sale in status['sales']:
    same('flashgate_sale_available', sale['available'], sale=sale['name'])
    same('flashgate_sale_given', sale['given'], sale=sale['name'])
    same('flashgate_sale_state', 1, sale=sale['name'], state=sale['state'])
    for item in sale['items']:
        same('flashgate_item_available', item['available'], item=str(item['id']))
print(len(page), 'samples')
