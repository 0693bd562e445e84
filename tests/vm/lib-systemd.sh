#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the examples as services of systemd; khod killed in between
# guest: systemd
. "$LAB"

EXAMPLES=/usr/local/libexec/kho/examples

installed() {
	cp "$EXAMPLES/counter.service" /etc/systemd/system/counter.service
	sed 's,examples/counter$,examples/counter.py,' "$EXAMPLES/counter.service" \
		>/etc/systemd/system/counter-py.service
	systemctl daemon-reload
}

# said UNIT PATTERN: in this boot.
said() {
	journalctl -b -u "$1" -o cat --no-pager | grep -q -- "$2"
}

case $BOOT in
0)
	installed
	assert_ok systemctl start khod.socket counter.service counter-py.service
	for unit in counter counter-py; do
		wait_for 10 said $unit "created, counting from 0"
	done
	# The fd store has it all: nothing is to be registered again.
	assert_ok systemctl kill --signal=KILL khod.service
	for unit in counter counter-py; do
		wait_for 30 said $unit "khod is back"
	done
	if said counter "registered again" || said counter "not kept"; then
		fail "khod came back without the region"
	fi
	assert_match "$(kho list)" counter.service
	assert_match "$(kho list)" counter-py.service
	next_boot
	;;
1)
	assert_ok systemctl start counter.service counter-py.service
	for unit in counter counter-py; do
		wait_for 10 said $unit "claimed, going on from [1-9]"
	done
	assert_ok kho wait --timeout=10
	say "$(kho report)"
	;;
esac
