# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What update-matrix-*.sh have in common: the actors of an update, each state held for as long as it takes, and
# what has to be true afterwards; not a test of its own.

FAULT=/usr/lib/kho-lab/bin/fault.so
FAULTS=/run/faults
REGIONS=(kept:300000:0 theirs:70001:1002) # as whole.py takes them

# Between the programs and the kernel, see fault.c. A second of khod's timeouts lasts a tenth of one.
faults_ready() {
	mkdir -p $FAULTS/khod $FAULTS/kexec
}

# with_faults WHO COMMAND...
with_faults() {
	local who=$1

	shift
	env LD_PRELOAD=$FAULT KHO_FAULTS=$FAULTS/"$who" KHO_FAULTS_HASTE=10 "$@"
}

# configure_khod WATCHDOG: under systemd, khod with faults, which is taken for hung after that time.
configure_khod() {
	mkdir -p /run/systemd/system/khod.service.d
	cat >/run/systemd/system/khod.service.d/test.conf <<-CONF
		[Service]
		Environment=LD_PRELOAD=$FAULT KHO_FAULTS=$FAULTS/khod KHO_FAULTS_HASTE=10
		WatchdogSec=$1
		RestartSteps=0
	CONF
	systemctl daemon-reload
}

# fault WHO CALL N ACTION [N ACTION]...
fault() {
	local file=$FAULTS/$1/$2

	shift 2
	rm -f "$file.held"
	printf '%s %s\n' "$@" >"$file"
}

held() {
	wait_for 60 test -e "$FAULTS/$1/$2.held"
}

let_go() {
	grep -lsx '1 hold.*' $FAULTS/*/* | xargs -r rm -f
	touch /tmp/{required,optional}.go
}

# What REGIONS names.
make_regions() {
	./whole.py --make "${REGIONS[@]}" || fail "the regions can't be made"
}

# join NAME OPTION...: a participant whose words are in /tmp/NAME; leaves its pid in PID_NAME.
join() {
	rm -f "/tmp/$1.go"
	./participant.py "$@" >"/tmp/$1" 2>&1 &
	declare -g "PID_$1=$!"
	PIDS+=($!)
}

joined() {
	local name

	for name; do
		wait_for 30 grep -q watching "/tmp/$name"
	done
}

leave_all() {
	[ ${#PIDS[@]} -gt 0 ] || return 0
	# bash tells of those that were killed before.
	{ kill -KILL "${PIDS[@]}"; wait "${PIDS[@]}"; } 2>/dev/null
	PIDS=()
}

# heard NAME PATTERN: all that it heard since it joined. What it answers may come too late.
heard() {
	local words

	words=$(sed '/^answer/d; s/ .*//' "/tmp/$1" | tr '\n' ' ')
	[[ $words =~ ^watching\ $2$ ]] || fail "$1 heard: $words"
}

# One of kexec's commands in the background; services have 4 seconds.
kexec_begins() {
	rm -f /tmp/kexec
	[ "$1" = -u ] || set -- "$@" --kho-timeout=40
	with_faults kexec env --default-signal=INT kexec --kho "$@" >/tmp/kexec 2>&1 &
	KEXEC=$!
}

kexec_ends() {
	STATUS=0
	{ wait "$KEXEC" || STATUS=$?; } 2>/dev/null
	cat /tmp/kexec
}

# kexec_ended STATUS [WORDS]
kexec_ended() {
	kexec_ends
	assert_eq "$STATUS" "$1" "exit status of kexec"
	[ -z "${2:-}" ] || assert_match "$(cat /tmp/kexec)" "$2"
}

begin_staging() {
	kexec_begins -l "$NEXT" --reuse-cmdline
}

# reach STATE [ERRNO]: the update goes so far, and no further until let_go; reboot(2) then fails so, if it has
# not been reached yet.
reach() {
	case $1 in
	asked) begin_staging ;;
	preserving) fault khod preserve 1 hold && begin_staging && held khod preserve ;;
	prepared) fault kexec load 1 hold && begin_staging && held kexec load ;;
	*) begin_staging && kexec_ended 0 'staged ' ;;
	esac
	[[ ! ${2:+$1} =~ ^(reloading|freezing|recording)$ ]] || fault kexec reboot 1 "error $2"
	case $1 in
	asked) wait_for 60 grep -q '^prepare' /tmp/required /tmp/optional ;;
	reloading) fault kexec load 1 hold && kexec_begins -e && held kexec load ;;
	freezing) kexec_begins -e && wait_for 60 grep -q '^freeze' /tmp/required /tmp/optional ;;
	recording) fault khod fsync 1 hold && kexec_begins -e && held khod fsync ;;
	frozen) fault kexec reboot 1 "hold ${2:-}" && kexec_begins -e && held kexec reboot ;;
	aborting) fault khod fallocate 1 hold && kexec_begins -u && held khod fallocate ;;
	esac
	return 0
}

# As if nothing had been tried: nothing held, nothing lost.
undone() {
	wait_for 60 eval 'kho status --json | grep -q "\"state\" *: *\"idle\""'
	./whole.py --released "${REGIONS[@]}" || fail "whole.py: exit $?"
	! find /proc/[0-9]*/fd -lname '*luo_session*' 2>/dev/null | grep . || fail "a session is still open"
	[ ! -e /var/lib/kho/ledger.dtb ] || fail "a ledger tells of an update that did not happen"
}
