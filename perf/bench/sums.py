# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's sums, without processes: ratios from pairs of slices, accounts, verdicts. What cannot be
told from what was measured is refused with its reason, and a row that is refused is not met."""

import statistics

GAUGES_DIFFER = 1.25  # times: between the least and the greatest of a pair's gauges
NEAR = 5  # pairs: slices that are further from each other are not compared
IDLE_MOST = 0.05
# What a mixed sale is made of, and how far it may be from that, in shares of its entries.
MIX = {'retries': (0.05, 0.005), 'admissions': (0.005, 0.0005), 'refused': (0.945, 0.006)}


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


def matched(slices):
    """The pairs that count: a slice of the engine with the nearest one of its peer, if all their gauges are alike.
    Each slice counts once. Nothing is asked of their values, so these do not say which count, nor when to end."""
    list(pairs_of(slices))  # all are there
    peers = [one for one in slices if one['side'] == 'peer']
    found = []
    for engine in (one for one in slices if one['side'] == 'engine'):
        near = [peer for peer in peers if abs(peer['pair'] - engine['pair']) <= NEAR and alike([engine, peer])]
        if near:
            nearest = min(near, key=lambda peer: abs(peer['pair'] - engine['pair']))
            peers.remove(nearest)
            found.append((engine, nearest))
    return found


def enough(slices, wanted):
    """Have so many pairs like gauges?"""
    return len(matched(slices)) >= wanted


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method='inclusive')


def ratio(slices, least, value='value'):
    """Of the engine's figure to its peer's: median and quartiles over the pairs with like gauges."""
    pairs = list(pairs_of(slices))
    kept = matched(slices)
    if len(kept) < max(least, 1):
        raise Refused(f'{len(kept)} of {len(pairs)} pairs have like gauges, wanted {max(least, 1)}')
    for engine, peer in kept:
        if engine[value] <= 0 or peer[value] <= 0:
            raise Refused(f'pair {engine["pair"]}: a side has no {value}')
    low, middle, high = quartiles([engine[value] / peer[value] for engine, peer in kept])
    found = {'value': middle, 'quartiles': [low, middle, high], 'kept': len(kept), 'pairs': len(pairs)}
    if value == 'value' and any('busy' in engine for engine, _ in kept):
        found['by_busy_share'] = statistics.median(by_busy(engine) / by_busy(peer) for engine, peer in kept)
    return found


def by_busy(one):
    """What a side would do if it had more to do, at most; where its busy share is not known, what it did."""
    return one['value'] / one['busy'] if one.get('busy') else one['value']


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
    if not account_of.get('offered'):
        return 'nothing is said to have been offered'
    lost = sum(account_of['lost'].values())
    if any(count < 0 for count in account_of['lost'].values()):
        return f'more was counted than was sent: {account_of["lost"]}'
    if account_of['offered'] != account_of['answered'] + lost:
        return (f'{account_of["offered"]} offered, but {account_of["answered"]} answered and {lost} lost '
                f'by known causes')
    return None


def audit(slices):
    """A sentence for each slice whose account does not add up."""
    for number, one in enumerate(slices):
        if wrong := account(one):
            yield f'slice {number}, of the {one["side"]}: {wrong}'


def mix_of(grown):
    """What an engine's decisions were, by the growth of its counters."""
    mix = {'retries': grown['replays'], 'admissions': grown['ADMITTED'] - grown['replays'],
           'refused': grown['SOLD_OUT']}
    # A question for the engine itself is no order.
    entries = grown['entries'] - grown.get('PONG', 0)
    return {**mix, 'otherwise': entries - sum(mix.values()), 'entries': entries}


def mix_of_row(mixes):
    """(the shares of all slices together, sentences that say where they are not what MIX wants)."""
    entries = sum(mix['entries'] for mix in mixes)
    if entries <= 0:
        return {}, ['the engine decided nothing']
    shares = {name: sum(mix[name] for mix in mixes) / entries for name in [*MIX, 'otherwise']}
    return shares, [f'the mix is off: {shares[name]:.2%} {name}, wanted {wanted:.2%}'
                    for name, (wanted, margin) in MIX.items() if abs(shares[name] - wanted) > margin]


def cycles(before, after, grown):
    """Of two looks at an engine's totals: cycles of a decision by stage, and frames in a burst."""
    bursts = sum(after['bursts'].values()) - sum(before['bursts'].values())
    return {'stages': {name: (count - before['stages'][name]) / max(grown['entries'], 1)
                       for name, count in after['stages'].items()},
            'burst': grown['rx_frames'] / max(bursts, 1)}


def datagrams(run, grown):
    """The account of a run of the generator (its report) by the growth of the engine's counters: what came
    in and was neither dropped by name nor answered is in no cause, and account() finds that."""
    # The questions for the engine itself are among a client's datagrams, but not among those of one that
    # keeps nothing in mind.
    sent, heard = run['datagrams_sent'] + run.get('pings', 0), run['datagrams_received'] + run.get('pongs', 0)
    named = {name: count for name, count in grown.items() if name.startswith('drop_')}
    # Copies of an undecided order are requests, too; what waited too long is none, but answered.
    received = (grown['requests'] + grown.get('queue_aged', 0) + sum(named.values()) -
                named.get('drop_copies', 0))
    lost = {'before the engine': sent - received, **named,
            'reply not taken by the port': grown.get('tx_dropped', 0),
            'reply not heard': grown['tx_replies'] - grown.get('tx_dropped', 0) - heard}
    return {'offered': sent, 'answered': heard, 'lost': {cause: count for cause, count in lost.items() if count}}


def echoes(run, grown):
    """The account of a run against an echo, by the growth of its counters: what came in and what the wire took
    back."""
    sent, heard = run['datagrams_sent'], run['datagrams_received']
    lost = {'before the echo': sent - grown['rx'], 'echo not taken by the port': grown['rx'] - grown['tx'],
            'echo not heard': grown['tx'] - heard}
    return {'offered': sent, 'answered': heard, 'lost': {cause: count for cause, count in lost.items() if count}}


def by_side(slices):
    """The slices of each case and side."""
    groups = {}
    for one in slices:
        groups.setdefault((one.get('case'), one['side']), []).append(one)
    return groups


def limited(slices):
    """Which sides were limited by the generator: an engine that had nothing to do for more than 5 % of the time in
    which it was asked, and a peer whose idle time nobody knows where the generator says that it was the limit
    itself. For each case and side {'case', 'side', 'generator_limited', ...}, an engine's with busy share and
    rate / busy share."""
    found = []
    for (case, side), ones in by_side(slices).items():
        mark = {'case': case, 'side': side}
        if any(one.get('busy') for one in ones):
            ones = [one for one in ones if one.get('busy')]
            mark['busy'] = statistics.median(one['busy'] for one in ones)
            mark['rate'] = statistics.median(one['value'] for one in ones)
            mark['rate_by_busy_share'] = statistics.median(by_busy(one) for one in ones)
            mark['generator_limited'] = mark['busy'] < 1 - IDLE_MOST
        elif all(one.get('generator') for one in ones):
            mark['generator_limited'] = sum(one['generator']['limited'] for one in ones) * 2 > len(ones)
        else:
            continue
        found.append(mark)
    return found


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
    parts, wrong = [], list(audit(slices)) if row.accounts else []
    reasons = [*reasons, *wrong]
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
            'reasons': reasons, 'adds_up': not wrong, 'parts': parts, 'slices': slices}
