#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 7.3 to 7.1, in place alone: refused before anybody is asked, with the strings that differ; and what --kho-force does
# kernel: 7.3
# next: 7.1
# files: check-differ.bash
# timeout: 600
. "$LAB"
. ./check-differ.bash

case $BOOT in
0)
	differ 'kho-v4 here, kho-v3 there' 'luo-v5 here, luo-v1 there'
	force 'kho-v4 here, kho-v3 there'
	;;
1)
	after_force kho-v3
	lost
	;;
esac
