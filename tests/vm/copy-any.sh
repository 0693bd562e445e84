#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: by copy, chosen automatically, 6.18 to 7.3, back to 6.18, to 7.3 with kho=off, and out of there
# kernel: 6.18
# next: 7.3
# files: copy-cross.bash region.py sparse.py ../../examples/counter.py
# timeout: 900
. "$LAB"
# shellcheck disable=SC2034
CARRIER=initrd
. ./copy-cross.bash

hop() {
	say "=== $(uname -r): $(cat /proc/cmdline)"
	kexec --kho -l "$@" || fail "kexec --kho -l: exit $?"
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	fail "kexec --kho -e came back"
}

start_khod
if [ "$BOOT" = 0 ]; then
	begin_services
else
	check_services
	put_note
fi
case $BOOT in
0) hop "$NEXT" --reuse-cmdline ;;
1) hop /boot/vmlinuz-6.18*-lab --reuse-cmdline ;;
2) hop "$NEXT" --command-line="$(sed 's/kho=on/kho=off/' /proc/cmdline)" ;;
3)
	assert_match "$(cat /proc/cmdline)" 'kho=off'
	assert_match "$(uname -r)" '^7\.3'
	hop "$NEXT" --command-line="$(sed 's/kho=off/kho=on/' /proc/cmdline)"
	;;
4) assert_match "$(cat /proc/cmdline)" 'kho=on' ;;
esac
