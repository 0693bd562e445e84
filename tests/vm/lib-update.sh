#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: libkho and plain varlink: the examples in C and Python stop, go on after an abort, and after an update
. "$LAB"

EXAMPLES=/usr/local/libexec/kho/examples

# What they print goes to the disk, to be there in the next kernel.
start_counters() {
	"$EXAMPLES/counter" --name=c >"/root/c.$BOOT" 2>&1 &
	"$EXAMPLES/counter.py" --name=py >"/root/py.$BOOT" 2>&1 &
	for name in c py; do
		wait_for 30 grep -q "$1" "/root/$name.$BOOT"
	done
}

# last_number FILE PATTERN: the number that follows it.
last_number() {
	sed -n "s/.*$2 \([0-9]*\)\$/\1/p" "$1" | tail -n 1
}

case $BOOT in
0)
	assert_fails kho list
	"$EXAMPLES/counter" >/run/alone 2>&1 &
	alone=$!
	wait_for 10 grep -q "khod is not running on this machine" /run/alone
	kill $alone
	wait $alone || fail "the counter without khod: exit $?"

	start_khod
	start_counters "created, counting from 0"
	sleep 1
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	for name in c py; do
		wait_for 10 grep -q "is being prepared" "/root/$name.0"
	done
	assert_ok kexec --kho -u
	for name in c py; do
		wait_for 10 grep -q "no update" "/root/$name.0"
	done
	next_boot
	;;
1)
	start_khod
	start_counters "claimed, going on from"
	for name in c py; do
		frozen=$(last_number "/root/$name.0" "frozen at")
		claimed=$(last_number "/root/$name.1" "going on from")
		say "$name: frozen at $frozen, claimed at $claimed"
		[ "${frozen:-0}" -gt 5 ] || fail "$name counted to '$frozen' only"
		assert_eq "$claimed" "$frozen" "$name"
	done
	assert_ok kho wait --timeout=10
	say "$(kho list)"
	;;
esac
