#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: participants that ask for more time, and that freeze in an order; no longer than the operator allows
# files: participant.py region.py ../../examples/counter.py
# timeout: 400
. "$LAB"

# joins NAME OPTION...: a participant whose words are in /tmp/NAME.
joins() {
	./participant.py "$@" >"/tmp/$1" 2>&1 &
	PIDS+=($!)
	wait_for 30 grep -q watching "/tmp/$1"
}

# cant_join WORDS OPTION...
cant_join() {
	local words=$1

	shift
	assert_fails ./participant.py "$@"
	say "$OUTPUT"
	assert_match "$OUTPUT" "$words"
}

# joins_journal NAME OPTION...: the same, with what it hears and answers in the one journal.
joins_journal() {
	joins "$@" --journal=/tmp/journal
}

leave_all() {
	kill "${PIDS[@]}" 2>/dev/null
	wait "${PIDS[@]}" 2>/dev/null
	PIDS=()
	wait_for 10 eval '! kho status --json | grep -q watching'
}

start_khod
PIDS=()
if [ "$BOOT" = 1 ]; then
	assert_match "$(./region.py check slow 5000 --uid=1001)" 'verified'
	./region.py check replaced 10000 --seed=another || fail "replaced"
	exit 0
fi

say "== one asks for more time, and needs it"
kho monitor >/tmp/monitor &
MONITOR=$!
wait_for 10 grep -q 'khod is idle' /tmp/monitor
joins slow --uid=1001 --region=5000 --more=100 --delay=11
joins quick --uid=1002
output=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=20 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'waiting for uid:1001 \(more time: the index is being written\)'
assert_match "$output" 'staged .*: 1 region'
assert_match "$(cat /tmp/monitor)" 'uid:1001 asks for more time: prepare, the index is being written'
kill $MONITOR
assert_match "$(cat /tmp/slow)" 'more than before: True.more refused: AlreadyExtended'
assert_ok kexec --kho -u
wait_for 10 grep -q resume /tmp/slow
leave_all

say "== one asks for more time, and that is not enough"
joins slow --uid=1001 --prepare=silence --more=100
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=6
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:1001 did not answer within 6 s, although .* \(the index is being written\)'
assert_eq "$STATUS" 2 "exit status"
wait_for 10 grep -q resume /tmp/slow
leave_all

say "== the same, optional: it is left behind"
joins slow --uid=1001 --optional --prepare=silence --more=100
output=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=6 2>&1) || fail "exit $?: $output"
assert_match "$output" 'warning: uid:1001 did not answer within 6 s.* leaves it behind'
assert_ok kexec --kho -u
leave_all

say "== each freezes when those before it have answered"
install -m 0666 /dev/null /tmp/journal
joins_journal third --uid=1003 --after=uid:4711,uid:1002
joins_journal second --uid=1002 --after=uid:1001 --freeze=refuse --delay=2
joins_journal first --uid=1001 --delay=2
joins_journal root --before=uid:1001,uid:1002
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
: >/tmp/journal
assert_fails kexec --kho -e
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:1002 \(after uid:1001\), uid:1003 \(after uid:1002\)|uid:1003 \(after uid:1002\), uid:1002 \(after uid:1001\)'
assert_match "$OUTPUT" 'uid:1002 refuses the update'
wait_for 10 grep -q 'root resume' /tmp/journal
assert_eq "$(grep -v resume /tmp/journal | tr '\n' ' ')" \
	"root freeze root answers first freeze first answers second freeze second answers " "order"
# Of an update that it was not told to freeze for, it was told to prepare.
assert_match "$(cat /tmp/third)" 'prepare.*resume'
assert_match "$(kho status --json)" '"freezeAfter":\["uid:4711","uid:1002"\]'

say "== in a circle"
cant_join 'OrderCycle: .*uid:1001 → uid:1002 → uid:1003 → uid:1001 ' fourth --uid=1001 --after=uid:1003
cant_join 'OrderCycle: .*uid:0 → uid:0 ' fourth --after=uid:0
cant_join 'OrderCycle: .*uid:4711 → uid:1003 → uid:4711 ' fourth --uid=4711 --after=uid:1003
cant_join "OrderNotAllowed: uid:1004 can't have uid:1001 wait for it" fourth --uid=1004 --before=uid:1001
cant_join 'InvalidParameter' fourth --uid=1004 --after=
leave_all

say "== one is left behind, the next is told; one takes all the time, and the next can't be"
joins first --uid=1001 --optional --freeze=silence --more=100
joins second --uid=1002 --after=uid:1001
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
assert_fails kexec --kho -e --kho-timeout=6
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:1002 could not be told to freeze within 6 s, as it freezes after uid:1001'
wait_for 10 grep -q resume /tmp/second
leave_all
joins first --uid=1001 --optional --freeze=silence
joins second --uid=1002 --after=uid:1001 --freeze=refuse
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
assert_fails kexec --kho -e --kho-timeout=10
say "$OUTPUT"
assert_match "$(cat /run/khod.log)" 'uid:1001 did not answer within 5 s; .* leaves it behind'
assert_match "$OUTPUT" 'uid:1002 refuses the update'
leave_all

say "== one keeps another region than before it was asked; later it can't"
joins replaced --region=5000 --replace
output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
assert_match "$output" 'staged .*: 2 regions'
assert_fails ./region.py drop replaced
assert_match "$OUTPUT" 'is staged: no region can be unregistered now'
assert_fails kho drop replaced
assert_ok kexec --kho -u
leave_all

say "== more time to freeze, and the update happens"
joins slow --uid=1001 --more=100 --delay=6
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
kexec --kho -e --kho-timeout=10
fail "kexec --kho -e came back: exit $?"
