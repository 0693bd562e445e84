#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 6.18: dropped and staged again, twice, everything still arrives; nothing is ever un-finalized
# kernel: 6.18
# next: 6.18
# append: reserve_mem=4M:4096:khobuf
# timeout: 240
. "$LAB"

finalized() {
	assert_eq "$(cat /sys/kernel/debug/kho/out/finalize)" 1 finalize
}

loaded() {
	assert_eq "$(cat /sys/kernel/kexec_loaded)" "$1" loaded
}

# Without CAP_SYS_BOOT nothing can be loaded, after it was finalized.
cannot_load() {
	assert_fails setpriv --bounding-set=-sys_boot --inh-caps=-sys_boot \
		kexec --kho -l "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 4
	assert_match "$OUTPUT" 'could not load the kernel; the update is undone'
	finalized
	loaded 0
}

case $BOOT in
0)
	start_khod
	cannot_load
	for round in 1 2; do
		say "round $round"
		assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
		finalized
		loaded 1
		assert_match "$(kexec --kho -u)" '^dropped update'
		finalized
		loaded 0
	done
	kexec --kho -l -e "$NEXT" --reuse-cmdline
	fail "kexec --kho -l -e came back: $?"
	;;
1)
	start_khod
	assert_match "$(dmesg)" "Revived memory reservation 'khobuf' from KHO"
	assert_match "$(dmesg)" 'KHO restore succeeded'
	assert_match "$(kho report)" restored
	;;
esac
