#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Goodput after the engine, and then its disk, stalled for a second: tests/faults/stall.py by itself.
exec "$(dirname "${BASH_SOURCE[0]}")/run.py" "$@" stall
