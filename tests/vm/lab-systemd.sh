#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the lab itself: systemd as process 1, systemctl kexec
# guest: systemd
. "$LAB"

say "boot $BOOT on $(uname -r)"
assert_eq "$(cat /proc/1/comm)" systemd
assert_eq "$(systemctl is-system-running --wait)" running

case $BOOT in
0)
	assert_match "$(uname -r)" '-lab$'
	assert_ok /usr/sbin/kexec -s -l "$NEXT" --reuse-cmdline
	assert_ok systemctl kexec
	;;
1)
	assert_match "$(uname -r)" '-next$'
	assert_eq "$COLD" 0
	assert_match "$(busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 \
		org.freedesktop.systemd1.Manager KExecCount)" '[1-9]$'
	;;
esac
