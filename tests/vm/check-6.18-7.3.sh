#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 6.18 to 7.3: refused before anything is finalized; to itself: what is the kernel's own survives
# kernel: 6.18
# next: 7.3
# append: reserve_mem=4M:4096:khobuf
# timeout: 240
. "$LAB"

start_khod
assert_fails kho check "$NEXT"
say "$OUTPUT"
assert_eq "$STATUS" 7
assert_match "$OUTPUT" 'kho-v1 here, kho-v4 there'
assert_match "$OUTPUT" 'reserve-mem-v1 '
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
assert_eq "$STATUS" 2
assert_match "$OUTPUT" 'kho-v1 here, kho-v4 there'
assert_eq "$(cat /sys/kernel/kexec_loaded /sys/kernel/debug/kho/out/finalize)" $'0\n0'

itself=$(kho check "/boot/vmlinuz-$(uname -r)") || fail "kho check: exit $?: $itself"
say "$itself"
assert_match "$itself" 'verdict +in place'
assert_match "$itself" 'kernel.s own \(reserve_mem=\) survives; services can hand nothing over'
assert_match "$itself" 'memblock-v1 on both sides'
assert_match "$itself" 'reserve-mem-v1 on both sides'

# Without the image of the kernel that runs, and without what it shows, nothing is known.
mv "/boot/vmlinuz-$(uname -r)" /root/vmlinuz
umount /sys/kernel/debug
assert_fails kho check /root/vmlinuz "$NEXT"
say "$OUTPUT"
[[ $OUTPUT != *'in place'* ]] || fail "a yes without knowing"
