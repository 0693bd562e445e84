#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: systemctl kexec staged and not, reboot as kexec, soft-reboot, khod stopped, PID 1 bringing nothing back
# guest: systemd
# timeout: 600
. "$LAB"

CLAIMED=/root/claimed

set_up() {
	cp /usr/local/libexec/kho/examples/counter.service /etc/systemd/system/
	systemctl enable --quiet --now khod.socket khod-manager.socket khod.service counter.service
	wait_for 30 said counter.service "counting from 0"
	echo kept | kho put note || fail "kho put note: exit $?"
	echo 0 >$CLAIMED
}

# said UNIT PATTERN: in this boot.
said() {
	journalctl -b -u "$1" -o cat --no-pager | grep -q -- "$2"
}

# logind waits for who holds this; it starts after khod.
has_lock() {
	systemd-inhibit --list --no-pager | grep -q 'khod .*shutdown.*delay'
}

stage() {
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
}

# Everything that was there in the boot before is here, and the counter is further than it was then.
all_here() {
	local before claimed

	assert_eq "$COLD" 0
	wait_for 30 said counter.service "claimed, going on from"
	claimed=$(journalctl -b -u counter.service -o cat --no-pager | sed -n 's/^claimed, going on from //p' | tail -n 1)
	before=$(<$CLAIMED)
	[ "$claimed" -gt "$before" ] || fail "the counter was claimed at $claimed, after $before"
	echo "$claimed" >$CLAIMED
	assert_eq "$(kho get note)" kept
	assert_ok kho wait --timeout=60
	kho report
	kho report >/dev/null || fail "kho report: exit $?"
	wait_for 60 has_lock
}

assert_committed_before() {
	assert_match "$(kho report)" 'kexec, or shutdown begins.*freeze: services stop.*all services stopped.*kernel starts'
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
	assert_eq "$(systemd-analyze verify live-update.target live-update-check.service \
		khod-shutdown@kexec.service khod-shutdown@poweroff.service 2>&1)" ""
	wait_for 60 has_lock
	stage
	assert_ok systemctl kexec
	;;
1)
	all_here
	assert_committed_before
	assert_match "$(kho report)" 'every region preserved.*next kernel loaded.*kexec, or shutdown begins'
	say "--- not staged"
	assert_ok /usr/sbin/kexec -s -l "$NEXT" --reuse-cmdline
	assert_ok systemctl kexec
	;;
2)
	all_here
	assert_committed_before
	! [[ $(kho report) =~ "every region preserved" ]] || fail "somebody has staged it"
	say "--- staged, and a reboot that systemctl makes a kexec"
	stage
	assert_ok systemctl reboot
	;;
3)
	all_here
	assert_committed_before
	say "--- soft-reboot, staged"
	stage
	assert_ok systemctl soft-reboot
	;;
4)
	# The same kernel; khod has never ended.
	assert_match "$(kho status)" 'khod +staged'
	all_here
	assert_ok kexec --kho -u

	say "--- khod stopped, started, restarted; PID 1 executes itself"
	systemctl stop khod.service
	assert_ok systemctl start khod.service
	assert_eq "$(kho get note)" kept
	assert_ok systemctl restart khod.service
	assert_ok systemctl daemon-reexec
	assert_eq "$(kho get note)" kept
	stage
	assert_ok systemctl restart khod.service
	assert_match "$(kho status)" 'khod +staged'

	say "--- PID 1 brings nothing back"
	mkdir -p /etc/systemd/system/khod.service.d
	printf '[Service]\nFileDescriptorStorePreserve=no\n' >/etc/systemd/system/khod.service.d/no-store.conf
	systemctl daemon-reload
	wait_for 60 has_lock
	assert_ok systemctl kexec
	;;
5)
	all_here
	assert_committed_before
	say "--- without logind"
	systemctl mask --quiet --runtime --now systemd-logind.service
	stage
	assert_ok systemctl kexec
	;;
6)
	all_here
	assert_committed_before
	;;
esac
