#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what --kho-force does where KHO agrees, and LUO or the file handler does not: a panic, and EIO; and that a copy gets there
# files: make-image.py
# cold-boots: 1
# timeout: 600
. "$LAB"

# force OLD NEW: into the next kernel with another version of that string; does not come back.
force() {
	local forced

	assert_ok ./make-image.py version "$NEXT" /root/other "$1" "$2"
	assert_fails kho check /root/other
	assert_eq "$STATUS" 7
	assert_match "$OUTPUT" "verdict +ONLY BY COPY: $1 here, $2 there"
	assert_match "$OUTPUT" 'kho-v[0-9]+ on both sides'
	assert_fails kexec --kho -l /root/other --reuse-cmdline --kho-transport=luo
	assert_eq "$STATUS" 2
	forced=$(kexec --kho -l /root/other --reuse-cmdline --kho-force 2>&1) || fail "$forced"
	say "$forced"
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
}

lost() {
	local status=0

	OUTPUT=$(kho report) || status=$?
	say "$OUTPUT"
	assert_eq $status 5 "kho report"
	assert_match "$OUTPUT" 'forced +the next kernel did not pass the check'
}

case $BOOT in
0)
	start_khod
	assert_ok kho put one </etc/os-release
	force luo-v5 luo-v6
	;;
1)
	# It got so far as to panic, and the machine started cold.
	assert_eq "$COLD" 1 "cold boot"
	start_khod
	lost
	assert_ok kho drop one
	assert_ok kho put one </etc/os-release
	force memfd-v2 memfd-v3
	;;
2)
	assert_eq "$COLD" 0 "cold boot"
	for _ in 1 2; do
		assert_fails dd if=/dev/liveupdate count=0
		assert_match "$OUTPUT" 'Input/output error'
	done
	assert_match "$(dmesg)" "luo: No registered handler for compatible 'memfd-v2'"
	start_khod
	assert_match "$(kho status)" 'in place +no: this kernel could not read what the previous one handed over'
	lost
	assert_match "$OUTPUT" 'one .*LOST: this kernel could not read what the previous one handed over'
	assert_fails kho check "$NEXT"
	say "$OUTPUT"
	assert_eq "$STATUS" 7
	assert_match "$OUTPUT" 'ONLY BY COPY: this kernel could not read what the previous one handed over.*reboot'
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=luo
	assert_eq "$STATUS" 2
	assert_ok kho drop one
	assert_ok kho put two </etc/os-release
	# Where it would panic, a copy gets there: that kernel is loaded without what KHO hands over.
	assert_ok ./make-image.py version "$NEXT" /root/other luo-v5 luo-v6
	kexec --kho -l /root/other --reuse-cmdline || fail "kexec --kho -l by copy: exit $?"
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
3)
	assert_eq "$COLD" 0 "cold boot"
	start_khod
	kho get two | cmp - /etc/os-release || fail "two is not what it was"
	kho report || fail "kho report: exit $?"
	;;
esac
