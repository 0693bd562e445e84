#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: participants that refuse, do not answer, leave; kexec interrupted and killed: all is undone, once
# files: participant.py region.py ../../examples/counter.py
# timeout: 600
. "$LAB"

# joins NAME OPTION...: a participant whose words are in /tmp/NAME.
joins() {
	./participant.py "$@" >"/tmp/$1" 2>&1 &
	PIDS+=($!)
	wait_for 30 grep -q watching "/tmp/$1"
}

# heard NAME EVENT...: exactly these since it joined, in this order. An answer may come too late.
heard() {
	local name=$1

	shift
	wait_for 10 grep -q "^${!#}" "/tmp/$name"
	cat "/tmp/$name"
	assert_eq "$(sed '/^answer/d; s/ .*//' "/tmp/$name" | tr '\n' ' ')" "$* " "what $name heard"
}

leave_all() {
	kill "${PIDS[@]}" 2>/dev/null
	wait "${PIDS[@]}" 2>/dev/null
	PIDS=()
}

# As if nothing had been tried: nothing loaded, nothing held, and the next one works.
undone() {
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	assert_match "$(kexec --kho -S)" 'update: +idle'
	python3 - <<-'PYTHON' || fail "the memory is not released"
		import os, region
		_, fd = region.claim("kept")
		size = os.fstat(fd).st_size
		os.ftruncate(fd, size + 4096)
		os.ftruncate(fd, size)
	PYTHON
	./region.py check kept 300000 || fail "kept"
	! find "/proc/$KHOD_PID/fd" -lname '*luo_session*' | grep . || fail "khod still has a session"
}

stages() {
	assert_match "$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1)" 'staged .*: [12] regions?, '
	assert_ok kexec --kho -u
	undone
}

# refused STATUS WORDS OPTION...
refused() {
	local status=$1 words=$2

	shift 2
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline "$@"
	say "$OUTPUT"
	assert_eq "$STATUS" "$status" "exit status"
	assert_match "$OUTPUT" "$words"
	undone
}

start_khod
PIDS=()
if [ "$BOOT" = 1 ]; then
	kho report || fail "kho report: exit $?"
	./region.py check kept 300000 || fail "kept"
	assert_match "$(./region.py check good 5000 --uid=1001)" 'verified'
	exit 0
fi

say "== a user's veto does not count by default"
stop_khod
start_khod --
wait_for 30 kho status
joins good
joins bad --uid=1002 --prepare=refuse --region=5000
assert_match "$(kho list --json)" '"required":false'
output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'warning: uid:1002 refuses the update: the cache.* leaves it behind'
assert_match "$output" 'staged .*: 1 region'
assert_ok kexec --kho -u
leave_all
joins bad --prepare=refuse
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
assert_match "$OUTPUT" 'uid:0 refuses the update'
leave_all
stop_khod
start_khod
wait_for 30 kho status
assert_ok ./region.py make kept 300000

say "== one refuses"
joins good --uid=1001
joins root
joins bad --uid=1002 --prepare=refuse
refused 2 'uid:1002 refuses the update: the cache is being rebuilt'
heard good watching prepare resume
heard bad watching prepare resume
# Of others' affairs only root hears.
assert_match "$(cat /tmp/good)" 'resume another service refuses the update'
assert_match "$(cat /tmp/bad)" 'resume uid:1002 refuses the update: the cache is being rebuilt'
assert_match "$(cat /tmp/root)" 'resume uid:1002 refuses the update: the cache is being rebuilt'
leave_all
stages

say "== one does not answer"
joins good --uid=1001
joins deaf --uid=1003 --prepare=silence
start=$SECONDS
refused 2 'uid:1003 did not answer within 3 s' --kho-timeout=6
[ $((SECONDS - start)) -lt 15 ] || fail "it took $((SECONDS - start)) s"
heard good watching prepare resume
heard deaf watching prepare resume
leave_all
stages

say "== one ends instead of answering"
joins good --uid=1001
joins gone --uid=1004 --prepare=leave
refused 2 'uid:1004 ended, or closed its connection'
heard good watching prepare resume
leave_all
stages

say "== optional ones are left behind"
joins good --uid=1001
joins bad --uid=1002 --optional --prepare=refuse
joins deaf --uid=1003 --optional --prepare=silence
joins gone --uid=1004 --optional --prepare=leave
output=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=6 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'warning: uid:1002 refuses the update: the cache.* leaves it behind'
assert_match "$output" 'warning: uid:1003 did not answer within 3 s.* leaves it behind'
assert_match "$output" 'warning: uid:1004 ended.* leaves it behind'
assert_match "$output" 'staged '
assert_ok kexec --kho -u
undone
for name in good bad deaf; do
	heard $name watching prepare resume
done
leave_all
stages

# interrupted SIGNAL STATUS ANSWER PHASE: kexec gets it in the middle of the phase that it tells of.
interrupted() {
	local pid status=0

	joins good --uid=1001
	joins deaf --uid=1003 --prepare="$3"
	rm -f /tmp/kexec
	# What a script starts in the background ignores SIGINT otherwise.
	env --default-signal=INT kexec --kho -l "$NEXT" --reuse-cmdline >/tmp/kexec 2>&1 &
	pid=$!
	wait_for 60 grep -q "$4" /tmp/kexec
	kill -"$1" $pid
	wait $pid || status=$?
	cat /tmp/kexec
	assert_eq $status "$2" "exit status"
	wait_for 20 grep -q resume /tmp/deaf
	undone
	heard good watching prepare resume
	heard deaf watching prepare resume
	leave_all
	stages
}

say "== interrupted while services are asked"
for signal in INT TERM; do
	interrupted $signal 4 silence 'waiting for uid:1003'
	assert_match "$(cat /tmp/kexec)" 'interrupted; the update is undone'
done
say "== killed while services are asked"
interrupted KILL 137 silence 'waiting for uid:1003'

# interrupted_preserving SIGNAL STATUS: of small pages, which take longest the first time.
interrupted_preserving() {
	assert_ok ./region.py make large $((192 << 20))
	interrupted "$1" "$2" accept 'preserving regions'
	./region.py check large $((192 << 20)) || fail "large"
	assert_ok kho drop large
}

say "== the same, while memory is preserved"
interrupted_preserving INT 4
assert_match "$(cat /tmp/kexec)" 'interrupted; the update is undone'
interrupted_preserving KILL 137

say "== one refuses to freeze"
joins good --uid=1001
joins bad --uid=1002 --freeze=refuse
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
assert_fails kexec --kho -e
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:1002 refuses the update: the cache is being rebuilt'
assert_eq "$STATUS" 4 "exit status"
undone
heard good watching prepare freeze resume
heard bad watching prepare freeze resume
leave_all

say "== one does not freeze in time"
joins good --uid=1001
joins deaf --uid=1003 --freeze=silence
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
assert_fails kexec --kho -e --kho-timeout=6
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:1003 did not answer within 3 s'
undone
heard good watching prepare freeze resume
heard deaf watching prepare freeze resume
leave_all

say "== everybody agrees, but for one that is optional"
joins good --uid=1001 --region=5000
joins bad --uid=1002 --optional --freeze=refuse
output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
say "$output"
kexec --kho -e
fail "kexec --kho -e came back: exit $?"
