#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the lab itself: a panic and a cold reboot are told apart from a kexec
# cold-boots: 2
. "$LAB"

say "boot $BOOT cold $COLD"
case $BOOT in
0)
	assert_eq "$COLD" 1
	echo c >/proc/sysrq-trigger
	fail "the kernel did not panic"
	;;
1)
	assert_eq "$COLD" 1
	plain_kexec
	;;
2)
	assert_eq "$COLD" 0
	echo b >/proc/sysrq-trigger
	sleep 10
	fail "the machine did not reboot"
	;;
3) assert_eq "$COLD" 1 ;;
esac
