#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: everything is lost (kho=off, no liveupdate=on, a cold boot): each region is named, with a reason
# files: restore-freeze.py
# cold-boots: 1
# timeout: 600
. "$LAB"

put_three() {
	echo "payload $BOOT" | kho put --replace first || fail "kho put first"
	head -c 3M /dev/urandom | kho put --replace second || fail "kho put second"
	echo unimportant | kho put --replace --optional third || fail "kho put third"
}

# next_boot_with: the same command line as now, with words changed.
next_boot_with() {
	local line

	line=$(sed "$1" /proc/cmdline)
	kexec --kho -l "$NEXT" --kho-force --command-line="$line" || fail "kexec --kho -l: exit $?"
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	fail "kexec --kho -e came back"
}

# The same, and nothing of ours is handed over.
plain_boot_with() {
	assert_ok /usr/sbin/kexec -s -l "$NEXT" --command-line="$(sed "$1" /proc/cmdline)"
	sync
	/usr/sbin/kexec -e -x -y
	fail "kexec -e came back"
}

# all_lost REASON: what everybody is told who asks.
all_lost() {
	local name

	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho report"
	assert_match "$OUTPUT" 'LOST: nothing arrived'
	for name in first second third; do
		assert_match "$OUTPUT" "$name +uid:0 .*$1" "kho report about $name"
	done

	assert_fails kho wait
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho wait"
	assert_match "$OUTPUT" "first of uid:0: LOST: .*$1"

	kho status
	assert_match "$(kho status)" '3 regions were lost'
	for name in first second third; do
		assert_fails kho get $name
		assert_eq "$STATUS" 5 "kho get $name"
	done
	say "$OUTPUT"
	assert_match "$OUTPUT" "$1"
	assert_fails varlinkctl call /run/kho/io.kho.Handover io.kho.Handover.Claim '{"name":"second"}'
	assert_match "$OUTPUT" 'RegionLost'
	assert_fails sh -c 'echo anew | kho put first'
	say "$OUTPUT"
	assert_match "$OUTPUT" 'lost'

	# The record is kept until somebody has seen it.
	assert_ok kho drop first
	assert_fails kho get first
	assert_eq "$STATUS" 2 "kho get of what was dropped"
	assert_ok sh -c 'echo anew | kho put first'
	assert_eq "$(kho get first)" anew
	assert_fails kho get second
	assert_eq "$STATUS" 5 "kho get second"
	assert_ok kho drop first
	assert_ok kho drop second
	assert_ok kho drop third
	assert_ok kho wait
	# What has been is still to be read.
	assert_fails kho report
	assert_eq "$STATUS" 5 "kho report after the drops"
}

say "=== boot $BOOT cold $COLD: $(cat /proc/cmdline)"
start_khod
case $BOOT in
0)
	put_three
	next_boot_with 's/kho=on/kho=off/'
	;;
1)
	all_lost 'kho=on liveupdate=on'
	# Nothing can be handed over from here: refused, and that is all.
	put_three
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=luo
	say "$OUTPUT"
	assert_eq "$STATUS" 2 "kexec --kho -l in a kernel without KHO"
	assert_match "$OUTPUT" 'kho=on liveupdate=on'
	plain_boot_with 's/kho=off/kho=on/'
	;;
2)
	# An update that did not happen says nothing about this boot.
	assert_ok kho wait
	put_three
	next_boot_with 's/liveupdate=on//'
	;;
3)
	all_lost 'liveupdate=on'
	plain_boot_with 's/kho=on/kho=on liveupdate=on/'
	;;
4)
	put_three
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	# Power fails when all is frozen.
	./restore-freeze.py sh -c 'echo b >/proc/sysrq-trigger; sleep 10'
	fail "the machine did not reboot"
	;;
5)
	assert_eq "$COLD" 1
	all_lost 'the machine started cold'
	;;
esac
