#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: khod alone, without a service manager: killed, started twice, stale sockets; services register again
# timeout: 600
. "$LAB"
PATH=$PATH:/usr/local/libexec/kho/examples

count() {
	kho get counter | od -An -tu8 -j8 -N8
}

kill_khod() {
	kill -KILL "$KHOD_PID"
	wait "$KHOD_PID" 2>/dev/null
	# The sockets of the dead one are still there: nobody is at the other end.
	[ -S /run/kho/io.kho.Manager ] || fail "no stale socket"
	assert_fails kho status
	assert_eq "$STATUS" 3 "kho status without khod"
}

# Started again with what the dead one has left behind.
restart_khod() {
	start_khod
	wait_for 30 kho status
}

# Once more than there were before: the service has registered its region by itself.
registered_again() {
	wait_for 30 sh -c "[ \$(grep -c 'counter is registered again' /run/counter.log) = $1 ]"
	assert_match "$(kho list)" 'counter +uid:0'
}

# frozen_and_killed: khod dies when all is frozen, while kexec is stuck just before reboot(2).
frozen_and_killed() {
	mkfifo /run/stuck
	exec 8<>/run/stuck
	# Nobody reads: kexec stands still in what it says before it reboots.
	dd if=/dev/zero of=/run/stuck bs=4096 count=16 oflag=nonblock 2>/dev/null
	kexec --kho -e >&8 2>/run/kexec.err &
	kexec=$!
	wait_for 30 sh -c 'kho status | grep -q "khod *frozen"'
	sleep 1
	kill -KILL "$KHOD_PID"
	dd if=/run/stuck of=/dev/null bs=4096 count=16 2>/dev/null
	wait $kexec
	STATUS=$?
	cat /run/kexec.err
	assert_match "$(cat /run/kexec.err)" 'khod went away'
	assert_eq $STATUS 3 "kexec --kho -e without khod"
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "kexec_loaded"
	[ -e /var/lib/kho/ledger.dtb ] || fail "no ledger was written, so khod was not frozen"
}

goes_on_counting() {
	local waited

	for ((waited = 0; waited < 100; waited++)); do
		! grep -q 'claimed, going on' /run/counter.log || return 0
		sleep 0.1
	done
	cat /run/counter.log
	kho get counter | od -A d -t x8
	fail "the service does not go on"
}

say "=== boot $BOOT"
start_khod
case $BOOT in
0)
	say "--- a second khod"
	echo kept | kho put note || fail "kho put"
	assert_fails khod
	say "$OUTPUT"
	assert_match "$OUTPUT" "Another khod runs already, as process $KHOD_PID"
	assert_eq "$(kho get note)" kept "after the second khod"

	say "--- killed while idle"
	counter >/run/counter.log 2>&1 &
	COUNTER=$!
	wait_for 10 kho get counter
	kill_khod
	wait_for 10 grep -q 'khod is away' /run/counter.log
	restart_khod
	registered_again 1
	say "--- what nobody but khod held is gone with it"
	assert_fails kho get note
	assert_match "$(cat /run/khod.log)" 'no service manager keeps'

	say "--- killed when staged"
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	kill_khod
	restart_khod
	registered_again 2
	assert_match "$(kho status)" 'khod +idle'
	assert_fails kexec --kho -e
	say "$OUTPUT"
	assert_eq "$STATUS" 2 "kexec --kho -e after khod died"
	assert_match "$OUTPUT" 'nothing is staged'

	say "--- killed when frozen"
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	frozen_and_killed
	restart_khod
	registered_again 3
	assert_match "$(kho status)" 'khod +idle'
	[ ! -e /var/lib/kho/ledger.dtb ] || fail "the ledger tells of an update that did not happen"
	kill -0 $COUNTER || fail "the service is dead"
	cat /run/counter.log
	before=$(count)
	sleep 0.5
	[ "$(count)" -gt "$before" ] || fail "the service stands still"
	count >/root/count
	next_boot
	;;
1)
	counter >/run/counter.log 2>&1 &
	goes_on_counting
	[ "$(count)" -ge "$(cat /root/count)" ] || fail "the count is lost"
	# Killed after restoring: the report of what was restored stays as it is, and the next update works.
	kill_khod
	restart_khod
	registered_again 1
	assert_match "$(kho report)" 'restored: every region arrived'
	count >/root/count
	next_boot
	;;
2)
	counter >/run/counter.log 2>&1 &
	goes_on_counting
	[ "$(count)" -ge "$(cat /root/count)" ] || fail "the count is lost"
	kho report || fail "kho report: exit $?"
	;;
esac
