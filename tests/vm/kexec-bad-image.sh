#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kexec --kho -l of what is no kernel: one line, exit status 1, nobody is bothered
. "$LAB"

start_khod

# refused WORDS ARGUMENT...
refused() {
	local words=$1

	shift
	assert_fails kexec --kho -l "$@"
	assert_eq "$STATUS" 1 "kexec --kho -l $*"
	assert_match "$OUTPUT" "$words"
	assert_match "$OUTPUT" '^kexec: '
	assert_eq "$(wc -l <<<"$OUTPUT")" 1 "lines of: $OUTPUT"
	assert_match "$(kexec --kho -S)" 'update: +idle'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded"
}

size=$(stat -c %s "$NEXT")
echo nonsense >/tmp/nonsense
: >/tmp/empty
mkfifo /tmp/fifo
head -c $((size - 1)) "$NEXT" >/tmp/one-byte-less
head -c 600 "$NEXT" >/tmp/header-only
head -c 20000000 /dev/zero >/tmp/zeroes
{ head -c $((0x234)) "$NEXT"; printf '\0'; tail -c +$((0x236)) "$NEXT"; } >/tmp/not-relocatable
assert_eq "$(stat -c %s /tmp/not-relocatable)" "$size" "size"
gzip -c "$NEXT" >/tmp/compressed.gz

refused 'No such file' /nonexistent
refused 'is a directory' /boot
refused 'not a regular file' /dev/null
refused 'not a regular file' /tmp/fifo
refused 'is empty' /tmp/empty
refused 'not a kernel' /tmp/nonsense
refused 'not a kernel' /tmp/zeroes
refused 'not a kernel' /bin/bash
refused 'truncated' /tmp/header-only
refused 'truncated' /tmp/one-byte-less
refused 'unpack it first' /tmp/compressed.gz
refused 'CONFIG_RELOCATABLE' /tmp/not-relocatable
refused '/nonexistent' "$NEXT" --initrd=/nonexistent
refused '/boot is a directory' "$NEXT" --initrd /boot
refused 'kexec_load' -c "$NEXT"
refused 'crash' -p "$NEXT"
refused 'say -l' -f "$NEXT"
refused 'second' "$NEXT" second

# Nobody was asked anything: khod's log would have the update's begin.
if [ -e "$KHOD_LOG" ] && grep -i 'prepar' "$KHOD_LOG"; then
	fail "khod was asked to prepare"
fi

# What comes after khod is asked is undone: the kernel itself refuses this command line.
before=$(cat /sys/kernel/kexec_loaded)
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --append="$(printf 'x%.0s' {1..4096})"
assert_eq "$STATUS" 4
assert_match "$OUTPUT" 'undone'
assert_eq "$(cat /sys/kernel/kexec_loaded)" "$before" "loaded"
assert_match "$(kexec --kho -S)" 'update: +idle'

# An image that was loaded before is still loaded when the new one can't be.
assert_ok kexec -s -l "$NEXT" --reuse-cmdline
assert_fails kexec --kho -l "$NEXT" --reuse-cmdline --append="$(printf 'x%.0s' {1..4096})"
assert_eq "$STATUS" 4
assert_eq "$(cat /sys/kernel/kexec_loaded)" 1 "loaded"
assert_ok kexec -u

# And the good one is a good one.
assert_eq "$(kexec --kho -l "$NEXT" --reuse-cmdline 2>/dev/null)" "staged $(basename "${NEXT#*vmlinuz-}"): no regions"
assert_eq "$(cat /sys/kernel/kexec_loaded)" 1 "loaded"
assert_ok kexec --kho -u
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "loaded after -u"
