# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's sums against cases that must not pass. Prints `ok` and `not ok` lines."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import rows
import sums


def pair(number, engine, peer, gauges=(100, 100, 100, 100)):
    return [{'pair': number, 'side': 'engine', 'value': engine, 'gauges': list(gauges[:2])},
            {'pair': number, 'side': 'peer', 'value': peer, 'gauges': list(gauges[2:])}]


def row(name):
    return next(one for one in rows.ROWS if one.name == name)


class Ratios(unittest.TestCase):
    def test_median_and_quartiles_of_pairs(self):
        slices = [one for n, engine in enumerate((50, 60, 70, 80, 90)) for one in pair(n, engine, 100)]
        found = sums.ratio(slices, 5)
        self.assertEqual(found['quartiles'], [0.6, 0.7, 0.8])
        self.assertEqual((found['kept'], found['pairs']), (5, 5))

    def test_pairs_with_other_gauges_do_not_count(self):
        slices = pair(0, 50, 100) + pair(1, 500, 100, (35, 35, 160, 160)) + pair(2, 500, 100, (35, 160, 60, 60))
        found = sums.ratio(slices, 1)
        self.assertEqual((found['value'], found['kept'], found['pairs']), (0.5, 1, 3))

    def test_a_slice_counts_with_the_nearest_that_is_like_it_and_once(self):
        slices = (pair(0, 50, 100, (35, 35, 160, 160)) + pair(1, 60, 200, (35, 35, 35, 35)) +
                  pair(2, 70, 400, (160, 160, 35, 35)))
        found = [(engine['pair'], peer['pair']) for engine, peer in sums.matched(slices)]
        self.assertEqual(found, [(0, 1), (1, 2), (2, 0)])

    def test_slices_far_from_each_other_do_not_count_together(self):
        slices = [one for n in range(sums.NEAR + 1) for one in pair(n, 50, 100, (35, 60, 35, 60))]
        slices += pair(sums.NEAR + 1, 50, 100, (35, 60, 160, 160))
        slices[0]['gauges'] = [160, 160]
        self.assertEqual(sums.matched(slices), [])

    def test_too_few_good_pairs_give_no_ratio(self):
        slices = pair(0, 50, 100) + pair(1, 500, 100, (35, 35, 160, 160))
        with self.assertRaisesRegex(sums.Refused, '1 of 2 pairs have like gauges, wanted 2'):
            sums.ratio(slices, 2)

    def test_only_bad_pairs_give_no_ratio_whatever_is_asked(self):
        with self.assertRaises(sums.Refused):
            sums.ratio(pair(0, 50, 100, (35, 35, 160, 160)), 0)

    def test_pairs_go_on_until_enough_have_like_gauges(self):
        slices = pair(0, 50, 100) + pair(1, 50, 100, (35, 160, 35, 35))
        self.assertTrue(sums.enough(slices, 1))
        self.assertFalse(sums.enough(slices, 2))
        self.assertTrue(sums.enough(slices + pair(2, 1, 100), 2))

    def test_gauges_that_are_not_there_are_not_alike(self):
        slices = pair(0, 50, 100)
        for one in slices:
            one['gauges'] = []
        with self.assertRaises(sums.Refused):
            sums.ratio(slices, 1)

    def test_half_a_pair(self):
        with self.assertRaisesRegex(sums.Refused, 'no slice of the peer'):
            sums.ratio(pair(0, 50, 100)[:1], 1)

    def test_a_peer_that_did_nothing(self):
        with self.assertRaisesRegex(sums.Refused, 'no value'):
            sums.ratio(pair(0, 50, 0), 1)

    def test_absolute_figures_need_steady_slices(self):
        with self.assertRaises(sums.Refused):
            sums.middle(pair(0, 50, 100, (35, 160, 35, 35)), 1)
        self.assertEqual(sums.middle(pair(0, 50, 100), 1)['value'], 50)


