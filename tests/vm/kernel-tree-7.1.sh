#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kho tree --kernel: the same on 7.1, whose strings are others and whose LUO blob is a tree
# kernel: 7.1
# next: 7.1
# append: reserve_mem=4M:4096:khobuf
# files: kernel-tree.sh
. ./kernel-tree.sh
