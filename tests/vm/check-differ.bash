# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What check-A-B.sh have in common; not a test of its own.

# A participant: it says what it is told.
watch() {
	python3 -c '
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/kho/io.kho.Handover")
s.sendall(json.dumps({"method": "io.kho.Handover.Watch", "parameters": {}, "more": True}).encode() + b"\0")
while data := s.recv(4096):
    print(data, flush=True)
' >/run/watcher 2>&1 &
	WATCHER=$!
	wait_for 10 eval 'kho status --json | grep -q watching'
}

# differ WORDS...: that the check refuses, and that nobody notices it.
differ() {
	local output words told

	start_khod
	assert_ok kho put one </etc/os-release
	watch
	told=$(wc -c </run/watcher)

	output=$(kho check "$NEXT") && fail "kho check: success"
	say "$output"
	assert_fails kho check "$NEXT"
	assert_eq "$STATUS" 7
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=luo
	assert_eq "$STATUS" 2 "$OUTPUT"
	for words in "$@"; do
		assert_match "$output" "$words"
		assert_match "$OUTPUT" "$words"
	done
	assert_match "$OUTPUT" 'nothing has changed'
	assert_eq "$(wc -l <<<"$OUTPUT")" 1 "lines"

	assert_match "$(kexec --kho -S)" 'update: +idle'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	assert_eq "$(wc -c </run/watcher)" "$told" "told to the service"
	! grep -q 'Update .* begins' "$KHOD_LOG" || fail "khod was asked to prepare"
	assert_eq "$(kho get one)" "$(cat /etc/os-release)"
	kill "$WATCHER"
	# The kernel that runs, and agrees with itself, in the same breath.
	assert_match "$(kho check "$NEXT" "/boot/vmlinuz-$(uname -r)")" \
		"vmlinuz-$(uname -r) +$(uname -r) +in place"
}

# KiB
memory_available() {
	sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo
}

# force WORDS: goes on all the same; does not come back.
force() {
	local forced

	memory_available >/root/available
	[ "$(uname -r | cut -d . -f 1)" = 6 ] || head -c 128M /dev/zero | kho put large || fail "kho put: exit $?"
	forced=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-force 2>&1) || fail "$forced"
	say "$forced"
	assert_match "$forced" "warning: .*: forced, although $1"
	assert_match "$forced" 'staged [^ ]*: (no regions|.*), forced'
	[[ $forced != *'no session tells'* ]] || fail "a warning of what this kernel can't have"
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
}

# after_force KHO-STRING: what kexec(8) says of it, seen from the next kernel.
after_force() {
	local before now

	say "$(dmesg | grep 'KHO:')"
	assert_match "$(dmesg)" "KHO: setup: handover FDT \(0x[0-9a-f]+\) is incompatible with '$1': "
	assert_match "$(dmesg)" 'KHO: disabling KHO revival'
	assert_fails kho tree --kernel=in
	assert_match "$OUTPUT" 'the previous kernel was not compatible'
	# As after a cold start, and none of the memory stays out of use.
	before=$(cat /root/available)
	now=$(memory_available)
	say "available: $before KiB before, $now KiB now"
	[ "$now" -gt $((before - 65536)) ] || fail "memory is missing"
	start_khod
	assert_match "$(kho status)" "in place +yes"
}

# lost: the region is named, and khod goes on as after a cold start.
lost() {
	local report status=0

	report=$(kho report) || status=$?
	say "$report"
	assert_eq $status 5 "kho report"
	assert_match "$report" 'forced +the next kernel did not pass the check'
	assert_match "$report" 'LOST: nothing arrived'
	assert_match "$(kho report --json)" '"forced" *: *true'
	assert_ok kho drop one
	assert_ok kho put one </etc/os-release
	assert_eq "$(kho get one)" "$(cat /etc/os-release)"
}
