#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the ledger can't be written (full disk, read-only, gone): kexec --kho -e is refused, and nothing has happened
# timeout: 600
. "$LAB"
PATH=$PATH:/usr/local/libexec/kho/examples

count() {
	kho get counter | od -An -tu8 -j8 -N8
}

goes_on() {
	local before

	before=$(count)
	sleep 0.5
	[ "$(count)" -gt "$before" ] || fail "the service stands still"
}

# refused REASON: the disk is as it is; an update up to the point of no return.
refused() {
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	assert_fails kexec --kho -e
	say "$OUTPUT"
	assert_eq "$STATUS" 4 "kexec --kho -e"
	assert_match "$OUTPUT" "ledger /var/lib/kho/ledger.dtb can't be written: .*$1"
	assert_match "$OUTPUT" 'the update is undone'
	# As if nothing had been tried.
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "kexec_loaded"
	assert_match "$(kho status)" 'khod +idle'
	assert_eq "$(kho get note)" kept
	goes_on
	assert_match "$(tail -n 1 /run/counter.log)" "no update \\(.*$1"
	assert_eq "$(cat /var/lib/kho/ledger.dtb /var/lib/kho/ledger.dtb.new 2>/dev/null | wc -c)" 0 "a ledger is left"
	# The memory may grow again: the kernel has let go of it.
	echo more | kho put --replace other || fail "kho put after the refusal"
	! ls -l /proc/[0-9]*/fd 2>/dev/null | grep luo_session || fail "a session is still open"
}

say "=== boot $BOOT"
mkdir -p /var/lib/kho
start_khod
case $BOOT in
0)
	echo kept | kho put note || fail "kho put"

	counter >/run/counter.log 2>&1 &
	wait_for 10 kho get counter

	say "--- a full disk"
	mount -t tmpfs -o size=64k tmpfs /var/lib/kho
	head -c 1M /dev/zero >/var/lib/kho/fill 2>/dev/null
	refused 'No space left on device'
	umount /var/lib/kho

	say "--- a full ext4"
	head -c 4M /dev/zero >/root/disk
	mke2fs -q -t ext4 /root/disk 2>/dev/null || mkfs.ext4 -q /root/disk
	mount -o loop /root/disk /var/lib/kho
	cat /dev/zero >/var/lib/kho/fill 2>/dev/null
	i=0
	while head -c 4096 /dev/zero 2>/dev/null >/var/lib/kho/fill.$i; do i=$((i + 1)); done
	sync
	refused 'No space left on device'

	say "--- a read-only ext4"
	rm /var/lib/kho/fill*
	mount -o remount,ro /var/lib/kho
	refused 'Read-only file system'
	umount /var/lib/kho

	say "--- a file where the directory should be"
	mv /var/lib/kho /var/lib/kho.away
	: >/var/lib/kho
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	assert_fails kexec --kho -e
	say "$OUTPUT"
	assert_eq "$STATUS" 4
	assert_match "$OUTPUT" "can't be written: Not a directory"
	rm /var/lib/kho
	mv /var/lib/kho.away /var/lib/kho

	say "--- and it all works as soon as there is room"
	next_boot
	;;
1)
	assert_match "$(uname -r)" '-next$'
	assert_eq "$(kho get note)" kept
	assert_eq "$(kho get other)" more
	[ "$(count)" -gt 0 ] || fail "the count is lost"
	kho report || fail "kho report: exit $?"
	assert_eq "$(kho report | grep -c problems)" 0 "problems"
	;;
esac
