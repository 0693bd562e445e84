#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: copies on disk: plans, hugetlb beside what stays, no room, a disk that fills up, damage, leftovers
# files: region.py huge.py ../../examples/counter.py
# timeout: 900
. "$LAB"

EXAMPLES=/usr/local/libexec/kho/examples
SPOOL=/var/lib/kho/spool
LEFT=0123456789abcdef

# small_disk MIB: mounted on /mnt.
small_disk() {
	truncate -s "$1M" /root/disk
	mkfs.ext4 -q -F -m 0 /root/disk
	mount -o loop /root/disk /mnt
}

nothing_happened() {
	assert_match "$(kexec --kho -S)" 'update: +idle'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	[ ! -e $SPOOL ] || assert_eq "$(ls -A $SPOOL)" "" "$SPOOL"
	assert_eq "$(ls /mnt | grep kho)" "" "/mnt"
}

plans() {
	local plan

	plan=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-dry-run) || fail "dry run: exit $?: $plan"
	say "$plan"
	assert_match "$plan" 'in place +19.0 MiB +"data" of uid:0'
	assert_match "$plan" '(initrd|spool) +8 MiB +"huge" of uid:0'
	assert_match "$plan" 'by copy \((initrd|spool)\): 1 region, 8 MiB, of which at most 4 MiB are copied'
	nothing_happened

	plan=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-dry-run --kho-transport=spool) || fail "$plan"
	assert_match "$plan" 'spool +19.0 MiB +"data" of uid:0'
	nothing_happened
}

# refused WORDS OPTION...
refused() {
	local words=$1

	shift
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline "$@"
	say "$OUTPUT"
	assert_eq "$STATUS" 2 "$*"
	assert_match "$OUTPUT" "$words"
	nothing_happened
}

no_way() {
	refused '"huge" of uid:0 .*hugetlb' --kho-transport=luo
	refused 'is memory that the next kernel does not have' --kho-spool=/run/spool
	refused 'Spool=no' --kho-spool=no
	small_disk 16
	refused 'copies need 2[0-9.]+ MiB on disk, and /mnt has [0-9.]+ MiB' --kho-spool=/mnt \
		--kho-transport=spool
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --kho-dry-run --kho-spool=/mnt \
		--kho-transport=spool
	assert_eq "$STATUS" 2
	assert_match "$OUTPUT" 'it would be refused: copies need'
	umount /mnt
}

# What is optional stays behind where that is the only way.
leaves_behind() {
	local plan

	small_disk 48
	assert_ok ./region.py make spare 30000000 --optional
	plan=$(kexec --kho -l "$NEXT" --reuse-cmdline --kho-spool=/mnt --kho-transport=spool 2>&1) || fail "$plan"
	say "$plan"
	assert_match "$plan" 'warning: region "spare" of uid:0 is left behind: copies need [0-9.]+ MiB on disk'
	assert_match "$plan" 'by copy \(spool\): 3,'
	assert_ok kexec --kho -u
	nothing_happened
	assert_ok ./region.py drop spare
	umount /mnt
}

last_number() {
	sed -n "s/.*$2 \([0-9]*\)\$/\1/p" "$1" | tail -n 1
}

# The room that there was when it was asked for is taken when the services have stopped.
fills_up() {
	local frozen

	small_disk 64
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline --kho-spool=/mnt --kho-transport=spool
	dd if=/dev/zero of=/mnt/other bs=1M count=48 2>/dev/null
	dd if=/dev/zero of=/mnt/other bs=1M count=48 oflag=append conv=notrunc 2>/dev/null
	rm -f /mnt/none
	truncate -s -8M /mnt/other
	assert_fails kexec --kho -e
	say "$OUTPUT"
	assert_eq "$STATUS" 4
	assert_match "$OUTPUT" 'no room left in /mnt'
	wait_for 30 grep -q "no update" /root/c.0
	nothing_happened
	frozen=$(last_number /root/c.0 "frozen at")
	[ -n "$frozen" ] || fail "the counter was not frozen"
	umount /mnt
}

