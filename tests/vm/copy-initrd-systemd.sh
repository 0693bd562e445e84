#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: copies in the initrd under systemd: khod killed while it takes them, and live-update.target
# guest: systemd
# kernel: 7.1
# next: 7.3
# timeout: 900
. "$LAB"

state_is() {
	kho status | grep -q "khod  *$1"
}

all_there() {
	assert_eq "$(kho get note)" "$1"
	assert_eq "$(kho get big | sha256sum)" "$(cat /root/big.sum)" "the big region"
	assert_match "$(kho report)" 'restored: every region arrived'
	assert_match "$(kho report --json)" '"transport" *: *"initrd"'
	wait_for 30 eval '[ -z "$(ls -A /run/kho/handover)" ]'
}

say "=== boot $BOOT, $COLD, $(uname -r)"
case $BOOT in
0)
	start_khod
	echo first | kho put note || fail "kho put note"
	head -c 150M /dev/urandom >/root/big
	sha256sum </root/big >/root/big.sum
	kho put big </root/big || fail "kho put big"
	rm /root/big
	kexec --kho -l -e "$NEXT" --reuse-cmdline --kho-transport=initrd
	fail "kexec --kho -e came back: $?"
	;;
1)
	assert_match "$(uname -r)" '^7\.3'
	assert_eq "$(stat -c '%a %u %g' /run/kho/handover)" "700 0 0"
	findmnt -n -o FSTYPE /run
	say "--- killed while taking it, again and again"
	systemctl start --no-block khod.service
	kills=0
	for delay in 0 0.1 0.2 0.3 0.5; do
		wait_for 60 kho status
		state_is restoring || break
		sleep $delay
		state_is restoring || break
		kill -KILL "$(systemctl show -P MainPID khod.service)"
		kills=$((kills + 1))
		sleep 0.3
	done
	say "$kills times"
	[ $kills -ge 2 ] || fail "it was over too early for this test"
	wait_for 120 state_is idle
	journalctl -b -u khod.service -o cat --no-pager | grep -v Scheduled
	kho report || fail "kho report: exit $?"
	all_there first
	assert_ok kho drop note
	echo second | kho put note || fail "kho put note"

	say "--- by an orderly shutdown"
	mkdir -p /etc/kho /etc/systemd/system/khod-shutdown@.service.d
	printf '[LiveUpdate]\nKernel=%s\nReuseCommandLine=yes\nTransport=initrd\n' "$NEXT" >/etc/kho/live-update.conf
	printf '[Service]\nStandardError=append:/root/last-step\n' >/etc/systemd/system/khod-shutdown@.service.d/log.conf
	systemctl daemon-reload
	systemctl enable --quiet khod.socket khod-manager.socket khod.service
	assert_ok systemctl start live-update.target
	;;
2)
	cat /root/last-step
	assert_eq "$COLD" 0
	wait_for 120 state_is idle
	kho report || fail "kho report: exit $?"
	all_there second
	;;
esac
