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
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
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
