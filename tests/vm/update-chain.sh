#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: three handovers in a row; what nobody claims on the way is still there at the end
# files: region.py ../../examples/counter.py
# timeout: 600
. "$LAB"

kernels=(/boot/vmlinuz-*-lab "$NEXT")
odd=3000017
quiet=$((9 << 20))

# What is said of the way here, and what each region's fate was.
assert_report() {
	local from=$1 report

	kho report || fail "kho report: exit $?"
	report=$(kho report --json) || fail "kho report --json: exit $?"
	python3 - "$from" "$(uname -r)" "$BOOT" "$report" <<-'PYTHON' || fail "kho report is wrong: $report"
		import json, sys

		source, target, boot, text = sys.argv[1:]
		report = json.loads(text)
		assert report["result"] == "restored", report["result"]
		assert report["previousRelease"] == source
		assert report["kernelRelease"] == target
		assert report["kexecCount"] == int(boot)
		assert not report.get("problems")
		checks = {region["name"]: region["check"] for region in report["regions"]}
		# Sealed against writing: the digest counts. The others' owner takes part in nothing.
		expected = dict.fromkeys(["grows", "quiet", "page", "optional"], "unchecked")
		expected["note"] = "verified"
		assert checks == expected, checks
		assert all(region["transport"] == "luo" for region in report["regions"])
		times = {moment["event"]: moment["realtimeUSec"] for moment in report["timeline"]}
		way = ["prepare", "prepared", "staged", "freeze", "frozen", "kernel-start",
		       "daemon-start", "restored"]
		assert sorted(way, key=times.get) == way, times
	PYTHON
}

# The next boot goes to the kernel that this one is not.
alternate() {
	NEXT=${kernels[(BOOT + 1) % 2]}
	next_boot
}

start_khod
say "boot $BOOT on $(uname -r)"
assert_eq "/boot/vmlinuz-$(uname -r)" "${kernels[BOOT % 2]}" "kernel of boot $BOOT"
if [ "$BOOT" = 0 ]; then
	assert_match "$(kho report)" 'no update has been'
	assert_ok ./region.py make grows $odd --seed=grows-0
	assert_ok ./region.py make quiet $quiet
	assert_ok ./region.py make page 4096
	assert_ok ./region.py make optional 70000 --optional
	say "a note from boot 0" | kho put note
	alternate
fi

assert_ok kho status
assert_report "$(basename "${kernels[(BOOT + 1) % 2]}" | sed 's/^vmlinuz-//')"

# What was last written to it, and the next content with another size.
./region.py check grows $((odd * BOOT)) --seed=grows-$((BOOT - 1)) || fail "grows"
assert_eq "$(kho get note)" "a note from boot 0"
./region.py check page 4096 || fail "page"
case $BOOT in
1 | 2)
	assert_match "$(kho list --unclaimed)" 'quiet'
	python3 - "$((odd * (BOOT + 1)))" "grows-$BOOT" <<-'PYTHON' || fail "can't write to grows"
		import sys, region
		_, fd = region.claim("grows")
		region.fill(fd, sys.argv[2], int(sys.argv[1]))
	PYTHON
	alternate
	;;
3)
	./region.py check quiet $quiet || fail "quiet"
	./region.py check optional 70000 || fail "optional"
	assert_ok kho wait --timeout=5
	assert_match "$(kho report)" 'last claim'
	! kho report --json | grep '"claimed" : false' || fail "kho report does not know who has claimed"
	;;
esac