case $BOOT in
0)
	start_khod
	echo 4 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	"$EXAMPLES/counter" --name=c >/root/c.0 2>&1 &
	wait_for 60 grep -q "created" /root/c.0
	assert_ok ./region.py make data 20000003
	assert_ok ./huge.py make huge 4
	plans
	no_way
	leaves_behind
	fills_up
	next_boot
	;;
1)
	start_khod
	# Not there before: khod asks the kernel for them.
	report=$(kho report --json) || fail "kho report: exit $?: $(kho report)"
	python3 - "$report" <<-'PYTHON' || fail "kho report is wrong: $report"
		import json, sys
		report = json.loads(sys.argv[1])
		by = {region["name"]: region["transport"] for region in report["regions"]}
		assert by == {"c": "luo", "data": "luo", "huge": by["huge"]} and by["huge"] in ("initrd", "spool"), by
		assert 0 < report["copySize"] < 5 << 20, report["copySize"]
		assert report["copyUSec"] > 0 and report["copyUSecEstimated"] > 0
	PYTHON
	assert_ok ./huge.py check huge 4
	assert_ok ./region.py check data 20000003
	"$EXAMPLES/counter" --name=c >/root/c.1 2>&1 &
	wait_for 60 grep -q "going on from" /root/c.1
	wait_for 30 eval "[ -z \"\$(ls -A $SPOOL)\" ]"
	assert_ok ./region.py make other 5000000
	kho status --json | grep -q '"lost" *: *0' || fail "$(kho status)"
	next_boot --kho-transport=spool
	;;
2)
	cd $SPOOL/kho-* || fail "there is no spool"
	update=${PWD##*/kho-}
	# What others made for it, and an update that came to nothing.
	cp -a . ../kho-$LEFT
	mkdir -m 700 ../kho-fedcba9876543210
	touch ../kho-fedcba9876543210/r1
	# The one region whose first block is damaged, whichever it is.
	damaged=$(for file in r*; do
		if [ "$(stat -c %s "$file")" -gt 5000000 ] && [ "$(stat -c %s "$file")" -lt 6000000 ]; then
			echo "$file"
		fi
	done)
	printf 'x' | dd of="$damaged" bs=1 seek=2000000 conv=notrunc 2>/dev/null
	cd "$OLDPWD" || exit
	start_khod
	status=0
	report=$(kho report) || status=$?
	say "$report"
	assert_eq $status 5 "kho report"
	assert_match "$report" "other +uid:0 .* LOST: its copy in the spool $SPOOL/kho-$update is damaged"
	assert_ok ./region.py check data 20000003
	assert_ok ./huge.py check huge 4
	"$EXAMPLES/counter" --name=c >/root/c.2 2>&1 &
	wait_for 60 grep -q "going on from" /root/c.2

	# Its copy stays until the loss is taken note of.
	[ -e "$SPOOL/kho-$update/$damaged" ] || fail "the damaged copy is gone"
	assert_ok ./region.py drop other
	wait_for 30 eval "[ ! -e $SPOOL/kho-$update ]"

	list=$(kho list)
	say "$list"
	assert_match "$list" "left over in $SPOOL: unclaimed copies of update $LEFT, 4 regions"
	assert_match "$list" "left over in $SPOOL: incomplete copies of update fedcba9876543210"
	kho list --json | python3 -c '
import json, sys
document = json.load(sys.stdin)
assert len(document["leftovers"]) == 2, document
assert sorted(region["name"] for region in document["regions"]) == ["c", "data", "huge"], document'
	assert_ok kho drop --leftover=$LEFT
	assert_ok kho drop --leftover=fedcba9876543210
	assert_fails kho drop --leftover=$LEFT
	assert_eq "$(ls -A $SPOOL)" "" "$SPOOL"
	;;
esac
