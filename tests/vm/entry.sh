#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: which kernel comes next: Debian's links, live-update.conf, boot loader entries and unified images
# files: make-image.py
# timeout: 900
. "$LAB"

CONF=/etc/kho/live-update.conf
RELEASE=${NEXT#/boot/vmlinuz-}
# What boot loaders without files of this kind may fill, and systemctl(1) reads without EFI too.
BLS=/run/boot-loader-entries

# succeeds COMMAND...: leaves what it printed in OUTPUT.
succeeds() {
	OUTPUT=$("$@" 2>&1) || fail "$*: exit $?: $OUTPUT"
}

# staged WORDS KEXEC-OPTION...: without an image, it stages what the words say; and drops it.
staged() {
	local words=$1

	shift
	succeeds kexec --kho -l "$@"
	assert_match "$OUTPUT" "next comes $RELEASE, .*$words"
	assert_match "$OUTPUT" "staged $RELEASE: 1 region"
	assert_ok kexec --kho -u
	ls /run/kho/initrd-* 2>/dev/null && fail "the initrds are still there"
	return 0
}

# refused STATUS WORDS COMMAND...: with one line that says so, and nothing staged.
refused() {
	local expected=$1 words=$2

	shift 2
	assert_fails "$@"
	assert_eq "$STATUS" "$expected" "$OUTPUT"
	assert_match "$OUTPUT" "$words"
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
}

nothing_there() {
	refused 1 'nothing says which kernel comes next' kexec --kho -l
	refused 1 'nothing says which kernel comes next' kho check
	refused 1 'no boot loader entry "a.conf"; there are none' kho check --entry=a.conf
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
	refused 2 "kho=on.*command line is that of $CONF:3" kexec --kho -l --kho-transport=luo
	refused 7 "kho=on" kho check
	printf '[LiveUpdate]\nReuseCommandLine=yes\nCommandLine=lab.mark=1\n' >$CONF.d/50-reuse.conf
	succeeds kho check
	assert_match "$OUTPUT" "command line +.*kho=on.* lab.mark=1"
	printf '[LiveUpdate]\nInitrd=/boot/a.cpio\nInitrd=/boot/b.cpio\n' >$CONF.d/55-initrd.conf
	staged "Kernel= in $CONF:2"
	printf '[LiveUpdate]\nKernel=/boot/none\nUnknown=1\n' >$CONF.d/60-none.conf
	refused 1 "60-none.conf:3: unknown setting.*/boot/none: No such file" kexec --kho -l
	ln -sf /dev/null $CONF.d/60-none.conf
	staged "Kernel= in $CONF:2"
	printf '[LiveUpdate]\nTimeoutSec=soon\n' >$CONF.d/70-bad.conf
	refused 1 "$CONF.d/70-bad.conf:2: TimeoutSec= takes seconds" kexec --kho -l
	refused 1 "$CONF.d/70-bad.conf:2: TimeoutSec= takes seconds" kho check
	rm -r $CONF $CONF.d
}

# entry NAME LINE...: with the next kernel and what a live update needs, unless the lines say otherwise.
entry() {
	local name=$1

	shift
	printf '%s\n' "title Lab" "linux /${NEXT##*/}" \
		"options $(cat /proc/cmdline) lab.entry=$name" "$@" >$BLS/loader/entries/"$name"
}

# What systemctl(1) would load, by itself: the witness. There is no bus here for what comes after that.
systemctl_would_load() {
	systemctl --dry-run --force kexec 2>&1 | sed -n 's/^Would call .* kernel="\([^"]*\)".*/\1/p'
}

# chosen ID: by kho check and, with a kernel of the entry's own, by systemctl.
chosen() {
	local kernel

	succeeds kho check
	assert_match "$OUTPUT" "next .*: boot loader entry $1 "
	kernel=$(printf '%s\n' "$OUTPUT" | sed -n 's/^next *\([^:]*\):.*/\1/p')
	assert_eq "$(readlink -m "$kernel")" "$(readlink -m "$(systemctl_would_load)")" "systemctl"
}

# Each entry has a link of its own to the kernel, so that who chose can be told.
entry_order() {
	local name

	mkdir -p $BLS/loader/entries
	for name in 1 2 3 4 5; do
		cp "$NEXT" $BLS/linux-$name
	done
	entry old.conf "linux /linux-1" "version 99"
	chosen old.conf
	entry lab-7.9.conf "linux linux-2" "sort-key lab" "version 7.9"
	chosen lab-7.9.conf
	entry lab-7.10.conf "linux linux-3" "sort-key lab" "version 7.10"
	chosen lab-7.10.conf
	entry lab-7.11+0-2.conf "linux linux-4" "sort-key lab" "version 7.11"
	chosen lab-7.10.conf
	entry lab-7.12+3.conf "linux linux-5" "sort-key lab" "version 7.12"
	chosen lab-7.12.conf
	echo 'default old*' >$BLS/loader/loader.conf
	chosen old.conf
	assert_eq "$(kho check --entry=help)" "$(kexec --kho -l --entry=help)"
	assert_eq "$(kho check --entry=help | tr '\n' ' ')" \
		"lab-7.12.conf lab-7.10.conf lab-7.9.conf old.conf lab-7.11.conf "
	mkdir -p /etc/kho
	printf '[LiveUpdate]\nEntry=lab-7.9.conf\n' >$CONF
	succeeds kho check
	assert_match "$OUTPUT" "boot loader entry lab-7.9.conf .*by $CONF:2"
	staged "boot loader entry lab-7.11.conf .*by --entry=" --entry=lab-7.11.conf
	rm $CONF
}

# They stand in front of everything else, and are the default by it.
bad_entries() {
	rm $BLS/loader/loader.conf
	rm $BLS/loader/entries/*
	cp "$NEXT" $BLS
	entry bad.conf "linux /none"
	refused 1 "bad.conf.*would be $BLS/none: No such file" kexec --kho -l
	entry bad.conf "initrd /none.img"
	refused 1 "bad.conf.*initrd would be $BLS/none.img: No such file" kexec --kho -l
	entry bad.conf "options \$tuned_params"
	refused 1 "bad.conf.*variables of GRUB" kexec --kho -l
	entry bad.conf "efi /shell.efi"
	refused 1 "bad.conf.*no Linux kernel" kexec --kho -l
	entry bad.conf "linux /loader/entries/bad.conf"
	refused 1 "bad.conf" kexec --kho -l
	refused 1 'no boot loader entry "none"; there is bad.conf' kexec --kho -l --entry=none
	rm $BLS/loader/entries/bad.conf
	entry bad+0.conf
	refused 1 "bad.conf.*marked as bad.*--entry=bad.conf" kexec --kho -l
	rm $BLS/loader/entries/bad+0.conf
	printf 'linux /%s\noptions root=/dev/vda rw kho=on\n' "${NEXT##*/}" >$BLS/loader/entries/no-luo.conf
	refused 2 "liveupdate=on.*that of $BLS/loader/entries/no-luo.conf" kexec --kho -l --kho-transport=luo
	refused 7 "liveupdate=on" kho check
	rm $BLS/loader/entries/no-luo.conf
}

