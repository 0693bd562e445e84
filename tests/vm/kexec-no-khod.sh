#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kexec --kho without khod: exit status 3, one line, nothing changed
. "$LAB"

unreachable() {
	assert_fails kexec --kho "$@"
	assert_eq "$STATUS" 3 "kexec --kho $*"
	assert_match "$OUTPUT" '^kexec: .*khod'
	assert_eq "$(wc -l <<<"$OUTPUT")" 1 "lines of: $OUTPUT"
}

all_unreachable() {
	unreachable -l "$NEXT" --reuse-cmdline
	unreachable -l -e "$NEXT" --reuse-cmdline
	unreachable -e
	unreachable -u
	unreachable -S
	assert_eq "$(cat /sys/kernel/kexec_loaded)" "$1" "loaded"
}

rm -rf /run/kho
all_unreachable 0
assert_match "$OUTPUT" 'khod is not running'

# A loaded kernel is not touched.
assert_ok kexec -s -l "$NEXT" --reuse-cmdline
all_unreachable 1
assert_ok kexec -u

# A socket that nobody listens on.
mkdir -p /run/kho
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/run/kho/io.kho.Manager")'
all_unreachable 0
assert_match "$OUTPUT" 'khod is not running'

# Usage comes before all of that.
assert_fails kexec --kho -l /nonexistent
assert_eq "$STATUS" 1
assert_fails kexec --kho
assert_eq "$STATUS" 1
assert_ok kexec --kho --help

# And for root alone.
assert_fails setpriv --reuid=65534 --clear-groups kexec --kho -e
assert_eq "$STATUS" 1
assert_match "$OUTPUT" 'root'
