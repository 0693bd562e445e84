# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Kernels, named by version (7.3): each is built twice, as -lab and as -next, so that a kexec shows in
# uname -r. The archive's linux-source packages come first, upstream tarballs of its source packages second.

KERNELS="7.3 7.1 6.18"
KERNEL_SUITES="forky sid trixie-backports experimental"

kernel_dir() {
	printf '%s/kernels/%s-%s\n' "$KHO_LAB_DIR" "$1" "$(hash_of <"$CHECKOUT/tests/vm/kernel.config")"
}

# Without a version in the test or on the command line.
kernel_default() {
	printf '%s\n' "${KERNELS%% *}"
}

# kernel_image VERSION lab|next
kernel_image() {
	printf '%s/vmlinuz-%s\n' "$(kernel_dir "$1")" "$2"
}

kernel_ready() {
	[ -e "$(kernel_dir "$1")/.complete" ] || locked "kernel-$1" kernel_make "$1"
}

kernel_make() {
	local version=$1 dir

	dir=$(kernel_dir "$version")
	[ ! -e "$dir/.complete" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir/src"
	locked archive kernel_archive
	kernel_fetch "$version" "$dir" || kernel_fetch_newest "$version" "$dir" || {
		rm -rf "$dir"
		die "the archive has no kernel $version: see $KHO_LAB_DIR/logs/kernel-$version.log"
	}
	logged "building kernel $version twice (minutes)" "$KHO_LAB_DIR/logs/kernel-$version.log" \
		kernel_build "$version" "$dir"
	rm -rf "$dir/src"
	touch "$dir/.complete"
}

# apt with the lists of every suite that may have a kernel, apart from the host's own lists.
kernel_apt() {
	local apt=$KHO_LAB_DIR/apt tool=$1

	shift
	"$tool" -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none "$@"
}

kernel_archive() {
	local apt=$KHO_LAB_DIR/apt suite uri keyring

	[ -z "$(find "$apt/updated" -mtime -1 2>/dev/null)" ] || return 0
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	uri=$(archive_uri)
	keyring=$(find "$(readlink -f "$ROOT")/usr/share/keyrings" -name 'debian-archive-keyring.*' | sort | head -n 1)
	for suite in $KERNEL_SUITES; do
		printf '%s [signed-by=%s] %s %s main\n' deb "$keyring" "$uri" "$suite" \
			deb-src "$keyring" "$uri" "$suite"
	done >"$apt/sources.list"
	mkdir -p "$KHO_LAB_DIR/logs"
	# A suite that is not there makes it fail, and the others are good all the same.
	kernel_apt apt-get update >"$KHO_LAB_DIR/logs/archive.log" 2>&1 ||
		note "not every suite of $KERNEL_SUITES could be had: $KHO_LAB_DIR/logs/archive.log"
	touch "$apt/updated"
}

# kernel_fetch VERSION DIR: unpacks the newest source of that version into DIR/src.
kernel_fetch() {
	local version=$1 dir=$2 log=$KHO_LAB_DIR/logs/kernel-$1.log full

	: >"$log"
	if kernel_fetch_package "$version" "$dir" >>"$log" 2>&1; then
		note "kernel $version is from linux-source-$version"
		return 0
	fi
	for full in $(kernel_apt apt-cache showsrc linux 2>>"$log" | awk '$1 == "Version:" { print $2 }' |
		grep -E "^${version//./\\.}[.-]" | sort -rVu); do
		kernel_fetch_tarball "$full" "$dir" >>"$log" 2>&1 || continue
		note "kernel $version is from the upstream tarball of linux=$full"
		return 0
	done
	return 1
}

# Without the default kernel there is no lab: the newest that there is stands in for it, and is named.
kernel_fetch_newest() {
	local newest

	[ "$1" = "$(kernel_default)" ] || return 1
	newest=$(kernel_apt apt-cache pkgnames linux-source- | sed -n 's/^linux-source-\([0-9.]*\)$/\1/p' |
		sort -V | tail -n 1)
	[ -n "$newest" ] || return 1
	note "the archive has no kernel $1: $newest stands in for it"
	kernel_fetch "$newest" "$2"
}

kernel_fetch_package() {
	local version=$1 dir=$2

	(cd "$dir" && kernel_apt apt-get download "linux-source-$version") &&
		dpkg-deb --fsys-tarfile "$dir/linux-source-$version"_*.deb |
		tar -xO "./usr/src/linux-source-$version.tar.xz" | kernel_unpack "$dir"
}

# Debian's patches are left out: they are for Debian's own configuration.
kernel_fetch_tarball() {
	local full=$1 dir=$2 uri sum

	read -r uri sum < <(kernel_apt apt-get source --print-uris --only-source "linux=$full" |
		sed -n "s/^'\([^']*\.orig\.tar\.xz\)' .* SHA256:\([0-9a-f]*\)$/\1 \2/p")
	[ -n "${uri:-}" ] || return 1
	/usr/lib/apt/apt-helper download-file "$uri" "$dir/linux.orig.tar.xz" "SHA256:$sum" &&
		kernel_unpack "$dir" <"$dir/linux.orig.tar.xz"
}

kernel_unpack() {
	xz -dc -T0 | tar -x -C "$1/src" --strip-components=1
	rm -f "$1"/*.deb "$1"/*.orig.tar.xz
}

kernel_build() {
	local version=$1 dir=$2 flavour

	for flavour in lab next; do
		printf 'CONFIG_LOCALVERSION="-%s"\n' "$flavour" |
			cat "$CHECKOUT/tests/vm/kernel.config" - >"$dir/$flavour.config"
	done
	# shellcheck disable=SC2016
	in_root "$dir:kernel" -- bash -euc '
		cd /mnt/kernel/src
		for flavour in lab next; do
			make -s KCONFIG_ALLCONFIG=../$flavour.config allnoconfig
			make -s -j"$1" bzImage
			cp arch/x86/boot/bzImage ../vmlinuz-$flavour
			cp .config ../config-$flavour
			make -s kernelrelease >../release-$flavour
		done
	' bash "$(jobs_wanted)"
}
