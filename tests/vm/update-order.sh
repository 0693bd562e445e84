#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: participants that ask for more time: who is waited for, and no longer than the operator allows
# files: participant.py region.py ../../examples/counter.py
# timeout: 400
. "$LAB"

# joins NAME OPTION...: a participant whose words are in /tmp/NAME.
joins() {
	./participant.py "$@" >"/tmp/$1" 2>&1 &
	PIDS+=($!)
	wait_for 30 grep -q watching "/tmp/$1"
}

leave_all() {
	kill "${PIDS[@]}" 2>/dev/null
	wait "${PIDS[@]}" 2>/dev/null
	PIDS=()
	wait_for 10 eval '! kho status --json | grep -q watching'
}

start_khod
PIDS=()
if [ "$BOOT" = 1 ]; then
	assert_match "$(./region.py check slow 5000 --uid=1001)" 'verified'
	exit 0
fi

say "== one asks for more time, and needs it"
kho monitor >/tmp/monitor &
MONITOR=$!
wait_for 10 grep -q 'khod is idle' /tmp/monitor
joins slow --uid=1001 --region=5000 --more=100 --delay=11
joins quick --uid=1002
output=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=20 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'waiting for uid:1001 \(more time: the index is being written\)'
assert_match "$output" 'staged .*: 1 region'
assert_match "$(cat /tmp/monitor)" 'uid:1001 asks for more time: prepare, the index is being written'
kill $MONITOR
assert_match "$(cat /tmp/slow)" 'more than before: True.more refused: AlreadyExtended'
assert_ok kexec --kho -u
wait_for 10 grep -q resume /tmp/slow
leave_all

say "== one asks for more time, and that is not enough"
joins slow --uid=1001 --prepare=silence --more=100
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=6
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:1001 did not answer within 6 s, although .* \(the index is being written\)'
assert_eq "$STATUS" 2 "exit status"
wait_for 10 grep -q resume /tmp/slow
leave_all

say "== the same, optional: it is left behind"
joins slow --uid=1001 --optional --prepare=silence --more=100
output=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=6 2>&1) || fail "exit $?: $output"
assert_match "$output" 'warning: uid:1001 did not answer within 6 s.* leaves it behind'
assert_ok kexec --kho -u
leave_all

say "== more time to freeze, and the update happens"
joins slow --uid=1001 --more=100 --delay=6
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
kexec --kho -e --kho-timeout=10
fail "kexec --kho -e came back: exit $?"
