# SPDX-License-Identifier: BSD-3-Clause
"""metrics.py PAGE BEFORE AFTER: reads an OpenMetrics page as strictly as its reference parser does, and
compares it with what status said before and after it. Exit status 3 if those two differ in what is
compared (a stray frame came in, say): then ask again."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

MOVED = 3


def wanted(status):
    """What a page must say by a status: of each figure its metric, labels and value."""
    totals = status['totals']
    for verdict, count in totals['verdicts'].items():
        yield 'flashgate_decisions_total', {'verdict': verdict}, count
    for reason, count in totals['counters'].items():
        if reason.startswith('drop_'):
            yield 'flashgate_drops_total', {'reason': reason[5:]}, count
    yield 'flashgate_tx_replies_total', {}, totals['counters']['tx_replies']
    yield 'flashgate_orders', {}, totals['gauges']['orders']
    for worker in status['workers']:
        own = {'worker': str(worker['worker'])}
        yield 'flashgate_rx_frames_total', own, worker['counters']['rx_frames']
        yield 'flashgate_worker_state', own | {'state': worker['state']}, 1
    for how in 'at_once', 'parked':
        yield 'flashgate_reply_seconds_count', {'how': how}, totals['latency'][how]['count']
    yield 'flashgate_log_room_bytes', {}, status['journal']['room_bytes']
    yield 'flashgate_revision', {}, status['revision']
    yield 'flashgate_mode', {'mode': status['mode']}, 1
    for sale in status['sales']:
        own = {'sale': sale['name']}
        yield 'flashgate_sale_available', own, sale['available']
        yield 'flashgate_sale_given', own, sale['given']
        yield 'flashgate_sale_state', own | {'state': sale['state']}, 1
        for item in sale['items']:
            yield 'flashgate_item_available', {'item': str(item['id'])}, item['available']


def samples(path):
    """By name and labels."""
    page = {}
    for family in text_string_to_metric_families(open(path).read()):
        for sample in family.samples:
            page[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return page


def total(page, name, labels):
    """The sum of a metric's samples that have these labels."""
    found = [value for (metric, own), value in page.items()
             if metric == name and labels.items() <= dict(own).items()]
    assert found, f'{name} {labels} is not on the page'
    return sum(found)


def check_stages(status):
    """What no page has: stages and bursts add up."""
    for worker in status['workers']:
        for stage, cycles in worker['stages'].items():
            assert cycles <= worker['busy_cycles'], f'{stage}: {cycles} of {worker["busy_cycles"]}'
        off = sum(worker['stages'].values()) - worker['busy_cycles']
        assert abs(off) <= worker['busy_cycles'] / 100, f'stages: {off} more than all busy cycles'
    each = status['totals']['cycles_per_decision']
    assert each['all'] > 0 and abs(sum(each.values()) / each['all'] - 2) < 0.01, each
    assert sum(status['totals']['bursts'].values()) <= status['totals']['counters']['rx_frames']


def main():
    page, before, after = samples(sys.argv[1]), *(json.load(open(path)) for path in sys.argv[2:])
    if list(wanted(before)) != list(wanted(after)):
        sys.exit(MOVED)
    for name, labels, value in wanted(after):
        found = total(page, name, labels)
        assert found == value, f'{name} {labels}: {found}, status says {value}'
    assert after['totals']['verdicts']['ADMITTED'] == 3
    assert total(page, 'flashgate_reply_seconds_count', {'how': 'parked'}) == 3
    flushes = total(page, 'flashgate_journal_flush_seconds_count', {})
    assert flushes == total(page, 'flashgate_journal_frames_total', {}), flushes
    check_stages(after)
    print(len(page), 'samples')


main()
