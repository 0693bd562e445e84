# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Words to the user, locks, and where this checkout keeps its things.

note() {
	printf 'lab: %s\n' "$*" >&2
}

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 2
}

hash_of() {
	sha256sum | cut -c1-12
}

# Everything below it belongs to this checkout alone; what is beside it is shared by all.
work_dir() {
	printf '%s/work/%s\n' "$KHO_LAB_DIR" "$(printf '%s' "$CHECKOUT" | hash_of)"
}

# locked NAME COMMAND...: one at a time over all labs that share the directory.
locked() {
	local lock=$KHO_LAB_DIR/locks/$1

	shift
	mkdir -p "${lock%/*}"
	(
		flock -n 9 || {
			note "waiting for another lab (${lock##*/})"
			flock 9
		}
		# What it leaves running does not hold the lock.
		"$@" 9>&-
	) 9>"$lock"
}

# logged WHAT LOG COMMAND...: quiet while it works, the log's tail when it does not.
logged() {
	local what=$1 log=$2 start=$SECONDS status

	shift 2
	note "$what ..."
	mkdir -p "${log%/*}"
	# As a condition, the command would not stop at its first error.
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1
	status=$?
	set -e
	if [ $status != 0 ]; then
		tail -n 40 "$log" >&2
		die "$what: failed; all of it is in $log"
	fi
	note "$what: $((SECONDS - start)) s"
}
