#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the luo transport alone: release awaited, refusals in the middle, a taken name at 51 sessions
. "$LAB"

case $BOOT in
0)
	luo-test abort || fail "abort"
	# The next kernel stops early if the taken name has left an empty block behind.
	plain_kexec
	;;
1) assert_match "$(uname -r)" '-next$' ;;
esac
