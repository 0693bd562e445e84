#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: the demo: a cache, a counter and a blob go through a kexec into another kernel
# guest: systemd
# files: demo
# timeout: 600
. "$LAB"

KEYS=120000
NOTES=/var/lib/demo
PATH=$PWD/demo:$PATH

# In a scope, as a shell is that somebody has logged in to: what is put by hand then belongs to root, and not to
# the lab's own service.
if [ -z "${DEMO_SHELL:-}" ]; then
	DEMO_SHELL=1 exec systemd-run --quiet --scope "$0"
fi
cd demo || exit
set -o pipefail
EMULATED=$(grep -m 1 'QEMU TCG' /proc/cpuinfo)
mkdir -p $NOTES

tell() {
	printf '\n'
	printf '%s\n' "$@"
}

# type_in COMMAND: as a person at a shell would; what it prints is in OUTPUT afterwards, too.
type_in() {
	local status

	printf '# %s\n' "$1"
	eval "$1" 2>&1 | tee /run/demo-output
	status=${PIPESTATUS[0]}
	OUTPUT=$(</run/demo-output)
	return "$status"
}

type_well() {
	type_in "$1" || fail "$1: exit $?"
}

count_now() {
	type_well 'systemctl show --value --property=StatusText counter.service'
	COUNT=${OUTPUT//[!0-9]/}
	[ -n "$COUNT" ] || fail "the counter does not tell where it is"
}

set_up_counter() {
	tell "A service that uses libkho: it counts, ten times a second, in memory that khod keeps."
	type_well "cp /usr/local/libexec/kho/examples/counter.service /etc/systemd/system/"
	type_well "systemctl enable --quiet --now counter.service"
}

set_up_cache() {
	tell "A service that knows nothing of all this: Debian's memcached, as it comes. kho run gives it its memory," \
		"tells it to stop (SIGUSR1) when the update comes, and takes the file along that it then writes." \
		"(%% is systemd's spelling of %.)"
	type_well "cat cache.service"
	type_well "cp cache.service /etc/systemd/system/"
	type_well "systemctl enable --quiet --now cache.service"
	type_well "fill-cache $KEYS"
	type_well "verify-cache $KEYS"
}

set_up_blob() {
	tell "And a blob, put there by hand."
	type_well "head -c 1M /dev/urandom > /root/blob"
	type_well "sha256sum < /root/blob"
	echo "$OUTPUT" >$NOTES/blob
	type_well "kho put blob < /root/blob"
}

update() {
	tell "This is what khod keeps now."
	type_well "kho list"
	tell "The next kernel is staged: from here on all of it is preserved, or the update does not happen."
	type_well "kexec --kho -l $NEXT --reuse-cmdline"
	type_well "kho status"

	tell "The services run on all the while. Now into the other kernel, whose boot takes a moment."
	count_now
	echo "$COUNT" >$NOTES/count
	uname -r >$NOTES/release
	echo "# kexec --kho -e"
	kexec --kho -e
	fail "kexec --kho -e came back: exit $?"
}

before() {
	tell "A machine, and the kernel that it runs. It will be another one soon, and services will still have" \
		"their memory."
	type_well "uname -r"
	tell "khod is the daemon that keeps it for them."
	type_well "systemctl enable --quiet --now khod.socket khod-manager.socket khod.service"
	set_up_counter
	set_up_cache
	set_up_blob
	update
}

# compare WHAT BEFORE AFTER COMMAND...: a line of the verdict.
compare() {
	local what=$1 before=$2 after=$3 word=ok

	shift 3
	"$@" || word=WRONG
	[ $word = ok ] || WRONG=$((WRONG + 1))
	printf '  %-10s %-22s %-22s %s\n' "$what" "$before" "$after" "$word"
}

verdict() {
	local release count blob

	release=$(<$NOTES/release) count=$(<$NOTES/count) blob=$(<$NOTES/blob)
	WRONG=0
	tell "The verdict:"
	printf '  %-10s %-22s %s\n' "" before after
	compare kernel "$release" "$(uname -r)" [ "$release" != "$(uname -r)" ]
	compare cache "$KEYS keys" "$GOOD keys" [ "$KEYS" = "$GOOD" ]
	compare counter "at $count" "from $CLAIMED to $COUNT" [ "$count" -le "$CLAIMED" -a "$CLAIMED" -lt "$COUNT" ]
	compare blob "${blob:0:16}..." "${BLOB:0:16}..." [ "$blob" = "$BLOB" ]
	compare report "" "$RESULT" [ "$RESULT" = "all restored" ]
	if [ $WRONG != 0 ]; then
		show_state
		tell "FAILED: $WRONG of these are not as they should be."
		exit 1
	fi
	tell "It worked: the kernel is another one, and nothing was lost."
}

after() {
	tell "This is the other kernel. The services have started in it, and claimed what is theirs."
	type_well "uname -r"
	type_well "kho list"
	tell "The blob is claimed by hand, as it was put; then everything is back with its owner."
	type_well "kho get blob | sha256sum"
	BLOB=$OUTPUT
	type_well "kho wait --timeout=60 && echo all claimed"
	tell "Is the cache's content what it was?"
	type_in "verify-cache $KEYS"
	GOOD=${OUTPUT%% *}
	tell "Where did the counter go on?"
	type_well "journalctl --boot --identifier=counter --output=cat"
	CLAIMED=${OUTPUT##*going on from }
	CLAIMED=${CLAIMED%%[!0-9]*}
	count_now
	tell "What khod has to say about it.${EMULATED:+ (This machine is emulated: most of the downtime is its slow boot.)}"
	RESULT="something is lost"
	! type_in "kho report" || RESULT="all restored"
	verdict
}

case $BOOT in
0) before ;;
*) after ;;
esac
