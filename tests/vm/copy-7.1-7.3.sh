#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 7.1 to 7.3, whose strings differ: by copy in an initrd where there is none, chosen automatically, and every content compared
# kernel: 7.1
# next: 7.3
# files: copy-cross.bash region.py sparse.py ../../examples/counter.py
# timeout: 600
. "$LAB"
# shellcheck disable=SC2034
CARRIER=initrd
. ./copy-cross.bash

start_khod
case $BOOT in
0)
	begin_services
	next_boot
	;;
1)
	check_services
	;;
esac
