#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: an update aborted in the middle of the call that preserves 4 GiB: it is all released, and the service goes on
# files: actors.bash participant.py region.py whole.py ../../examples/counter.py
# memory: 6G
# timeout: 600
. "$LAB"
. ./actors.bash

SIZE=$((4 << 30))
REGIONS=(kept:300000:0)

# Each MiB of it has its own number at its start.
large() {
	python3 - "$1" $SIZE <<-'PYTHON' || fail "large: $1"
		import mmap, os, sys, region
		verb, size = sys.argv[1], int(sys.argv[2])
		if verb == "make":
		    fd = os.memfd_create("large", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
		    os.ftruncate(fd, size)
		    piece = bytearray(os.urandom(4096) * 256)
		    for offset in range(0, size, 1 << 20):
		        piece[:8] = offset.to_bytes(8, "little")
		        region.write_all(fd, piece, offset)
		    region.register("large", fd)
		else:
		    fd = region.claim("large")[1]
		    first = os.pread(fd, 1 << 20, 0)
		    for offset in range(0, size, 1 << 20):
		        piece = os.pread(fd, 1 << 20, offset)
		        if piece[8:] != first[8:] or piece[:8] != offset.to_bytes(8, "little"):
		            sys.exit(f"MiB {offset >> 20} is another")
		    os.ftruncate(fd, size + 4096)
		    os.ftruncate(fd, size)
	PYTHON
}

# aborted HOW: while the call runs, as the first one of a large region takes longest.
aborted() {
	local start

	say "== aborted by $1"
	join good --uid=1001
	joined good
	# The tree comes first, then what was registered first.
	fault khod preserve 2 mark
	begin_staging
	held khod preserve
	start=${EPOCHREALTIME/./}
	if [ "$1" = SIGINT ]; then
		kill -INT "$KEXEC"
	else
		kexec --kho -u
	fi
	kexec_ended "$2" "$3"
	say "   $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
	assert_match "$(tail -n 3 "$KHOD_LOG" | tr '\n' ' ')" 'Update .* begins: .*does not happen: .* is undone'
	undone
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	heard good 'prepare resume '
	leave_all
}

faults_ready
PIDS=()
LD_PRELOAD=$FAULT KHO_FAULTS=$FAULTS/khod start_khod
large make
make_regions
aborted -u 2 'the operator aborted it'
large check
aborted SIGINT 4 'interrupted; the update is undone'
large check
begin_staging
kexec_ended 0 'staged .*: 2 regions, 4.0 GiB'
assert_ok kexec --kho -u
