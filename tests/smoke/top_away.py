# SPDX-License-Identifier: BSD-3-Clause
"""flashgatectl top while the engine ends and another one starts, as the script beside it says by
files: `stopped` when it may expect silence, `started` when an engine serves again."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from terminal import LIMIT_S, Terminal  # noqa: E402

FOLDER = os.environ['SMOKE_DIR']


def wait_for_file(name):
    deadline = time.monotonic() + 60
    while not os.path.exists(f'{FOLDER}/{name}'):
        assert time.monotonic() < deadline, f'{name} never came'
        time.sleep(0.02)


terminal = Terminal([os.environ['SMOKE_CTL'], '--socket', FOLDER + '/control.sock', 'top',
                     '--interval', '200ms'])
try:
    terminal.wait_for('epoch 1')
    open(f'{FOLDER}/watching', 'w').close()
    wait_for_file('stopped')
    terminal.wait_for('NO ANSWER', redraw=True)
    terminal.wait_for('start flashgated, or', redraw=True)
    terminal.wait_for('Sale spring', redraw=True)
    open(f'{FOLDER}/told', 'w').close()
    wait_for_file('started')
    terminal.wait_for('epoch 2', redraw=True)
    terminal.forget()
    terminal.wait_for('q quit', redraw=True)
    assert 'NO ANSWER' not in terminal.seen, terminal.seen
    terminal.send('q')
    assert terminal.end() == 0
    terminal.is_sane()
    print('ok - an engine that goes away is told, and the next one is shown')
except AssertionError as error:
    print(f'not ok - an engine that goes away is told, and the next one is shown: {error}')
    sys.exit(1)
finally:
    terminal.close()
