#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what is no memory that can be kept is refused with the way out, and so is what makes no sense
# files: kinds.py ../../examples/counter.py
. "$LAB"

start_khod
echo 8 >/proc/sys/vm/nr_hugepages
mkdir -p /dev/shm
mountpoint -q /dev/shm || mount -t tmpfs tmpfs /dev/shm
./kinds.py || fail "kinds.py: exit $?"
kill -0 $KHOD_PID || fail "khod is gone"
# And khod has kept none of the fds that it refused.
fds=$(find /proc/$KHOD_PID/fd -type l | wc -l)
./kinds.py >/dev/null || fail "kinds.py, once more: exit $?"
assert_eq "$(find /proc/$KHOD_PID/fd -type l | wc -l)" "$fds" "fds of khod"
! kho list | grep uid: || fail "something is kept"
