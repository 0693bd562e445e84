#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what keeping 512 MiB in place costs, against copying the same bytes within memory
# memory: 4G
# timeout: 600
. "$LAB"

MIB=512

# milliseconds COMMAND...: how long it takes.
milliseconds() {
	local start=$EPOCHREALTIME end

	"$@" >/dev/null
	end=$EPOCHREALTIME
	echo $(((${end/./} - ${start/./}) / 1000))
}

# copy_time: the median of five copies of MIB MiB from one tmpfs file to another.
copy_time() {
	local i

	head -c ${MIB}M /dev/urandom >/dev/shm/from
	for i in 1 2 3 4 5; do
		rm -f /dev/shm/to
		milliseconds cp /dev/shm/from /dev/shm/to
	done | sort -n | sed -n 3p
	rm -f /dev/shm/from /dev/shm/to
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
print(f"{name:34} {took:7} ms  {took / copy:6.2f} x a copy")' "$1" "$2" "$3"
}

case $BOOT in
0)
	start_khod
	copy=$(copy_time)
	echo "$copy" >/root/copy
	echo "a copy of $MIB MiB: $copy ms"
	head -c ${MIB}M /dev/urandom | kho put --json big >/dev/null
	kexec --kho -l "$NEXT" --reuse-cmdline --kho-digest=always && kexec --kho -e
	;;
1)
	start_khod
	kho wait --timeout=1 >/dev/null 2>&1 || true
	copy=$(cat /root/copy)
	ratio "prepare: large folios, preserve" "$(between prepare prepared)" "$copy"
	ratio "freeze: digest, ledger" "$(between freeze frozen)" "$copy"
	ratio "restore: retrieve, digest" "$(between daemon-start restored)" "$copy"
	;;
esac
