#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kho run stops a program where it stands, lets it go on when an update is given up, and
# about: refuses for one that does not stop
# guest: bare
. "$LAB"

# Counts in the first four bytes of the region, for good.
cat >/run/count.py <<'EOF'
import mmap, sys, time
with open(sys.argv[1], "r+b") as f:
    memory = mmap.mmap(f.fileno(), 4096)
while True:
    memory[0:4] = (int.from_bytes(memory[0:4], "big") + 1).to_bytes(4, "big")
    time.sleep(0.001)
EOF

count() {
	kho get counter | head -c 4 | od -An -tu4 --endian=big | tr -d ' '
}

is_counting() {
	local before

	before=$(count)
	sleep 0.3
	[ "$(count)" -gt "$before" ]
}

two_participants() {
	[ "$(kho status | grep -c ' watching$')" = 2 ]
}

start_counter() {
	kho run --region=counter:4K -- python3 /run/count.py '%{counter}' &
	RUN_PID=$!
	wait_for 10 is_counting
}

case $BOOT in
0)
	start_khod
	start_counter
	is_counting || fail "it does not count"

	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	wait_for 5 is_counting
	assert_ok kho abort --reason="just looking"
	assert_match "$(kho abort)" 'no update'
	wait_for 5 is_counting

	# One that does not exit at the freeze signal stops the update, and goes on.
	kho run --region=stubborn:4K --freeze-signal=USR1 -- \
		sh -c 'trap "" USR1; while :; do sleep 0.1; done' &
	STUBBORN=$!
	wait_for 10 two_participants
	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	assert_fails kexec --kho -e --kho-timeout=6
	say "$OUTPUT"
	assert_eq "$STATUS" 4 "kexec --kho -e with somebody who does not stop"
	assert_match "$OUTPUT" 'sh has not exited at SIGUSR1'
	assert_match "$OUTPUT" 'more time: sh is to exit at SIGUSR1'
	wait_for 5 is_counting
	kill $STUBBORN
	wait $STUBBORN
	assert_eq $? 143 "kho run whose command was ended"

	count >/var/count
	sync
	next_boot
	;;
1)
	assert_match "$(uname -r)" '-next$'
	start_khod
	now=$(count)
	before=$(cat /var/count)
	say "counted to $before, then to $now in the other kernel's memory"
	[ "$now" -gt "$before" ] || fail "it did not go on to the end"
	sleep 1
	assert_eq "$(count)" "$now" "who counts?"
	start_counter
	[ "$(count)" -gt "$now" ] || fail "it began anew"
	assert_ok kho wait --timeout=10 counter
	kho list
	assert_match "$(kho list)" 'counter +uid:0 +4 KiB .* verified'
	kill $RUN_PID
	;;
esac
