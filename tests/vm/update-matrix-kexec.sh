#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: in each state of an update, kexec --kho killed, or stopped for longer than khod waits; khod stopped for a while
# files: actors.bash participant.py region.py whole.py ../../examples/counter.py
# timeout: 900
. "$LAB"
. ./actors.bash

state_is() {
	kho status | grep -q "khod *$1"
}

# begin STATE: two participants, and an update that is held there.
begin() {
	local asked=()

	say "== $1: SIG$2 to $3"
	START=$SECONDS
	[ "$1" != asked ] || asked=(--prepare=later)
	[ "$1" != freezing ] || asked=(--freeze=later)
	join good --uid=1001
	join required --uid=1002 "${asked[@]}"
	joined good required
	reach "$1" "$4"
}

over() {
	undone
	heard good 'prepare (freeze )?resume '
	heard required 'prepare (freeze )?resume '
	leave_all
	say "   $((SECONDS - START)) s"
}

# A kernel that was loaded stays loaded without the one who loaded it, and carries nothing.
killed() {
	begin "$1" KILL kexec 16
	kill -KILL $KEXEC
	let_go
	kexec_ended 137
	if [ "$1" = reloading ]; then
		wait_for 30 state_is staged
		assert_ok kexec --kho -u
	fi
	over
	assert_fails kexec --kho -e
	assert_match "$OUTPUT" 'nothing is staged'
}

# stopped STATE STATUS WORDS [COMMAND...]: COMMAND comes before it goes on.
stopped() {
	local state=$1 status=$2 words=$3

	shift 3
	begin "$state" STOP kexec
	kill -STOP $KEXEC
	let_go
	[ $# = 0 ] || wait_for 60 "$@"
	kill -CONT $KEXEC 2>/dev/null
	kexec_ended "$status" "$words"
	if [ "$state" != frozen ]; then
		[ "$(cat /sys/kernel/kexec_loaded)" = 0 ] || assert_ok kexec --kho -u
	fi
	over
}

faults_ready
PIDS=()
LD_PRELOAD=$FAULT KHO_FAULTS=$FAULTS/khod KHO_FAULTS_HASTE=10 start_khod
if [ "$BOOT" = 1 ]; then
	[ -e /root/meant ] || fail "this kernel was not meant to be booted"
	kho report || fail "kho report: exit $?"
	./whole.py "${REGIONS[@]}" || fail "not all is here"
	assert_ok kho wait --timeout=10
	exit 0
fi
make_regions

for state in asked preserving prepared reloading freezing recording frozen aborting; do
	killed $state
done

# What khod has to wait for goes on without it, up to what only kexec can do.
stopped asked 0 'staged ' state_is prepared
stopped preserving 0 'staged ' state_is prepared
stopped prepared 4 'no update .*; the update is undone' state_is idle
stopped aborting 0 '^dropped update' state_is idle
stopped freezing 4 'took too long.*; the update is undone' state_is idle
stopped recording 4 'took too long.*; the update is undone' state_is idle
# It is about to call reboot(2), and must not do so when services go on already.
stopped frozen 137 '' state_is idle
say "== the next one happens"
KEXEC=
touch /root/meant
begin frozen KILL nobody
let_go
kexec_ends
fail "kexec --kho -e came back"
