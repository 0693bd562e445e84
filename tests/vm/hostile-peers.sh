#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: peers that are silent, never read, come in crowds, come late, want everything: the others lose nothing by it
# files: hostile.py sparse.py region.py ../../examples/counter.py
# timeout: 900
. "$LAB"

fds() {
	find "/proc/$KHOD_PID/fd" -type l | wc -l
}

start_khod
assert_ok ./region.py make kept 300000
before=$(fds)

say "== those who want everything"
./hostile.py "$KHOD_PID" || fail "hostile.py: exit $?"
kill -0 "$KHOD_PID" || fail "khod is gone"
[ "$(fds)" -le "$before" ] || fail "khod has $(fds) fds, and had $before"

say "== one that never reads"
python3 - <<-'PYTHON' &
	import time
	from counter import Connection
	link = Connection()
	link.send("Watch", {}, more=True)
	time.sleep(1000)
PYTHON
silent=$!
wait_for 20 sh -c 'kho status | grep -q watching'
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-timeout=6
say "$OUTPUT"
assert_match "$OUTPUT" 'uid:0 did not answer within 3 s'
kill $silent

say "== one that grows while it is preserved"
python3 - <<-'PYTHON' >/tmp/growing &
	import os, region
	from counter import call
	fd = region.create("growing", "growing", 64 << 20)
	region.register("growing", fd)
	print("growing", flush=True)
	while True:
	    try:
	        os.ftruncate(fd, os.fstat(fd).st_size + 4096)
	    except PermissionError:
	        break
	listed = {r["name"]: r["size"] for r in call("List", {})[0]["regions"]}
	print("held", flush=True)
	import time
	while not os.path.exists("/tmp/look"):
	    time.sleep(0.1)
	listed = {r["name"]: r["size"] for r in call("List", {})[0]["regions"]}
	print("same" if listed["growing"] == os.fstat(fd).st_size else f"khod says {listed}", flush=True)
PYTHON
wait_for 20 grep -q growing /tmp/growing
kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
wait_for 20 grep -q held /tmp/growing
touch /tmp/look
wait_for 20 grep -qE 'same|says' /tmp/growing
assert_eq "$(tail -n 1 /tmp/growing)" same "the size of what grew"

say "== one that comes late, with more than there is"
./sparse.py make hole $((8 << 30)) || fail "sparse.py: exit $?"
wait_for 20 sh -c 'kexec --kho -S | grep -Eq "update: +idle"'
tail -n 5 "$KHOD_LOG"
assert_match "$(cat "$KHOD_LOG")" 'does not happen: not enough memory: .*"hole" of uid:0'
assert_fails kexec --kho -e
say "$OUTPUT"
assert_ok kho drop hole
assert_ok ./region.py check kept 300000
