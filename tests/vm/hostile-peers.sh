#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: peers that are silent, never read, come in crowds, want everything: khod serves the others, and loses no fd
# files: hostile.py late.py participant.py region.py ../../examples/counter.py
# timeout: 900
. "$LAB"

start_khod
./hostile.py $KHOD_PID || fail "hostile.py: exit $?"
kill -0 $KHOD_PID || fail "khod is gone"
assert_match "$(kho status)" 'idle'
