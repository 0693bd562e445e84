#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the luo transport alone: the arithmetic, a memory limit, and a device that is busy
. "$LAB"

luo-test refuse || fail "refuse"
! dmesg | grep -i 'out of memory' || fail "the OOM killer came"

mkdir -p /sys/fs/cgroup/outer
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo +memory >/sys/fs/cgroup/outer/cgroup.subtree_control
mkdir /sys/fs/cgroup/outer/inner
assert_ok luo-test limit $((64 << 20))
echo 16M >/sys/fs/cgroup/outer/memory.max
assert_fails sh -c "echo \$\$ >/sys/fs/cgroup/outer/inner/cgroup.procs; exec luo-test limit $((64 << 20))"
assert_eq "$STATUS" 2
say "$OUTPUT"
assert_match "$OUTPUT" '^64.0 MiB .* cgroup /outer leaves 1[0-9]\.'
echo max >/sys/fs/cgroup/outer/memory.max
assert_ok sh -c "echo \$\$ >/sys/fs/cgroup/outer/inner/cgroup.procs; exec luo-test limit $((64 << 20))"

luo-test busy || fail "busy"
