#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: users whose fds can't be closed: khod goes on, for all others and for the operator
# files: silent-fuse.py region.py ../../examples/counter.py
. "$LAB"

answers() {
	timeout 20 kho status >/dev/null || fail "khod does not answer: $(cat "/proc/$KHOD_PID/wchan")"
}

# sends UID MESSAGE: with the file of FUSE, and waits for nothing.
sends() {
	python3 - "$@" <<-'PYTHON' &
		import os, sys, time
		from counter import Connection
		fd = os.open("/tmp/silent/f", os.O_RDWR)
		os.setuid(int(sys.argv[1]))
		link = Connection()
		link.send(sys.argv[2], {"name": "f", "memoryFileDescriptor": 0}, [fd, fd])
		print("sent", flush=True)
		time.sleep(1000)
	PYTHON
}

[ -c /dev/fuse ] || skip "this kernel has no FUSE"
start_khod
mkdir /tmp/silent
./silent-fuse.py /tmp/silent >/tmp/fuse 2>&1 &
FUSE=$!
wait_for 10 grep -q mounted /tmp/fuse

say "== users send what can't be closed, to methods that there are and are not"
for n in 1 2 3; do
	sends 1001 Register
	sends 1002 NoSuchMethod
done
wait_for 30 sh -c '[ "$(grep -c flush /tmp/fuse)" -ge 6 ]'
answers
assert_ok ./region.py make root 5000
assert_ok ./region.py make theirs 5000 --uid=1003
# Not even the same user is shut out.
assert_ok ./region.py make ours 5000 --uid=1001
# The one that forks, and one for each connection that is there.
assert_eq "$(pgrep -c khod-relay)" 7 "processes"

say "== khod ends and begins all the same"
stop_khod
start_khod
wait_for 30 kho status
assert_ok ./region.py make root 5000

say "== one that is closed in the end"
kill $FUSE
wait_for 30 sh -c '[ "$(pgrep -c khod-relay)" = 1 ]'
answers
