#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 7.1 to 7.3 and back, whose strings differ: by copy in an initrd where there is none, chosen automatically, and every content compared, memcached's too
# kernel: 7.1
# next: 7.3
# files: copy-cross.bash region.py sparse.py kho-memcached.py ../../examples/counter.py
# timeout: 600
. "$LAB"
# shellcheck disable=SC2034
CARRIER=initrd
. ./copy-cross.bash

KEYS=5000

start_memcached() {
	kho run --region=cache:64M '--file=meta:%{cache}.meta' --freeze-signal=USR1 \
		-- memcached -u root -m 64 -e '%{cache}' -l 127.0.0.1 &
	wait_for 60 python3 kho-memcached.py ping
}

start_khod
start_memcached
if [ "$BOOT" = 0 ]; then
	begin_services
else
	check_services
	put_note
fi
case $BOOT in
0)
	python3 kho-memcached.py fill $KEYS || fail "can't fill memcached"
	next_boot
	;;
1)
	assert_match "$(uname -r)" '^7\.3'
	python3 kho-memcached.py check $KEYS || fail "memcached has not kept its keys"
	NEXT=$(echo /boot/vmlinuz-7.1*-lab) next_boot
	;;
2)
	assert_match "$(uname -r)" '^7\.1'
	python3 kho-memcached.py check $KEYS || fail "memcached has not kept its keys"
	;;
esac
