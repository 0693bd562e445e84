#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: a damaged tree, ledger or region: all that can be is restored, the rest is named
# files: restore-freeze.py restore-corrupt.py
# timeout: 900
. "$LAB"
PATH=$PATH:/usr/local/libexec/kho/examples

LEDGER=/var/lib/kho/ledger.dtb

# frozen_then COMMANDS: the next boot, with these at the last moment.
frozen_then() {
	kexec --kho -l "$NEXT" "${CMDLINE:---reuse-cmdline}" ${CMDLINE:+--kho-force} || fail "kexec --kho -l: exit $?"
	./restore-freeze.py sh -ec "$1; sync; exec /usr/sbin/kexec -e -x -y"
	fail "the machine goes on"
}

all_there() {
	local name

	for name in one two three; do
		assert_eq "$(kho get $name | sha256sum)" "$(cat /root/$name.sum)" "region $name"
	done
	assert_eq "$(kho list | grep -c verified)" 3 "verified regions"
}

# restored_with STATUS PROBLEM: everything is here, and what was wrong on the way is said.
restored_with() {
	local report status=0

	report=$(kho report) || status=$?
	say "$report"
	assert_eq $status "$1" "kho report"
	assert_match "$report" "$2"
	assert_match "$report" 'kernel +7[^ ]+ -> 7'
	assert_eq "$(grep -c 'restored, digest verified' <<<"$report")" 3 "restored regions"
	all_there
}

put_all() {
	local name

	for name in one two three; do
		head -c $((${#name} * 100000)) /dev/urandom >/run/$name
		sha256sum </run/$name >/root/$name.sum
		kho put --replace $name </run/$name || fail "kho put $name"
	done
}

say "=== boot $BOOT"
start_khod
wait_for 60 sh -c 'kho status | grep -q "khod  *idle"'
case $BOOT in
0)
	put_all
	say "--- both slots of the tree are damaged"
	frozen_then "cp $LEDGER /root/old-ledger; ./restore-corrupt.py tree"
	;;
1)
	restored_with 5 'handover tree arrived damaged: going by the ledger'
	say "--- only the newer slot of it is, and the update's id beside it"
	frozen_then './restore-corrupt.py newer 32'
	;;
2)
	kho report || fail "kho report: exit $?"
	all_there
	assert_match "$(cat /run/khod.log)" 'Session kho-update arrived damaged'
	say "--- the ledger is gone"
	frozen_then "rm $LEDGER"
	;;
3)
	restored_with 0 "no ledger $LEDGER, and update [0-9a-f]+ has arrived: its handover tree alone tells of it"
	say "--- the ledger is cut short"
	frozen_then "truncate -s 300 $LEDGER"
	;;
4)
	restored_with 0 "ledger $LEDGER can't be read: it is damaged"
	[ -s $LEDGER.damaged ] || fail "the damaged ledger is gone"
	say "--- the ledger is of an older update"
	frozen_then "cp /root/old-ledger $LEDGER"
	;;
5)
	restored_with 0 "ledger $LEDGER is of update [0-9a-f]+, and update [0-9a-f]+ has arrived"
	say "--- a region changes after its digest was taken, and the ledger is rubbish"
	counter >/run/counter.log 2>&1 &
	wait_for 10 grep -q created /run/counter.log
	# Its region is the one of 16 bytes.
	frozen_then "./restore-corrupt.py 16; dd if=/dev/urandom of=$LEDGER bs=1k count=1 conv=notrunc status=none"
	;;
6)
	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho report"
	assert_match "$OUTPUT" 'counter +uid:0 .*DAMAGED: its content is not what it was'
	assert_eq "$(grep -c 'restored, digest verified' <<<"$OUTPUT")" 3 "restored regions"
	all_there
	assert_fails counter
	say "$OUTPUT"
	assert_match "$OUTPUT" 'counter'
	assert_fails kho get counter
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho get of the damaged region"
	kho get --damaged counter >/run/counter || fail "kho get --damaged: exit $?"
	assert_eq "$(stat -c %s /run/counter)" 16
	assert_ok kho drop counter
	assert_fails kho get counter
	assert_eq "$STATUS" 2 "kho get of the dropped region"
	say "--- neither tree nor ledger"
	frozen_then "./restore-corrupt.py tree; rm $LEDGER"
	;;
7)
	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho report"
	assert_match "$OUTPUT" 'handover tree arrived damaged: what was in it is not known'
	kho list
	put_all
	assert_eq "$(kho list | grep -c ' new$')" 3 "new regions"
	say "--- a ledger that can't be read, and nothing arrives"
	CMDLINE=--command-line="$(sed 's/kho=on/kho=off/' /proc/cmdline)"
	frozen_then "truncate -s 300 $LEDGER"
	;;
8)
	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "kho report"
	assert_match "$OUTPUT" "ledger $LEDGER can't be read: it is damaged; what the last update handed over is not known"
	kho status
	;;
esac
