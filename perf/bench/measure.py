# SPDX-License-Identifier: BSD-3-Clause
"""How each row of the benchmark is measured: row_p1() ... row_p9() drive the parts and leave slices; what
they return goes to sums.judge()."""

import json
import statistics
import subprocess
import time

import parts
import sums
from turns import ALL_BUYERS, HOT, LIMITED, MANY, OPEN, redis_slice

DRAWN_AGAIN = 100  # units a buyer may have where each is drawn: of so many some come more than once
REDIS_DEPTH = {1: 64, 32: 8}  # calls under way, by orders a call


def row_p1(bench, run):
    engine = bench.refusing()
    slices = bench.alternate(run, bench.asking(engine, [HOT]), bench.echoing())
    run.part('ratio', sums.ratio, slices, bench.form.pairs_least)
    bench.rates['P1'] = statistics.median(one['value'] for one in slices if one['side'] == 'engine')


def redis_sale(bench, redis, batch):
    return redis_slice(bench, redis, 'sale', batch=batch, depth=REDIS_DEPTH[batch])


def row_p2(bench, run):
    engine, redis = bench.refusing(), bench.redis()
    bench.only(redis)
    redis.ask('set', 'bench:left', '0')
    tried = {batch: statistics.median(redis_sale(bench, redis, batch)['value'] for _ in range(3))
             for batch in REDIS_DEPTH}
    batch = max(tried, key=tried.get)
    run.more['redis'] = {f'{count} a call': rate for count, rate in tried.items()}
    slices = bench.alternate(run, bench.asking(engine, [HOT], batch=32),
                             ((redis,), lambda: redis_sale(bench, redis, batch)))
    run.part('decisions', sums.middle, slices, bench.form.pairs_least)
    run.part('ratio', sums.ratio, slices, bench.form.pairs_least)


def row_p3(bench, run):
    engine = bench.mixed()
    # Of the orders that are no retries so many want what is there that they are 0.5 % of all.
    items = {HOT: 94_500, OPEN: 500}
    run.more['mix'] = {}
    for name, batch in ('one', 1), ('many', 32):
        mixed = bench.asking(engine, items, batch=batch, retries=50, wanted=None)
        slices = bench.alternate(run, mixed, bench.asking(engine, [HOT], batch=batch), case=name)
        run.more['mix'][name], faults = sums.mix_of_row([one['mix'] for one in slices if one['side'] == 'engine'])
        run.because(*(f'{name}: {fault}' for fault in faults))
        run.part(name, sums.ratio, slices, bench.form.pairs_least)


def row_p4(bench, run):
    form, longs, engine = bench.form, 0, None
    room = int(form.durable_ladder[0] * form.durable_s + form.durable_tries * sum(form.durable_ladder)) + 10_000

    def started():
        engine = bench.need(f'durable{longs or ""}', lambda: parts.Engine(bench, f'durable{longs or ""}', room))
        engine.open_sale('durable', [(OPEN, room)], limit=DRAWN_AGAIN)
        engine.wait_for_segments()
        return engine

    def admit(rate, seconds):
        one = bench.slice(len(run.slices), 'engine', (engine,), lambda: bench.ask(
            engine, [OPEN], int(rate * seconds), wanted='ADMITTED', rate=rate, buyers=ALL_BUYERS))
        # Orders only, whatever else was answered.
        one['value'] *= one['verdicts'].get('ADMITTED', 0) / max(one['answered'], 1)
        one['held'] = (one['value'] > 0.95 * rate and one['p99'] < 5000 and one['answered'] == one['offered'] and
                       not one['faults'])
        run.slices.append(one)
        return one

    for rate in form.durable_ladder:
        engine = engine or started()
        tries = (admit(rate, min(1, form.durable_s))['held'] for _ in range(form.durable_tries))
        if not any(tries) and rate != form.durable_ladder[-1]:
            continue
        long, longs = admit(rate, form.durable_s), longs + 1
        bench.end(engine.name)
        engine = None  # each long run has one that has admitted nearly nothing
        if long['held'] or longs == form.durable_longs:
            break
    run.because(*long['faults'])
    for one in run.slices:
        one.pop('faults')
    run.found = {'orders': {'value': long['value']}, 'p99': {'value': long['p99'] / 1000}}
    run.more['offered_per_s'] = rate


