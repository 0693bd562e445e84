#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 1 GiB, nothing at all, seals before and after staging, position and mode
# files: region.py ../../examples/counter.py
# memory: 4G
# timeout: 900
. "$LAB"

GIB=$((1 << 30))

# assert_region NAME SIZE STATE [SEED]: compared byte for byte, and what region.py says of it.
assert_region() {
	local line

	line=$(./region.py check "$1" "$2" --seed="${4:-$1}") || fail "$1: $line"
	say "$line"
	assert_match "$line" "^$1: $2 bytes are the same; $3\$"
}

all_regions() {
	assert_region large $GIB "$1, seals none, position 4097, mode 0640"
	assert_region empty 0 "$2, seals none, position 0, mode 0777"
	assert_region empty-sealed 0 "verified, seals shrink\+grow\+write, position 0, mode 0777"
	assert_region sealed 3000000 "verified, seals shrink\+grow\+write, position 0, mode 0444"
	assert_region for-good 12345 "verified, seals seal\+shrink\+grow\+write, position 12, mode 0600"
	assert_region late 50000 "$2, seals shrink\+grow, position 777, mode 0711" "late, once more"
	# The seals are not for show.
	python3 - <<-'PYTHON' || fail "seals"
		import os, region
		for name in ("sealed", "for-good", "empty-sealed"):
		    _, fd = region.claim(name)
		    for change in (lambda: os.pwrite(fd, b"x", 0), lambda: os.ftruncate(fd, 1 << 20)):
		        try:
		            change()
		        except PermissionError:
		            continue
		        raise SystemExit(f"{name} could be changed")
	PYTHON
}

start_khod
case $BOOT in
0)
	assert_ok ./region.py make large $GIB --position=4097 --mode=0640
	assert_ok ./region.py make empty 0
	assert_ok ./region.py make empty-sealed 0 --seals=write+grow+shrink
	assert_ok ./region.py make sealed 3000000 --seals=write+grow+shrink --mode=0444
	assert_ok ./region.py make for-good 12345 --seals=write+grow+shrink+seal --position=12 --mode=0600
	assert_ok ./region.py make late 50000
	start=${EPOCHREALTIME/./}
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	say "staged in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
	# Seals, position, mode and content that came after everything was preserved.
	python3 - <<-'PYTHON' || fail "can't change what is staged"
		import fcntl, os, region
		_, fd = region.claim("late")
		region.add_seals(fd, "grow+shrink")
		os.fchmod(fd, 0o711)
		os.lseek(fd, 777, os.SEEK_SET)
		for number, piece in enumerate(region.content("late, once more", 50000)):
		    os.pwrite(fd, piece, number * region.PAGE * region.CHUNK)
		try:
		    os.ftruncate(fd, 60000)
		except PermissionError:
		    pass
		else:
		    raise SystemExit("a region could grow while it was staged")
	PYTHON
	kexec --kho -e
	fail "kexec --kho -e came back: exit $?"
	;;
1)
	kho report || fail "kho report: exit $?"
	assert_match "$(kho report)" 'large .*restored, content not checked'
	assert_match "$(kho report)" 'sealed .*restored, digest verified'
	all_regions unchecked unchecked
	# Everything gets a digest, whatever its size, if its owner stops writing.
	/usr/local/libexec/kho/examples/counter >/tmp/counter 2>&1 &
	wait_for 20 grep -q counting /tmp/counter
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline --kho-digest=always
	kexec --kho -e
	fail "kexec --kho -e came back: exit $?"
	;;
2)
	kho report || fail "kho report: exit $?"
	! kho report | grep 'not checked' || fail "not everything has a digest"
	all_regions verified verified
	# And none of them if so asked.
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline --kho-digest=never
	kexec --kho -e
	fail "kexec --kho -e came back: exit $?"
	;;
3)
	kho report || fail "kho report: exit $?"
	assert_eq "$(kho report | grep -c 'restored, content not checked')" 7 "unchecked regions"
	;;
esac
