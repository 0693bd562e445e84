#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the luo transport alone: 51 and 102 sessions, where 7.3 fills one and two blocks to the brim
. "$LAB"

case $BOOT in
0) sessions=51 ;;
*) sessions=102 ;;
esac

if [ "$BOOT" -gt 0 ]; then
	luo-test verify $((BOOT == 1 ? 51 : 102)) || fail "verify"
fi
if [ "$BOOT" -lt 2 ]; then
	luo-test hold $sessions || fail "hold"
	plain_kexec
fi
