#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: root reads, takes and drops regions whose owner is gone, in this kernel and after a kexec
# files: participant.py region.py ../../examples/counter.py
. "$LAB"

OWNER=--owner=uid:1001

nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

start_khod
case $BOOT in
0)
	# The owner's process has ended, and nobody will ever be uid 1001 again.
	assert_ok ./region.py make left 300000 --uid=1001
	assert_ok ./region.py make kept 5000 --uid=1001
	printf mine | kho put left || fail "kho put: exit $?"

	assert_fails kho get left2 $OWNER
	assert_eq "$STATUS" 2 "kho get of a region that is not there"
	assert_match "$OUTPUT" '"left2" of uid:1001 does not exist'
	assert_fails nobody kho get $OWNER left
	assert_eq "$STATUS" 3 "kho get --owner of nobody"
	assert_match "$OUTPUT" 'root'
	assert_fails nobody kho drop $OWNER left
	assert_eq "$STATUS" 3 "kho drop --owner of nobody"

	# A unit that was renamed finds what it had; root takes what nobody comes for.
	assert_ok ./region.py make renamed 7000 --uid=1001
	assert_fails nobody kho take $OWNER renamed
	assert_eq "$STATUS" 3 "kho take of nobody"
	assert_fails kho take $OWNER --to=typo renamed
	assert_match "$OUTPUT" '--to takes an owner as kho list shows it.*not "typo"'
	assert_fails kho take $OWNER left
	assert_eq "$STATUS" 2 "kho take of a name that root has"
	assert_match "$OUTPUT" '"left" of uid:0 exists already'
	assert_fails kho take $OWNER missing
	assert_match "$OUTPUT" '"missing" of uid:1001 does not exist'
	assert_eq "$(kho take $OWNER --to=uid:1002 renamed)" "took renamed of uid:1001"
	assert_fails ./region.py check renamed 7000 --uid=1001
	./region.py check renamed 7000 --uid=1002 || fail "renamed"
	assert_ok kho take --owner=uid:1002 renamed
	[ "$(kho get renamed | wc -c)" = 7000 ] || fail "kho get of what was taken"

	# In the middle of an update it can be read, and is not dropped.
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	[ "$(kho get $OWNER left | wc -c)" = 300000 ] || fail "kho get in an update"
	assert_fails kho take $OWNER kept
	assert_eq "$STATUS" 2 "kho take in an update"
	assert_fails kho drop $OWNER left
	assert_eq "$STATUS" 2 "kho drop in an update"
	assert_match "$OUTPUT" 'update [0-9a-f]+ is staged already'
	kexec --kho -e
	fail "kexec --kho -e came back: exit $?"
	;;
1)
	wait_for 30 sh -c 'kho status --json | grep -q idle'
	./region.py check renamed 7000 || fail "renamed, afterwards"
	assert_ok kho drop renamed
	assert_match "$(kho list --unclaimed)" '3 regions'
	kho get $OWNER left >/run/left || fail "kho get: exit $?"
	# Nobody but its owner can say that it is claimed.
	assert_match "$(kho list --unclaimed)" '3 regions'
	./region.py check left 300000 --uid=1001 || fail "left"
	python3 -c 'import region, sys
data = open("/run/left", "rb").read()
sys.exit(data != b"".join(region.content("left", 300000)))' || fail "what root got is not the content"

	assert_eq "$(kho drop $OWNER left)" "dropped left"
	assert_fails ./region.py check left 300000 --uid=1001
	assert_eq "$(kho get left)" mine
	# Whoever waits for it need not wait any longer.
	kho wait --timeout=60 >/run/wait 2>&1 &
	WAIT=$!
	[ "$(kho get --drop $OWNER kept | wc -c)" = 5000 ] || fail "kho get --drop"
	wait $WAIT || fail "kho wait: exit $?: $(cat /run/wait)"
	assert_match "$(kho list)" '1 region, 4 B'
	;;
esac
