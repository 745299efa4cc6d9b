# SPDX-License-Identifier: BSD-3-Clause
"""The rows of the benchmark: what each measures, against whom, and what is wanted of it. All else of the
benchmark goes by this table: measure.py has a function for each row, sums.py judges its parts, report.py prints it.

A part's value is judged against its target and its floor. A row is met if all its parts are, and its value is
that of the part furthest from its target. `better` says which side of the target is the good one; a part
without a target is shown and not judged."""

from dataclasses import dataclass

MORE, LESS = 'more', 'less'


@dataclass(frozen=True)
class Part:
    name: str
    what: str
    unit: str
    target: float | None
    floor: float | None
    better: str = MORE


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    workload: str
    peer: str
    value: str  # how it comes from the slices
    parts: tuple
    accounts: bool = True  # of its slices: something is offered in each
    limits: bool = True  # who was the limit is told: a worker is asked for as much as it can do


PAIRS = 'median of the ratios of pairs whose gauges are alike'

ROWS = (
    Row('P1', 'one order a datagram',
        'one signed order per datagram, 10 M distinct buyers, items sold out, steady, flat out',
        'testpmd, macswap, the same frames', PAIRS,
        (Part('ratio', 'of the peer\'s rate', 'x', 0.80, 0.65),)),
    Row('P2', '32 orders a datagram',
        '32 signed orders per datagram, else as P1',
        'Redis 7, the sale in one Lua script, the better of 1 and 32 orders a call, pipelined',
        f'decisions: median of the engine\'s slices; against Redis: {PAIRS}',
        (Part('decisions', 'decisions of one worker core', '1/s', 40e6, 25e6),
         Part('ratio', 'of Redis\' orders', 'x', 100, 60))),
    Row('P3', 'mixed sale',
        '1 and 32 orders per datagram: 5 % retries of admitted orders, 0.5 % new admissions, the rest refused',
        'the engine itself under P1 and P2', PAIRS + '; the mix is that of the engine\'s counters',
        (Part('one', 'of P1\'s rate, 1 order a datagram', 'x', 0.85, 0.70),
         Part('many', 'of P2\'s rate, 32 orders a datagram', 'x', 0.85, 0.70))),
    Row('P4', 'durable admissions',
        'admissions only, unlimited stock, distinct buyers, ack: durable, one order per datagram, by schedule',
        'none', 'the highest rate of the ladder that was held, and held when run long',
        (Part('orders', 'durable orders', '1/s', 1e6, 0.6e6),
         Part('p99', 'acknowledged, 99 of 100, from the schedule', 'ms', 5, 5, LESS))),
    Row('P5', 'delivery',
        'logged orders delivered into a local Redis, no traffic',
        'pipelined XADD of the same fields with explicit ids, one connection, into the same Redis', PAIRS,
        (Part('ratio', 'of plain XADD', 'x', 0.7, 0.5),), limits=False),
    Row('P6', 'latency of refusals',
        'P1\'s datagrams by schedule, at half of P1\'s rate, from the scheduled send time',
        'testpmd\'s echo, the same frames and rate', PAIRS,
        (Part('p50', 'of the echo\'s median', 'x', 1.5, 2, LESS),
         Part('p99', 'of the echo\'s p99', 'x', 2, 3, LESS)), limits=False),
    Row('P7', 'what scale costs',
        'P1\'s datagrams with many items, many buyers, and refusals that need the buyer',
        'the engine itself, the smaller case', f'loss: 100 - 100 x {PAIRS}',
        (Part('items', '10,000 items against one hot item', '% lost', 10, 20, LESS),
         Part('buyers', '50 M distinct buyers against 1 M', '% lost', 25, 40, LESS),
         Part('limits', 'LIMIT_REACHED in an open sale against SOLD_OUT', '% lost', 10, 20, LESS))),
    Row('P8', 'memory of an admitted order',
        '10 M admitted orders in an engine with room for them',
        'an engine with room for the least', 'resident memory and huge pages, all told, from /proc',
        (Part('order', 'an order, above the engine with least room', 'bytes', 128, 192, LESS),
         Part('total', 'the whole engine', 'GiB', 1.5, 1.5, LESS)), limits=False),
    Row('P9', 'own lines against one counter',
        'two threads on a core each count, in memory, without an engine',
        'both in one line', 'median of the runs; why it is so is in docs/benchmarks.md',
        (Part('ratio', 'counts of own lines, of those of a shared one', 'x', None, None),), accounts=False, limits=False),
)


@dataclass(frozen=True)
class Form:
    """How much of everything. Only `full` is a measurement; the others keep the way to it open."""
    pairs: int
    pairs_least: int  # with like gauges, or there is no value
    pairs_most: int  # as long as fewer than `pairs` have like gauges
    slice_s: float
    gauge_ms: int
    probe: int  # requests from which a rate is guessed; 0: the least are asked
    buyers: int  # of P1 and its kin
    buyers_many: tuple  # of P7
    items_many: int
    limit_buyers: int
    durable_s: float
    durable_ladder: tuple  # orders a second, of P4
    backlog: int  # orders that P5 delivers
    memory_orders: int  # of P8
    cap: int | None = None  # most requests in a slice
    idle: str = 'poll'  # of the worker; a toy leaves the core to others
    mbufs: int = 65536  # of each part
    sold: int = 10_000  # units of what is sold out
    orders: int = 1_000_000  # that the engine which refuses has room for
    room: int = 400_000  # for orders admitted by the way in a pair of slices
    wanted: float = 0.95  # of a slice's answers are the verdict it is about
    budget_s: int = 1400  # no slice begins later
    durable_tries: int = 1  # of a rate, for a second, before it is run so long
    durable_longs: int = 1  # runs of durable_s at most: at the next rate of the ladder, if one was not held


FORMS = {
    'full': Form(15, 8, 45, 0.4, 20, 500_000, 10_000_000, (1_000_000, 50_000_000), 10_000, 20_000, 30,
                 (1_200_000, 1_000_000, 900_000, 800_000, 700_000, 600_000, 400_000, 200_000, 100_000),
                 10_000_000, 10_000_000, durable_tries=3, durable_longs=3),
    'quick': Form(5, 3, 7, 0.25, 10, 100_000, 10_000_000, (1_000_000, 50_000_000), 10_000, 5_000, 3,
                  (1_000_000, 600_000, 300_000, 100_000), 1_200_000, 1_000_000, budget_s=110),
    # No more in a slice than the wire's rings hold: nothing may be lost however busy the machine is.
    'toy': Form(1, 1, 1, 0.05, 2, 0, 100_000, (1_000, 100_000), 100, 64, 0.2, (2000,), 20_000, 5_000, 1000,
                'yield', 8192, 1_000, 10_000, 10_000, 0.9, 120),
}
