#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what is said of a kernel with live update, booted cold and by kexec, without it, and without KHO
. "$LAB"

field() {
	luo-test probe | sed -n "s/^$1=//p"
}

case $BOOT in
0)
	luo-test probe
	assert_eq "$(field generation)" stateless
	assert_eq "$(field luo)" 1
	assert_eq "$(field kexec_loaded)" 0
	assert_eq "$(field kexec_count)" 0
	# Somebody else has it open: it works all the same.
	exec 9<>/dev/liveupdate
	assert_eq "$(field luo)" 1
	exec 9>&-
	assert_ok /usr/sbin/kexec -s -l "$NEXT" --reuse-cmdline
	assert_eq "$(field kexec_loaded)" 1
	release=$(uname -r)
	echo "$release" >/root/release
	plain_kexec
	;;
1)
	assert_eq "$(field luo)" 1
	assert_eq "$(field kexec_count)" 1
	assert_eq "$(field previous_release)" "$(cat /root/release)"
	plain_kexec --append=liveupdate=off
	;;
2)
	luo-test probe
	assert_eq "$(field generation)" stateless
	assert_eq "$(field luo)" 0
	assert_match "$(field reason)" 'liveupdate=on'
	umount /sys/kernel/debug
	assert_eq "$(field generation)" unknown
	mount -t debugfs debugfs /sys/kernel/debug
	plain_kexec --append=kho=off
	;;
3)
	luo-test probe
	assert_eq "$(field generation)" off
	assert_eq "$(field luo)" 0
	assert_match "$(field reason)" 'kho=on liveupdate=on'
	;;
esac
