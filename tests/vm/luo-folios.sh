#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the luo transport alone: what large folios change
. "$LAB"

luo-test folios 256 || fail "folios"
