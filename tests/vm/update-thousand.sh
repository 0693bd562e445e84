#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 1,000 regions of 50 owners, each seen by its owner alone, all with a digest
# files: region.py crowd.py ../../examples/counter.py
# timeout: 900
. "$LAB"

# What khod has computed so far, in ms.
khod_time() {
	[ -z "$KHOD_PID" ] || awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$KHOD_PID/stat"
}

# timed WORDS COMMAND...: says how long it took; no test of speed.
timed() {
	local words=$1 start=${EPOCHREALTIME/./} khod

	khod=$(khod_time)
	shift
	"$@" || fail "$*: exit $?"
	say "$words: $(((${EPOCHREALTIME/./} - start) / 1000)) ms, khod busy for $(($(khod_time) - ${khod:-0})) ms"
}

timed "khod ready" start_khod
case $BOOT in
0)
	timed "1,000 regions registered" ./crowd.py make 50 20
	assert_match "$(kho list | tail -n 1)" '^1000 regions, '
	timed "staged" kexec --kho -l "$NEXT" --reuse-cmdline
	kexec --kho -e
	fail "kexec --kho -e came back: exit $?"
	;;
1)
	timed "report" kho report >/tmp/report
	grep -E '^(update|kernel|result) ' /tmp/report
	assert_match "$(cat /tmp/report)" 'restored: every region arrived'
	assert_eq "$(grep -c 'uid:200[0-4][0-9] .*restored, digest verified$' /tmp/report)" 1000 verified
	timed "compared and claimed" ./crowd.py check 50 20
	timed "waited" kho wait --timeout=5
	kho list --unclaimed
	! kho list --unclaimed | grep -q uid: || fail "some are unclaimed"
	kho report | grep -E '^downtime|AFTER|UTC'
	;;
esac
