#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: ways down that keep no memory: nothing hangs, and the next boot says what was lost and why
# guest: systemd
# cold-boots: 3
# timeout: 600
. "$LAB"

said() {
	journalctl -b -u "$1" -o cat --no-pager | grep -q -- "$2"
}

has_lock() {
	systemd-inhibit --list --no-pager | grep -q 'khod .*shutdown.*delay'
}

set_up() {
	cp /usr/local/libexec/kho/examples/counter.service /etc/systemd/system/
	systemctl enable --quiet --now khod.socket khod-manager.socket khod.service counter.service
}

ready() {
	wait_for 30 said counter.service "created, counting from 0"
	wait_for 60 has_lock
}

stage() {
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
}

# lost_by HOW: on record; and the service has begun anew, without being told of an error.
lost_by() {
	assert_eq "$COLD" 1
	wait_for 30 said counter.service "created, counting from 0"
	wait_for 30 kho status
	kho report
	assert_fails kho report
	assert_eq "$STATUS" 5
	assert_match "$OUTPUT" "shutdown +$1: that keeps no memory"
	assert_match "$OUTPUT" 'LOST: nothing arrived'
	assert_match "$OUTPUT" "counter +counter.service .*the machine went down \($1\), which keeps no memory"
	[ ! -e /var/lib/kho/ledger.dtb ] || fail "the ledger is still there"
}

# What an operator would read of how it went down.
last_words() {
	journalctl -b -1 -u khod.service -u "live-update*" -u "khod-shutdown@*" -o short-monotonic --no-pager | tail -n 25
}

say "=== boot $BOOT, $COLD"
[ "$BOOT" = 0 ] || last_words
case $BOOT in
0)
	set_up
	ready
	say "--- kexec.target by hand, with nothing loaded"
	assert_ok systemctl start --no-block kexec.target
	;;
1)
	lost_by "kexec, with no kernel loaded"
	ready
	say "--- a reboot that is not to be a kexec, staged"
	stage
	SYSTEMCTL_SKIP_AUTO_KEXEC=1 systemctl reboot || fail "systemctl reboot: exit $?"
	;;
2)
	lost_by "reboot"
	ready
	say "--- poweroff, and on again"
	assert_ok systemctl poweroff
	;;
3)
	lost_by "poweroff"
	;;
esac
