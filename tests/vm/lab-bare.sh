#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the lab itself: a bare guest changes its kernel and goes on
# files: lab-note.txt
. "$LAB"

say "boot $BOOT on $(uname -r)"
assert_eq "$(cat lab-note.txt)" "a file beside the script"
[ "$KERNEL" = 6.18 ] || [ -c /dev/liveupdate ] || fail "no /dev/liveupdate"

case $BOOT in
0)
	assert_match "$(uname -r)" '-lab$'
	echo written >/root/kept
	plain_kexec
	;;
1)
	assert_match "$(uname -r)" '-next$'
	assert_eq "$COLD" 0
	assert_eq "$(cat /root/kept)" written "a file of the boot before"
	;;
esac
