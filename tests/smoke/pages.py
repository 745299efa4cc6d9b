#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pages.py [FOLDER]: does every link of README.md and docs/ lead somewhere, to a heading too where it names
one; is every section that a page names in quotes there; has every WARNING of status its line in
docs/administration.md; and does README.md name every page?"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else '.')
faults = 0


def wanted(holds, text):
    global faults
    if not holds:
        print(f'pages.py: {text}', file=sys.stderr)
        faults += 1


def anchors(path):
    """As they are made of headings: lower case, words with - between, other signs left out."""
    text = re.sub(r'(?ms)^```.*?^```', '', path.read_text())
    titles = re.findall(r'^#+ (.+)$', text, re.M)
    return {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles}


pages = [root / 'README.md', root / 'CONTRIBUTING.md', *sorted((root / 'docs').glob('*.md'))]
links = 0
for page in pages:
    text = page.read_text()
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if '://' in target:
            continue
        links += 1
        name, _, anchor = target.partition('#')
        other = page.parent / name if name else page
        wanted(other.exists(), f'{page}: {target} leads nowhere')
        if anchor and other.exists():
            wanted(anchor in anchors(other), f'{page}: {other.name} has no heading for #{anchor}')
wanted(links > 50, f'only {links} links')

readme = (root / 'README.md').read_text()
for page in sorted((root / 'docs').glob('*.md')):
    wanted(f'](docs/{page.name})' in readme, f'README.md does not name docs/{page.name}')

# The runbook refers to its own sections by their titles: "The disk is nearly full".
runbook = (root / 'docs/operations.md').read_text()
titles = set(re.findall(r'^##+ (.+)$', runbook, re.M))
for title in re.findall(r'"([A-Z][A-Za-z\' ]+)"', re.sub(r'(?ms)^```.*?^```', '', runbook)):
    wanted(title in titles, f'docs/operations.md: no section "{title}"')

alarms = set(re.findall(r'"([A-Z]+(?: [A-Z]+)+): ', (root / 'control/alarms.c').read_text()))
wanted(len(alarms) > 8, f'only {len(alarms)} alarms in control/alarms.c')
administration = (root / 'docs/administration.md').read_text()
for alarm in alarms:
    wanted(f'| {alarm}' in administration, f'docs/administration.md has no line for the alarm {alarm}')

print(links, 'links,', len(alarms), 'alarms')
sys.exit(1 if faults else 0)
