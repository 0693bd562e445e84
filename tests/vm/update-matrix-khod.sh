#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: in each state of an update, khod killed, stopped for a while, hung, restarted as another binary
# guest: systemd
# files: actors.bash participant.py region.py whole.py ../../examples/counter.py
# timeout: 900
. "$LAB"
. ./actors.bash

khod_pid() {
	systemctl show -P MainPID khod.service
}

state_is() {
	kho status | grep -q "khod *$1"
}

# The service has heard of the end of each update that it heard of, once, and goes on.
service_goes_on() {
	local before heard

	wait_for 30 sh -c '[ $(grep -c "being prepared" /tmp/counter) = $(grep -c "^no update" /tmp/counter) ]'
	heard=$(sed -n 's/^update.*/prepare/p; s/^frozen.*/freeze/p; s/^no update.*/resume/p' /tmp/counter | tr '\n' ' ')
	[[ $heard =~ ^(prepare (freeze )?resume )*$ ]] || fail "the service heard: $heard"
	before=$(kho get counter | sha256sum)
	wait_for 10 eval "[ \"\$(kho get counter | sha256sum)\" != '$before' ]"
}

# begin STATE WHAT: the update is held there.
begin() {
	local phase=${1/asked/prepare}

	say "== $1: khod $2"
	START=$SECONDS
	KHOD_PID=$(khod_pid)
	case $1 in
	asked | freezing) join required --uid=1002 "--${phase/freezing/freeze}=later" && joined required ;;
	esac
	reach "$1" "${3-16}"
}

over() {
	let_go
	rm -f $FAULTS/*/*
	leave_all
	undone
	service_goes_on
	say "   $((SECONDS - START)) s"
}

another_khod() {
	wait_for 60 eval "[ \"\$(khod_pid)\" != $KHOD_PID ] && [ \"\$(khod_pid)\" != 0 ]"
	wait_for 60 kho status
}

# What is staged goes on: it is executed, and undone as the kernel refuses.
goes_on() {
	assert_match "$(kho status)" 'khod +staged'
	fault kexec reboot 1 'error 16'
	kexec_begins -e
	kexec_ended 4 'Device or resource busy; the update is undone'
}

killed() {
	# Whose reboot(2) does not fail, and must not come.
	if [ "$1" = frozen ]; then begin frozen killed ''; else begin "$1" killed; fi
	kill -KILL "$KHOD_PID"
	another_khod
	let_go
	case $1 in
	staged) goes_on ;;
	aborting) kexec_ended 3 'khod went away' ;;
	frozen) kexec_ended 137 ;; # it would have rebooted
	*) kexec_ended 4 'khod went away.*; the update is undone' ;;
	esac
	over
}

# stopped STATE [SECONDS]: and goes on; nobody notices more than that it takes time.
stopped() {
	begin "$1" stopped
	kill -STOP "$KHOD_PID"
	let_go
	sleep "${2:-1}"
	kill -CONT "$KHOD_PID"
	case $1 in
	aborting) kexec_ended 0 '^dropped update' ;;
	asked | preserving | prepared)
		kexec_ended 0 'staged '
		cp /tmp/kexec /tmp/staging
		;;&
	asked | preserving | prepared | staged) goes_on ;;
	*) kexec_ended 4 'Device or resource busy; the update is undone' ;;
	esac
	over
}

# As a package does it.
upgraded() {
	cp /usr/local/sbin/khod /usr/local/sbin/khod.new
	mv /usr/local/sbin/khod.new /usr/local/sbin/khod
	systemctl restart khod.service || fail "khod does not start again"
	another_khod
}

faults_ready
PIDS=()
if [ "$BOOT" = 1 ]; then
	start_khod
	[ -e /root/meant ] || fail "this kernel was not meant to be booted"
	kho report || fail "kho report: exit $?"
	./whole.py "${REGIONS[@]}" || fail "not all is here"
	[ "$(kho get counter | od -An -tu8 -j8 -N8)" -gt 0 ] || fail "the service's count is lost"
	exit 0
fi
configure_khod 1min
start_khod
make_regions
/usr/local/libexec/kho/examples/counter >/tmp/counter 2>&1 &
wait_for 30 grep -q created /tmp/counter

for state in asked preserving prepared staged reloading freezing recording frozen aborting; do
	killed $state
done
for state in asked preserving staged freezing recording frozen aborting; do
	stopped $state
done
# Whoever waits for it learns why.
stopped prepared 15
grep -q 'khod has not answered Staged for 10 s' /tmp/staging || fail "kexec waited without a word"

say "== hung, until systemd takes it for that"
configure_khod 5s
systemctl restart khod.service
begin freezing hung
kill -STOP "$KHOD_PID"
another_khod
let_go
kexec_ended 4 'khod went away.*; the update is undone'
over
configure_khod 1min

begin prepared upgraded
upgraded
let_go
kexec_ended 4 'khod went away.*; the update is undone'
over

begin staged upgraded
upgraded
assert_match "$(kho status)" 'khod +staged'
touch /root/meant
kexec --kho -e
fail "kexec --kho -e came back: exit $?"
