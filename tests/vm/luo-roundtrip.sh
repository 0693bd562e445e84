#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the luo transport alone: memfds of every kind cross in place, seals, position and folios with them
. "$LAB"
sessions=${SESSIONS:-3}

case $BOOT in
0)
	luo-test hold "$sessions" || fail "hold"
	plain_kexec
	;;
1)
	assert_match "$(uname -r)" '-next$'
	luo-test verify "$sessions" || fail "verify"
	;;
esac
