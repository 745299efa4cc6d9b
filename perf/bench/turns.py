# SPDX-License-Identifier: BSD-3-Clause
"""Slices, one at a time: all of a row's lie in one run, engine and peer in turns, each with the gauge before and
after it while everybody stands still. Bench has the parts that run and takes the slices; Run has what they come
to for a row."""

import contextlib
import os
import pwd
import tempfile
import time

import pages
import parts
import sums

HOT, OPEN, LIMITED, MANY = 1, 2, 3, 1001  # item ids
ALL_BUYERS = 1_000_000_000  # nearly each asks once


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
        told = dict(self.configuration)
        sold = self.ask(engine, [HOT], self.form.sold, wanted='ADMITTED', buyers=ALL_BUYERS, stateless=False)
        self.configuration = told  # how it is asked when it is measured is to stand there
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
    """One run of the client of Redis, as a slice; the options are the client's."""
    run = parts.redis_client(bench, redis, mode, bench.form.slice_s, **options)
    return {'value': run['orders_per_s'], 'verdicts': run['verdicts'], **options, 'offered': run['offered'],
            'answered': run['answered'], 'lost': {'on the way': run['lost']} if run['lost'] else {},
            'faults': [f'Redis: {run["message"]}'] if run['message'] else []}
