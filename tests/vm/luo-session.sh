#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: LUOSession= of another unit beside ours; units renamed and gone in the next kernel; PID 1 hands nothing over
# guest: systemd
# files: luo-session-own.py
# timeout: 900
. "$LAB"

DIR=/usr/lib/kho-lab/test

log_has() {
	journalctl -q -o cat -u "$1" -b "${3:-0}" | grep -qE -- "$2"
}

# The unit file that keeps a note, or says that it has it.
write_note_unit() {
	cat >"/etc/systemd/system/$1.service" <<-'EOF'
		[Unit]
		After=khod.socket
		[Service]
		Type=oneshot
		ExecStart=sh -c 'kho get note || echo kept | kho put note'
	EOF
}

install_units() {
	cat >/etc/systemd/system/own.service <<-EOF
		[Service]
		ExecStart=$DIR/luo-session-own.py
		LUOSession=mem
		FileDescriptorStorePreserve=yes
		[Install]
		WantedBy=multi-user.target
	EOF
	cp /etc/systemd/system/own.service /etc/systemd/system/late.service
	write_note_unit renamed
	write_note_unit stays
	systemctl daemon-reload
}

case $BOOT in
0)
	mkdir -p /var/log/journal
	assert_ok journalctl --flush
	install_units
	assert_ok systemctl enable --now khod.service own.service
	assert_ok systemctl start renamed.service stays.service
	systemd-run --quiet --wait --unit=gone sh -c 'echo kept | kho put note' || fail "gone.service: $?"
	wait_for 60 log_has own.service created

	say "--- a unit with LUOSession= starts while khod has an update staged: the device is free"
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	assert_ok systemctl start late.service
	wait_for 60 log_has late.service created
	assert_ok systemctl stop late.service
	assert_ok systemctl clean --what=fdstore late.service

	say "--- kexec --kho -e would leave the session without anybody who knows of it"
	assert_fails kexec --kho -e
	say "$OUTPUT"
	assert_match "$OUTPUT" 'memory "mem" in the fd store of own.service would be lost'
	assert_ok journalctl --sync
	say "--- while somebody else has the device open it does not: khod never has for long"
	python3 -c 'import os, time; os.open("/dev/liveupdate", os.O_RDWR); print("open", flush=True); time.sleep(600)' >/run/holder &
	HOLDER=$!
	wait_for 60 grep -q open /run/holder
	assert_fails systemctl start late.service
	assert_eq "$(systemctl show -P Result late.service)" resources
	kill $HOLDER
	assert_ok systemctl kexec
	;;
1)
	assert_match "$(uname -r)" '-next$'
	wait_for 60 log_has own.service 'found mine!'
	assert_eq "$(systemctl show -P ActiveState khod.service)" active

	say "--- a unit that has another name now, and one that is gone"
	mv /etc/systemd/system/renamed.service /etc/systemd/system/other.service
	systemctl daemon-reload
	assert_ok systemctl start stays.service other.service
	list=$(kho list)
	say "$list"
	for owner in gone renamed; do
		assert_match "$list" "note +$owner.service +5 B +file +yes +no +restored"
		assert_eq "$(kho get --owner=$owner.service note)" kept "$owner"
	done
	assert_match "$list" "note +stays.service +5 B +file +yes +yes +restored"
	assert_fails kho wait --timeout=1
	assert_eq "$STATUS" 6 "exit status of kho wait"
	assert_ok kho drop --owner=renamed.service note

	say "--- PID 1 hands nothing over: as any systemd before 261"
	assert_ok systemctl stop own.service
	assert_ok systemctl clean --what=fdstore own.service
	assert_ok systemctl disable own.service
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	mv /dev/liveupdate /dev/liveupdate-away
	assert_ok systemctl kexec
	;;
2)
	# Not what PID 1 had in its stores, nor how often it was there: it knows of nothing.
	assert_match "$(busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 \
		org.freedesktop.systemd1.Manager KExecCount)" ' 0$'
	assert_eq "$COLD" 0
	report=$(kho report) || fail "kho report: exit $?: $report"
	say "$report"
	assert_match "$report" 'restored: every region arrived'
	assert_ok systemctl start stays.service
	log_has stays.service kept || fail "stays.service does not have its note"
	assert_eq "$(kho get --owner=gone.service note)" kept
	;;
esac
