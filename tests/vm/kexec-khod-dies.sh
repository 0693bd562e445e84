#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: khod is killed while kexec --kho prepares, and once an update is staged
# guest: systemd
# timeout: 300
. "$LAB"

khod_pid() {
	systemctl show -p MainPID --value khod.service
}

kill_khod() {
	local before

	before=$(khod_pid)
	kill -KILL "$before"
	wait_for 30 eval "[ \"\$(khod_pid)\" != $before ] && [ \"\$(khod_pid)\" != 0 ]"
}

start_khod
head -c 1000000 /dev/urandom | tee /tmp/blob | kho put blob || fail "kho put: exit $?"

# While services are asked: one of them never answers.
python3 - <<-'EOF' &
	import json, socket
	s = socket.socket(socket.AF_UNIX)
	s.connect("/run/kho/io.kho.Handover")
	s.sendall(json.dumps({"method": "io.kho.Handover.Watch", "parameters": {},
	                      "more": True}).encode() + b"\0")
	while s.recv(4096):
	    pass
EOF
wait_for 10 eval 'kho status --json | grep -q watching'
kexec --kho -l "$NEXT" --reuse-cmdline >/tmp/out 2>&1 &
wait_for 10 grep -q 'waiting for' /tmp/out
kill_khod
status=0
wait $! || status=$?
assert_eq $status 4 "$(cat /tmp/out)"
assert_match "$(cat /tmp/out)" 'khod went away .*; the update is undone'
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
wait_for 30 eval 'kexec --kho -S | grep -q "update: *idle"'

# Once staged, khod comes back into the state it left.
assert_match "$(kexec --kho -l "$NEXT" --reuse-cmdline 2>/dev/null)" '^staged .* 1 region, '
kill_khod
wait_for 30 eval 'kexec --kho -S | grep -q "update: *staged"'
assert_match "$(kexec --kho -u)" '^dropped update'
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded after -u"
kho get blob | cmp - /tmp/blob || fail "another content"
