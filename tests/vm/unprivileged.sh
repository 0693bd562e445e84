#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: an unprivileged user tries each method of both sockets, on what is not its own
# files: region.py participant.py ../../examples/counter.py
. "$LAB"

SERVICES=/run/kho/io.kho.Handover
OPERATORS=/run/kho/io.kho.Manager

as_user() {
	setpriv --reuid=1009 --regid=1009 --clear-groups "$@"
}

# What is root's: its region, its participant, which has been asked; and each method that there is.
start_khod
assert_ok ./region.py make kept 300000
./participant.py root --prepare=later >/tmp/root &
wait_for 30 grep -q watching /tmp/root
kexec --kho -l "$NEXT" --reuse-cmdline >/tmp/kexec 2>&1 &
wait_for 60 grep -q prepare /tmp/root
read -r participant update <<<"$(kho status --json | python3 -c '
import json, sys
status = json.load(sys.stdin)
print(status["participants"][0]["participant"], status["update"])')"
about="\"participant\":$participant,\"update\":\"$update\",\"phase\":\"prepare\""

# The method's parameters, and what is the matter; "reply" if there is an answer.
declare -A services=(
	[Register]='{"name":"kept","memoryFileDescriptor":0} Invalid argument'
	[Unregister]='{"name":"kept"} NoSuchRegion'
	[Claim]='{"name":"kept"} NoSuchRegion'
	[Release]='{"name":"kept"} NoSuchRegion'
	[List]='{} reply'
	[Watch]='{"required":false} reply'
	[Acknowledge]="{$about,\"accept\":true} NoSuchParticipant"
	[ExtendTimeout]="{$about,\"timeoutUSec\":1000000} NoSuchParticipant"
)
declare -A operators=(
	[Status]='{}' [List]='{}' [Prepare]="{\"image\":\"$NEXT\"}" [Staged]="{\"update\":\"$update\"}"
	[Freeze]="{\"update\":\"$update\"}" [Commit]="{\"update\":\"$update\"}" [Abort]='{}' [Report]='{}'
	[ShutDown]='{"kind":"kexec"}' [Give]='{"owner":"uid:0","name":"kept","newOwner":"uid:1009"}'
	[Tree]='{}' [Wait]='{"timeoutUSec":0}' [Drop]='{"owner":"uid:0","name":"kept"}'
	[Take]='{"owner":"uid:0","name":"kept"}' [Monitor]='{}'
	[Plan]='{}' [Leftovers]='{}' [DropLeftover]="{\"update\":\"$update\"}"
)

methods() {
	varlinkctl introspect "$1" "${1##*/}" | sed -n 's/^method \([A-Za-z]*\).*/\1/p'
}

# The connection that Watch keeps open is broken after its first answer.
call() {
	as_user timeout 2 varlinkctl call ${3:+--more} "$1" "${1##*/}.$2" "$4" 2>&1
}

for method in $(methods $SERVICES); do
	[ -n "${services[$method]:-}" ] || fail "$SERVICES has a method $method that this test does not know"
	read -r parameters expected <<<"${services[$method]}"
	more=$([ "$method" != Watch ] || echo yes)
	output=$(call $SERVICES "$method" "$more" "$parameters")
	say "$method: $output"
	if [ "$expected" = reply ]; then
		[[ $output != *error* && $output != *kept* ]] || fail "$method: $output"
	else
		assert_match "$output" "$expected" "$method"
	fi
done
assert_eq "$(methods $OPERATORS | wc -l)" ${#operators[@]} "methods of $OPERATORS"
# Not even if somebody opened it to everybody.
for mode in 0600 0666; do
	chmod $mode $OPERATORS
	for method in $(methods $OPERATORS); do
		[ -n "${operators[$method]:-}" ] || fail "$OPERATORS has a method $method that this test does not know"
		output=$(call $OPERATORS "$method" '' "${operators[$method]}") && fail "$method is allowed: $output"
		[ $mode = 0600 ] || say "$method: $output"
		assert_match "$output" 'Permission denied|PermissionDenied|Operation not permitted|Connection reset|Broken pipe' "$method"
	done
done
chmod 0600 $OPERATORS

# Nothing of it has had any effect.
assert_match "$(kho status)" 'khod +preparing'
touch /tmp/root.go
wait_for 60 grep -q '^staged' /tmp/kexec
assert_ok kexec --kho -u
assert_ok ./region.py check kept 300000
assert_eq "$(kho list | grep -c kept)" 1 "regions"
