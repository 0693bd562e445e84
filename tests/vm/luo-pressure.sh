#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the luo transport alone: the most that the arithmetic accepts fits, and swapped memory is seen
# memory: 1G
. "$LAB"

for _ in 1 2 3; do
	luo-test brink || fail "brink"
done
! dmesg | grep -i 'out of memory' || fail "the OOM killer came"

dd if=/dev/zero of=/root/swap bs=1M count=128 status=none
assert_ok mkswap /root/swap
assert_ok swapon /root/swap
mkdir /sys/fs/cgroup/cold
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
[ -e /sys/fs/cgroup/cold/memory.reclaim ] || fail "no memory.reclaim"
sh -c 'echo $$ >/sys/fs/cgroup/cold/cgroup.procs
	exec luo-test swap /sys/fs/cgroup/cold/memory.reclaim' || fail "swap"
