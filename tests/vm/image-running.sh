#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: what is read of real images, and of the running kernel: cold, after a kexec, and without its image
. "$LAB"

running() {
	image-show | sed -n "s/^$1=//p"
}

of_next() {
	image-show "$NEXT" | sed -n "s/^$1=//p"
}

RUNNING=/boot/vmlinuz-$(uname -r)
image-show
assert_eq "$(running release)" "$(uname -r)"
assert_eq "$(running image)" "$RUNNING"
assert_eq "$(running problem)" ""

# Both are of one version, so all of it agrees.
image-show "$NEXT"
assert_eq "$(of_next kind)" bzImage
assert_eq "$(of_next arch)" x86_64
assert_eq "/boot/vmlinuz-$(of_next release)" "$NEXT"
assert_eq "$(of_next config)" embedded
assert_eq "$(of_next CONFIG_LIVEUPDATE)" y
assert_match "$(of_next kho)" '^kho-v[0-9]+$'
assert_match "$(of_next luo)" '^luo-v[0-9]+$'
assert_match "$(of_next file-handlers)" '^memfd-v[0-9]+$'
for string in kho luo luo-session luo-flb memblock reserve-mem file-handlers; do
	assert_eq "$(running $string)" "$(of_next $string)" "$string"
done

# The debugfs files alone.
mv "$RUNNING" /root/away
ln -sf "$NEXT" "$RUNNING" # of the right name, and another kernel's
[ "$RUNNING" != "$NEXT" ] || rm "$RUNNING"
assert_eq "$(running image)" ""
assert_match "$(running problem)" 'build-id'
assert_eq "$(running kho)" "$(image-show /root/away | sed -n 's/^kho=//p')"
assert_eq "$(running file-handlers)" ""
rm -f "$RUNNING"
mv /root/away "$RUNNING"

[ "$BOOT" != 0 ] || plain_kexec
