#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 6.18: finalize, load, kexec, twice: the kernel's own test and a reserve_mem= area arrive intact
# kernel: 6.18
# next: 6.18
# append: reserve_mem=4M:4096:khobuf
# timeout: 240
. "$LAB"

KHO=/sys/kernel/debug/kho

# The area that reserve_mem= names, as the kernel's tree on that side has it: its first page's number.
area() {
	kho tree --kernel="$1" memblock --json | python3 -c 'import json, sys
area, = json.load(sys.stdin)["reservations"]
assert (area["name"], area["size"]) == ("khobuf", 4 << 20), area
print(area["address"] >> 12)' || fail "no reservation in $1"
}

content() {
	dd if=/dev/mem bs=4096 count=1024 skip="$(area "$1")" status=none | sha256sum
}

fill() {
	dd if=/dev/urandom of=/dev/mem bs=4096 count=1024 seek="$(area out)" conv=notrunc iflag=fullblock status=none ||
		fail "can't write to the area"
	content out >/root/content
}

arrived() {
	assert_eq "$(content in)" "$(cat /root/content)" "content of the area"
	assert_match "$(dmesg)" "Revived memory reservation 'khobuf' from KHO"
	assert_match "$(kho report)" 'restored'
}

refused_regions() {
	assert_ok kho put one </etc/os-release
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=luo
	assert_match "$OUTPUT" 'region "one" of .* this kernel hands over no memory of services'
	assert_eq "$(cat /sys/kernel/kexec_loaded $KHO/out/finalize)" $'0\n0'
	assert_ok kho drop one
	# One that may stay behind does.
	assert_ok kho put --optional two </etc/os-release
	assert_match "$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=luo 2>&1)" 'region "two" of .* is left behind'
	assert_ok kexec --kho -u
	assert_ok kho drop two
}

refused_out_of_sight() {
	umount /sys/kernel/debug
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" '^kexec: .*mount -t debugfs debugfs /sys/kernel/debug$'
	mount -t debugfs debugfs /sys/kernel/debug
}

case $BOOT in
0)
	start_khod
	assert_fails kho tree --kernel=in
	assert_match "$OUTPUT" 'nothing was handed to this kernel'
	assert_match "$(kho tree --kernel=out)" '// fdt: there is none yet: .*kexec --kho -l'
	refused_out_of_sight
	refused_regions
	staged=$(kexec --kho -l "$NEXT" --reuse-cmdline) || fail "-l: exit $?"
	say "$staged"
	assert_match "$staged" 'staged 6\.18.*: no regions.*the kernel itself hands over: kho_test, memblock$'
	assert_eq "$(cat $KHO/out/finalize)" 1
	fill
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
1)
	assert_match "$(uname -r)" '-next$'
	start_khod
	kho tree --kernel=in
	arrived
	assert_match "$(dmesg)" 'KHO restore succeeded'

	# Where reserve_mem= is all there is, 0 destroys nothing: it is registered anew.
	for finalize in 1 0 1; do
		echo $finalize >$KHO/out/finalize
	done
	staged=$(kexec --kho -l "$NEXT" --reuse-cmdline) || fail "-l: exit $?"
	assert_match "$staged" 'the kernel itself hands over: memblock$'
	fill
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
2)
	start_khod
	arrived
	;;
esac
