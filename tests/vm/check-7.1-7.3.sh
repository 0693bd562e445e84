#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: 7.1 to 7.3: refused before anybody is asked, with the strings that differ
# kernel: 7.1
# next: 7.3
# files: check-differ.bash
# timeout: 600
. "$LAB"
. ./check-differ.bash

differ 'kho-v3 here, kho-v4 there' 'luo-v1 here, luo-v5 there'
