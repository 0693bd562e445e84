#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: a participant refuses to prepare or to freeze: who and why, exit status, nothing left behind
# files: kexec-participant.py
. "$LAB"

# participant ARGUMENT...: its events go to /tmp/events.
participant() {
	python3 kexec-participant.py "$@" >/tmp/events &
	PARTICIPANT=$!
	wait_for 10 grep -q watching /tmp/events
}

participant_ends() {
	kill "$PARTICIPANT"
	wait_for 10 eval '! kho status --json | grep -q "\"pid\""'
}

nothing_left() {
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	assert_match "$(kexec --kho -S)" 'update: +idle'
	assert_eq "$(tail -n 1 /tmp/events)" resume "the last event"
}

start_khod
assert_ok kho put blob </etc/os-release

participant yes prepare
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
assert_eq "$STATUS" 2 "$OUTPUT"
assert_match "$OUTPUT" 'kexec: .*uid:0.*the disk is being repaired'
[[ $OUTPUT != *undone* ]] || fail "nothing had begun: $OUTPUT"
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
participant_ends

participant yes freeze
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
assert_fails kexec --kho -e
assert_eq "$STATUS" 4 "$OUTPUT"
assert_match "$OUTPUT" 'kexec: .*uid:0.*the disk is being repaired.*; the update is undone'
nothing_left
# The same in one go.
assert_fails kexec --kho -le "$NEXT" --reuse-cmdline
assert_eq "$STATUS" 4 "$OUTPUT"
nothing_left
participant_ends

# One that is not required does not stop it, and is named.
participant no prepare
OUTPUT=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $OUTPUT"
assert_match "$OUTPUT" 'kexec: warning: .*uid:0'
assert_match "$OUTPUT" 'staged .* 1 region, '
assert_ok kexec --kho -u
nothing_left
participant_ends
