#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: in the next kernel, khod killed between any two of retrieve, fd store, finish, and claim: all is there
# guest: systemd
# files: actors.bash region.py whole.py ../../examples/counter.py
# timeout: 600
. "$LAB"
. ./actors.bash

MANY=110
REGIONS=(kept:300000:0)
for ((i = 0; i < MANY; i++)); do
	REGIONS+=(many-$i:$((5000 + i)):0)
done

state_is() {
	kho status | grep -q "khod *$1"
}

deaths() {
	journalctl -b -u khod.service -o cat --no-pager | grep -c 'code=killed, status=9'
}


# killed_between CALL N ACTION...: and at whatever other faults there are; then all is here.
killed_between() {
	fault khod "$@"
	systemctl start --no-block khod.service
	wait_for 120 state_is idle
	journalctl -b -u khod.service -o cat --no-pager | grep -v '^khod.service: '
	! ls $FAULTS/khod | grep . || fail "khod was not killed everywhere"
	say "$(deaths) times"
	kho report >/run/report || fail "kho report: exit $?: $(cat /run/report)"
	head -n 14 /run/report
	# What the tree has, and the ledger does not.
	grep -Eq '  kexec(,.*)?$' /run/report || fail "the moment of the kexec is not known"
	./whole.py "${REGIONS[@]}" || fail "not all is here"
}

faults_ready
[ "$BOOT" = 0 ] || configure_khod 1min
say "=== boot $BOOT"
case $BOOT in
0)
	start_khod
	make_regions
	next_boot
	;;
1)
	# The tree is retrieved first; stored are the registry, two sessions, and then the memory.
	fault khod retrieve 2 kill 60 killafter
	fault khod store 53 kill
	fault khod unstore 2 killafter
	killed_between finish 1 kill 1 killafter 2 kill 1 killafter
	! grep -q problem /run/report || fail "restoring was not as if nothing had been"
	kill -KILL "$(systemctl show -P MainPID khod.service)"
	wait_for 60 state_is idle
	./whole.py "${REGIONS[@]}" || fail "not all is here when khod comes again"
	next_boot
	;;
2)
	say "--- the same, and the ledger is gone: only the tree that arrived knows what there was"
	rm /var/lib/kho/ledger.dtb
	killed_between finish 1 kill 1 killafter 2 killafter
	assert_match "$(cat /run/report)" 'no ledger .*: its handover tree alone tells of it'
	;;
esac
