#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: copies that do not fit in the initrd go to the spool, or are refused with the numbers; what fails is undone
# kernel: 7.1
# next: 7.3
# memory: 1G
# files: copy-initrd-make.bash
# timeout: 300
. "$LAB"
. ./copy-initrd-make.bash

stage() {
	kexec --kho -l "$NEXT" --reuse-cmdline "$@"
}

# goes_by CARRIER ARGUMENT...: by the plan, which touches nothing.
goes_by() {
	local carrier=$1 plan

	shift
	plan=$(stage --kho-dry-run "$@") || fail "dry run: exit $?: $plan"
	say "$plan"
	assert_match "$plan" "by copy \($carrier\)"
}

nothing_happened() {
	assert_match "$(kexec --kho -S)" 'update: +idle'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
}

# refused PATTERN ARGUMENT...: by those who can only go in the initrd.
refused() {
	local pattern=$1

	shift
	assert_fails stage --kho-transport=initrd "$@"
	say "$OUTPUT"
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" "$pattern"
	nothing_happened
}

start_khod
head -c 20M /dev/urandom | kho put small || fail "kho put: exit $?"
goes_by initrd
goes_by initrd --kho-spool=no

# Three times 300 MiB are not free, and not half of the memory either.
head -c 300M /dev/urandom >/root/large
kho put large </root/large || fail "kho put: exit $?"
rm /root/large
goes_by spool
refused 'not enough memory for a copy in the initrd: 3[0-9]{2}\.[0-9] MiB .* are available'
assert_ok kho drop large

# An initrd that keeps nothing, and one that does.
tree=$(new_tree)
put_programs "$tree" /usr/bin/dash
pack_tree "$tree" /root/plain.img
make_script_initrd /root/script.img
goes_by spool --initrd=/root/plain.img
refused '/root/plain.img would delete copies .* update-initramfs -u' --initrd=/root/plain.img
goes_by initrd --initrd=/root/script.img
echo "no cpio archive" >/root/text.img
refused '/root/text.img can.t be looked into: it is no cpio archive' --initrd=/root/text.img

# A root file system that nobody would mount there.
goes_by spool --append=root=UUID=0123-4567
refused 'root=UUID=0123-4567: give an initrd' --append=root=UUID=0123-4567

# What goes wrong when services are frozen undoes the update.
assert_ok stage --kho-transport=initrd
mv /usr/local/libexec/kho/kho-init /root/
assert_fails kexec --kho -e
say "$OUTPUT"
assert_eq "$STATUS" 4
assert_match "$OUTPUT" 'kho-init: No such file or directory; the update is undone'
nothing_happened
goes_by spool
refused 'kho-init: No such file'
mv /root/kho-init /usr/local/libexec/kho/
goes_by initrd
assert_eq "$(kho get small | wc -c)" $((20 << 20))
