#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: without an initrd, kho-init brings 7.1's copies to 7.3 and its memory is free when they are taken
# kernel: 7.1
# next: 7.3
# timeout: 240
. "$LAB"

MIB=64

# KiB that are free, whatever files have been read.
memory_free() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

case $BOOT in
0)
	line="$(cat /proc/cmdline) rdinit=/kho/init"
	initrd-test load $MIB - /usr/sbin/kexec -c --no-checks -l "$NEXT" --command-line="$line" ||
		fail "initrd-test load: exit $?"
	/usr/sbin/kexec -e -x -y
	fail "kexec -e came back"
	;;
1)
	assert_match "$(uname -r)" '^7.3'
	assert_eq "$(stat -c '%a %u %g' /run/kho/handover)" "700 0 0"
	assert_eq "$(stat -c '%a %u %g' /run/kho/handover/1.0)" "600 0 0"
	assert_match "$(cat /proc/1/comm)" '^(start|init|sh)$'
	used=$(du -sk /run/kho/handover | cut -f 1)
	say "$used KiB came with the initrd, of $((3 * MIB)) MiB of memory"
	[ "$used" -gt $((3 * MIB * 1024 * 6 / 7 - 2048)) ] || fail "that is too little"
	before=$(memory_free)
	assert_ok initrd-test take $MIB
	assert_eq "$(ls -A /run/kho/handover)" ""
	# The kernel gives pages back bit by bit.
	wait_for 60 eval "[ \$((\$(memory_free) - $before)) -gt $((used * 9 / 10)) ]"
	say "$(($(memory_free) - before)) KiB are free again"
	;;
esac
