# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the host itself needs, and what its apt knows about the archive.

# command:package, for what is not part of every Debian installation
HOST_TOOLS="mmdebstrap:mmdebstrap qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils
mke2fs:e2fsprogs unshare:util-linux mount:mount flock:util-linux xz:xz-utils"

host_ready() {
	local pair missing=()

	for pair in $HOST_TOOLS; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	mkdir -p "$KHO_LAB_DIR"
	[ ${#missing[@]} = 0 ] && return
	command -v apt-get >/dev/null || die "needs ${missing[*]}, and there is no apt-get here to install them"
	logged "installing ${missing[*]}" "$KHO_LAB_DIR/logs/host.log" locked host host_install "${missing[@]}"
}

host_install() {
	export DEBIAN_FRONTEND=noninteractive

	# Lists that are old name packages that are gone, so they are brought up to date first.
	apt-get -o Acquire::Check-Valid-Until=false update
	apt-get install -y --no-install-recommends "$@"
}

# The archive that this host's Debian release comes from.
archive_uri() {
	local codename uri

	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v r="$codename" '$3 == "main" { if (!any) any = $1; if ($2 == r) { print $1; found = 1; exit } }
			END { if (!found && any) print any }')
	[ -n "$uri" ] || die "apt names no Debian archive: check /etc/apt/sources.list.d"
	printf '%s\n' "${uri%/}"
}

# How the host's apt reaches the archive, one "option value;" a line.
archive_options() {
	printf 'Acquire::Check-Valid-Until "false";\n'
	apt-config dump | grep -E '^Acquire::(https?|ftp|socks)?(::[^ ]*)?(Proxy|Verify|CaInfo|Retries|Timeout)[^ ]* "' || true
}
