#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 6.18 on which somebody wrote 0 to finalize: refused, with the reason
# kernel: 6.18
# next: 6.18
# append: reserve_mem=4M:4096:khobuf
. "$LAB"

FINALIZE=/sys/kernel/debug/kho/out/finalize

refused() {
	assert_fails kexec --kho "$1" "${@:3}"
	say "$OUTPUT"
	assert_eq "$STATUS" 2
	assert_eq "$(wc -l <<<"$OUTPUT")" 1 lines
	assert_match "$OUTPUT" "^kexec: somebody wrote 0 to $FINALIZE in this boot.*$2"
}

start_khod
# In the middle of an update: what is loaded would be handed memory that the kernel has freed.
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
echo 0 >$FINALIZE
refused -e 'kexec --kho -u drops what is staged'
assert_match "$(kexec --kho -S)" 'update: +staged'
assert_ok kexec --kho -u
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0

# Staging anew would look well, and lose what the kernel has forgotten.
refused -l 'reboot first' "$NEXT" --reuse-cmdline
assert_eq "$(cat $FINALIZE)" 0
echo 1 >$FINALIZE
refused -l 'kho_test, memblock.*reboot first' "$NEXT" --reuse-cmdline
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0
assert_match "$(kexec --kho -S)" 'update: +idle'
