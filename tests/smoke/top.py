# SPDX-License-Identifier: BSD-3-Clause
"""flashgatectl top and --watch on a real engine, under a pseudo terminal."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from terminal import LIMIT_S, Terminal  # noqa: E402

CTL = [os.environ['SMOKE_CTL'], '--socket', os.environ['SMOKE_DIR'] + '/control.sock']
ENGINE = int(os.environ['SMOKE_ENGINE'])
TOP = CTL + ['top', '--interval', '200ms']
failures = 0


def case(function):
    global failures
    text = function.__name__.replace('_', ' ')
    try:
        function()
        print(f'ok - {text}', flush=True)
    except (AssertionError, OSError, ValueError) as error:
        failures += 1
        print(f'not ok - {text}: {error}', flush=True)


def with_top(steps, **how):
    terminal = Terminal(TOP, **how)
    try:
        steps(terminal)
    finally:
        terminal.close()


def top_draws_everything_and_ends_at_q():
    def steps(terminal):
        for part in (r'Flashgate  revision \d+, epoch \d+', r'Sale spring \(1 of 2\): open since',
                     r'7 Shoe', 'EMPTY IN', r'WORKER *CORE *STATE', r'0 *0 *running', 'Decisions',
                     r'flush *[\d,]+ *us mean', 'no Redis is configured', r'Drops *none', 'q quit'):
            terminal.wait_for(part)
        terminal.wait_for(r'running *\[[#.]{10}\] *\d+\.\d%', redraw=True)  # a second answer came
        terminal.send('q')
        assert terminal.end() == 0
        terminal.is_sane()
    with_top(steps)


def tab_and_arrows_choose_the_sale():
    def steps(terminal):
        terminal.wait_for(r'spring \(1 of 2\)')
        for key, name in (('\t', r'winter \(2 of 2\): opens by hand'), ('\x1bOC', r'spring \(1'),
                          ('\x1bOD', r'winter \(2'), ('\x1b[Z', r'spring \(1')):
            terminal.send(key)
            terminal.wait_for(name, redraw=True)
        terminal.send('q')
        assert terminal.end() == 0
    with_top(steps)


def a_resize_is_followed():
    def steps(terminal):
        terminal.wait_for('q quit')
        terminal.size(40, 120)
        terminal.wait_for(r'\[#{30,}\]', redraw=True)  # the longer bar
        terminal.size(10, 30)
        terminal.wait_for('30x10 is too small; 60x16', redraw=True)
        terminal.size(24, 80)
        terminal.wait_for('q quit', redraw=True)
        terminal.send('q')
        assert terminal.end() == 0
        terminal.is_sane()
    with_top(steps)


def signals_leave_a_sane_terminal():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        def steps(terminal, number=number):
            terminal.wait_for('q quit')
            terminal.signal(number)
            assert terminal.end() == 0
            terminal.is_sane()
        with_top(steps)

    def control_c(terminal):
        terminal.wait_for('q quit')
        terminal.send('\x03')
        assert terminal.end() == 0
        terminal.is_sane()
    with_top(control_c)


def an_engine_that_is_silent_is_told_and_keys_work():
    def steps(terminal):
        terminal.wait_for('q quit')
        os.kill(ENGINE, signal.SIGSTOP)
        try:
            terminal.wait_for('NO ANSWER for [2-9] s', redraw=True)
            terminal.wait_for('is silent', redraw=True)
            terminal.wait_for('Sale spring', redraw=True)
            terminal.send('\t')
            terminal.wait_for('Sale winter', redraw=True)
            os.kill(ENGINE, signal.SIGCONT)
            terminal.wait_for('epoch', redraw=True)
            deadline = time.monotonic() + LIMIT_S
            while 'NO ANSWER' in terminal.seen and time.monotonic() < deadline:
                terminal.forget()
                terminal.wait_for('q quit', redraw=True)
            assert 'NO ANSWER' not in terminal.seen
            os.kill(ENGINE, signal.SIGSTOP)
            terminal.wait_for('NO ANSWER', redraw=True)
            terminal.send('q')
            assert terminal.end() == 0
            terminal.is_sane()
        finally:
            os.kill(ENGINE, signal.SIGCONT)
    with_top(steps)


def an_unknown_terminal_is_refused():
    def steps(terminal):
        assert terminal.end() == 2
        assert 'nothing is known of the terminal type "nosuch"' in terminal.seen, terminal.seen
        terminal.is_sane()
    with_top(steps, term='nosuch')


def watch_paints_over_itself_on_a_terminal():
    terminal = Terminal(CTL + ['sale', 'list', '--watch', '--interval', '100ms'])
    try:
        terminal.wait_for('(?s)SALE.*spring.*SALE.*spring')
        assert b'\x1b[H' in terminal.raw
        terminal.send('\x03')
        assert terminal.end() == -signal.SIGINT
        terminal.is_sane()
    finally:
        terminal.close()


def watch_with_json_prints_one_object_a_line():
    process = subprocess.Popen(CTL + ['status', '--watch', '--json', '-i', '100ms'],
                               stdout=subprocess.PIPE, text=True)
    times = [json.loads(process.stdout.readline())['uptime_ms'] for _ in range(3)]
    process.stdout.close()
    assert times[0] < times[1] < times[2], times
    # the reader has gone: so does it
    assert process.wait(LIMIT_S) == -signal.SIGPIPE


if __name__ == '__main__':
    case(top_draws_everything_and_ends_at_q)
    case(tab_and_arrows_choose_the_sale)
    case(a_resize_is_followed)
    case(signals_leave_a_sane_terminal)
    case(an_engine_that_is_silent_is_told_and_keys_work)
    case(an_unknown_terminal_is_refused)
    case(watch_paints_over_itself_on_a_terminal)
    case(watch_with_json_prints_one_object_a_line)
    sys.exit(failures > 0)
