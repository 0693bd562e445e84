#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: LUO refuses one region in the middle of many: nothing is staged, everybody goes on, it is named
# files: region.py rival.py ../../examples/counter.py
# timeout: 600
. "$LAB"

REGIONS=120

counts() {
	python3 - <<-'PYTHON'
		import os, struct, region
		_, fd = region.claim("counter")
		print(struct.unpack("<Q", os.pread(fd, 8, 8))[0])
	PYTHON
}

rival_takes() {
	./rival.py "$@" >/tmp/rival 2>&1 &
	RIVAL=$!
	wait_for 20 grep -q held /tmp/rival
}

# Every other memfd can grow and shrink, as it could before.
assert_free() {
	python3 - $REGIONS <<-'PYTHON' || fail "not all memory is released"
		import os, sys, region
		for number in range(int(sys.argv[1])):
		    _, fd = region.claim(f"region-{number}")
		    size = os.fstat(fd).st_size
		    os.ftruncate(fd, size + 4096)
		    os.ftruncate(fd, size)
		    os.close(fd)
	PYTHON
}

compare_all() {
	python3 - $REGIONS <<-'PYTHON' || fail "not all memory is as it was"
		import os, sys, region
		for number in range(int(sys.argv[1])):
		    _, fd = region.claim(f"region-{number}")
		    wrong = region.compare(fd, f"{number}", number * 1000)
		    if wrong:
		        sys.exit(f"region-{number}: {wrong}")
		    os.close(fd)
	PYTHON
}

start_khod
if [ "$BOOT" = 1 ]; then
	status=0
	kho report >/tmp/report || status=$?
	grep -v 'region-' /tmp/report
	assert_eq $status 5 "exit status of kho report"
	assert_match "$(cat /tmp/report)" 'INCOMPLETE'
	assert_match "$(cat /tmp/report)" 'held +uid:0 .*LOST: left behind: another live update session holds'
	assert_eq "$(grep -c 'region-.*restored' /tmp/report)" $REGIONS "restored regions"
	compare_all
	assert_fails kho get held
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "exit status of kho get"
	assert_match "$OUTPUT" 'another live update session'
	assert_fails kho wait --timeout=5
	say "$OUTPUT"
	assert_eq "$STATUS" 5 "exit status of kho wait"
	assert_ok kho drop held
	exit 0
fi

python3 - $REGIONS <<-'PYTHON' || fail "can't register"
	import os, sys, region
	for number in range(int(sys.argv[1])):
	    fd = region.create("x", f"{number}", number * 1000)
	    region.register(f"region-{number}", fd)
	    os.close(fd)
PYTHON
/usr/local/libexec/kho/examples/counter >/tmp/counter 2>&1 &
COUNTER=$!
wait_for 20 grep -q counting /tmp/counter

say "== a required one"
rival_takes region-55x 70000
before=$(counts)
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
say "$OUTPUT"
assert_eq "$STATUS" 2 "exit status"
assert_match "$OUTPUT" 'kexec: region "region-55x" of uid:0: another live update session holds the same memory'
assert_eq "$(grep -c ^kexec: <<<"$OUTPUT")" 1 "lines"
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
assert_match "$(kexec --kho -S)" 'update: +idle'
assert_free
wait_for 10 grep -q 'no update' /tmp/counter
cat /tmp/counter
assert_eq "$(grep -c 'being prepared' /tmp/counter)" 1 "prepares"
assert_eq "$(grep -c 'no update' /tmp/counter)" 1 "resumes"
sleep 1
after=$(counts)
say "the counter was at $before and is at $after"
[ "$after" -gt "$before" ] || fail "the counter stands still"
! kho tree | grep -q 'left behind' || fail "the tree speaks of an update that is over"

say "== without the rival the same region is taken"
kill $RIVAL
wait $RIVAL 2>/dev/null
output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'staged .*: 122 regions'
assert_ok kexec --kho -u
assert_ok kho drop region-55x

say "== an optional one"
rival_takes held 50000 --optional
output=$(kexec --kho -l "$NEXT" --reuse-cmdline 2>&1) || fail "exit $?: $output"
say "$output"
assert_match "$output" 'kexec: warning: region "held" of uid:0 is left behind: another live update session'
assert_match "$output" 'staged .*: 121 regions'
assert_ok kexec --kho -u
assert_free
! kho tree | grep -q 'left behind' || fail "the tree speaks of an update that is over"
assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
kill $RIVAL
kill -0 $COUNTER || fail "the counter is gone"
kexec --kho -e
fail "kexec --kho -e came back: exit $?"
