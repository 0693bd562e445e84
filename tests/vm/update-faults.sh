#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: calls into the kernel that fail in the middle of an update: all is undone, and the words name it; two operators at once
# files: actors.bash participant.py region.py whole.py ../../examples/counter.py
# timeout: 600
. "$LAB"
. ./actors.bash

MANY=110 # more than one session takes
for ((i = 0; i < MANY; i++)); do
	REGIONS+=(many-$i:$((5000 + i)):0)
done

# as_before: nobody notices, and another update can be staged.
as_before() {
	undone
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
}

staging_fails() {
	begin_staging
	kexec_ended "$1" "$2"
	as_before
}

executing_fails() {
	begin_staging
	kexec_ended 0 'staged .*: 112 regions'
	fault "${@:2}"
	kexec_begins -e
	kexec_ended 4 "$1.*; the update is undone"
	as_before
}

faults_ready
LD_PRELOAD=$FAULT KHO_FAULTS=$FAULTS/khod KHO_FAULTS_HASTE=10 start_khod
if [ "$BOOT" = 1 ]; then
	[ -e /root/meant ] || fail "this kernel was not meant to be booted"
	kho report >/run/report || fail "kho report: exit $?: $(cat /run/report)"
	./whole.py "${REGIONS[@]}" || fail "not all is here"
	exit 0
fi
make_regions

# The tree, and with it every region: the last one fails, twice, as once is worth another try.
say "== no memory to preserve the last one"
fault khod preserve 113 'error 12' 1 'error 12'
staging_fails 2 'region "[a-z0-9-]+" of uid:[0-9]+: .*memory'
say "== no memory once"
fault khod preserve 113 'error 12'
begin_staging
kexec_ended 0 'staged .*: 112 regions'
assert_ok kexec --kho -u
say "== no session"
fault khod create 2 'error 28'
staging_fails 2 "can't create live update sessions"
say "== nothing can be loaded"
fault kexec load 1 'error 16'
staging_fails 4 'kexec-tools could not load the kernel; the update is undone'
say "== the checked kernel can't be loaded again"
executing_fails 'kexec-tools could not load the kernel' kexec load 1 'error 16'
say "== the ledger can't be synced"
executing_fails "ledger.*can't be written: Input/output error" khod fsync 1 'error 5'
say "== the folder of the ledger can't be synced"
executing_fails "ledger.*can't be written: Input/output error" khod fsync 2 'error 5'
say "== the kernel refuses"
executing_fails 'refused to execute the next one: Invalid argument' kexec reboot 1 'error 22'

# operators FIRST SECOND: both commands at once; leaves how they ended in FIRST and SECOND.
operators() {
	local first

	say "== two operators: $1 and $2"
	# shellcheck disable=SC2086
	with_faults kexec kexec --kho $1 >/tmp/first 2>&1 &
	first=$!
	# shellcheck disable=SC2086
	with_faults kexec kexec --kho $2 >/tmp/second 2>&1 &
	SECOND=0
	wait $! || SECOND=$?
	FIRST=0
	wait $first || FIRST=$?
	sed 's/^/1: /' /tmp/first
	sed 's/^/2: /' /tmp/second
}

stage="-l $NEXT --reuse-cmdline"
operators "$stage" "$stage"
[ $((FIRST + SECOND)) = 2 ] || fail "they ended with $FIRST and $SECOND"
assert_match "$(cat /tmp/first /tmp/second)" 'kexec: update [0-9a-f]+ is [a-z]+ already'
assert_match "$(kho status)" 'khod +staged'
fault kexec reboot 1 'error 16' 1 'error 16'
operators -e -e
rm -f $FAULTS/kexec/*
as_before
operators "$stage" -u
[ "$FIRST" = 0 ] || as_before
kexec --kho -u
as_before
assert_ok kexec --kho $stage
fault kexec reboot 1 'error 16'
operators -e -u
rm -f $FAULTS/kexec/*
as_before

say "== dropped while the other loads the kernel again"
reach reloading
assert_match "$(kexec --kho -u)" '^dropped update'
let_go
kexec_ended 2 'no update'
as_before

say "== and the next one happens"
touch /root/meant
assert_ok kexec --kho $stage
kexec --kho -e
fail "kexec --kho -e came back: exit $?"
