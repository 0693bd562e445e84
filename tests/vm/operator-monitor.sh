#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kho monitor tells what happens as it happens; who never reads costs khod no memory
# files: participant.py region.py ../../examples/counter.py
# timeout: 600
. "$LAB"

PIDS=()

joins() {
	./participant.py "$@" >"/tmp/$1" 2>&1 &
	PIDS+=($!)
	wait_for 30 grep -q watching "/tmp/$1"
}

leave_all() {
	kill "${PIDS[@]}" 2>/dev/null
	wait "${PIDS[@]}" 2>/dev/null
	PIDS=()
}

# follows FILE: kho monitor and kho monitor --json write into FILE and FILE.json from here on.
follows() {
	kho monitor >"$1" 2>&1 &
	kho monitor --json >"$1.json" 2>&1 &
	wait_for 30 grep -q 'khod is' "$1"
	wait_for 30 grep -q monitoring "$1.json"
}

# told FILE WORDS...: each in a line of its own, in this order, with a local time before it.
told() {
	local file=$1 words line=0 found

	shift
	wait_for 30 grep -qE "UTC  ${!#}" "$file"
	for words; do
		found=$(tail -n +$((line + 1)) "$file" |
			grep -nEm1 "^[0-9-]+ [0-9:.]+ UTC  $words" | cut -d: -f1)
		if [ -z "$found" ]; then
			cat "$file"
			fail "\"$words\" is not told, or too early"
		fi
		line=$((line + found))
	done
}

# count EVENT FILE
count() {
	grep -c "\"event\":\"$1\"" "$2"
}

# The most that it ever had.
khod_kibibytes() {
	awk '$1 == "VmHWM:" { print $2 }' "/proc/$KHOD_PID/status"
}

if [ "$BOOT" = 1 ]; then
	# While somebody has the device open, restoring has to wait, and that can be followed.
	sleep 1000 9<>/dev/liveupdate &
	RIVAL=$!
	start_khod
	follows /run/restore
	told /run/restore 'khod is restoring, update [0-9a-f]{16}' 'problem: .*/dev/liveupdate'
	kill $RIVAL
	told /run/restore 'problem: ' 'restoring ends: restored' 'idle, update'
	./region.py check kept 300000 || fail "kept"
	told /run/restore 'restoring ends' 'uid:0 claims "kept", 292.9 KiB'
	exit 0
fi

start_khod
say "== an update that is refused"
follows /tmp/refused
assert_ok ./region.py make kept 300000
joins good --uid=1001
joins bad --uid=1002 --prepare=refuse
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
told /tmp/refused 'khod is idle$' 'uid:0 registers "kept", 292.9 KiB' 'uid:1001 takes part in updates' \
	'uid:1002 takes part in updates' 'preparing, update' 'uid:1001 is told: prepare$' \
	'uid:1002 is told: prepare$' 'uid:1002 refuses: prepare, the cache is being rebuilt$' \
	'aborting' 'update [0-9a-f]{16} does not happen \(participant\): uid:1002 refuses the update' \
	'idle, update' 'uid:1001 is told: resume, another service refuses' 'uid:1002 is told: resume, uid:1002 refuses'
leave_all
told /tmp/refused 'idle, update' 'uid:100[12] takes part no longer'
python3 - <<'PYTHON' || fail "not one object a line, or another one"
import json
events = [json.loads(line) for line in open("/tmp/refused.json")]
assert all(e["realtimeUSec"] > 1.6e15 and e["state"] for e in events), events
refused = [e for e in events if e["event"] == "refused"]
assert [(e["owner"], e["phase"], e["reason"], e["state"]) for e in refused] == [
    ("uid:1002", "prepare", "the cache is being rebuilt", "preparing")
], refused
abort, = [e for e in events if e["event"] == "abort"]
assert abort["cause"] == "participant" and len(abort["update"]) == 16, abort
PYTHON

say "== one that is left behind, and a region that root drops"
joins bad --uid=1002 --optional --prepare=refuse
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
told /tmp/refused 'problem: uid:1002 refuses the update.*leaves it behind' 'prepared, update' 'staged, update'
assert_ok kexec --kho -u
told /tmp/refused 'staged' 'update [0-9a-f]{16} does not happen \(interrupted\)' 'idle'
leave_all
assert_ok ./region.py make other 5000 --uid=1001
assert_ok kho drop --owner=uid:1001 other
told /tmp/refused 'uid:1001 registers "other"' 'root drops "other" of uid:1001'

say "== one that never reads"
python3 - >/tmp/deaf <<'PYTHON' &
import json, signal, socket
link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
link.connect("/run/kho/io.kho.Manager")
link.sendall(json.dumps({"method": "io.kho.Manager.Monitor", "more": True}).encode() + b"\0")
link.recv(1)
print("follows", flush=True)
signal.pause()
PYTHON
DEAF=$!
wait_for 30 grep -q follows /tmp/deaf
before=$(khod_kibibytes)
python3 - <<'PYTHON' || fail "claims: exit $?"
import os
from counter import Connection
link = Connection()
for _ in range(6000):
    link.send("Claim", {"name": "kept"})
    for fd in link.receive()[1]:
        os.close(fd)
    link.send("Release", {"name": "kept"})
    link.receive()
PYTHON
after=$(khod_kibibytes)
say "khod: $before KiB, then $after KiB"
[ $((after - before)) -lt 8192 ] || fail "khod has grown"
grep -q 'does not read, and is cut off' "$KHOD_LOG" || fail "khod still keeps events for who does not read"
kill $DEAF
# Everybody else has lost nothing.
# shellcheck disable=SC2016
wait_for 30 sh -c '[ "$(grep -c "\"event\":\"released\"" /tmp/refused.json)" = 6000 ]'
assert_eq "$(count claimed /tmp/refused.json)" 6000 "claims that were told of"

say "== who may follow, and how many"
assert_fails setpriv --reuid=65534 --regid=65534 --clear-groups kho monitor
assert_eq "$STATUS" 3 "kho monitor of nobody"
for number in {3..16}; do
	kho monitor >"/tmp/many.$number" 2>&1 &
done
for number in {3..16}; do
	wait_for 30 grep -q 'khod is' "/tmp/many.$number"
done
assert_fails kho monitor
assert_eq "$STATUS" 2 "the 17th"
assert_match "$OUTPUT" 'too many follow khod already'

kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
kexec --kho -e
fail "kexec --kho -e came back: exit $?"
