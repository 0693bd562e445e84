#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: khod dies with all that it has; libkho gives it back, and the update keeps it
. "$LAB"

EXAMPLES=/usr/local/libexec/kho/examples

case $BOOT in
0)
	start_khod
	"$EXAMPLES/counter" --name=c >/root/c.0 2>&1 &
	"$EXAMPLES/counter.py" --name=py >/root/py.0 2>&1 &
	for name in c py; do
		wait_for 30 grep -q "created" "/root/$name.0"
	done
	# There is no service manager here that would keep khod's fds.
	kill -KILL "$KHOD_PID"
	wait "$KHOD_PID"
	rm -f /run/kho/io.kho.Manager
	start_khod
	for name in c py; do
		wait_for 30 grep -q "region $name is registered again" "/root/$name.0"
	done
	next_boot
	;;
1)
	start_khod
	"$EXAMPLES/counter" --name=c >/root/c.1 2>&1 &
	"$EXAMPLES/counter.py" --name=py >/root/py.1 2>&1 &
	for name in c py; do
		wait_for 30 grep -q "claimed, going on from" "/root/$name.1"
	done
	;;
esac
