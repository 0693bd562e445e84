#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kho check and kexec --kho between kernels that agree: yes, and each thing that makes it a no
# files: hold-session.py
# timeout: 600
. "$LAB"

# The next command line, whole, but for what begins with WORD=.
cmdline_without() {
	local word result=()

	for word in $(cat /proc/cmdline); do
		[[ $word == "$1"=* ]] || result+=("$word")
	done
	printf '%s' "${result[*]}"
}

nothing_happened() {
	assert_match "$(kexec --kho -S)" 'update: +idle'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
	! grep -q 'Update .* begins' "$KHOD_LOG" || fail "khod was asked to prepare"
}

# refused WORDS-OF-THE-MESSAGE KEXEC-OPTION...
refused() {
	local words=$1

	shift
	assert_fails kexec --kho -l "$NEXT" --kho-transport=luo "$@"
	assert_eq "$STATUS" 2 "$OUTPUT"
	assert_match "$OUTPUT" "$words"
	assert_match "$OUTPUT" '--kho-force'
	nothing_happened
}

# verdict EXIT-STATUS WORDS KHO-CHECK-OPTION...
verdict() {
	local status=$1 words=$2 result=0

	shift 2
	OUTPUT=$(kho check "$@" "$NEXT" 2>&1) || result=$?
	assert_eq $result "$status" "$OUTPUT"
	assert_match "$OUTPUT" "$words"
}

looks() {
	verdict 0 'verdict +in place'
	say "$OUTPUT"
	assert_match "$OUTPUT" 'kho-v[0-9]+ on both sides'
	assert_match "$OUTPUT" 'they fit'
	assert_match "$OUTPUT" 'of other programs: 0'
	assert_ok kho check --json "$NEXT"
	kho check --json "$NEXT" | python3 -c '
import json, sys
d = json.load(sys.stdin)
i = d["images"][0]
assert i["verdict"] == "in-place" and "append" not in i, i
assert i["strings"] == d["strings"] and d["strings"]["kho"].startswith("kho-v"), d
assert d["runningImage"].startswith("/boot/"), d
assert d["sessions"] == [], d
' || fail "kho check --json"
	assert_eq "$(kho check "$NEXT" "$NEXT" | wc -l)" 3 "lines of the table"
	assert_fails kho check
	assert_eq "$STATUS" 1
	assert_fails kho check /boot/none "$NEXT"
	assert_eq "$STATUS" 1
	assert_match "$OUTPUT" '/boot/none: No such file'
	assert_match "$OUTPUT" 'in place'
}

command_lines() {
	verdict 7 'ONLY BY COPY.*append kho=on' --command-line="$(cmdline_without kho) kho=off"
	refused 'kho= is off on the next command line: append kho=on' \
		--command-line="$(cmdline_without kho) kho=off"
	refused 'kho=on is missing.*append kho=on' --command-line="$(cmdline_without kho)"
	refused 'liveupdate=on is missing.*append liveupdate=on' \
		--append="$(cmdline_without liveupdate)"
	refused 'append kho=on.*append liveupdate=on'
	verdict 7 'the command line lacks: kho=on liveupdate=on' --command-line=quiet
	verdict 0 'in place' --reuse-cmdline --append=quiet
	verdict 7 'crashkernel= reserves 1024 MiB' --reuse-cmdline --append=crashkernel=1G
}

# The largest initrd that the kernel takes is the largest that is said to fit, to the page.
initrds() {
	local lengths largest

	lengths=$(cat /sys/kernel/debug/kho/out/scratch_len)
	truncate -s 3G /root/initrd
	verdict 2 'NOT AT ALL.*the initrd takes 3072 MiB' --initrd=/root/initrd
	largest=$(sed -n 's/.*left for it has \([0-9]*\) MiB.*/\1/p' <<<"$OUTPUT" | head -n 1)
	say "scratch:" $lengths "- largest initrd: $largest MiB"
	truncate -s $((largest << 20)) /root/initrd
	assert_ok /usr/sbin/kexec -s -l "$NEXT" --reuse-cmdline --initrd=/root/initrd
	assert_ok /usr/sbin/kexec -u
	truncate -s $(((largest << 20) + 1048576)) /root/initrd
	refused "the initrd takes $((largest + 1)) MiB" --reuse-cmdline --initrd=/root/initrd
	assert_fails /usr/sbin/kexec -s -l "$NEXT" --reuse-cmdline --initrd=/root/initrd
	rm /root/initrd
}

sessions() {
	./hold-session.py agent >/tmp/agent 2>&1 &
	AGENT=$!
	wait_for 10 grep -q holding /tmp/agent
	verdict 0 'of other programs: 1'
	assert_match "$OUTPUT" "\"agent\" is of process $AGENT"
}

# Whoever replaces the image between -l and -e does not get it booted.
replaced() {
	cp "$NEXT" /root/vmlinuz
	assert_ok kexec --kho -l /root/vmlinuz --reuse-cmdline
	cp "$NEXT" /root/vmlinuz.new
	mv /root/vmlinuz.new /root/vmlinuz
	assert_fails kexec --kho -e
	assert_eq "$STATUS" 2 "$OUTPUT"
	assert_match "$OUTPUT" '/root/vmlinuz has changed since it was checked: kexec --kho -u'
	assert_match "$(kexec --kho -S)" 'update: +staged'
	assert_ok kexec --kho -u

	assert_ok kexec --kho -l /root/vmlinuz --reuse-cmdline
	rm /run/kho/staged.json
	assert_fails kexec --kho -e
	assert_eq "$STATUS" 2 "$OUTPUT"
	assert_match "$OUTPUT" 'not on record'
	assert_ok kexec --kho -u
}

case $BOOT in
0)
	start_khod
	kho put kept </etc/os-release || fail "kho put: exit $?"
	looks
	command_lines
	initrds
	sessions
	replaced
	# Another kernel, loaded in between by somebody else, is not the one that is booted.
	cd /root && cp "$NEXT" here
	assert_ok kexec --kho -l here --reuse-cmdline --append=checked=1
	cd /
	assert_ok /usr/sbin/kexec -s -l "$NEXT" --command-line="$(cmdline_without kho) other=1"
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
1)
	assert_match "$(cat /proc/cmdline)" 'checked=1'
	start_khod
	assert_eq "$(kho get kept)" "$(cat /etc/os-release)"
	# The other agent's session came along, beside ours.
	assert_eq "$(./hold-session.py --retrieve agent)" agent
	report=$(kho report) || fail "kho report: exit $?"
	say "$report"
	[[ $report != *forced* ]] || fail "nothing was forced"
	assert_match "$(kho report --json)" '"forced" *: *false'
	;;
esac
