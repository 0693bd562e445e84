#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kexec without --kho is the distribution's, byte for byte
. "$LAB"

ours=$(command -v kexec)
theirs=/usr/sbin/kexec
assert_eq "$ours" /usr/local/sbin/kexec "the first kexec in PATH"

# outcome PROGRAM ARGUMENT...: both outputs, the exit status and what is loaded then, into OUT.
outcome() {
	local program=$1 status=0

	shift
	(exec -a kexec "$program" "$@") >"$OUT.stdout" 2>"$OUT.stderr" </dev/null || status=$?
	echo "$status $(cat /sys/kernel/kexec_loaded)" >"$OUT.status"
}

same() {
	OUT=/tmp/theirs outcome $theirs "$@"
	OUT=/tmp/ours outcome "$ours" "$@"
	for what in status stdout stderr; do
		cmp -s /tmp/theirs.$what /tmp/ours.$what ||
			fail "kexec $*: another $what: $(diff /tmp/theirs.$what /tmp/ours.$what | head -5)"
	done
	count=$((count + 1))
}

count=0
echo nonsense >/tmp/nonsense
head -c 100000 "$NEXT" >/tmp/truncated

same
same -h
same --help
same -?
same -v
same --version
same --vers
same -Z
same --no-such-option
same --no-such-option=x
same --help=x
same -S
same --status
same -S -l
same -u
same -pu
same -l
same -l /nonexistent
same -l /dev/null
same -l /tmp
same -l /tmp/nonsense
same -l /tmp/truncated
same -s -l /tmp/truncated
same -l /tmp/nonsense --append
same -l /tmp/nonsense --append --kho
same -l /tmp/nonsense --append=--kho
same -l /tmp/nonsense --command-line --kho --initrd --kho
same -l /tmp/nonsense --app --kho
same -t --kho /tmp/nonsense
same -lt --kho /tmp/nonsense
same -lstbzImage /tmp/nonsense
same -p /tmp/nonsense
same -- --kho
same --k
same --kh
same --kho=yes
same --khoo
same --kho-timeout=3
same -kho
same --reuse
same --mem-min=x -l /tmp/nonsense
same --entry=x
same ''
same -l ''
same $'-l\n' $'a\tb'
same --print-ckr-size
same --load-preserve-context "$NEXT"

# Those that do something, and the same thing.
same -s -l "$NEXT" --reuse-cmdline
assert_eq "$(cat /sys/kernel/kexec_loaded)" 1 "after -l"
same -S -l
same -s -l /tmp/truncated
assert_eq "$(cat /sys/kernel/kexec_loaded)" 1 "after -l that failed"
same -u
assert_eq "$(cat /sys/kernel/kexec_loaded)" 0 "after -u"
same "$NEXT" -ls --append=quiet
same --unload
same -e
say "$count invocations are the same"

# It is an exec: the same process, the same words, the same environment.
mkdir /tmp/first
cp "$(command -v kexec-show)" /tmp/first/kexec
for program in "$ours" /tmp/first/kexec; do
	status=0
	# shellcheck disable=SC2016
	env -i PATH=/tmp/first:/usr/sbin A=1 /bin/bash -c '
		echo $$ >/tmp/pid
		exec -a name "$0" -l "a  b" "" --append --kho' "$program" >/tmp/shown || status=$?
	assert_eq $status 42
	assert_eq "$(head -n 1 /tmp/shown)" "$(cat /tmp/pid)" "the process"
	tail -n +2 /tmp/shown >/tmp/shown."$(basename "$(dirname "$program")")"
done
cmp /tmp/shown.sbin /tmp/shown.first || fail "argv or environ differ: $(diff /tmp/shown.*)"

# A signal ends it as it ends the distribution's.
mkdir /tmp/second
cp /bin/sleep /tmp/second/kexec
PATH=/tmp/second "$ours" 1000 &
wait_for 10 grep -q /tmp/second/kexec /proc/$!/maps
kill -TERM $!
status=0
wait $! || status=$?
assert_eq $status 143 "killed by SIGTERM"

# Never itself: not by another name, not as another copy, not through a script.
mkdir /tmp/third /tmp/fourth
ln -s "$ours" /tmp/third/kexec
cp "$ours" /tmp/fourth/kexec
version=$($theirs --version)
assert_eq "$(PATH=/tmp/third:/tmp/fourth:$PATH timeout 20 kexec --version)" "$version" "a symlink"
assert_eq "$(PATH=/tmp/fourth:/tmp/third:$PATH timeout 20 kexec --version)" "$version" "a copy"
assert_eq "$(PATH=/tmp/third /usr/bin/timeout 20 "$ours" --version)" "$version" "outside of PATH"
ln -f "$ours" /usr/local/bin/kexec
assert_eq "$(PATH=/usr/local/bin:$PATH timeout 20 kexec --version)" "$version" "a hard link"
rm /usr/local/bin/kexec
cat >/tmp/script <<-EOF
	#!/bin/sh
	$ours "\$@"
EOF
rm /tmp/third/kexec
install -m 755 /tmp/script /tmp/third/kexec
assert_eq "$(PATH=/tmp/third:$PATH timeout 20 "$ours" --version)" "$version" "a script"

# Without kexec-tools.
mv $theirs /tmp/kexec.away
assert_fails kexec --version
assert_eq "$STATUS" 127
assert_match "$OUTPUT" 'package kexec-tools'
assert_eq "$(wc -l <<<"$OUTPUT")" 1 "lines"
assert_fails kexec --kho -l "$NEXT"
assert_eq "$STATUS" 1
assert_match "$OUTPUT" 'package kexec-tools'
mv /tmp/kexec.away $theirs
