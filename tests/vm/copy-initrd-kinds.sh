#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: copies outlive the change of root of an initrd with systemd, and of one as initramfs-tools makes
# files: copy-initrd-make.bash
# timeout: 400
. "$LAB"
. ./copy-initrd-make.bash

MIB=24

# boot_with INITRD: does not come back.
boot_with() {
	initrd-test load $MIB "$1" /usr/sbin/kexec -c --no-checks -l "$NEXT" \
		--command-line="$(cat /proc/cmdline)" || fail "initrd-test load: exit $?"
	sync
	/usr/sbin/kexec -e -x -y
	fail "kexec -e came back"
}

# arrived_by PATTERN: what the kernel's log has of the initrd.
arrived_by() {
	dmesg | grep -q "$1" || fail "the initrd did not run"
	assert_eq "$(stat -c '%a %u %g' /run/kho/handover)" "700 0 0"
	assert_eq "$(stat -c '%a %u %g' /run/kho/handover/1.0)" "600 0 0"
	assert_ok initrd-test take $MIB
	assert_eq "$(ls -A /run/kho/handover)" ""
}

case $BOOT in
0)
	make_systemd_initrd /root/systemd.img
	make_script_initrd /root/script.img
	ls -l /root/*.img
	boot_with /root/systemd.img
	;;
1)
	arrived_by 'systemd.*Running in initrd'
	say "by systemd"
	boot_with /root/script.img
	;;
2)
	arrived_by 'script-initrd: init-bottom'
	say "by a script of initramfs-tools"
	;;
esac
