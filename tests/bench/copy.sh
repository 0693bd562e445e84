#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what taking 256 MiB across by copy on disk costs, against cp of the same bytes to and from the same disk
# memory: 3G
# timeout: 900
. "$LAB"

MIB=256

# milliseconds COMMAND...: how long it takes.
milliseconds() {
	local start=$EPOCHREALTIME end

	"$@" >/dev/null
	end=$EPOCHREALTIME
	echo $(((${end/./} - ${start/./}) / 1000))
}

to_disk() {
	cp /dev/shm/from /root/copy && sync -f /root/copy
}

from_disk() {
	cp /root/copy /dev/shm/to
}

# median FUNCTION BEFORE: of three runs, with the command BEFORE before each.
median() {
	local i

	for i in 1 2 3; do
		eval "$2"
		milliseconds "$1"
	done | sort -n | sed -n 2p
}

# field NAME: of the report.
field() {
	kho report --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# between A B: milliseconds from one event of the report's timeline to the other.
between() {
	kho report --json | python3 -c '
import json, sys
at = {m["event"]: m["realtimeUSec"] for m in json.load(sys.stdin)["timeline"]}
print((at[sys.argv[2]] - at[sys.argv[1]]) // 1000)' "$1" "$2"
}

# ratio NAME MILLISECONDS COPY
ratio() {
	python3 -c '
import sys
name, took, copy = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(f"{name:34} {took:7} ms  {took / copy:6.2f} x cp")' "$1" "$2" "$3"
}

case $BOOT in
0)
	start_khod
	head -c ${MIB}M /dev/urandom >/dev/shm/from
	median to_disk 'rm -f /root/copy; sync' >/root/to
	median from_disk 'rm -f /dev/shm/to; echo 1 >/proc/sys/vm/drop_caches' >/root/from
	rm -f /root/copy /dev/shm/to
	echo "cp of $MIB MiB: $(cat /root/to) ms to the disk and synced, $(cat /root/from) ms from there"
	kho put big </dev/shm/from
	rm /dev/shm/from
	kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=spool --kho-digest=never && kexec --kho -e
	;;
1)
	start_khod
	kho wait --timeout=1 >/dev/null 2>&1 || true
	ratio "copied, synced" $(($(field copyUSec) / 1000)) "$(cat /root/to)"
	ratio "as it was expected" $(($(field copyUSecEstimated) / 1000)) "$(cat /root/to)"
	ratio "taken from the disk" "$(between daemon-start restored)" "$(cat /root/from)"
	;;
esac
