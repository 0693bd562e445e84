# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Not a test: initrds from what is in the guest.

# put_programs TREE PROGRAM...: with the libraries that they need.
put_programs() {
	local tree=$1 file

	shift
	for file in "$@"; do
		realpath -e "$file"
		ldd "$file" 2>/dev/null | grep -o '/[^ ]*'
	done | sort -u | while read -r file; do
		install -D "$file" "$tree$file"
	done
}

# new_tree: with the links that every usr-merged root has.
new_tree() {
	local tree

	tree=$(mktemp -d)
	mkdir -p "$tree"/{dev,etc,proc,root,run,sys,sysroot,tmp,usr/{bin,sbin,lib,lib64},var}
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$tree/$dir"
	done
	ln -s ../run "$tree/var/run"
	printf '%s\n' "$tree"
}

# pack_tree TREE IMAGE
pack_tree() {
	(cd "$1" && find . -print0 | cpio -0 -o -H newc --quiet) | gzip -1 >"$2"
	rm -rf "$1"
}

make_systemd_initrd() {
	local tree name

	tree=$(new_tree)
	put_programs "$tree" /usr/lib/systemd/systemd{,-executor,-udevd} /usr/bin/{systemctl,mount,umount,udevadm} \
		/usr/lib/systemd/system-generators/systemd-fstab-generator
	mkdir -p "$tree/usr/lib/systemd/system" "$tree/usr/lib/udev/rules.d"
	cp -a /usr/lib/systemd/system/. "$tree/usr/lib/systemd/system/"
	cp /usr/lib/udev/rules.d/{50-udev-default,99-systemd}.rules "$tree/usr/lib/udev/rules.d/"
	ln -sf /usr/bin/udevadm "$tree/usr/lib/systemd/systemd-udevd"
	ln -s system-generators/systemd-fstab-generator "$tree/usr/lib/systemd/systemd-sysroot-fstab-check"
	ln -s usr/lib/systemd/systemd "$tree/init"
	cp /etc/os-release "$tree/etc/os-release"
	cp /etc/os-release "$tree/etc/initrd-release"
	cp /etc/passwd /etc/group "$tree/etc/"
	ln -s initrd.target "$tree/usr/lib/systemd/system/default.target.new"
	mv "$tree/usr/lib/systemd/system/default.target.new" "$tree/usr/lib/systemd/system/default.target"
	mkdir -p "$tree/etc/systemd/system"
	for name in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket \
		systemd-tmpfiles-setup-dev.service systemd-tmpfiles-setup-dev-early.service \
		systemd-tmpfiles-setup.service systemd-modules-load.service systemd-sysctl.service \
		systemd-vconsole-setup.service systemd-battery-check.service systemd-hibernate-resume.service; do
		ln -s /dev/null "$tree/etc/systemd/system/$name"
	done
	pack_tree "$tree" "$1"
}

# As /init of initramfs-tools ends: scripts of init-bottom, /run moved to the root, everything else deleted.
make_script_initrd() {
	local tree

	tree=$(new_tree)
	put_programs "$tree" /usr/bin/{dash,mount,umount,rm} /usr/sbin/chroot
	ln -s dash "$tree/usr/bin/sh"
	install -D -t "$tree/scripts/init-bottom" /etc/initramfs-tools/scripts/init-bottom/kho
	cat >"$tree/init" <<-'INIT'
		#!/bin/sh
		mount -t proc proc /proc
		mount -t sysfs sysfs /sys
		mount -t devtmpfs devtmpfs /dev
		mount -t tmpfs -o noexec,nosuid,size=10%,mode=0755 tmpfs /run
		mount -o rw /dev/vda /root
		echo "script-initrd: init-bottom" >/dev/kmsg
		[ -z "$(/scripts/init-bottom/kho prereqs)" ] || echo "script-initrd: prereqs" >/dev/kmsg
		/scripts/init-bottom/kho
		mount -n -o move /run /root/run
		umount /proc /sys
		mount -n -o move /dev /root/dev
		cd /root
		rm -rf /kho /scripts /etc /init
		mount --move . /
		exec chroot . /sbin/init
	INIT
	chmod +x "$tree/init"
	pack_tree "$tree" "$1"
}
