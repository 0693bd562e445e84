#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the journal tells of a refusal, an update and a loss, to khod's readers and to those of the service
# guest: systemd
# files: region.py rival.py participant.py ../../examples/counter.py
# timeout: 600
. "$LAB"

LOST=fe024ada99d04aba965df91600ab65d1
INCOMPLETE=57ba1daff140400e8536cddb9629ede4
ABORTED=4f90b58efd27401588cae4ce5cbe9833

# service NAME COMMAND...: as a unit, which owns what it registers.
service() {
	systemd-run --quiet --unit="$1" --working-directory="$PWD" "${@:2}" || fail "$1 does not start"
}

log_has() {
	journalctl -q -o cat -u "$1" -b "${3:-0}" | grep -qE -- "$2"
}

# One field of the one message with an id.
field() {
	journalctl -q -b "${3:-0}" "MESSAGE_ID=$1" -o json | python3 -c 'import json, sys
print(json.loads(sys.stdin.readline()).get(sys.argv[1]))' "$2"
}

# When a unit was there, in microseconds of this boot.
moment() {
	systemctl show -P ActiveEnterTimestampMonotonic "$1"
}

case $BOOT in
0)
	mkdir -p /var/log/journal
	assert_ok journalctl --flush
	assert_ok systemctl preset khod.service
	assert_eq "$(systemctl is-enabled khod.service khod.socket khod-manager.socket | sort -u)" enabled
	assert_ok systemctl start khod.service
	service keeper sh -c 'echo kept | kho put note'
	service cache ./rival.py held 50000 --optional
	service database ./participant.py database --prepare=refuse
	wait_for 60 log_has database.service watching
	wait_for 60 log_has cache.service held
	wait_for 60 kho get --owner=keeper.service note

	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	assert_eq "$STATUS" 2 "exit status"
	wait_for 60 log_has khod.service 'is undone'
	systemctl stop database.service
	assert_ok kexec --kho -l "$NEXT" --reuse-cmdline
	assert_ok journalctl --sync
	kexec --kho -e
	fail "kexec --kho -e came back: $?"
	;;
1)
	assert_fails kho report
	assert_eq "$STATUS" 5 "exit status of kho report"
	say "--- what an operator reads"
	journalctl -q -u khod.service -b -1 -o short
	journalctl -q -u khod.service -b 0 -o short
	for step in begins 'is prepared' 'is staged' freezes 'is frozen'; do
		log_has khod.service "Update [0-9a-f]{16} .*$step" -1 || fail "the previous journal has no '$step'"
	done
	for step in arrives 'has NOT arrived .*1 of 2 regions lost' 'claims "note"' 'Every required region is claimed'; do
		[[ $step != *claim* ]] || service keeper sh -c 'kho get note'
		wait_for 60 log_has khod.service "$step"
	done

	say "--- what those read who look after a service"
	log_has database.service 'does not happen: database.service refuses the update: the cache is' -1 ||
		fail "the refusal is not in the log of who refused"
	log_has cache.service 'region "held" of cache.service is left behind: another live update' -1 ||
		fail "what is left behind is not in its owner's log before the kexec"
	log_has cache.service 'region "held" of cache.service is lost: left behind' ||
		fail "the loss is not in its owner's log after the kexec"
	! log_has keeper.service 'is lost' || fail "the log of another service tells of the loss"

	say "--- fields and catalog"
	assert_eq "$(field $ABORTED KHO_CAUSE -1)" participant
	assert_eq "$(field $ABORTED KHO_OWNER -1)" database.service
	assert_eq "$(field $LOST KHO_OWNER)" cache.service
	assert_eq "$(field $LOST KHO_REGION)" held
	assert_eq "$(field $LOST SYSLOG_IDENTIFIER)" khod
	assert_eq "$(field $LOST PRIORITY)" 3
	assert_match "$(field $INCOMPLETE KHO_UPDATE)" '^[0-9a-f]{16}$'
	assert_eq "$(field $INCOMPLETE KHO_RESULT)" incomplete
	assert_ok journalctl --update-catalog
	output=$(journalctl -q -x -b MESSAGE_ID=$LOST)
	say "$output"
	assert_match "$output" 'Subject: Memory of a service is lost'
	assert_match "$output" 'The region "held", which cache.service asked to keep, is not here'

	say "--- the unit"
	assert_ok systemd-tmpfiles --create --clean /usr/local/lib/tmpfiles.d/kho.conf
	assert_eq "$(stat -c '%a %U' /run/kho /var/lib/kho | xargs)" "755 root 700 root"
	assert_ok test -s /var/lib/kho/report.dtb
	# Any namespace of mounts but PID 1's would keep file systems mounted at shutdown: khod outlives it.
	assert_eq "$(readlink "/proc/$(systemctl show -P MainPID khod)/ns/mnt")" "$(readlink /proc/1/ns/mnt)"
	assert_eq "$(systemd-analyze verify khod.service khod.socket khod-manager.socket \
		live-update.target live-update.service live-update-check.service khod-shutdown@kexec.service 2>&1)" ""
	systemd-analyze security khod.service | tail -n 1
	# Ready before ordinary services start, and waiting for nothing that may take its time.
	[ "$(moment khod.service)" -lt "$(moment sysinit.target)" ] || fail "khod is late"
	after=$(systemctl list-dependencies --after --plain khod.service)
	say "$after"
	[[ ! $after =~ network|remote-fs|nss-|dbus|local-fs.target ]] || fail "khod waits for what it does not need"
	systemd-analyze critical-chain khod.service
	;;
esac
