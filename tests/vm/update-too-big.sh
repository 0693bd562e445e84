#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: holes larger than memory, and 1 TiB: refused at once with the numbers, or left behind; nobody is killed
# files: region.py sparse.py ../../examples/counter.py
# timeout: 400
. "$LAB"

TIB=$((1 << 40))

# refused MEMORY WORDS...: kexec --kho -l says no before anything has changed.
refused() {
	local word start=${EPOCHREALTIME/./} took before

	before=$(awk '/^MemFree/ { print $2 }' /proc/meminfo)
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	say "$OUTPUT" "($took ms)"
	assert_eq "$STATUS" 2 "exit status"
	for word in "$@"; do
		assert_match "$OUTPUT" "$word"
	done
	assert_eq "$(grep -c ^kexec: <<<"$OUTPUT")" 1 "lines"
	[ $took -lt 10000 ] || fail "it took $took ms"
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	! grep "can't be written" "$KHOD_LOG" || fail "the tree is not up to date"
	[ "$(awk '/^MemFree/ { print $2 }' /proc/meminfo)" -gt $((before - (64 << 10))) ] ||
		fail "memory was used up"
	nobody_killed
}

nobody_killed() {
	! dmesg | grep -iE 'out of memory|oom-kill' || fail "the OOM killer came"
	for pid in "${everyone[@]}"; do
		kill -0 "$pid" || fail "process $pid is gone"
	done
}

start_khod
if [ "$BOOT" = 1 ]; then
	assert_fails kho report
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "exit status"
	for name in giant grown part1; do
		assert_match "$OUTPUT" "$name .*left behind: it "
	done
	./region.py check small 100000 || fail "small"
	./sparse.py check hole $((64 << 20)) || fail "hole"
	exit 0
fi

/usr/local/libexec/kho/examples/counter >/tmp/counter 2>&1 &
everyone=($! $KHOD_PID)
wait_for 10 grep -q counting /tmp/counter
assert_ok ./region.py make small 100000

# A page too many is refused when it is registered; a page less may be, and is too much for this machine.
for size in $TIB $((TIB + 1)) $((1 << 62)); do
	assert_fails ./sparse.py make giant "$size"
	say "$OUTPUT"
	assert_match "$OUTPUT" '^giant: LimitReached: .*1 TiB'
done
assert_ok ./sparse.py make giant $((TIB - 4096))
refused '"giant" of uid:0' '1\.0 TiB to fill holes' 'are available'
assert_ok kho drop giant

# One that has grown since.
assert_ok ./sparse.py make grown 4096 --grow=$TIB
refused '"grown" of uid:0' '1 TiB' 'split it'
assert_ok kho drop grown

# More than memory, in one and in many.
assert_ok ./sparse.py make hole $((8 << 30))
refused '"hole" of uid:0' '8\.0 GiB to fill holes'
assert_ok kho drop hole
for part in 1 2 3 4; do
	assert_ok ./sparse.py make part$part $((600 << 20))
done
refused '"part[1-4]" of uid:0 \(600\.0 MiB\)' '2\.4 GiB to fill holes'
for part in 1 2 3 4; do
	assert_ok kho drop part$part
done

# Everything goes on, and holes that fit are no reason.
before=$(wc -l </tmp/counter)
cat /tmp/counter
assert_eq "$before" 1 "lines of the counter, who was to hear of nothing"
assert_match "$(kho status)" 'idle'
assert_ok ./sparse.py make hole $((64 << 20))

# What is optional does not stand in the way: as few as possible are left behind, by name.
assert_ok ./sparse.py make giant $((TIB - 4096)) --optional
assert_ok ./sparse.py make grown 4096 --grow=$TIB --optional
assert_ok ./sparse.py make part1 $((1900 << 20)) --optional
assert_ok ./sparse.py make part2 $((300 << 20)) --optional
output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'warning: region "giant" of uid:0 is left behind: it needs .*1\.0 TiB to fill holes.* are '
assert_match "$output" 'warning: region "grown" of uid:0 is left behind: it has 1\.0 TiB'
assert_match "$output" 'warning: region "part1" of uid:0 is left behind: it needs .*1\.9 GiB to fill holes'
assert_eq "$(grep -c 'left behind' <<<"$output")" 3 "left behind"
assert_match "$output" 'staged .*: 4 regions'
nobody_killed
assert_ok kexec --kho -u
assert_ok kho drop part2
kill "${everyone[0]}"
next_boot
