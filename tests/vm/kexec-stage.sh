#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kexec --kho: stage, drop, refuse a second one, interrupt, and execute
. "$LAB"

loaded() {
	assert_eq "$(cat /sys/kernel/kexec_loaded)" "$1" "loaded"
}

state() {
	assert_match "$(kexec --kho -S)" "update: +$1"
}

begin() {
	start_khod
	assert_ok kho put one </etc/os-release
	head -c 3000000 /dev/urandom | tee /root/two | kho put two || fail "kho put: exit $?"
}

stage_and_drop() {
	staged=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>/tmp/progress) || fail "-l: exit $?"
	assert_match "$staged" '^staged 7[^ ]*: 2 regions, 2.8 MiB, in place$'
	assert_eq "$(wc -l <<<"$staged")" 1 "lines"
	loaded 1
	state staged
	assert_match "$(kexec --kho -S)" 'image: .*vmlinuz'

	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" '^kexec: update [0-9a-f]{16} is staged already: .* -u drops it$'
	loaded 1
	state staged

	assert_match "$(kexec --kho -u)" '^dropped update [0-9a-f]{16}$'
	loaded 0
	state idle
	assert_eq "$(kexec --kho -u)" ""
	assert_fails kexec --kho -e
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" 'nothing is staged'
}

# A kernel that somebody unloads, or loads without --kho, is no longer the update's.
staged_without_kernel() {
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	assert_ok kexec -u
	assert_fails kexec --kho -e
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" 'no longer loaded'
	assert_ok kexec --kho -u
	state idle
}

# Without CAP_SYS_BOOT no loading can succeed, nor the one right before executing.
without_boot=(setpriv --bounding-set=-sys_boot --inh-caps=-sys_boot)

kernel_refuses() {
	assert_fails "${without_boot[@]}" kexec --kho -l "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 4
	assert_match "$OUTPUT" 'kexec-tools could not load the kernel; the update is undone'
	loaded 0
	state idle

	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	assert_fails "${without_boot[@]}" kexec --kho -e
	assert_eq "$STATUS" 4
	assert_match "$OUTPUT" 'kexec-tools could not load the kernel'
	assert_match "$OUTPUT" 'kexec -u before anything reboots'
	state idle
	assert_ok kexec -u
	loaded 0

	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	assert_fails strace -o /dev/null -e trace=reboot -e inject=reboot:error=EPERM kexec --kho -e
	assert_eq "$STATUS" 4
	assert_match "$OUTPUT" 'refused to execute the next one: Operation not permitted; .* undone'
	state idle
	loaded 0
}

# A participant that never answers holds an update up for as long as one wants to look at it.
silent_participant() {
	python3 - <<-'EOF' &
		import json, socket, time
		s = socket.socket(socket.AF_UNIX)
		s.connect("/run/kho/io.kho.Handover")
		s.sendall(json.dumps({"method": "io.kho.Handover.Watch", "parameters": {},
		                      "more": True}).encode() + b"\0")
		while s.recv(4096):
		    pass
	EOF
	PARTICIPANT=$!
	wait_for 10 eval 'kho status --json | grep -q watching'
}

interrupted() {
	silent_participant
	for signal in INT TERM HUP; do
		# Not in the background as a shell starts it there, with SIGINT ignored.
		python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp("kexec", sys.argv[1:])' kexec --kho -l "$NEXT" --reuse-cmdline >/tmp/out 2>&1 &
		wait_for 10 grep -q 'waiting for' /tmp/out

		assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
		assert_eq "$STATUS" 2 "a second one"
		assert_match "$OUTPUT" 'update [0-9a-f]{16} is preparing'

		kill -$signal $!
		status=0
		wait $! || status=$?
		assert_eq $status 4 "after SIG$signal"
		assert_match "$(cat /tmp/out)" 'interrupted; the update is undone'
		loaded 0
		state idle
	done

	# Killed, it can undo nothing itself: khod sees the connection break.
	kexec --kho -l "$NEXT" --reuse-cmdline >/tmp/out 2>&1 &
	wait_for 10 grep -q 'waiting for' /tmp/out
	kill -KILL $!
	wait_for 10 eval 'kexec --kho -S | grep -q "update: *idle"'

	# And from elsewhere.
	kexec --kho -l "$NEXT" --reuse-cmdline >/tmp/out 2>&1 &
	wait_for 10 grep -q 'waiting for' /tmp/out
	assert_match "$(kexec --kho -u)" '^dropped update'
	status=0
	wait $! || status=$?
	assert_eq $status 2 "dropped by another: $(cat /tmp/out)"

	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=0.5
	assert_eq "$STATUS" 2 "timeout"
	state idle
	kill $PARTICIPANT
	wait_for 10 eval '! kho status --json | grep -q watching'
}

case $BOOT in
0)
	begin
	stage_and_drop
	staged_without_kernel
	kernel_refuses
	interrupted
	say "all of it undone"
	kexec --kho -l -e "$NEXT" --reuse-cmdline --kho-digest=always
	fail "kexec --kho -l -e came back: $?"
	;;
1)
	assert_match "$(uname -r)" '-next$'
	start_khod
	assert_eq "$(kho get one)" "$(cat /etc/os-release)"
	kho get two | cmp - /root/two || fail "another content"
	kho report
	;;
esac
