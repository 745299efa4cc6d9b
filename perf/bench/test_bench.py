# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmark does around its sums: huge pages taken and put back, rows that fail, and a report that
leaves nothing out. Prints `ok` and `not ok` lines."""

import fcntl
import os
import sys
import tempfile
import types
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(__file__))
import bench
import measure
import pages
import parts
import report
import rows
import sums
import turns
from test_sums import Lines


class Pages(unittest.TestCase):
    """With files in place of the kernel's; `most` is what this kernel can give."""

    def setUp(self):
        self.dir = self.enterContext(tempfile.TemporaryDirectory())
        self.count, self.meminfo = (os.path.join(self.dir, name) for name in ('count', 'meminfo'))

    def enter(self, before, free, most, mib=100, size='2048 kB'):
        with open(self.count, 'w') as file:
            file.write(f'{before}\n')

        def read_free(_):
            return min(self.now(), most) - (before - free)
        if size == '2048 kB':
            self.enterContext(unittest.mock.patch.object(pages, 'read_free', read_free))
        with open(self.meminfo, 'w') as file:
            file.write(f'HugePages_Free: {free}\nHugepagesize: {size}\n')
        return pages.reserved(mib, self.count, self.meminfo)

    def now(self):
        with open(self.count) as file:
            return int(file.read())

    def test_what_is_missing_is_reserved_and_put_back(self):
        for before, free, wanted in ((0, 0, 50), (10, 4, 56), (80, 80, 80)):
            with self.enter(before, free, 1000) as found:
                self.assertEqual((found['huge'], self.now()), (True, wanted))
            self.assertEqual(self.now(), before)

    def test_a_failure_puts_them_back_too(self):
        with self.assertRaises(KeyError), self.enter(3, 3, 1000):
            raise KeyError
        self.assertEqual(self.now(), 3)

    def test_too_few_are_none(self):
        with self.enter(3, 3, 49) as found:
            self.assertEqual((found['huge'], self.now()), (False, 3))
            self.assertIn('49 of the 50', found['note'])

    def test_another_benchmark_has_them(self):
        with self.enter(3, 3, 1000) as _, pages.reserved(100, self.count, self.meminfo) as found:
            self.assertEqual((found['huge'], self.now()), (False, 50))
            self.assertIn('another benchmark', found['note'])
        self.assertEqual(self.now(), 3)

    def test_a_kernel_without_them(self):
        for size in '1048576 kB', '0 kB':
            with self.enter(0, 0, 0, size=size) as found:
                self.assertIn('not of 2 MiB', found['note'])
        with pages.reserved(100, os.path.join(self.dir, 'none'), self.meminfo) as found:
            self.assertFalse(found['huge'])

    def test_all_sides_have_the_same(self):
        for huge, word, other in ((True, '--in-memory', '--no-huge'), (False, '--no-huge', '--in-memory')):
            words = parts.eal_memory(types.SimpleNamespace(pages={'huge': huge}), 7)
            self.assertTrue(word in words and other not in words and words[-2:] == ['-m', '7'], words)


def run_with(function):
    """The row P1 measured so."""
    stage = types.SimpleNamespace(running={})
    with unittest.mock.patch.dict(measure.ROWS, P1=function):
        return bench.run_row(stage, rows.ROWS[0])


def one_slice(**other):
    return {'pair': 0, 'side': 'engine', 'gauges': [90, 91], 'value': 1, 'offered': 5, 'answered': 5, 'lost': {},
            **other}


class RowsThatFail(unittest.TestCase):
    def test_an_account_that_does_not_add_up_fails_the_benchmark(self):
        self.assertFalse(run_with(lambda _, run: run.slices.append(one_slice()))['failed'])
        self.assertTrue(run_with(lambda _, run: run.slices.append(one_slice(answered=4)))['failed'])

    def test_a_part_that_does_not_start_fails_it(self):
        def fail(*_):
            raise parts.Failed('no')
        self.assertTrue(run_with(fail)['failed'])

    def test_what_cannot_be_told_is_no_failure(self):
        def refuse(*_):
            raise sums.Refused('no')
        found = run_with(refuse)
        self.assertEqual((found['failed'], found['met'], found['reasons']), (False, False, ['no']))


class Pairs(unittest.TestCase):
    def alternate(self, gauges):
        """How many pairs are measured when each slice has the next of these gauges twice."""
        stage = turns.Bench('', rows.Form(**{**vars(rows.FORMS['toy']), 'pairs': 3, 'pairs_most': 6}))
        stage.slice = lambda pair, side, active, _: {'pair': pair, 'side': side, 'gauges': [next(left)] * 2, 'faults': []}
        left = iter(gauges)
        return len(stage.alternate(turns.Run(), ((), None), ((), None))) // 2

    def test_more_where_gauges_differ(self):
        self.assertEqual(self.alternate([100] * 20), 3)
        self.assertEqual(self.alternate([100, 200] + [100] * 20), 4)
        self.assertEqual(self.alternate(2 ** n for n in range(20)), 6)


class ThePage(unittest.TestCase):
    results = {'form': 'full', 'began': 'BEGAN', 'seconds': 1, 'commit': 'COMMIT', 'changed_since': True, 'cpu': 'CPU',
               'kernel': 'KERNEL', 'load_at_start': 0.5, 'cores': {'worker': 1, 'else': 0}, 'compiler': 'COMPILER',
               'versions': {'dpdk': 'DPDK'}, 'flags': 'FLAGS', 'seeds': [1, 77], 'pages': {'huge': True, 'note': 'PAGES'},
               'configuration': {'engine': 'ENGINE', 'testpmd': 'TESTPMD', 'generator': 'GENERATOR'}}

    def page(self):
        row = run_with(lambda _, run: run.slices.append(one_slice(
            busy=0.5, lost={'CAUSE': 0}, burst=60.5, stages={'receive': 200, 'decide': 123})))
        row['mix'] = {'one': {'retries': 0.05}}
        return '\n'.join(report.page({**self.results, 'rows': {'P1': row}}, []))

    def test_all_that_is_recorded_is_on_the_page(self):
        page = self.page()
        for word in ('BEGAN', 'COMMIT', 'in no commit', 'CPU', 'KERNEL', 'COMPILER', 'DPDK', 'FLAGS', '77', 'PAGES',
                     'ENGINE', 'TESTPMD', 'GENERATOR', 'CAUSE', '90 to 91 ns', '5.00% retries', '| 50% |', 'generator',
                     '| 60.5 | 323 | receive 200, decide 123 |'):
            self.assertIn(word, page)

    def test_each_side_has_its_own_figures(self):
        def measure_both(_, run):
            run.slices += [one_slice(value=value, side=side, p50=value / 1000, p99=9000)
                           for side, values in (('engine', (1000, 3000, 2000)), ('peer', (7000, 7000))) for value in values]
        page = '\n'.join(report.page({**self.results, 'rows': {'P1': run_with(measure_both)}}, []))
        self.assertIn('| P1 | engine | 2000/s | 1500 to 2500 | 2 | 9000 | 3 |', page)
        self.assertIn('| P1 | peer | 7000/s | 7000 to 7000 | 7 | 9000 | 2 |', page)

    def test_without_one_of_them_there_is_none(self):
        for name in self.results:
            left = {key: value for key, value in self.results.items() if key != name}
            with unittest.mock.patch.object(ThePage, 'results', left), self.assertRaises(KeyError):
                self.page()


if __name__ == '__main__':
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Lines), verbosity=0)
