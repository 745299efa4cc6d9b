#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps each model in step with the code it stands for.

A model (tests/models/*.pml) lists its groups, `NAME = FILE FUNCTION`, and marks its steps with
[NAME.N] and a text; the code carries the same marks. For every group, both sides must hold the same
marks in the same order, each once, the code's inside that function; and the statement at the mark in
the code must have the text, in which `...` stands for anything. So a step that is removed, moved,
or given another memory order on one side fails here.

    correspondence.py [MODEL...]      prints `ok` or `not ok` for each model
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GROUP = re.compile(r'^ \* (\w+) += (\S+) (\w+)$', re.M)
MARK = re.compile(r'(?:/\*|--) \[(\w+)\.(\d+)\] ?(.*?)(?: ?\*/|$)', re.M)
COMMENT = re.compile(r'/\*.*?\*/|--[^\n]*', re.S)


def body(text, function):
    """Where a C or Lua function's body lies in its file: (begin, end), or None."""
    for begin, end in ((rf'^[^\n;]*\b{function}\([^;{{}}]*\)\n\{{\n', '\n}\n'),
                       (rf'^local function {function}\([^)]*\)\n', '\nend\n')):
        if found := re.search(begin, text, re.M):
            return found.end(), text.index(end, found.end())
    return None


def squeezed(text):
    return re.sub(r'\s+', ' ', COMMENT.sub('', text)).strip()


def statement(text, mark):
    """The statement that a mark stands behind, or, alone on its line, before."""
    line = text.rfind('\n', 0, mark.start()) + 1
    if mark[0].startswith('--'): # Lua
        return squeezed(text[line:mark.start()])
    if text[line:mark.start()].strip():
        before = COMMENT.sub(lambda m: re.sub(r'[;{}]', ' ', m[0]), text[:mark.start()]).rstrip()
        begin = max(before.rfind(c, 0, len(before) - 1) for c in ';{}')
        return squeezed(text[begin + 1:mark.start()])
    after = re.compile(r'[;{]').search(text, mark.end())
    return squeezed(text[mark.end():after.end()])


def has(code, wanted):
    return re.search('.*'.join(map(re.escape, wanted.split('...'))), code)


def check(model):
    text = model.read_text()
    groups = {name: (path, function) for name, path, function in GROUP.findall(text)}
    steps = {}
    for name, number, wanted in MARK.findall(text):
        steps.setdefault(name, []).append((number, wanted))
    for name in steps.keys() - groups.keys():
        yield f'{model.name}: [{name}.*] belongs to no group'
    for name, (path, function) in groups.items():
        where = f'{path}: {function}'
        code = (ROOT / path).read_text()
        at = body(code, function)
        if not at:
            yield f'{where} is gone, but {model.name} has it as {name}'
            continue
        marks = [m for m in MARK.finditer(code) if m[1] == name]
        theirs, ours = [m[2] for m in marks], [number for number, _ in steps.get(name, [])]
        if len(set(ours)) != len(ours) or not ours:
            yield f'{model.name}: steps of {name} are none, or not all different: {ours}'
        if theirs != ours:
            yield f'{where} has the steps {theirs} of {name}, {model.name} has {ours}'
            continue
        for mark, (number, wanted) in zip(marks, steps.get(name, [])):
            if not at[0] <= mark.start() < at[1]:
                yield f'{where}: [{name}.{number}] stands outside of it'
            elif not wanted or not has(statement(code, mark), wanted):
                yield (f'{where}: at [{name}.{number}] {model.name} expects `{wanted}`, there is '
                       f'`{statement(code, mark)}`')


def main():
    failed = False
    names = sys.argv[1:] or sorted((ROOT / 'tests/models').glob('*.pml'))
    for model in map(pathlib.Path, names):
        findings = list(check(model))
        print('\n'.join(findings + [f'{"not ok" if findings else "ok"} - {model.name}: '
                                    'its steps are those of the code']))
        failed = failed or bool(findings)
    return failed


if __name__ == '__main__':
    sys.exit(main())
