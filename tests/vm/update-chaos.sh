#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: one of the actors killed, stopped or ended at a random moment of an update, again and again; then a kexec
# guest: systemd
# files: actors.bash participant.py region.py whole.py ../../examples/counter.py
# timeout: 900
. "$LAB"
. ./actors.bash

# The same again: tests/lab run --append=chaos.seed=SEED tests/vm/update-chaos.sh
ROUNDS=40
SECONDS_MAX=90
HISTORY=/run/history

SEED=$(sed -n 's/.*chaos\.seed=\([0-9]*\).*/\1/p' /proc/cmdline)
SEED=${SEED:-$((16#$(head -c 2 /dev/urandom | od -An -tx2 | tr -d ' ')))}
RANDOM=$SEED

tell_history() {
	local status=$?

	[ $status = 0 ] || [ ! -e $HISTORY ] || sed 's/^/history: /' $HISTORY
	[ $status = 0 ] || say "seed $SEED"
	return $status
}

# pick NAME WORD...: one of them, in the variable NAME.
pick() {
	local -n picked=$1

	shift
	# shellcheck disable=SC2034
	picked=${!#}
	set -- "$@"
	picked=${*:RANDOM % $# + 1:1}
}

runs() {
	[ -n "${1:-}" ] && [ "$1" != 0 ] && kill -0 "$1" 2>/dev/null
}

# Those that have been killed are started again, as a service manager would do it.
all_join() {
	wait_for 60 kho status
	if ! runs "${REQUIRED:-}"; then
		/usr/local/libexec/kho/examples/counter >>/tmp/counter 2>&1 &
		REQUIRED=$!
		BEGUN=$(wc -l </tmp/counter)
	fi
	if ! runs "${PID_optional:-}"; then
		join optional --uid=1003 --optional
		joined optional
	fi
	wait_for 60 eval '[ $(kho status --json | grep -o "\"watching\"" | wc -l) = 2 ]'
}

# hit ACTOR SIGNAL MILLISECONDS: what is stopped goes on after as long again, at most 1.5 s.
hit() {
	local pid=$1

	sleep "$(printf '%d.%03d' $(($3 / 1000)) $(($3 % 1000)))"
	[ "$1" != khod ] || pid=$(systemctl show -P MainPID khod.service)
	[ "$pid" -gt 0 ] || return 0
	kill -"$2" "$pid" 2>/dev/null || return 0
	if [ "$2" = STOP ]; then
		sleep "$(printf '%d.%03d' $(($3 % 1500 / 1000)) $(($3 % 1000)))"
		kill -CONT "$pid" 2>/dev/null
	fi
}

# The service has heard of the end of each update that it heard of since it began, once, and goes on.
service_goes_on() {
	local heard before

	runs "$REQUIRED" || return 0
	wait_for 30 eval "tail -n +$((BEGUN + 1)) /tmp/counter | grep '^[ufn]' | tail -n 1 | grep -Ev '^(update|frozen)' || ! tail -n +$((BEGUN + 1)) /tmp/counter | grep '^update'"
	heard=$(tail -n +$((BEGUN + 1)) /tmp/counter |
		sed -n 's/^update.*/prepare/p; s/^frozen.*/freeze/p; s/^no update.*/resume/p' | tr '\n' ' ')
	[[ $heard =~ ^(prepare (freeze )?resume )*$ ]] || fail "the service heard: $heard"
	before=$(kho get counter | sha256sum)
	wait_for 10 eval "[ \"\$(kho get counter | sha256sum)\" != '$before' ]"
}

# The whole of an update, which the kernel refuses at the end; KEXEC is who drives it just now.
update() {
	local words=''

	fault kexec reboot 1 'error 16'
	with_faults kexec kexec --kho $COMMAND >/tmp/kexec 2>&1 &
	KEXEC=$!
	[ "$ACTOR" != kexec ] || victim=$KEXEC
	hit "$victim" "$SIGNAL" "$DELAY" &
	HITTER=$!
	kexec_ends >/dev/null 2>&1
	# It may be still to come, or to be let go on.
	wait $HITTER
	OUTCOME="exit $STATUS: $(tail -n 1 /tmp/kexec)"
}

# round NUMBER
round() {
	local victim

	pick ACTOR khod khod kexec kexec required optional
	pick SIGNAL KILL STOP TERM
	pick COMMAND "-l $NEXT --reuse-cmdline" "-le $NEXT --reuse-cmdline" "-le $NEXT --reuse-cmdline"
	DELAY=$((RANDOM % LENGTH))
	all_join
	victim=$ACTOR
	[ "$ACTOR" != required ] || victim=$REQUIRED
	[ "$ACTOR" != optional ] || victim=$PID_optional
	echo "$1: ${COMMAND%% *}, SIG$SIGNAL to $ACTOR after $DELAY ms" >>$HISTORY
	update
	echo "   $OUTCOME" >>$HISTORY
	wait_for 60 kho status
	kexec --kho -u >/dev/null 2>&1
	rm -f $FAULTS/kexec/*
	undone
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	service_goes_on
	say "$(tail -n 2 $HISTORY | tr '\n' ' ')"
}

faults_ready
PIDS=()
if [ "$BOOT" = 1 ]; then
	start_khod
	[ -e /root/meant ] || fail "this kernel was not meant to be booted; seed $SEED"
	kho report || fail "kho report: exit $?"
	./whole.py "${REGIONS[@]}" || fail "not all is here"
	[ "$(kho get counter | od -An -tu8 -j8 -N8)" -ge "$(cat /root/meant)" ] || fail "the service's count is lost"
	exit 0
fi
say "seed $SEED"
trap tell_history EXIT
configure_khod 1min
start_khod
make_regions

# Undisturbed, and so how long it takes.
: >/tmp/counter
all_join
ACTOR=none SIGNAL=0 DELAY=0 COMMAND="-le $NEXT --reuse-cmdline" victim=0
started=${EPOCHREALTIME/./}
update
LENGTH=$(((${EPOCHREALTIME/./} - started) / 1000))
say "$LENGTH ms for an update that nobody disturbs; $OUTCOME"
assert_match "$OUTCOME" 'Device or resource busy; the update is undone'
undone
service_goes_on

start=$SECONDS
for ((i = 1; i <= ROUNDS && SECONDS - start < SECONDS_MAX; i++)); do
	round $i
done
say "$((i - 1)) rounds in $((SECONDS - start)) s"

all_join
kho get counter | od -An -tu8 -j8 -N8 >/root/meant
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
kexec --kho -e
fail "kexec --kho -e came back: exit $?"
