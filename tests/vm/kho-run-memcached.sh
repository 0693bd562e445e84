#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: memcached, unmodified, keeps its keys over a kexec under kho run
# guest: bare
# files: kho-memcached.py
# timeout: 300
. "$LAB"

KEYS=100000

start_memcached() {
	kho run --region=cache:128M '--file=meta:%{cache}.meta' --freeze-signal=USR1 \
		-- memcached -u root -m 128 -e '%{cache}' -l 127.0.0.1 &
	RUN_PID=$!
	wait_for 20 python3 "$DIR/kho-memcached.py" ping
}

DIR=$(dirname "$0")
case $BOOT in
0)
	start_khod
	start_memcached
	assert_match "$(kho status)" 'uid:0 +[0-9]+ +yes +watching'
	python3 "$DIR/kho-memcached.py" fill $KEYS || fail "can't fill memcached"
	kho list
	next_boot
	;;
1)
	assert_match "$(uname -r)" '-next$'
	start_khod
	kho list
	start_memcached
	python3 "$DIR/kho-memcached.py" check $KEYS || fail "memcached has not kept its keys"
	# Given back to memcached: it must not be restored a second time.
	wait_for 10 eval '! kho list meta'
	kho report || fail "kho report: exit $?"
	assert_eq "$(kho list --json cache | grep -o '"check":"[a-z]*"')" '"check":"verified"'

	# An update that is given up leaves it running with what it had.
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	assert_ok kexec --kho -u
	python3 "$DIR/kho-memcached.py" check $KEYS || fail "memcached lost keys by kexec --kho -u"
	kill $RUN_PID
	STATUS=0
	wait $RUN_PID || STATUS=$?
	say "kho run ended with $STATUS"
	;;
esac
