#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: by copy under systemd, 7.1 to 7.3: live-update.target, with the spool on a file system of its own, and kexec -e
# guest: systemd
# kernel: 7.1
# next: 7.3
# timeout: 900
. "$LAB"

DIR=/root/copy

install_services() {
	mkdir -p $DIR /etc/kho /srv/disk
	cp /usr/local/libexec/kho/examples/counter.service /etc/systemd/system/
	# One that nobody stops: it is frozen at the very end.
	cat >/etc/systemd/system/last.service <<-EOF
		[Unit]
		DefaultDependencies=no
		SurviveFinalKillSignal=yes
		After=khod.service

		[Service]
		ExecStart=/usr/local/libexec/kho/examples/counter --name=last

		[Install]
		WantedBy=multi-user.target
	EOF
	# It is unmounted before the last step, unless somebody holds it.
	truncate -s 64M /root/disk
	mkfs.ext4 -q -F -m 0 /root/disk
	echo '/root/disk /srv/disk ext4 loop 0 0' >>/etc/fstab
	mkdir -p /etc/systemd/system/khod.service.d /etc/systemd/system/khod-shutdown@.service.d
	printf '[Unit]\nWantsMountsFor=/srv/disk\n' >/etc/systemd/system/khod.service.d/spool.conf
	printf '[Service]\nStandardError=append:%s\n' $DIR/last-step >/etc/systemd/system/khod-shutdown@.service.d/log.conf
	printf '[LiveUpdate]\nKernel=%s\nReuseCommandLine=yes\nTransport=spool\nSpool=/srv/disk/spool\n' "$NEXT" \
		>/etc/kho/live-update.conf
	systemctl daemon-reload
	systemctl start srv-disk.mount
	systemctl enable --quiet khod.socket khod-manager.socket khod.service
	systemctl enable --quiet --now khod.service counter.service last.service
	wait_for 60 said counter.service "created, counting from 0"
	wait_for 60 said last.service "created, counting from 0"
	say "a note" | kho put note
	kho list
}

# said UNIT PATTERN: in this boot.
said() {
	journalctl -b -u "$1" -o cat --no-pager | grep -q -- "$2"
}

# A number that a counter said in the boot before.
said_before() {
	journalctl -b -1 -u "$1" -o cat --no-pager | sed -n "s/^$2 \([0-9]*\)\$/\1/p" | tail -n 1
}

going_on_from() {
	journalctl -b -u "$1" -o cat --no-pager | sed -n 's/^claimed, going on from //p'
}

# found WORDS-OF-THE-COUNTER
found() {
	assert_match "$(uname -r)" '^7\.3'
	assert_eq "$COLD" 0
	wait_for 60 said counter.service "claimed, going on from"
	wait_for 60 said last.service "claimed, going on from"
	cat $DIR/last-step
	kho report || fail "kho report: exit $?"
	assert_match "$(kho report)" 'copied '
	assert_eq "$(going_on_from counter.service)" "$(said_before counter.service "$1")" "the counter"
	assert_match "$(kho report)" 'last +last.service .*verified'
	assert_eq "$(kho get note)" "a note"
	assert_ok kho wait --timeout=60
	assert_ok kho drop note
	wait_for 30 eval '[ -z "$(ls -A /srv/disk/spool)" ]'
}

say "=== boot $BOOT, $COLD, $(uname -r)"
case $BOOT in
0)
	assert_match "$(uname -r)" '^7\.1'
	install_services
	assert_ok systemctl start live-update.target
	;;
1)
	journalctl -b -1 -u khod.service -u live-update.service -u "khod-shutdown@*" -u last.service -o short-monotonic --no-pager
	found "stopped at"
	say "a note" | kho put note
	kexec --kho -l -e "$NEXT" --reuse-cmdline --kho-transport=spool
	fail "kexec --kho -e came back: $?"
	;;
2)
	found "frozen at"
	;;
esac
