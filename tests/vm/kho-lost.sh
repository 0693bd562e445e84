#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what kho says when the next kernel took nothing over, and how a service comes up again
# guest: bare
. "$LAB"

case $BOOT in
0)
	start_khod
	printf 'precious' | kho put blob || fail "kho put: exit $?"
	kho run --region=cache:1M -- sh -c "printf x | dd of=%{cache} conv=notrunc status=none"
	kexec --kho -l "$NEXT" --kho-force --reuse-cmdline --append=kho=off || fail "kexec --kho -l: exit $?"
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	;;
1)
	assert_match "$(uname -r)" '-next$'
	start_khod
	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho report"
	assert_match "$OUTPUT" 'LOST: nothing arrived'
	assert_match "$OUTPUT" 'blob +uid:0 +8 B +LOST: '
	assert_match "$(kho status)" '2 regions were lost'
	assert_fails kho wait --timeout=5
	assert_eq "$STATUS" 5 "kho wait"
	assert_match "$OUTPUT" 'region blob of uid:0: LOST'
	assert_match "$OUTPUT" 'region cache of uid:0: LOST'
	assert_fails kho get blob
	assert_eq "$STATUS" 5 "kho get"
	assert_fails kho put blob </dev/null
	assert_eq "$STATUS" 2 "kho put in place of a lost one"
	assert_match "$OUTPUT" 'lost'
	assert_ok kho drop blob
	assert_fails kho get blob
	assert_eq "$STATUS" 2 "kho get of what is not there"
	OUTPUT=$(kho run --region=cache:1M -- sh -c 'od -An -tx1 -N4 %{cache}' 2>&1) || fail "$OUTPUT"
	say "$OUTPUT"
	assert_match "$OUTPUT" 'lost.*starting with an empty one'
	assert_match "$OUTPUT" '00 00 00 00'
	kho list
	;;
esac
