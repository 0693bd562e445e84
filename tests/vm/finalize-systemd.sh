#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 6.18 under systemd: khod dies while an update is staged, which goes on, and everything arrives
# guest: systemd
# kernel: 6.18
# next: 6.18
# append: reserve_mem=4M:4096:khobuf
# timeout: 400
. "$LAB"

case $BOOT in
0)
	start_khod
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	systemctl kill --signal=KILL khod.service
	wait_for 30 eval 'kexec --kho -S | grep -q "update: *staged"'
	# A late region is copied, beside what the kernel itself keeps.
	assert_ok kho put --optional late </etc/os-release
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
1)
	start_khod
	assert_match "$(dmesg)" "Revived memory reservation 'khobuf' from KHO"
	assert_match "$(dmesg)" 'KHO restore succeeded'
	kho report || fail "kho report: exit $?"
	kho get late | cmp - /etc/os-release || fail "the late region is not what it was"
	;;
esac
