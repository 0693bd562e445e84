#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 7.1 to 7.3, in place alone: refused before anybody is asked, with the strings that differ; and what --kho-force does
# kernel: 7.1
# next: 7.3
# files: check-differ.bash
# timeout: 600
. "$LAB"
. ./check-differ.bash

case $BOOT in
0)
	differ 'kho-v3 here, kho-v4 there' 'luo-v1 here, luo-v5 there'
	force 'kho-v3 here, kho-v4 there'
	;;
1)
	after_force kho-v4
	lost
	;;
esac
