# SPDX-License-Identifier: BSD-3-Clause
"""A capture of what is dropped, and one of a source, while a client of its own sends both."""

import os
import subprocess

from client import SECRETS, Client, case, control, entry, eventually, finish
import wire

directory = os.environ['SMOKE_DIR']
client = Client()


class Capture:
    """flashgatectl capture in the background, begun."""

    def __init__(self, name, *options):
        before = self.begun()
        self.process = subprocess.Popen(
            [os.environ['SMOKE_CTL'], '--socket', f'{directory}/control.sock', '--json', 'capture',
             *options, f'{directory}/{name}'], stdout=subprocess.PIPE, text=True)
        eventually(lambda: self.begun() > before, True)
        # It is on record before it is done; workers have it when the next command is answered.
        eventually(self.is_on, True)

    @staticmethod
    def begun():
        return sum(event['what'].startswith('capture.start') for event in control('events')['events'])

    @staticmethod
    def is_on():
        try:
            control('capture', f'{directory}/none.pcapng')
        except RuntimeError as error:
            return 'under way' in str(error)
        return False

    def result(self):
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output


def wrong_mac():
    return wire.datagram([entry('QUERY', 1, 1)], client.stamp(), 7, bytes(16))


client.expect('an honest client is answered', 'PONG', entry('PING'))
capture = Capture('c.pcapng', '--count', '5', '--seconds', '20', '--dropped',
                  '--source', '10.99.0.2')
for _ in range(3):
    client.send_raw(wrong_mac())
client.expect('and while frames are captured', 'PONG', entry('PING'))
client.send_raw(b'FG')
client.send_raw(wire.datagram([entry('PING')], client.stamp(), 7, SECRETS[7]) + b'?')
status, output = capture.result()
case('five dropped frames are captured', status == 0 and '"drop_mac": 3' in output and
     '"drop_malformed": 2' in output and '"frames": 5' in output, f'{status}: {output}')

capture = Capture('d.pcapng', '--count', '2', '--source', '10.99.0.2/32')
client.expect('one of its source', 'PONG', entry('PING'))
status, output = capture.result()
case('a request and its reply', status == 0 and '"received": 1' in output and '"sent": 1' in output,
     f'{status}: {output}')
finish()
