# SPDX-License-Identifier: BSD-3-Clause
"""How each row of the benchmark is measured: row_p1() ... row_p9() drive the parts and leave slices; what
they return goes to sums.judge(). All of a row's slices lie in one run, engine and peer in turns, each turn
with the gauge before and after it while everybody stands still."""

import contextlib
import json
import os
import pwd
import statistics
import subprocess
import tempfile
import time

import pages
import parts
import sums

HOT, OPEN, LIMITED, MANY = 1, 2, 3, 1001  # item ids
ALL_BUYERS = 1_000_000_000  # nearly each asks once
DRAWN_AGAIN = 100  # units a buyer may have where each is drawn: of so many some come more than once
REDIS_DEPTH = {1: 64, 32: 8}  # calls under way, by orders a call


class Run:
    """What a row leaves."""

    def __init__(self):
        self.found, self.slices, self.reasons, self.more = {}, [], [], {}

    def part(self, name, function, *arguments, **options):
        """A part's sums; refused is a reason."""
        try:
            self.found[name] = function(*arguments, **options)
        except sums.Refused as refusal:
            self.reasons.append(f'{name}: {refusal}')

    def because(self, *reasons):
        self.reasons += [reason for reason in reasons if reason not in self.reasons]


class Bench:
    """The form, the cores, the folder and the parts that run."""

    def __init__(self, build, form):
        self.build, self.form, self.seed = build, form, 0
        self.deadline, self.pages, self.keys = time.monotonic() + form.budget_s, None, None
        self.user = pwd.getpwuid(os.getuid()).pw_name
        allowed = sorted(os.sched_getaffinity(0))
        self.cores = (allowed[1] if len(allowed) > 1 else allowed[0], allowed[0])  # worker, all else
        self.running, self.dir, self.rates, self.configuration = {}, None, {}, {}

    @contextlib.contextmanager
    def started(self):
        with tempfile.TemporaryDirectory(prefix='flashgate-bench.') as self.dir:
            os.environ['RUNTIME_DIRECTORY'] = self.dir
            self.keys = parts.write_keys(self)
            with pages.reserved(parts.huge_mib(self.form)) as self.pages:
                try:
                    yield self
                finally:
                    with contextlib.ExitStack() as ends:  # of all, whatever one's end comes to
                        for name in self.running:
                            ends.callback(self.end, name)

    def program(self, name):
        return os.path.join(self.build, name)

    def need(self, name, make):
        """The part of that name, started if it does not run."""
        if name not in self.running:
            self.only()
            part = make()
            self.configuration[name] = getattr(part, 'config', None) or part.arguments
        return self.running[name]

    def end(self, name, at_once=False):
        self.running.pop(name).stop(at_once)

    def only(self, *active):
        """Everybody else stands still."""
        for part in self.running.values():
            if part not in active:
                part.pause()
        for part in active:
            part.go_on()

    def next_seed(self):
        self.seed += 1
        return self.seed

    def slice(self, pair, side, active, measure):
        if time.monotonic() > self.deadline:
            raise sums.Refused('the benchmark\'s time was up before its end')
        self.only()
        before = parts.gauge(self)
        self.only(*active)
        found = measure()
        self.only()
        return {'pair': pair, 'side': side, 'gauges': [before, parts.gauge(self)], **found}

    def alternate(self, run, engine, peer, case=None):
        """Pairs of slices, each a (parts, function); who begins takes turns. They are added to run.slices and
        returned. More than the form's, as long as too few have like gauges."""
        slices = []
        for pair in range(self.form.pairs_most):
            if pair >= self.form.pairs and sums.enough(slices, self.form.pairs):
                break
            sides = [('engine', *engine), ('peer', *peer)]
            for side, active, measure in sides if pair % 2 == 0 else reversed(sides):
                one = self.slice(pair, side, active, measure)
                if case:
                    one['case'] = case
                slices.append(one)
                run.slices.append(one)
                run.because(*one.pop('faults'))
        return slices

    # --- the engines that refuse: one at a time, each with an item that has sold out ---

    def refusing(self):
        """Of P1, P2, P6 and P7: with room for as many orders as a sale wants."""
        def make():
            form = self.form
            limited = form.limit_buyers * (form.pairs_most + 2)
            engine = self.sold_out('engine', max(form.orders, 2 * (limited + form.sold)))
            engine.open_sale('many', [(MANY + i, 0) for i in range(form.items_many)])
            engine.open_sale('limits', [(LIMITED, limited)])
            return engine
        return self.need('engine', make)

    def mixed(self):
        """Of P3: with room for what it admits by the way."""
        def make():
            form = self.form
            admitted = form.probe * 4 + form.pairs * form.room
            engine = self.sold_out('mixed', form.sold + admitted)
            engine.open_sale('open', [(OPEN, admitted // 2)])
            return engine
        return self.need('mixed', make)

    def sold_out(self, name, orders):
        for other in {'engine', 'mixed'} & set(self.running):
            self.end(other)
        engine = parts.Engine(self, name, orders)
        self.only(engine)
        engine.open_sale('drop', [(HOT, self.form.sold)])
        sold = self.ask(engine, [HOT], self.form.sold, wanted='ADMITTED', buyers=ALL_BUYERS, stateless=False)
        if sold['faults']:
            raise parts.Failed(f'{name}: what was to be sold out is not: {sold["faults"]}')
        return engine

    def testpmd(self):
        return self.need('testpmd', lambda: parts.Testpmd(self))

    def redis(self):
        return self.need('redis', lambda: parts.Redis(self))

    def ask(self, engine, items, requests, wanted='SOLD_OUT', **options):
        """One run of the generator between two looks at the engine, as a slice."""
        options = {'buyers': self.form.buyers, 'seed': self.next_seed(), **options}
        before = engine.status()
        run = parts.load(self, engine, items, requests, **options)
        after = engine.status()
        grown = {}
        for kind in 'counters', 'verdicts':
            for name, count in after['totals'][kind].items():
                grown[name] = count - before['totals'][kind].get(name, 0)
        faults = []
        if run['answered'] != run['requests'] and not run['stateless']:
            faults.append(f'{run["requests"] - run["answered"]} orders without an answer')
        share = run['verdicts'].get(wanted, 0) / max(run['answered'], 1) if wanted else 1
        if share < self.form.wanted:
            faults.append(f'{share:.1%} of the answers are {wanted}, wanted {self.form.wanted:.0%}: {run["verdicts"]}')
        return {**slice_of(run), 'busy': busy(before, after, run), 'faults': faults, 'requests': requests,
                **options, **sums.datagrams(run, grown), 'verdicts': run['verdicts'], 'mix': sums.mix_of(grown),
                'resent': run['retransmissions'],
                **sums.cycles(before['totals'], after['totals'], grown)}

    def echo(self, testpmd, requests, **options):
        """The same run against testpmd."""
        options = {'buyers': self.form.buyers, 'seed': self.next_seed(), **options}
        before = testpmd.counters()
        run = parts.load(self, testpmd, [HOT], requests, echo=True, **options)
        after = testpmd.counters()
        account = sums.echoes(run, {name: after[name] - before[name] for name in after})
        return {**slice_of(run), 'faults': [], 'requests': requests, **options, **account}

    def enough(self, rate):
        """Requests that fill a slice at that rate."""
        count = max(int(rate * self.form.slice_s), 1000)
        return min(count, self.form.cap) if self.form.cap else count

    def asking(self, engine, items, **options):
        """A side: the engine asked flat out, for as many requests as a probe says fill a slice."""
        count = self.enough(0)
        if self.form.probe:
            self.only(engine)
            probe = self.ask(engine, items, self.form.probe, **{**options, 'wanted': None})
            count = self.enough(probe['value'])
        return (engine,), lambda: self.ask(engine, items, count, **options)

    def echoing(self, **options):
        testpmd = self.testpmd()
        count = self.enough(0)
        if self.form.probe:
            self.only(testpmd)
            count = self.enough(self.echo(testpmd, self.form.probe, **options)['value'])
        return (testpmd,), lambda: self.echo(testpmd, count, **options)


def slice_of(run):
    """What the generator's report says, whatever it was sent to."""
    return {'value': run['decisions_per_s'], 'p50': run['p50_us'], 'p99': run['p99_us'],
            'curve': [[50, run['p50_us']], [90, run['p90_us']], [99, run['p99_us']],
                      [99.9, run['p999_us']], [100, run['max_us']]],
            'generator': run.get('generator')}


def busy(before, after, run):
    """Of the time of the load alone: a worker is idle before and after it. Above 1 is the clocks' error."""
    def cycles(key):
        return sum(w[key] for w in after['workers']) - sum(w[key] for w in before['workers'])
    a_second = cycles('total_cycles') / len(after['workers']) / (after['asked_at'] - before['asked_at'])
    if run['duration_s'] <= 0 or a_second <= 0:
        return None
    return min(cycles('busy_cycles') / len(after['workers']) / (run['duration_s'] * a_second), 1.0)


def redis_slice(bench, redis, mode, **options):
    run = parts.redis_client(bench, redis, mode, bench.form.slice_s, **options)
    return {'value': run['orders_per_s'], 'verdicts': run['verdicts'], **options, 'offered': run['offered'],
            'answered': run['answered'], 'lost': {'on the way': run['lost']} if run['lost'] else {},
            'faults': [f'Redis: {run["message"]}'] if run['message'] else []}


def redis_sale(bench, redis, batch):
    return redis_slice(bench, redis, 'sale', batch=batch, depth=REDIS_DEPTH[batch])


def row_p1(bench, run):
    engine = bench.refusing()
    slices = bench.alternate(run, bench.asking(engine, [HOT]), bench.echoing())
    run.part('ratio', sums.ratio, slices, bench.form.pairs_least)
    bench.rates['P1'] = statistics.median(one['value'] for one in slices if one['side'] == 'engine')


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
