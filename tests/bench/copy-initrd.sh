#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what taking 256 MiB across by copy in the initrd costs, against cp of the same bytes within memory
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

# copy_time: the median of three.
copy_time() {
	local i

	for i in 1 2 3; do
		rm -f /dev/shm/to
		milliseconds cp /dev/shm/from /dev/shm/to
	done | sort -n | sed -n 2p
	rm -f /dev/shm/to
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

# ratio NAME MILLISECONDS
ratio() {
	python3 -c '
import sys
name, took, copy = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(f"{name:34} {took:7} ms  {took / copy:6.2f} x cp")' "$1" "$2" "$(cat /root/cp)"
}

case $BOOT in
0)
	start_khod
	head -c ${MIB}M /dev/urandom >/dev/shm/from
	copy_time >/root/cp
	echo "cp of $MIB MiB within memory: $(cat /root/cp) ms"
	kho put big </dev/shm/from
	rm /dev/shm/from
	kexec --kho -l "$NEXT" --reuse-cmdline --kho-transport=initrd --kho-digest=never && kexec --kho -e
	;;
1)
	start_khod
	kho wait --timeout=1 >/dev/null 2>&1 || true
	ratio "copied to the archive" $(($(field copyUSec) / 1000))
	ratio "as it was expected, loading and all" $(($(field copyUSecEstimated) / 1000))
	ratio "taken from the initrd" "$(between daemon-start restored)"
	;;
esac
