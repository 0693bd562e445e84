#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: memory in the fd stores of other units: kexec --kho -e refuses to lose it, an orderly shutdown takes it along
# guest: systemd
# files: fd-store-huge.py
# timeout: 900
. "$LAB"

EXAMPLES=/usr/local/libexec/kho/examples

log_has() {
	journalctl -q -o cat -u "$1" -b "${3:-0}" | grep -qE -- "$2"
}

# The number behind words, in this boot's or an earlier journal of the counter.
number() {
	journalctl -q -o cat -u stored.service -b "${2:-0}" | sed -n "s/^$1 \([0-9]*\)\$/\1/p" | tail -n 1
}

start_counter() {
	cp "$EXAMPLES/stored.service" /etc/systemd/system/
	assert_eq "$(systemd-analyze verify /etc/systemd/system/stored.service 2>&1)" ""
	assert_ok systemctl daemon-reload
	assert_ok systemctl start stored.service
}

case $BOOT in
0)
	mkdir -p /var/log/journal
	assert_ok journalctl --flush
	assert_ok systemctl enable --now khod.service
	start_counter
	assert_ok systemctl enable stored.service
	wait_for 60 log_has stored.service 'counting from 0'
	echo kept | kho put note || fail "kho put note"

	say "--- across a restart of the service it is PID 1 that keeps it"
	systemctl restart stored.service
	wait_for 60 log_has stored.service 'going on from'

	say "--- kexec --kho -e would lose it"
	output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
	say "$output"
	assert_match "$output" 'kexec: note: memory "counter" in the fd store of stored.service goes along with systemctl'
	assert_fails kexec --kho -e
	say "$OUTPUT"
	assert_eq "$STATUS" 2 "exit status"
	assert_match "$OUTPUT" 'kexec: memory "counter" in the fd store of stored.service would be lost'
	assert_match "$(kho status)" 'khod +staged'
	assert_ok kexec --kho -u
	assert_fails kexec --kho -l -e "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 2 "exit status"
	assert_match "$(kho status)" 'khod +idle' "nobody was asked"

	say "--- what not even PID 1 can hand over"
	systemd-run --quiet --unit=huge -p Type=notify -p FileDescriptorStoreMax=1 \
		-p FileDescriptorStorePreserve=yes --working-directory="$PWD" ./fd-store-huge.py ||
		fail "huge.service does not start"
	output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
	say "$output"
	assert_match "$output" 'warning: memory "huge" in the fd store of huge.service will be lost: it is of huge pages'
	log_has huge.service 'memory "huge" in the fd store of huge.service is not carried' ||
		fail "the journal of huge.service does not tell of it"
	assert_ok kexec --kho -u
	output=$(kho check "$NEXT" --reuse-cmdline) || fail "kho check: exit $?: $output"
	say "$output"
	assert_match "$output" '"counter" of stored.service: goes along in an orderly shutdown, not with kexec --kho -e'
	assert_match "$output" '"huge" of huge.service: will be lost: it is of huge pages'
	assert_eq "$(kho check --json "$NEXT" --reuse-cmdline | python3 -c 'import json, sys
print(sorted(s["name"] for s in json.load(sys.stdin)["fdStores"]))')" "['counter', 'huge']"
	assert_ok systemctl stop huge.service
	assert_ok systemctl clean --what=fdstore huge.service

	say "--- forced"
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	assert_ok journalctl --sync
	kexec --kho -e --kho-force
	fail "kexec --kho -e came back: $?"
	;;
1)
	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "exit status of kho report"
	assert_match "$OUTPUT" 'memory "counter" in the fd store of stored.service is not carried: only an orderly'
	[[ ! $OUTPUT =~ huge ]] || fail "the report tells of an update that was dropped"
	assert_eq "$(kho get note)" kept
	log_has stored.service 'is not carried: only an orderly' -1 || fail "the loss is not in the service's own log"
	wait_for 60 log_has stored.service 'counting from 0'

	say "--- an orderly shutdown takes it along, and khod what is khod's"
	sleep 2
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	systemctl stop stored.service
	systemd-analyze fdstore stored.service
	assert_ok systemctl kexec
	;;
2)
	wait_for 60 log_has stored.service 'going on from [1-9]'
	say "the counter goes on from $(number 'going on from')"
	[ "$(number 'going on from')" -ge 10 ] || fail "it has not counted"
	assert_eq "$(kho get note)" kept
	# This kexec is the second, and the first that PID 1 knows of.
	report=$(kho report)
	say "$report"
	assert_match "$report" 'systemd +kexec 1, and the kernel counts 2: PID 1 knows only of those'
	assert_match "$report" 'units stopped in [0-9]'
	assert_eq "$(kho report --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["systemd"]["kexecCount"])')" 1
	;;
esac
