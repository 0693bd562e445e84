# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What tests say and ask for in a guest: . "$LAB". The first failure ends the test.

KHOD_LOG=/run/khod.log

say() {
	printf '%s\n' "$*"
}

fail() {
	printf 'FAILED (boot %s, line %s): %s\n' "$BOOT" "${BASH_LINENO[*]: -2:1}" "$*"
	show_state
	exit 1
}

skip() {
	printf '%s\n' "$*"
	exit 77
}

# What somebody who was not there would want to see.
show_state() {
	if [ "$GUEST" = systemd ]; then
		printf -- '--- journal ---\n'
		journalctl -b -n 40 --no-pager -o short-monotonic | cat
	elif [ -e $KHOD_LOG ]; then
		printf -- '--- khod ---\n'
		tail -n 40 $KHOD_LOG
	fi
	printf -- '--- kernel ---\n'
	dmesg | tail -n 20
}

# In a bare guest khod has no service manager: this is all that it gets.
start_khod() {
	local waited

	if [ "$GUEST" = systemd ]; then
		systemctl start khod.service || fail "khod.service does not start"
		return
	fi
	mkdir -p /run/kho
	# Without systemd the only owners are users, who could not be required otherwise.
	khod "${@---user-veto}" >>$KHOD_LOG 2>&1 &
	KHOD_PID=$!
	for ((waited = 0; waited < 300; waited++)); do
		[ ! -S /run/kho/io.kho.Manager ] || return 0
		kill -0 $KHOD_PID 2>/dev/null || fail "khod ended at once"
		sleep 0.1
	done
	fail "khod does not listen on /run/kho/io.kho.Manager after 30 s"
}

stop_khod() {
	if [ "$GUEST" = systemd ]; then
		systemctl stop khod.service
	else
		kill "$KHOD_PID" && wait "$KHOD_PID"
	fi
}

assert_eq() {
	[ "$1" = "$2" ] || fail "${3:+$3: }'$1' is not '$2'"
}

assert_match() {
	[[ $1 =~ $2 ]] || fail "${3:+$3: }'$1' does not match '$2'"
}

assert_ok() {
	local output status=0

	output=$("$@" 2>&1) || status=$?
	[ $status = 0 ] || fail "$*: exit $status: $output"
}

# assert_fails COMMAND...: leaves what it printed in OUTPUT and its exit status in STATUS.
assert_fails() {
	STATUS=0
	OUTPUT=$("$@" 2>&1) || STATUS=$?
	[ "$STATUS" != 0 ] || fail "$*: succeeded, and was to fail: $OUTPUT"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local left=$(($1 * 10))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $((left--)) -gt 0 ] || fail "$*: still fails"
		sleep 0.1
	done
}

# The next boot by handing over; does not come back.
next_boot() {
	kexec --kho -l "$NEXT" --reuse-cmdline "$@" || fail "kexec --kho -l: exit $?"
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	fail "kexec --kho -e came back"
}

# The next boot by the distribution's kexec alone, which hands nothing of ours over.
plain_kexec() {
	/usr/sbin/kexec -s -l "$NEXT" --reuse-cmdline "$@" || fail "kexec -l: exit $?"
	sync
	/usr/sbin/kexec -e -x -y
	fail "kexec -e came back"
}
