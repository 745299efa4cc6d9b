#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The small sale and the client's trade again, on the build with ASan and UBSan.
export FLASHGATE_BUILD=build/asan
for test in sale trade; do bash "$(dirname "${BASH_SOURCE[0]}")/$test.sh" || exit 1; done
