# SPDX-License-Identifier: BSD-3-Clause
"""Fails when one of these files holds a secret of keys.py, as text or as bytes."""

import pathlib
import sys

from keys import SECRETS

found = []
for path in sys.argv[1:]:
    data = pathlib.Path(path).read_bytes()
    for key_id, secret in SECRETS.items():
        for form in (secret, secret.hex().encode(), secret[::-1]):
            if form in data or form.upper() in data:
                found.append(f'{path} has the secret of key {key_id}')
print('\n'.join(found))
sys.exit(1 if found else 0)
