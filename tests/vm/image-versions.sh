#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: images of other versions have other strings; LUO of 7.1 has a tree of its own in debugfs
# kernel: 7.1
# next: 6.18
. "$LAB"

value() {
	sed -n "s/^$1=//p" /tmp/shown
}

image-show | tee /tmp/shown
assert_eq "$(value image)" "/boot/vmlinuz-$(uname -r)"
assert_eq "$(value problem)" ""
assert_eq "$(value kho)" kho-v3
assert_eq "$(value luo)" luo-v1
assert_eq "$(value luo-session)" luo-session-v2
assert_eq "$(value luo-flb)" luo-flb-v1
assert_eq "$(value file-handlers)" memfd-v2

image-show "$NEXT" | tee /tmp/shown
assert_eq "$(value kho)" kho-v1
assert_eq "$(value luo)" ""
assert_eq "$(value memblock)" memblock-v1
assert_eq "$(value reserve-mem)" reserve-mem-v1
assert_eq "$(value CONFIG_KEXEC_HANDOVER)" y
assert_eq "$(value CONFIG_LIVEUPDATE)" ""

# Without its image, the kernel's own trees say nearly as much.
rm "/boot/vmlinuz-$(uname -r)"
image-show | tee /tmp/shown
assert_eq "$(value image)" ""
assert_eq "$(value kho)" kho-v3
assert_eq "$(value luo)" luo-v1
