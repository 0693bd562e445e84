#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: systemctl kexec with nothing loaded and nothing staged: it loads the boot loader's entry, khod checks that one
# guest: systemd
# timeout: 600
. "$LAB"

# Read by systemctl(1) on machines without EFI, too.
BLS=/run/boot-loader-entries

# logind waits for who holds this; it starts after khod.
has_lock() {
	systemd-inhibit --list --no-pager | grep -q 'khod .*shutdown.*delay'
}

case $BOOT in
0)
	systemctl enable --quiet --now khod.socket khod-manager.socket khod.service
	echo kept | kho put note || fail "kho put note: exit $?"
	wait_for 60 has_lock
	mkdir -p $BLS/loader/entries /etc/kho
	cp "$NEXT" $BLS/linux
	printf 'title Lab\nlinux /linux\noptions %s lab.entry=1\n' "$(cat /proc/cmdline)" >$BLS/loader/entries/lab.conf
	# It is for kexec --kho -l alone: systemctl does not read it.
	printf '[LiveUpdate]\nKernel=%s\nCommandLine=kho=off\n' "$NEXT" >/etc/kho/live-update.conf
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	assert_ok systemctl kexec
	;;
1)
	assert_eq "$COLD" 0
	assert_match "$(cat /proc/cmdline)" ' lab.entry=1$'
	check=$(journalctl -b -1 -u live-update-check.service -o cat --no-pager)
	say "$check"
	assert_match "$check" "next comes .*$BLS/linux: boot loader entry lab.conf "
	! [[ $check =~ "would not survive" ]] || fail "it is the wrong kernel that was checked"
	assert_eq "$(kho get note)" kept
	kho report || fail "kho report: exit $?"
	! [[ $(kho report) =~ forced ]] || fail "it is said to have been forced"
	;;
esac
