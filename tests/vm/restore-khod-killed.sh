#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: khod killed with SIGKILL in every state, here and in the next kernel: it goes on, and nothing is lost
# guest: systemd
# files: restore-freeze.py
# timeout: 900
. "$LAB"

state_is() {
	kho status | grep -q "khod  *$1"
}

# kill_khod: systemd starts it again, as another process.
kill_khod() {
	local pid

	pid=$(systemctl show -P MainPID khod.service)
	[ "$pid" -gt 0 ] || fail "khod does not run"
	kill -KILL "$pid"
	wait_for 60 sh -c "p=\$(systemctl show -P MainPID khod.service); [ \$p -gt 0 ] && [ \$p != $pid ]"
	wait_for 60 kho status
}

all_there() {
	assert_eq "$(kho get note)" kept "the note, $1"
	assert_eq "$(kho get big | sha256sum)" "$(cat /root/big.sum)" "the big region, $1"
	assert_eq "$(kho get late)" late "the optional region, $1"
}

say "=== boot $BOOT"
case $BOOT in
0)
	# So that it is started again at once, however often it has been killed.
	mkdir -p /etc/systemd/system/khod.service.d
	printf '[Service]\nRestartSteps=0\n' >/etc/systemd/system/khod.service.d/test.conf
	systemctl daemon-reload
	start_khod
	echo kept | kho put note || fail "kho put note"
	head -c 150M /dev/urandom >/root/big
	sha256sum </root/big >/root/big.sum
	kho put big </root/big || fail "kho put big"
	rm /root/big
	echo late | kho put --optional late || fail "kho put late"

	say "--- killed while idle"
	kill_khod
	all_there "after idle"

	say "--- killed while preparing: somebody does not answer"
	varlinkctl call --more /run/kho/io.kho.Handover io.kho.Handover.Watch '{}' >/run/stall.log 2>&1 &
	wait_for 30 grep -q watching /run/stall.log
	kexec --kho -l "$NEXT" --reuse-cmdline >/run/kexec.log 2>&1 &
	kexec=$!
	wait_for 30 state_is preparing
	kho status
	kill_khod
	wait $kexec
	STATUS=$?
	cat /run/kexec.log
	[ $STATUS = 3 ] || [ $STATUS = 4 ] || fail "kexec --kho -l: exit $STATUS"
	assert_match "$(cat /run/kexec.log)" 'kexec: khod went away before it answered'
	wait_for 30 state_is idle
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0
	all_there "after preparing"

	say "--- who prepared goes away before the next kernel is loaded"
	varlinkctl call --more /run/kho/io.kho.Manager io.kho.Manager.Prepare "{\"image\":\"$NEXT\"}" ||
		fail "Prepare: exit $?"
	wait_for 30 state_is idle
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l after that: exit $?"

	say "--- killed when staged, twice"
	update=$(kho status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["update"])')
	kill_khod
	assert_match "$(kho status)" "khod +staged"
	kill_khod
	kho status
	assert_match "$(kho status)" "khod +staged"
	assert_match "$(kho status)" "update +$update"
	all_there "after staged"

	say "--- killed when frozen"
	./restore-freeze.py sh -c 'kill -KILL $(systemctl show -P MainPID khod.service)'
	wait_for 60 state_is idle
	all_there "after frozen"
	assert_ok /usr/sbin/kexec -u

	say "--- and it all works"
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	kill_khod
	assert_match "$(kho status)" "khod +staged"
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	fail "kexec --kho -e came back"
	;;
1)
	assert_match "$(uname -r)" '-next$'
	say "--- killed while restoring, again and again"
	systemctl start --no-block khod.service
	kills=0
	for delay in 0 0.1 0.2 0.3 0.5 0.7; do
		wait_for 60 kho status
		state_is restoring || break
		sleep $delay
		state_is restoring || break
		kill -KILL "$(systemctl show -P MainPID khod.service)"
		kills=$((kills + 1))
		sleep 0.3
	done
	say "$kills times"
	[ $kills -ge 2 ] || fail "restoring was over too early for this test"
	wait_for 120 state_is idle
	journalctl -b -u khod.service -o cat --no-pager | grep -v Scheduled
	kho report || fail "kho report: exit $?"
	all_there "after restoring"
	assert_eq "$(kho report | grep -c verified)" 3 "verified regions"
	kill_khod
	all_there "after restoring and a kill"
	assert_match "$(kho report)" 'restored: every region arrived'
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	;;
2)
	start_khod
	all_there "at the end"
	kho report || fail "kho report: exit $?"
	;;
esac
