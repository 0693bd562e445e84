# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The root: a Debian newer than the host's, in which everything is built and from which guests are made.

ROOT=$KHO_LAB_DIR/root
ROOT_SUITES="forky sid trixie"
ROOT_PACKAGES="ca-certificates debian-archive-keyring
gcc libc6-dev make autoconf automake libtool pkgconf clang-format rsync
libsystemd-dev libfdt-dev libmnl-dev libarchive-dev libxxhash-dev libcmocka-dev
flex bison bc libelf-dev libssl-dev zstd cpio xz-utils kmod
systemd systemd-sysv dbus udev kexec-tools memcached procps python3 iproute2 strace gdb
device-tree-compiler man-db groff-base file less e2fsprogs netcat-openbsd"

root_recipe() {
	printf '%s\n' "$ROOT_SUITES" "$ROOT_PACKAGES" | hash_of
}

root_ready() {
	[ "$(cat "$ROOT/.complete" 2>/dev/null)" = "$(root_recipe)" ] || locked root root_make
}

root_make() {
	local suite uri new

	new=$ROOT-$(root_recipe)
	# Another lab may have made it while this one waited for the lock.
	[ "$(cat "$ROOT/.complete" 2>/dev/null)" != "$(root_recipe)" ] || return 0
	if [ "$(cat "$new/.complete" 2>/dev/null)" != "$(root_recipe)" ]; then
		rm -rf "$new" "$new.part"
		uri=$(archive_uri)
		for suite in $ROOT_SUITES; do
			note "making a Debian $suite root"
			root_bootstrap "$suite" "$uri" "$new.part" >"$KHO_LAB_DIR/logs/root.log" 2>&1 && break
			tail -n 5 "$KHO_LAB_DIR/logs/root.log" >&2
			note "$suite cannot be had; all of it is in $KHO_LAB_DIR/logs/root.log"
		done
		[ -e "$new.part/usr/bin/gcc" ] || die "no root: none of $ROOT_SUITES could be had from $uri"
		root_recipe >"$new.part/.complete"
		mv "$new.part" "$new"
	fi
	# By name, so that a lab of another recipe that still works in its own is not disturbed.
	ln -sfn "${new##*/}" "$ROOT"
}

root_bootstrap() {
	local suite=$1 uri=$2 dir=$3 option options=()

	rm -rf "$dir"
	mkdir -p "$KHO_LAB_DIR/logs"
	while read -r option; do
		options+=("--aptopt=${option%;}")
	done < <(archive_options)
	# shellcheck disable=SC2086
	mmdebstrap --variant=minbase "${options[@]}" --include="$(echo $ROOT_PACKAGES | tr ' ' ',')" \
		"$suite" "$dir" "$uri"
}

# in_root HOSTDIR:NAME[:ro]... -- COMMAND...: runs it in the root, each HOSTDIR at /mnt/NAME. The root itself
# is read-only there: several labs share it. What the command leaves running ends with it.
in_root() {
	local binds=()

	while [ "$1" != -- ]; do
		binds+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016
	unshare -m -p --fork --kill-child bash -euc '
		root=$1; n=$2; shift 2
		mount --bind "$root" "$root"
		mount -o remount,bind,ro "$root"
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --rbind /dev "$root/dev"
		for dir in tmp run mnt; do mount -t tmpfs -o mode=1777 "lab-$dir" "$root/$dir"; done
		for ((; n > 0; n--)); do
			IFS=: read -r from name mode <<<"$1"; shift
			mkdir -p "$root/mnt/$name"
			mount --bind "$from" "$root/mnt/$name"
			[ "$mode" != ro ] || mount -o remount,bind,ro "$root/mnt/$name"
		done
		exec chroot "$root" env -i HOME=/tmp TERM=dumb LC_ALL=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$@"
	' bash "$(readlink -f "$ROOT")" ${#binds[@]} "${binds[@]}" "$@"
}

# Programs compile with as many jobs as the machine has, unless the user says otherwise.
jobs_wanted() {
	printf '%s\n' "${KHO_LAB_JOBS:-$(nproc)}"
}
