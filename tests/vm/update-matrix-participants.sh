#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: in each state of an update, a required and an optional participant killed, or stopped for a while
# files: actors.bash participant.py region.py whole.py ../../examples/counter.py
# timeout: 900
. "$LAB"
. ./actors.bash

# signalled SIGNAL NAME...
signalled() {
	local signal=$1 name pid

	shift
	for name; do
		pid=PID_$name
		kill -"$signal" "${!pid}" || fail "$name is gone"
	done
}

# go_on_heard SIGNAL NAME...: the killed ones have not heard of an end; those that were stopped have, once.
go_on_heard() {
	local signal=$1 name

	shift
	for name; do
		if [ "$signal" = KILL ]; then
			heard "$name" 'prepare (freeze )?'
		else
			signalled CONT "$name"
			wait_for 30 grep -q '^resume' "/tmp/$name"
			heard "$name" 'prepare (freeze )?resume '
		fi
	done
}

# How kexec --kho -l ends, and then -e, whose reboot(2) fails in the end.
ends() {
	local state=$1 staged=$2 executed=$3

	case $state in
	asked | preserving | prepared)
		if [ "$staged" = 0 ]; then
			kexec_ended 2 "$4"
			return
		fi
		kexec_ended 0 "$([ "$executed" = 0 ] || printf %s "$4")"
		;;&
	asked | preserving | prepared | staged)
		fault kexec reboot 1 "error 16"
		kexec_begins -e
		;;&
	aborting) kexec_ended 0 '^dropped update' ;;
	*)
		if [ "$executed" = 1 ]; then
			kexec_ended 4 'refused to execute the next one: Device or resource busy; the update is undone'
		else
			kexec_ended 4 "$4.*; the update is undone"
		fi
		;;
	esac
}

# cell STATE SIGNAL STAGED EXECUTED WORDS NAME...: who gets the signal, and whether the update gets that far.
cell() {
	local state=$1 signal=$2 staged=$3 executed=$4 words=$5 required='' optional='' start=$SECONDS

	shift 5
	say "== $state: SIG$signal to $*"
	[ "$state" != asked ] || required=--prepare=later optional=--prepare=later
	[ "$state" != freezing ] || required=--freeze=later optional=--freeze=later
	[[ " $* " == *" required "* ]] || required=
	[[ " $* " == *" optional "* ]] || optional=
	join good --uid=1001
	join required --uid=1002 $required
	join optional --uid=1003 --optional $optional
	joined good required optional
	reach "$state" 16
	signalled "$signal" "$@"
	[ "$state" != frozen ] || wait_for 30 eval 'kho status | grep -q "khod *frozen"'
	[ "$state" = asked ] || [ "$state" = freezing ] || let_go
	ends "$state" "$staged" "$executed" "$words"
	undone
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	heard good 'prepare (freeze )?resume '
	go_on_heard "$signal" "$@"
	leave_all
	say "   $((SECONDS - start)) s"
}

faults_ready
PIDS=()
KHO_FAULTS=$FAULTS/khod KHO_FAULTS_HASTE=10 LD_PRELOAD=$FAULT start_khod
if [ "$BOOT" = 1 ]; then
	[ -e /root/meant ] || fail "this kernel was not meant to be booted"
	kho report || fail "kho report: exit $?"
	./whole.py "${REGIONS[@]}" || fail "not all is here"
	assert_ok kho wait --timeout=10
	exit 0
fi
make_regions

unanswered='uid:1002 did not answer'
ended='uid:1002 ended, or closed its connection'
cell asked KILL 0 0 "$ended" required
cell asked STOP 0 0 "$unanswered" required
cell asked KILL 1 1 'warning: uid:1003 ended.*leaves it behind' optional
cell asked STOP 1 1 'warning: uid:1003 did not answer.*leaves it behind' optional
for state in preserving prepared staged; do
	cell $state KILL 1 1 '' required optional
	cell $state STOP 1 0 "$unanswered" required optional
done
cell preserving STOP 1 1 '' optional
cell freezing KILL 1 0 "$ended" required
cell freezing STOP 1 0 "$unanswered" required
cell freezing KILL 1 1 '' optional
cell freezing STOP 1 1 '' optional
for state in recording frozen aborting; do
	cell $state KILL 1 1 '' required optional
	cell $state STOP 1 1 '' required optional
done

say "== frozen: one killed, one stopped, and the update happens"
join required --uid=1002
join optional --uid=1003 --optional
joined required optional
touch /root/meant
reach frozen
signalled KILL required
signalled STOP optional
let_go
kexec_ends
fail "kexec --kho -e came back"
