#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demo, small: the engine on the shared-memory wire, the generator, Redis, and books that must
# balance.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check 'a small sale balances its books' env BUILD="$build" perf/demo.sh --small