class Accounts(unittest.TestCase):
    grown = {'requests': 90, 'drop_mac': 4, 'drop_port': 0, 'tx_dropped': 1, 'tx_replies': 90}

    def test_every_lost_datagram_has_its_cause(self):
        account = sums.datagrams({'datagrams_sent': 100, 'datagrams_received': 87}, self.grown)
        self.assertEqual(account['lost'], {'before the engine': 6, 'drop_mac': 4,
                                           'reply not taken by the port': 1, 'reply not heard': 2})
        self.assertIsNone(sums.account(account))

    def test_a_lost_datagram_shows(self):
        account = sums.datagrams({'datagrams_sent': 100, 'datagrams_received': 99},
                                 {'requests': 100, 'tx_replies': 100})
        self.assertEqual(account['lost'], {'reply not heard': 1})

    def test_a_request_that_nobody_answered_has_no_cause(self):
        account = sums.datagrams({'datagrams_sent': 100, 'datagrams_received': 99},
                                 {'requests': 100, 'tx_replies': 99})
        self.assertIn('100 offered, but 99 answered and 0 lost', sums.account(account))

    def test_pings_and_one_whose_answer_was_lost(self):
        run = {'datagrams_sent': 100, 'datagrams_received': 100, 'pings': 2, 'pongs': 1}
        account = sums.datagrams(run, {'requests': 102, 'tx_replies': 102, 'tx_dropped': 1})
        self.assertEqual((account['offered'], account['answered'], account['lost']),
                         (102, 101, {'reply not taken by the port': 1}))
        self.assertIsNone(sums.account(account))

    def test_an_echo(self):
        account = sums.echoes({'datagrams_sent': 100, 'datagrams_received': 90}, {'rx': 97, 'tx': 92})
        self.assertEqual(account['lost'], {'before the echo': 3, 'echo not taken by the port': 5,
                                           'echo not heard': 2})
        self.assertIsNone(sums.account(account))
        account = sums.echoes({'datagrams_sent': 100, 'datagrams_received': 90}, {'rx': 97, 'tx': 80})
        self.assertIn('more was counted', sums.account(account))

    def test_nothing_offered_is_no_account(self):
        self.assertIn('nothing', sums.account({'offered': 0, 'answered': 0, 'lost': {}}))

    def test_an_account_that_hides_one(self):
        self.assertIn('100 offered', sums.account({'offered': 100, 'answered': 99, 'lost': {}}))

    def test_more_answers_than_requests(self):
        account = sums.datagrams({'datagrams_sent': 100, 'datagrams_received': 101},
                                 {'requests': 100, 'tx_replies': 100})
        self.assertIn('more was counted', sums.account(account))


class Verdicts(unittest.TestCase):
    def test_target_and_floor(self):
        for value, wanted in ((0.80, (True, True)), (0.79, (False, True)), (0.64, (False, False))):
            found = sums.judge(row('P1'), {'ratio': {'value': value}}, [], [])
            self.assertEqual((found['met'], found['floor_met']), wanted, value)

    def test_less_is_better_where_it_is(self):
        found = sums.judge(row('P6'), {'p50': {'value': 1.4}, 'p99': {'value': 2.5}}, [], [])
        self.assertEqual((found['met'], found['floor_met'], found['value'], found['target']),
                         (False, True, 2.5, 2))

    def test_a_row_is_as_good_as_its_worst_part(self):
        found = sums.judge(row('P2'), {'decisions': {'value': 50e6}, 'ratio': {'value': 61}}, [], [])
        self.assertEqual((found['met'], found['floor_met'], found['value'], found['unit']),
                         (False, True, 61, 'x'))

    def test_a_row_that_did_not_run(self):
        found = sums.judge(row('P5'), {}, [], ['no Redis'])
        self.assertEqual((found['met'], found['floor_met'], found['value'], found['reasons']),
                         (False, False, None, ['no Redis']))

    def test_half_a_row(self):
        found = sums.judge(row('P2'), {'decisions': {'value': 50e6}}, [], [])
        self.assertEqual((found['met'], found['value'], found['reasons']),
                         (False, None, ['ratio was not measured']))

    def test_a_reason_outweighs_a_figure(self):
        found = sums.judge(row('P1'), {'ratio': {'value': 2}}, [], ['an account does not add up'])
        self.assertEqual((found['met'], found['floor_met']), (False, False))

    def test_shown_only(self):
        self.assertTrue(sums.judge(row('P9'), {'ratio': {'value': 9}}, [], [])['met'])
        self.assertFalse(sums.judge(row('P9'), {}, [], ['no second core'])['met'])

    def test_a_row_whose_account_does_not_add_up(self):
        good = {'side': 'engine', 'offered': 9, 'answered': 8, 'lost': {'drop_mac': 1}}
        for wrong in ({**good, 'answered': 7}, {**good, 'lost': {'drop_mac': 2, 'reply not heard': -1}},
                      {'side': 'engine', 'value': 1}):
            found = sums.judge(row('P1'), {'ratio': {'value': 2}}, [good, wrong], [])
            self.assertFalse(found['met'] or found['floor_met'] or found['adds_up'], wrong)
            self.assertIn('slice 1, of the engine', found['reasons'][0])
        self.assertTrue(sums.judge(row('P1'), {'ratio': {'value': 2}}, [good], [])['met'])

    def test_counts_without_an_engine_have_no_account(self):
        self.assertTrue(sums.judge(row('P9'), {'ratio': {'value': 9}}, [{'side': 'engine'}], [])['adds_up'])


