# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The disk that every guest starts from: the root without what only building needs. The product, the kernels
# and the test come on disks of their own, so that this one is made once.

IMAGE_WITHOUT="usr/include usr/lib/gcc usr/libexec/gcc usr/lib/llvm* usr/share/doc usr/share/locale
usr/share/automake* usr/share/autoconf usr/share/libtool usr/share/clang usr/share/perl usr/lib/x86_64-linux-gnu/*.a
usr/lib/x86_64-linux-gnu/libLLVM* usr/lib/x86_64-linux-gnu/libclang* usr/lib/systemd/profile.d etc/profile.d/*systemd* var/cache/apt var/lib/apt boot/*"

image_path() {
	printf '%s/images/%s.img\n' "$KHO_LAB_DIR" \
		"$(cat "$ROOT/.complete" "$LIB/image.sh" "$LIB/guest/init" | hash_of)"
}

image_ready() {
	[ -e "$(image_path)" ] || locked image image_make
}

image_make() {
	local image

	image=$(image_path)
	[ ! -e "$image" ] || return 0
	logged "making the guests' disk" "$KHO_LAB_DIR/logs/image.log" image_build "$image"
}

image_build() {
	local image=$1 stage=$KHO_LAB_DIR/images/stage

	rm -rf "$stage"
	mkdir -p "${stage%/*}"
	# Hard links: a file of the root may be replaced there, never written to.
	cp -al "$(readlink -f "$ROOT")" "$stage"
	image_strip "$stage"
	image_settle "$stage"
	truncate -s 3G "$image.part"
	mke2fs -q -F -t ext4 -m 0 -J size=16 -E lazy_itable_init=0,nodiscard -d "$stage" "$image.part"
	mv "$image.part" "$image"
	rm -rf "$stage"
}

image_strip() {
	local stage=$1 pattern path

	for pattern in $IMAGE_WITHOUT; do
		for path in "$stage"/$pattern; do
			rm -rf "$path"
		done
	done
}

# What a first boot would otherwise spend seconds on.
image_settle() {
	local stage=$1

	rm -f "$stage"/usr/sbin/init "$stage"/etc/{hostname,machine-id,fstab,resolv.conf} \
		"$stage"/{etc,var}/.updated "$stage"/etc/systemd/system/multi-user.target.wants/*
	install -m 0755 "$LIB/guest/init" "$stage/usr/sbin/init"
	echo lab >"$stage/etc/hostname"
	echo 6b686f6c616200000000000000000001 >"$stage/etc/machine-id"
	: >"$stage/etc/fstab"
	printf '127.0.0.1 localhost lab\n' >"$stage/etc/hosts.new"
	mv "$stage/etc/hosts.new" "$stage/etc/hosts"
	rm -f "$stage/etc/shadow.new"
	sed 's/^root:[^:]*:/root::/' "$stage/etc/shadow" >"$stage/etc/shadow.new"
	chmod 600 "$stage/etc/shadow.new"
	mv "$stage/etc/shadow.new" "$stage/etc/shadow"
	touch "$stage/etc/.updated" "$stage/var/.updated"
	mkdir -p "$stage/var/lib/kho-lab"
}