cpios() {
	local name

	for name in a b; do
		echo $name >/tmp/$name
		(cd /tmp && echo $name | cpio --quiet -o -H newc) >/boot/$name.cpio
	done
}

# One with two initrds, of which the first does not end at a multiple of four.
boot_entry() {
	mkdir -p $BLS/loader/entries
	cp /boot/?.cpio $BLS
	printf x >>$BLS/a.cpio
	entry lab.conf "initrd /a.cpio" "initrd /b.cpio" "devicetree /x.dtb"
	kexec --kho -l 2>&1 | tee /tmp/staged || fail "kexec --kho -l: exit $?"
	assert_match "$(cat /tmp/staged)" 'warning: .*devicetree /x.dtb has no effect'
	assert_eq "$(stat -c %s /run/kho/initrd-*)" \
		$((($(stat -c %s $BLS/a.cpio) + 3) / 4 * 4 + $(stat -c %s $BLS/b.cpio)))
	kexec --kho -e
	fail "kexec --kho -e came back"
}

# The entry of a unified kernel image is the image itself.
unified() {
	mkdir -p /boot/EFI/Linux
	./make-image.py uki "$NEXT" /boot/EFI/Linux/lab.efi "$(tr " " "\n" </proc/cmdline)"$'\nlab.uki=1\n' /boot/b.cpio \
		$'ID=lab\nVERSION_ID=1\n'
	succeeds kho check
	assert_match "$OUTPUT" 'next +/boot/EFI/Linux/lab.efi: boot loader entry lab.efi .*, the first'
	assert_match "$OUTPUT" 'lab.uki=1'
	staged 'boot loader entry lab.efi'
	staged 'boot loader entry lab.efi .*by --entry=' --entry=lab.efi
	truncate -s 100000 /boot/EFI/Linux/lab.efi
	refused 1 'lab.efi is no boot loader entry.*nothing says' kexec --kho -l
	rm /boot/EFI/Linux/lab.efi
}

case $BOOT in
0)
	start_khod
	echo kept | kho put word
	cpios
	nothing_there
	unified
	debian_links
	configured
	entry_order
	bad_entries
	boot_entry
	;;
1)
	start_khod
	assert_eq "$(kho get word)" kept
	assert_match "$(cat /proc/cmdline)" ' lab.entry=lab.conf$'
	assert_match "$(dmesg)" 'Freeing initrd memory'
	;;
esac
