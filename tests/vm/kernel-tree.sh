#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: kho tree --kernel: both sides after a cold boot and after a handover, 7.3
# append: reserve_mem=4M:4096:khobuf
. "$LAB"

# What --json has at a path like blobs/LUO/form; blobs by name.
value() {
	kho tree --kernel="$1" --json | python3 -c 'import json, sys
at = json.load(sys.stdin)
for key in sys.argv[1].split("/"):
    at = next(b for b in at if b["name"] == key) if isinstance(at, list) else at[key]
print(at)' "$2"
}

case $(uname -r) in
7.1.*) kho=kho-v3 luo=luo-v1 form=tree ;;
*) kho=kho-v4 luo=luo-v5 form=luo ;;
esac

outgoing() {
	assert_eq "$(value out blobs/LUO/form)" $form
	assert_match "$(kho tree --kernel=out LUO)" "$luo"
	assert_eq "$(value out blobs/kexec-metadata/previousRelease)" "$(uname -r)"
	assert_eq "$(value out blobs/memblock/tree/nodes/khobuf/properties/size)" $((4 << 20))
	scratch=$(value out scratch)
	assert_match "$scratch" "'address': [1-9]"
}

case $BOOT in
0)
	kho tree --kernel=out
	outgoing
	# The kernel shows no more of it than there was when it made the file.
	assert_eq "$(value out fdt/form)" cut
	assert_eq "$(value out fdt/compatible)" $kho
	assert_eq "$(kho tree --kernel=out --raw | sha256sum)" "$(sha256sum </sys/kernel/debug/kho/out/fdt)"
	assert_fails kho tree --kernel=in
	assert_eq "$STATUS" 1
	assert_match "$OUTPUT" 'nothing was handed to this kernel'
	assert_fails kho tree --kernel=out nobody
	assert_match "$OUTPUT" 'nobody: no blob of that name'
	# Each tree by itself is source that dtc reads back.
	for blob in kho_test memblock; do
		kho tree --kernel=out $blob | dtc -q -I dts -O dtb >/tmp/$blob || fail "$blob: not read back"
	done
	assert_ok fdtget /tmp/memblock /khobuf start
	echo "$scratch" >/root/scratch
	uname -r >/root/release
	plain_kexec
	;;
1)
	kho tree --kernel=in
	assert_match "$(kho tree --kernel=in)" "// previous release: $(cat /root/release)"
	assert_eq "$(value in blobs/kexec-metadata/kexecCount)" 1
	assert_eq "$(value in fdt/tree/properties/compatible)" $kho
	assert_eq "$(value in blobs/memblock/form)" tree
	# 7.3 has freed it; 7.1 keeps it.
	[ $form = tree ] || assert_eq "$(value in blobs/LUO/stale)" True
	[ $form = luo ] || assert_match "$(kho tree --kernel=in LUO)" 'luo-v1'
	outgoing
	assert_eq "$scratch" "$(cat /root/scratch)" "scratch areas"
	assert_match "$(kho tree --kernel=out | head -n 8)" 'booted by a handover itself'
	;;
esac
