# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's sums, without processes: ratios from pairs of slices, accounts, verdicts. What cannot be
told from what was measured is refused with its reason, and a row that is refused is not met."""

import statistics

GAUGES_DIFFER = 1.25  # times: between the least and the greatest of a pair's gauges
IDLE_MOST = 0.05


class Refused(Exception):
    """There is no value, for this reason."""


def alike(slices):
    """Was the machine the same all through these slices?"""
    gauges = [gauge for one in slices for gauge in one['gauges']]
    return bool(gauges) and min(gauges) > 0 and max(gauges) / min(gauges) <= GAUGES_DIFFER


def pairs_of(slices):
    """(engine, peer) of each pair number, in order. Both must be there."""
    by_pair = {}
    for one in slices:
        if one['side'] in by_pair.setdefault(one['pair'], {}):
            raise Refused(f'pair {one["pair"]} has two slices of the {one["side"]}')
        by_pair[one['pair']][one['side']] = one
    for number, pair in sorted(by_pair.items()):
        if set(pair) != {'engine', 'peer'}:
            raise Refused(f'pair {number} has no slice of the {"peer" if "engine" in pair else "engine"}')
        yield pair['engine'], pair['peer']


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method='inclusive')


def ratio(slices, least, value='value'):
    """Of the engine's figure to its peer's: median and quartiles over the pairs with like gauges."""
    pairs = list(pairs_of(slices))
    kept = [pair for pair in pairs if alike(pair)]
    if len(kept) < max(least, 1):
        raise Refused(f'{len(kept)} of {len(pairs)} pairs have like gauges, wanted {max(least, 1)}')
    for engine, peer in kept:
        if engine[value] <= 0 or peer[value] <= 0:
            raise Refused(f'pair {engine["pair"]}: a side has no {value}')
    low, middle, high = quartiles([engine[value] / peer[value] for engine, peer in kept])
    return {'value': middle, 'quartiles': [low, middle, high], 'kept': len(kept), 'pairs': len(pairs)}


def middle(slices, least, side='engine', value='value'):
    """Of one side's figure, over slices in which the gauges before and after are alike."""
    mine = [one for one in slices if one['side'] == side]
    kept = [one[value] for one in mine if alike([one])]
    if len(kept) < max(least, 1):
        raise Refused(f'{len(kept)} of {len(mine)} slices have like gauges, wanted {max(least, 1)}')
    low, median, high = quartiles(kept)
    return {'value': median, 'quartiles': [low, median, high], 'kept': len(kept), 'pairs': len(mine)}


def account(account_of):
    """Datagrams, or a peer's calls: {'offered', 'answered', 'lost': {cause: count}}. The sentence that says
    what does not add up, or None. Nothing is lost without a cause."""
    lost = sum(account_of['lost'].values())
    if any(count < 0 for count in account_of['lost'].values()):
        return f'more was counted than was sent: {account_of["lost"]}'
    if account_of['offered'] != account_of['answered'] + lost:
        return (f'{account_of["offered"]} offered, but {account_of["answered"]} answered and {lost} lost '
                f'by known causes')
    return None


def datagrams(run, grown):
    """The account of a run of the generator (its report) by the growth of the engine's counters: what came
    in and was neither dropped by name nor answered is in no cause, and account() finds that."""
    # The questions for the engine itself are among a client's datagrams, but not among those of one that
    # keeps nothing in mind.
    pings = grown.get('PONG', 0) if run.get('stateless') else 0
    sent, heard = run['datagrams_sent'] + pings, run['datagrams_received'] + pings
    named = {name: count for name, count in grown.items() if name.startswith('drop_')}
    # Copies of an undecided order are requests, too; what waited too long is none, but answered.
    received = (grown['requests'] + grown.get('queue_aged', 0) + sum(named.values()) -
                named.get('drop_copies', 0))
    lost = {'before the engine': sent - received, **named,
            'reply not taken by the port': grown.get('tx_dropped', 0),
            'reply not heard': grown['tx_replies'] - grown.get('tx_dropped', 0) - heard}
    return {'offered': sent, 'answered': heard, 'lost': {cause: count for cause, count in lost.items() if count}}


def limited(slices):
    """By the generator: the engine had nothing to do for more than 5 % of the time in which it was asked.
    None if it is not known."""
    busy = [one['busy'] for one in slices if one['side'] == 'engine' and one.get('busy')]
    if not busy:
        return None
    share = statistics.median(busy)
    rates = [one['value'] / one['busy'] for one in slices if one['side'] == 'engine' and one.get('busy')]
    return {'busy': share, 'generator_limited': share < 1 - IDLE_MOST,
            'rate_by_busy_share': statistics.median(rates)}


def met(value, wanted, better):
    if wanted is None:
        return True
    return value is not None and (value >= wanted if better == 'more' else value <= wanted)


def distance(part, value):
    """How far from its target, 1 being there and more being better: by it a row's worst part is found."""
    if value is None:
        return float('-inf')
    if part.target is None:
        return 1.0
    if part.better == 'more':
        return value / part.target
    return part.target / value if value > 0 else float('inf')


def judge(row, found, slices, reasons):
    """The row of report.json. found: {part name: {'value': ...}}; a part that is not in it has no value, and
    `reasons` must say why, or it is said here that nobody knows. Any reason at all: the row is not met."""
    parts, reasons = [], list(reasons)
    for part in row.parts:
        sums = found.get(part.name, {'value': None})
        if sums['value'] is None and not reasons:
            reasons.append(f'{part.name} was not measured')
        parts.append({'name': part.name, 'what': part.what, 'unit': part.unit, 'target': part.target,
                      'floor': part.floor, 'better': part.better, **sums,
                      'met': met(sums['value'], part.target, part.better) and sums['value'] is not None,
                      'floor_met': met(sums['value'], part.floor, part.better) and sums['value'] is not None})
    worst = min(zip(row.parts, parts), key=lambda both: distance(both[0], both[1]['value']))[1]
    return {'title': row.title, 'workload': row.workload, 'peer': row.peer, 'how': row.value,
            'value': worst['value'], 'unit': worst['unit'], 'target': worst['target'], 'floor': worst['floor'],
            'met': not reasons and all(part['met'] for part in parts),
            'floor_met': not reasons and all(part['floor_met'] for part in parts),
            'reasons': reasons, 'parts': parts, 'slices': slices}
