#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: a memory limit on khod's cgroup or above it: seen before anything is retrieved, and waited for
# timeout: 600
. "$LAB"

# start_khod_in CGROUP: khod as a member of it from its first moment.
start_khod_in() {
	mkdir -p /run/kho
	sh -c "echo \$\$ >/sys/fs/cgroup/$1/cgroup.procs && exec khod" >>/run/khod.log 2>&1 &
	KHOD_PID=$!
	wait_for 30 test -S /run/kho/io.kho.Manager
}

make_cgroups() {
	[ -e /sys/fs/cgroup/cgroup.controllers ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p /sys/fs/cgroup/system/inner/khod
	echo +memory >/sys/fs/cgroup/system/cgroup.subtree_control
	echo +memory >/sys/fs/cgroup/system/inner/cgroup.subtree_control
}

# waits CGROUP: khod runs, has taken nothing, and says why.
waits() {
	local charged

	wait_for 30 sh -c 'kho status | grep -q problems'
	kho status
	assert_match "$(kho status)" 'khod +restoring'
	assert_match "$(kho status)" "memory.max of cgroup $1 leaves [0-9.]+ MiB"
	sleep 3
	kill -0 $KHOD_PID || fail "khod is dead"
	charged=$(cat /sys/fs/cgroup/system/inner/khod/memory.current)
	[ "$charged" -lt $((24 << 20)) ] || fail "khod has $charged bytes already"
	assert_eq "$(sed -n 's/^oom_kill //p' /sys/fs/cgroup/system/memory.events)" 0 "oom kills"
	assert_fails kexec --kho -l "$NEXT" --reuse-cmdline
	say "$OUTPUT"
	assert_eq "$STATUS" 2 "kexec --kho -l while it waits"
	assert_match "$OUTPUT" 'still being restored'
	assert_fails kho wait --timeout=1
	say "$OUTPUT"
	assert_eq "$STATUS" 6 "kho wait while it waits"
}

# all_there: without anybody having asked for it again.
all_there() {
	wait_for 60 sh -c 'kho status | grep -q "khod *idle"'
	wait $CLAIM || fail "the claim that waited: exit $?"
	wait $PUT || fail "the registration that waited: exit $?"
	assert_eq "$(sha256sum </run/claimed)" "$(cat /root/big.sum)" "the claim that waited"
	assert_eq "$(kho get meanwhile)" meanwhile
	assert_eq "$(kho get big | sha256sum)" "$(cat /root/big.sum)"
	assert_eq "$(kho get other | sha256sum)" "$(cat /root/other.sum)"
	kho report || fail "kho report: exit $?"
	assert_eq "$(kho report | grep -c 'digest verified')" "$1" "verified regions"
}

say "=== boot $BOOT"
case $BOOT in
0)
	start_khod
	head -c 100M /dev/urandom >/run/big
	sha256sum </run/big >/root/big.sum
	kho put big </run/big || fail "kho put big"
	head -c 20M /dev/urandom >/run/other
	sha256sum </run/other >/root/other.sum
	kho put other </run/other || fail "kho put other"
	rm /run/big /run/other
	next_boot
	;;
1 | 2)
	make_cgroups
	if [ "$BOOT" = 1 ]; then
		limited=system/inner/khod
	else
		limited=system
	fi
	echo 64M >/sys/fs/cgroup/$limited/memory.max
	start_khod_in system/inner/khod
	kho get big >/run/claimed &
	CLAIM=$!
	echo meanwhile | kho put --replace meanwhile &
	PUT=$!
	waits "/$limited"
	[ ! -s /run/claimed ] || fail "a claim was answered"
	# One step that does not suffice, then one that does.
	echo 96M >/sys/fs/cgroup/$limited/memory.max
	sleep 2
	assert_match "$(kho status)" 'khod +restoring'
	echo max >/sys/fs/cgroup/$limited/memory.max
	all_there $((BOOT + 1))
	[ "$BOOT" = 2 ] || next_boot
	;;
esac