def row_p5(bench, run):
    form, redis = bench.form, bench.redis()
    redis.go_on()
    engine = bench.need('delivery', lambda: parts.Engine(bench, 'delivery', form.backlog + 1000, redis, 'sleep'))
    bench.only(engine, redis)
    engine.open_sale('delivery', [(OPEN, form.backlog + 1000)], limit=DRAWN_AGAIN)
    engine.wait_for('Redis is connected', lambda: engine.ask('status')['delivery']['lag'] == 0)
    bench.only(engine)
    run.because(*bench.ask(engine, [OPEN], form.backlog, wanted='ADMITTED', buyers=ALL_BUYERS, batch=32,
                           stateless=False)['faults'])

    def deliver():
        seen = []
        for _ in range(2):
            seen.append((engine.status()['delivery']['delivered'], time.monotonic()))
            if len(seen) == 1:
                time.sleep(form.slice_s)
        (before, began), (after, ended) = seen
        left = form.backlog - after
        return {'value': (after - before) / (ended - began), 'offered': form.backlog - before,
                'answered': after - before, 'lost': {'left for later': left} if left else {},
                'faults': [] if left else ['the backlog ended within a slice: make it longer']}

    def add():
        one = redis_slice(bench, redis, 'xadd', depth=512, key='bench:stream')
        redis.ask('unlink', 'bench:stream')
        return one

    slices = bench.alternate(run, ((engine, redis), deliver), ((redis,), add))
    run.part('ratio', sums.ratio, slices, form.pairs_least)
    bench.end('delivery', at_once=True)  # or it would deliver what is left


def row_p6(bench, run):
    if 'P1' not in bench.rates:
        raise sums.Refused('P1 has no rate to go by')
    engine, testpmd = bench.refusing(), bench.testpmd()
    rate = max(int(bench.rates['P1'] / 2), 1000)
    run.more['offered_per_s'] = rate
    count = bench.enough(rate)
    slices = bench.alternate(run, ((engine,), lambda: bench.ask(engine, [HOT], count, rate=rate)),
                             ((testpmd,), lambda: bench.echo(testpmd, count, rate=rate)))
    for name in 'p50', 'p99':
        run.part(name, sums.ratio, slices, bench.form.pairs_least, name)


def lost_percent(slices, least):
    found = sums.ratio(slices, least)
    high, middle, low = (100 - 100 * value for value in found['quartiles'])
    if 'by_busy_share' in found:
        found['by_busy_share'] = 100 - 100 * found['by_busy_share']
    return {**found, 'value': middle, 'quartiles': [low, middle, high]}


def row_p7(bench, run):
    engine, form = bench.refusing(), bench.form
    few, many = form.buyers_many
    hot = {'buyers': few}
    cases = {'items': ([MANY + i for i in range(form.items_many)], hot, hot),
             'buyers': ([HOT], {'buyers': many}, hot),
             'limits': ([LIMITED], {'buyers': form.limit_buyers, 'wanted': 'LIMIT_REACHED'},
                        {'buyers': form.limit_buyers})}
    for name, (items, options, smaller) in cases.items():
        slices = bench.alternate(run, bench.asking(engine, items, **options),
                                 bench.asking(engine, [HOT], **smaller), case=name)
        run.part(name, lost_percent, slices, form.pairs_least)


def row_p8(bench, run):
    orders = bench.form.memory_orders
    least = bench.need('least', lambda: parts.Engine(bench, 'least', 1024))
    before = least.memory()
    bench.end('least')
    engine = bench.need('memory', lambda: parts.Engine(bench, 'memory', orders))
    bench.only(engine)
    engine.open_sale('memory', [(OPEN, orders)], limit=DRAWN_AGAIN)
    at_start = engine.memory()
    one = bench.ask(engine, [OPEN], orders, wanted='ADMITTED', batch=32, buyers=ALL_BUYERS, stateless=False)
    run.because(*one.pop('faults'))
    remembered = engine.status()['totals']['gauges']['orders']
    if remembered != orders:
        run.because(f'{remembered} orders are remembered, wanted {orders}')
    after = engine.memory()
    run.slices.append({'side': 'engine', 'least_bytes': before, 'start_bytes': at_start, 'bytes': after,
                       'orders': orders, **one})
    run.found = {'order': {'value': (after - before) / orders}, 'total': {'value': after / 2**30}}
    if orders < 10_000_000:
        run.because(f'{orders} orders are not 10 M')
    bench.end('memory')


def row_p9(bench, run):
    if len(set(bench.cores)) < 2:
        raise sums.Refused('there is no second core')
    bench.only()
    for number in range(bench.form.pairs):
        before = parts.gauge(bench)
        done = subprocess.run([bench.program('bench/gauge'), 'counters', *map(str, bench.cores),
                               str(int(bench.form.slice_s * 300))], capture_output=True, text=True,
                              timeout=60, check=True)
        found = json.loads(done.stdout)
        run.slices.append({'pair': number, 'side': 'engine', 'gauges': [before, parts.gauge(bench)], **found,
                           'value': found['own_per_s'] / found['shared_per_s']})
    run.part('ratio', sums.middle, run.slices, bench.form.pairs_least)


ROWS = {'P1': row_p1, 'P2': row_p2, 'P3': row_p3, 'P4': row_p4, 'P5': row_p5, 'P6': row_p6, 'P7': row_p7,
        'P8': row_p8, 'P9': row_p9}
