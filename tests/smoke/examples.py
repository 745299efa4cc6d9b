# SPDX-License-Identifier: BSD-3-Clause
"""Every example of docs/control.md is called on the running engine: what it answers must look as the page
says, member by member, and an error must be the one that the page tells. Each section of the page gets a
sale of its own in place of the page's, because names and ids are never used twice."""

import datetime
import json
import os
import pathlib
import re
import socket
import sys

from client import PATIENCE_S, Client, case, control, eventually, finish, name, wire

BUYER = '00112233445566778899aabbccddeeff'
PARTIAL = {'status'}  # of which the page shows a part
AT_TIMES = {'repeated', 'last_error_age_ms'}  # as the page's text says
# A sale that has opened when the section begins; in the others it is scheduled.
OPENED = {'events', 'sale.show', 'stock.add', 'item.pause', 'sale.pause', 'sale.set', 'order.show',
          'delivery.status', 'engine.drain'}
# Where something must have been sold before, and the units of the order.
BOUGHT = {'delivery.status': 1, 'order.show': 2}
SAME_SALE = {'order.list': 'order.show', 'order.cancel': 'order.show'}

directory = os.environ['SMOKE_DIR']
next_year = str(datetime.date.today().year + 1)
client = Client()


def read_page():
    """(the section's first method, [(request, response)...]) of each section."""
    text = pathlib.Path('docs/control.md').read_text()
    methods = text[text.index('\n## Methods\n'):]
    for section in re.split(r'^### ', methods, flags=re.M)[1:]:
        messages, decoder = [], json.JSONDecoder()
        for block in re.findall(r'(?ms)^```\n(\{"jsonrpc".*?)^```', section):
            at = 0
            while at < len(block):
                message, at = decoder.raw_decode(block, at)
                messages.append(message)
                while at < len(block) and block[at].isspace():
                    at += 1
        yield re.match(r'[a-z._]+', section)[0], list(zip(messages[::2], messages[1::2]))


def call(message):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(PATIENCE_S)
        link.connect(f'{directory}/control.sock')
        link.sendall(json.dumps(message).encode() + b'\n')
        return json.loads(link.makefile().readline())


def unlike(wanted, found, place=''):
    """What differs in kind between an answer of the page and one of the engine."""
    if wanted is None or found is None:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        absent = [f'{place}.{key} is not there' for key in wanted.keys() - found.keys()]
        extra = [f'{place}.{key} is not told' for key in found.keys() - wanted.keys() - AT_TIMES]
        inner = [unlike(wanted[key], found[key], f'{place}.{key}') for key in wanted.keys() & found]
        return absent + extra + sum(inner, [])
    if isinstance(wanted, list) and isinstance(found, list):
        return unlike(wanted[0], found[0], place + '[]') if wanted and found else []
    if type(wanted) is not type(found):
        return [f'{place} is {json.dumps(found)}, not like {json.dumps(wanted)}']
    return []


def own(request, number, before):
    """The request with the section's own sale, ids and times."""
    text = json.dumps(request)
    text = re.sub(r'(?<![a-z.])spring(?!\.yaml)', f'spring-{number}', text)
    text = re.sub(r'("item": "|\{id: )(\d)(?=[",])', rf'\g<1>{number}0\2', text)
    request = json.loads(text.replace('2027-', next_year + '-'))
    params = request.get('params', {})
    if params.get('text') == '...':
        params['text'] = before['params']['text']
    if 'since' in params or 'seq' in params:
        params.update({key: '1' for key in ('since', 'seq') if key in params})
    return request


def as_page(error, number):
    """An error with the page's names, and without the figures of one run."""
    if not error:
        return None
    text = error['message'].replace(f'spring-{number}', 'spring')
    return error['code'], re.sub(r'\d{6,}', 'N', re.sub(rf'\b{number}0(\d)\b', r'\1', text))


def delivered(sale):
    return next(one['delivered'] for one in control('delivery', 'status')['sales'] if one['sale'] == sale)


def prepare(section, number):
    path = pathlib.Path(directory) / 'example.yaml'
    path.write_text(f'name: spring-{number}\nopens: {next_year}-03-21T21:00:00+01:00\nitems:\n'
                    f'  - {{id: {number}07, name: Shoe, stock: 100, limit: 2}}\n'
                    f'  - {{id: {number}08, name: Hat, stock: 50, hold: 10m}}\n')
    if section == 'sale.apply':  # the page's file has one item
        path.write_text(path.read_text().rsplit('\n', 2)[0] + '\n')
    control('sale', 'apply', str(path))
    if section in OPENED:
        control('sale', 'open', f'spring-{number}')
    if section in BOUGHT:
        request = wire.Request(bytes.fromhex(BUYER), number if section != 'order.show' else 1,
                               number * 100 + 7, BOUGHT[section], wire.OPS['ORDER'], 0, 0)
        verdict = name(client.ask_all(request)[0].verdict)
        case(f'{section}: an order, {verdict}', verdict == 'ADMITTED')


numbers, called = {}, 0
for number, (section, examples) in enumerate(read_page(), 1):
    before = None
    numbers[section] = numbers.get(SAME_SALE.get(section), number)
    if numbers[section] == number:
        prepare(section, number)
    for request, wanted in examples:
        before = request = own(request, numbers[section], before)
        if request['method'] == 'consumed':
            eventually(lambda: delivered(request['params']['sale']), 1)
        found = call(request)
        differ = unlike(wanted, found)
        if request['method'] in PARTIAL:
            differ = [line for line in differ if not line.endswith(' is not told')]
        code = wanted.get('error', {}).get('code')
        if as_page(wanted.get('error'), '') != as_page(found.get('error'), numbers[section]):
            differ.append(f'the error is {found.get("error")}')
        case(f"the page's example of {request['method']}, {code or 'a result'}", not differ, *differ)
        called += 1
    control('engine', 'resume')
case(f'{called} examples were called', called > 30)
finish()
