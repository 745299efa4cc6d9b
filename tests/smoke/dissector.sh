#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The dissector for Wireshark, in tshark.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
scenario dissector.py