class Limits(unittest.TestCase):
    def test_an_idle_engine_marks_its_side(self):
        slices = [{'side': 'engine', 'value': 900, 'busy': busy} for busy in (0.9, 0.9, 0.99)]
        mark = sums.limited(slices)[0]
        self.assertTrue(mark['generator_limited'])
        self.assertAlmostEqual(mark['rate_by_busy_share'], 1000)
        self.assertFalse(sums.limited([{'side': 'engine', 'value': 1, 'busy': 0.96}])[0]['generator_limited'])
        self.assertEqual(sums.limited([{'side': 'engine', 'value': 1}]), [])

    def test_each_case_has_its_own_mark(self):
        slices = [{'side': 'engine', 'case': case, 'value': 1, 'busy': busy}
                  for case, busy in (('one', 0.99), ('many', 0.5))]
        self.assertEqual([mark['generator_limited'] for mark in sums.limited(slices)], [False, True])

    def test_a_peer_that_the_generator_held_up(self):
        slices = [{'side': 'peer', 'value': 1, 'generator': {'limited': True}}]
        self.assertTrue(sums.limited(slices)[0]['generator_limited'])
        slices[0]['generator']['limited'] = False
        self.assertFalse(sums.limited(slices)[0]['generator_limited'])

    def test_the_ratio_by_busy_share(self):
        slices = pair(0, 45, 100)
        slices[0]['busy'] = 0.9
        self.assertAlmostEqual(sums.ratio(slices, 1)['by_busy_share'], 0.5)
        self.assertNotIn('by_busy_share', sums.ratio(pair(0, 45, 100), 1))


class Cycles(unittest.TestCase):
    def test_they_are_those_between_two_looks(self):
        before = {'stages': {'receive': 1000, 'decide': 5000}, 'bursts': {'1': 7, '64': 1}}
        after = {'stages': {'receive': 3000, 'decide': 9000}, 'bursts': {'1': 8, '64': 4}}
        found = sums.cycles(before, after, {'entries': 20, 'rx_frames': 200})
        self.assertEqual(found, {'stages': {'receive': 100, 'decide': 200}, 'burst': 50})

    def test_an_engine_that_did_nothing(self):
        look = {'stages': {'receive': 1000}, 'bursts': {'1': 7}}
        self.assertEqual(sums.cycles(look, look, {'entries': 0, 'rx_frames': 0}), {'stages': {'receive': 0}, 'burst': 0})


class Mixes(unittest.TestCase):
    grown = {'entries': 10001, 'replays': 500, 'ADMITTED': 550, 'SOLD_OUT': 9450, 'PONG': 1}

    def test_the_mix_that_is_wanted(self):
        shares, faults = sums.mix_of_row([sums.mix_of(self.grown)] * 2)
        self.assertEqual(faults, [])
        self.assertEqual(shares, {'retries': 0.05, 'admissions': 0.005, 'refused': 0.945, 'otherwise': 0})

    def test_each_part_that_is_off_is_told(self):
        for other, word in (({'replays': 400, 'ADMITTED': 450}, 'retries'), ({'ADMITTED': 560}, 'admissions'),
                            ({'SOLD_OUT': 9300}, 'refused')):
            _, faults = sums.mix_of_row([sums.mix_of({**self.grown, **other})])
            self.assertEqual([word in fault for fault in faults], [True], (other, faults))

    def test_an_engine_that_decided_nothing(self):
        self.assertTrue(sums.mix_of_row([sums.mix_of({**self.grown, 'entries': 1})] * 0)[1])


class Lines(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        print(f'ok - {test.id()}')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        print(f'not ok - {test.id()}')

    addError = addFailure


if __name__ == '__main__':
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Lines), verbosity=0)
