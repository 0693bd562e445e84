#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kho put and kho get over a kexec, and what list, wait, report and tree say of it
# guest: bare
# memory: 1G
. "$LAB"

# 20 MB that are the same at every boot.
blob() {
	seq 1 2600000
}

nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

case $BOOT in
0)
	assert_fails kho status
	assert_eq "$STATUS" 3 "kho status without khod"
	assert_match "$OUTPUT" 'not running'
	start_khod
	assert_eq "$(kho report)" "no update has been through this machine"
	blob | kho put big || fail "kho put: exit $?"
	printf 'hello' | kho put small || fail "kho put: exit $?"
	printf '' | kho put --optional empty || fail "kho put: exit $?"
	assert_fails kho put small </dev/null
	assert_eq "$STATUS" 2 "kho put of a name that is taken"
	assert_match "$OUTPUT" 'small.*--replace'
	assert_eq "$(kho get small)" hello

	# Refused before the kernel has to kill somebody for it.
	STATUS=0
	OUTPUT=$(head -c 3G /dev/zero | kho put huge 2>&1) || STATUS=$?
	say "$OUTPUT"
	assert_eq "$STATUS" 1 "kho put of more than the machine has"
	assert_match "$OUTPUT" 'no room: .* are read'
	truncate -s 3G /tmp/sparse
	assert_fails kho put huge /tmp/sparse
	assert_match "$OUTPUT" 'no room: 3 GiB are needed'
	! dmesg | grep -qi 'out of memory' || fail "somebody was killed"

	# Another user has other regions, and may not look at root's.
	printf 'mine' | nobody kho put small || fail "kho put of nobody: exit $?"
	assert_eq "$(nobody kho get small)" mine
	assert_match "$(nobody kho list)" '1 region, 4 B'
	assert_fails nobody kho report
	assert_eq "$STATUS" 3 "kho report of nobody"
	assert_match "$OUTPUT" 'root'
	assert_ok nobody kho drop small
	kho status
	kho list
	next_boot
	;;
1)
	assert_match "$(uname -r)" '-next$'
	start_khod
	assert_fails kho wait --timeout=0.2
	assert_eq "$STATUS" 6 "kho wait before anybody claims"
	assert_match "$OUTPUT" 'region big of uid:0 is not claimed'
	kho list
	assert_match "$(kho list --unclaimed)" '3 regions'
	kho get big >/run/big || fail "kho get: exit $?"
	blob | cmp - /run/big || fail "big is not what it was"
	assert_eq "$(kho get --release small)" hello
	assert_fails kho wait --timeout=0.1 small
	assert_eq "$STATUS" 6 "kho wait for what was released"
	assert_eq "$(kho get small)" hello
	assert_eq "$(kho get empty | wc -c)" 0
	assert_ok kho wait --timeout=5
	kho report || fail "kho report: exit $?"
	kho report --json
	kho tree | head -40
	kho tree --raw >/run/tree.dtb
	assert_eq "$(head -c 4 /run/tree.dtb | od -An -tx1 | tr -d ' ')" d00dfeed
	assert_match "$(kho tree --json)" '"name":"small"'
	assert_ok kho drop big small empty
	assert_eq "$(kho list)" "0 regions, 0 B"
	;;
esac
