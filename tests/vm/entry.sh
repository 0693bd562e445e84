#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: which kernel comes next: /boot/vmlinuz and live-update.conf, for kho check and kexec --kho -l
# timeout: 600
. "$LAB"

CONF=/etc/kho/live-update.conf

# succeeds COMMAND...: leaves what it printed in OUTPUT.
succeeds() {
	OUTPUT=$("$@" 2>&1) || fail "$*: exit $?: $OUTPUT"
}

# staged WORDS KEXEC-OPTION...: without an image, it stages what the words say; and drops it.
staged() {
	local words=$1

	shift
	succeeds kexec --kho -l "$@"
	assert_match "$OUTPUT" "next comes .*$words"
	assert_match "$OUTPUT" "staged ${NEXT#/boot/vmlinuz-}: 1 region"
	assert_ok kexec --kho -u
	ls /run/kho/initrd-* 2>/dev/null && fail "the initrds are still there"
	return 0
}

# refused STATUS WORDS COMMAND...: with one line that says so, and nothing staged.
refused() {
	local status=$1 words=$2

	shift 2
	assert_fails "$@"
	assert_eq "$STATUS" "$status" "$OUTPUT"
	assert_match "$OUTPUT" "$words"
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
}

nothing_there() {
	refused 1 'nothing says which kernel comes next' kexec --kho -l
	refused 1 'nothing says which kernel comes next' kho check
}

debian_links() {
	ln -s "${NEXT#/boot/}" /boot/vmlinuz
	succeeds kho check
	assert_match "$OUTPUT" 'next +/boot/vmlinuz: no boot loader entries'
	assert_match "$OUTPUT" 'verdict +in place'
	staged '/boot/vmlinuz: no boot loader entries'
	ln -s nowhere /boot/initrd.img
	refused 1 '/boot/initrd.img: No such file' kexec --kho -l
	rm /boot/initrd.img
}

configured() {
	mkdir -p /etc/kho $CONF.d
	printf '[LiveUpdate]\nKernel=%s\nCommandLine=%s\n' "$NEXT" "root=/dev/vda rw" >$CONF
	refused 2 "kho=on.*command line is that of $CONF:3" kexec --kho -l
	refused 7 "kho=on" kho check
	printf '[LiveUpdate]\nReuseCommandLine=yes\nCommandLine=lab.mark=1\n' >$CONF.d/50-reuse.conf
	succeeds kho check
	assert_match "$OUTPUT" "command line +.*kho=on.* lab.mark=1"
	staged "Kernel= in $CONF:2"
	printf '[LiveUpdate]\nKernel=/boot/none\n' >$CONF.d/60-none.conf
	refused 1 '/boot/none: No such file' kexec --kho -l
	ln -sf /dev/null $CONF.d/60-none.conf
	staged "Kernel= in $CONF:2"
	printf '[LiveUpdate]\nTimeoutSec=soon\n' >$CONF.d/70-bad.conf
	refused 1 "$CONF.d/70-bad.conf:2: TimeoutSec= takes seconds" kexec --kho -l
	rm $CONF.d/70-bad.conf
}

joined_initrds() {
	echo one >/tmp/a
	find /tmp/a | cpio -o -H newc >/boot/a.cpio 2>/dev/null
	echo 23 >/tmp/b
	find /tmp/b | cpio -o -H newc >/boot/b.cpio 2>/dev/null
	printf '[LiveUpdate]\nInitrd=/boot/a.cpio\nInitrd=/boot/b.cpio\n' >$CONF.d/40-initrd.conf
	staged "Kernel= in $CONF:2"
	rm $CONF.d/40-initrd.conf
}

case $BOOT in
0)
	start_khod
	echo kept | kho put word
	nothing_there
	debian_links
	configured
	joined_initrds
	kexec --kho -l && kexec --kho -e
	fail "still here"
	;;
1)
	start_khod
	assert_eq "$(kho get word)" kept
	assert_match "$(cat /proc/cmdline)" ' lab.mark=1$'
	;;
esac
