#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 7.3 to 7.1: refused before anybody is asked, with the strings that differ; and what --kho-force does
# kernel: 7.3
# next: 7.1
# files: check-differ.bash
# timeout: 600
. "$LAB"
. ./check-differ.bash

case $BOOT in
0)
	differ 'kho-v4 here, kho-v3 there' 'luo-v5 here, luo-v1 there'
	forced=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-force 2>&1) || fail "$forced"
	say "$forced"
	assert_match "$forced" 'warning: .*: forced, although kho-v4 here, kho-v3 there'
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
1)
	start_khod
	status=0
	report=$(kho report) || status=$?
	say "$report"
	dmesg | grep -i 'kho:' | sed 's/^/kernel: /'
	assert_eq $status 5 "kho report"
	assert_match "$report" 'forced +the next kernel did not pass the check'
	assert_match "$report" 'LOST: nothing arrived'
	assert_match "$(kho report --json)" '"forced" *: *true'
	;;
esac
