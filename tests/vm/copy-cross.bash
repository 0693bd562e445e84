# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What copy-A-B.sh have in common; not a test of its own.

EXAMPLES=/usr/local/libexec/kho/examples
SPOOL=/var/lib/kho/spool
# What is to carry the copies; a test may say initrd.
CARRIER=${CARRIER:-spool}

# start_counters WORDS: the services of this boot, until they have said that.
start_counters() {
	"$EXAMPLES/counter" --name=c >"/root/c.$BOOT" 2>&1 &
	"$EXAMPLES/counter.py" --name=py >"/root/py.$BOOT" 2>&1 &
	wait_for 60 grep -q "$1" "/root/c.$BOOT"
	wait_for 60 grep -q "$1" "/root/py.$BOOT"
}

# Memory that nobody owns, with another content each time.
put_note() {
	say "a note from $(uname -r)" >/root/note
	kho put note </root/note || fail "kho put: exit $?"
}

# Services that take part, memory without anybody who does, nothing, and holes.
begin_services() {
	start_counters created
	put_note
	assert_ok ./region.py make data 20000003 --seed=data
	assert_ok ./region.py make empty 0
	assert_ok ./sparse.py make holes 67108864
	sleep 1
}

# last_number FILE PATTERN: the number that follows it.
last_number() {
	sed -n "s/.*$2 \([0-9]*\)\$/\1/p" "$1" | tail -n 1
}

# All of it, in the next kernel.
check_services() {
	local name frozen claimed report status=0

	report=$(kho report) || status=$?
	say "$report"
	assert_eq $status 0 "kho report"
	assert_match "$report" "copied +.* in .*, expected: "
	start_counters "going on from"
	for name in c py; do
		frozen=$(last_number "/root/$name.$((BOOT - 1))" "frozen at")
		claimed=$(last_number "/root/$name.$BOOT" "going on from")
		say "$name: frozen at $frozen, claimed at $claimed"
		[ "${frozen:-0}" -gt 2 ] || fail "$name counted to '$frozen' only"
		assert_eq "$claimed" "$frozen" "$name"
	done
	assert_eq "$(kho get note)" "$(cat /root/note)"
	assert_ok ./region.py check data 20000003 --seed=data
	# On disk they stay until all is claimed; in memory they go as they are taken.
	[ "$CARRIER" = initrd ] || [ -n "$(ls -A $SPOOL)" ] || fail "the copies are gone before all is claimed"
	assert_ok ./region.py check empty 0
	assert_ok ./sparse.py check holes 67108864
	assert_ok kho wait --timeout=30
	# All is claimed but the note, which nobody will: it is root's to drop.
	assert_ok kho drop note
	wait_for 30 eval "[ -z \"\$(ls -A $SPOOL /run/kho/handover 2>/dev/null | grep -v :)\" ]"
	assert_match "$(kho report --json)" '"transport" *: *"'"$CARRIER"'"'
}
