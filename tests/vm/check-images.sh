#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: a unified kernel image, looked at and booted; every compressor; kernels whose BTF differs, or that take other files; without root; Ctrl-C
# files: make-image.py pending-signal.py hold-session.py
# timeout: 600
. "$LAB"

RUNNING=/boot/vmlinuz-$(uname -r)

# verdict EXIT-STATUS WORDS KHO-CHECK-ARGUMENT...
verdict() {
	local status=$1 words=$2 result=0

	shift 2
	OUTPUT=$(kho check "$@" 2>&1) || result=$?
	assert_eq $result "$status" "$OUTPUT"
	assert_match "$OUTPUT" "$words"
}

refused() {
	assert_fails kexec --kho -l "$@"
	assert_eq "$STATUS" 2 "$OUTPUT"
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	! grep -q 'Update .* begins' "$KHOD_LOG" || fail "khod was asked to prepare"
}

unified() {
	truncate -s 1M /root/initrd
	assert_ok ./make-image.py uki "$NEXT" /root/next.efi "$(cat /proc/cmdline) of=image" /root/initrd
	assert_ok ./make-image.py uki "$NEXT" /root/off.efi kho=off
	truncate -s 200M /root/large
	assert_ok ./make-image.py uki "$NEXT" /root/large.efi "$(cat /proc/cmdline)" /root/large
	rm /root/large

	verdict 0 'verdict +in place' /root/next.efi
	say "$OUTPUT"
	assert_match "$OUTPUT" 'next.efi \(unified kernel image, x86_64'
	assert_match "$OUTPUT" "of=image \(the image's own\)"
	assert_match "$OUTPUT" 'initrd 1 MiB: they fit'
	verdict 2 'NOT AT ALL: .*the initrd takes 200 MiB' /root/large.efi
	verdict 7 'kho= is off on the next command line' /root/off.efi
	verdict 0 'verdict +in place' --reuse-cmdline /root/off.efi
	refused /root/off.efi --kho-transport=luo
	assert_match "$OUTPUT" 'off.efi: memory would not survive there.*append kho=on'
	refused /root/large.efi
	rm /root/large.efi
}

# The kernels of the lab have no BTF: it is put into copies, that of the running kernel too.
btf() {
	cp "$RUNNING" /root/running
	assert_ok ./make-image.py btf /root/running "$RUNNING" memfd_luo_ser pos size folios
	assert_ok ./make-image.py btf "$NEXT" /root/same memfd_luo_ser pos size folios
	assert_ok ./make-image.py btf "$NEXT" /root/other memfd_luo_ser pos seals size folios
	verdict 0 'structures +the same in the BTF of both: 1' /root/same
	verdict 7 'ONLY BY COPY: struct memfd_luo_ser differs, although both say memfd-v[0-9]+: ' /root/other
	say "$OUTPUT"
	assert_match "$OUTPUT" 'at byte 8 it has size here, seals there'
	refused /root/other --reuse-cmdline --kho-transport=luo
	assert_match "$OUTPUT" 'struct memfd_luo_ser differs'
	verdict 0 'in place' "$NEXT"
	[[ $OUTPUT != *structures* ]] || fail "BTF where there is none"
	kho check --json /root/other | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["structures"] == d["images"][0]["structures"] == ["struct memfd_luo_ser"], d
' || fail "kho check --json"
	mv /root/running "$RUNNING"
}

# Another agent's session: a kernel that takes other files as well may have taken some from it.
other_files() {
	local agent

	cp "$RUNNING" /root/running
	assert_ok ./make-image.py handler /root/running "$RUNNING" vfio-pci-v1
	assert_ok ./make-image.py handler "$NEXT" /root/takes vfio-pci-v1
	verdict 0 'takes no files of the kind vfio-pci-v1; nobody hands over any now' "$NEXT"
	./hold-session.py agent >/tmp/agent 2>&1 &
	agent=$!
	wait_for 10 grep -q holding /tmp/agent
	verdict 0 'verdict +in place' /root/takes
	verdict 7 "ONLY BY COPY: .*session \"agent\" of process $agent \(hold-session.py\) may have some" "$NEXT"
	say "$OUTPUT"
	refused "$NEXT" --reuse-cmdline
	assert_match "$OUTPUT" "a copy would lose .* session \"agent\" is of process $agent .*--kho-transport="
	kill $agent
	wait $agent || true
	mv /root/running "$RUNNING"
}

# The kernel of this lab, as others pack theirs.
packed() {
	local compressor

	for compressor in gzip bzip2 xz lzma zstd; do
		assert_ok ./make-image.py pack "$NEXT" /root/packed $compressor
		verdict 0 'verdict +in place' /root/packed
		assert_match "$OUTPUT" "packed \(bzImage, x86_64, $compressor\)"
		assert_match "$OUTPUT" 'memfd-v[0-9]+ on both sides'
		# Half of it is nothing that could be relied on.
		truncate -s 4M /root/packed
		assert_fails kho check /root/packed
		assert_match "$OUTPUT" '/root/packed is truncated'
	done
	rm /root/packed
}

case $BOOT in
0)
	start_khod
	assert_ok kho put one </etc/os-release
	unified
	btf
	packed
	other_files
	chmod 644 /boot/*
	OUTPUT=$(setpriv --reuid=65534 --regid=65534 --clear-groups kho check "$NEXT") && fail "a yes without root"
	assert_match "$OUTPUT" "UNKNOWN: .*can't be seen: run this as root"
	# Ctrl-C before anything has been touched: nothing is, and there is nothing to be undone.
	result=0
	./pending-signal.py INT kexec --kho -l "$NEXT" --reuse-cmdline || result=$?
	assert_eq $result 130 "kexec --kho -l after Ctrl-C"
	! grep -q 'Update .* begins' "$KHOD_LOG" || fail "khod was asked to prepare"

	staged=$(kexec --kho -l /root/next.efi) || fail "kexec --kho -l: exit $?"
	assert_match "$staged" '^staged .*, in place$'
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
1)
	assert_match "$(cat /proc/cmdline)" 'of=image'
	assert_match "$(dmesg)" 'Freeing initrd memory: 1024K'
	start_khod
	assert_eq "$(kho get one)" "$(cat /etc/os-release)"
	# There is no way back from this one.
	echo 1 >/proc/sys/kernel/kexec_load_disabled
	verdict 2 'NOT AT ALL: loading a kernel is switched off until the next boot' "$NEXT"
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	assert_match "$OUTPUT" 'switched off until the next boot'
	;;
esac
