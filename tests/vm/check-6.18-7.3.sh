#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 6.18 to 7.3: refused before anything is finalized, and what --kho-force does; to itself: what is the kernel's own survives
# kernel: 6.18
# next: 7.3
# append: reserve_mem=4M:4096:khobuf
# files: check-differ.bash
# timeout: 400
. "$LAB"
. ./check-differ.bash

ITSELF=/boot/vmlinuz-$(uname -r)

refused() {
	assert_fails kho check "$NEXT"
	say "$OUTPUT"
	assert_eq "$STATUS" 7
	assert_match "$OUTPUT" 'kho-v1 here, kho-v4 there'
	assert_match "$OUTPUT" 'reserve-mem-v1 '
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" 'kho-v1 here, kho-v4 there'
	assert_eq "$(cat /sys/kernel/kexec_loaded /sys/kernel/debug/kho/out/finalize)" $'0\n0'
}

to_itself() {
	OUTPUT=$(kho check "$ITSELF") || fail "kho check: exit $?: $OUTPUT"
	say "$OUTPUT"
	assert_match "$OUTPUT" 'verdict +in place'
	assert_match "$OUTPUT" 'kernel.s own \(reserve_mem=\) survives; services can hand nothing over'
	assert_match "$OUTPUT" 'memblock-v1 on both sides'
	assert_match "$OUTPUT" 'reserve-mem-v1 on both sides'
}

# Without the image of the kernel that runs, and without what it shows, nothing is known.
unknown() {
	mv "$ITSELF" /root/vmlinuz
	umount /sys/kernel/debug
	assert_fails kho check /root/vmlinuz "$NEXT"
	say "$OUTPUT"
	[[ $OUTPUT != *'in place'* ]] || fail "a yes without knowing"
	mount -t debugfs debugfs /sys/kernel/debug
	mv /root/vmlinuz "$ITSELF"
}

case $BOOT in
0)
	start_khod
	refused
	to_itself
	unknown
	force 'kho-v1 here, kho-v4 there'
	;;
1)
	after_force kho-v4
	! dmesg | grep 'Revived memory reservation' || fail "something arrived"
	assert_match "$(kho report)" 'forced +the next kernel did not pass the check'
	;;
esac
