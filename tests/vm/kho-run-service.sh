#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: Debian's memcached.service under kho run, by the drop-in that kho-services(7) shows
# guest: systemd
# files: kho-memcached.py
# timeout: 600
. "$LAB"

KEYS=20000
DIR=$(dirname "$0")

memcached() {
	python3 "$DIR/kho-memcached.py" "$@"
}

case $BOOT in
0)
	start_khod
	# The lab has masked it for a faster boot.
	systemctl unmask memcached.service 2>&1
	mkdir -p /etc/systemd/system/memcached.service.d
	cp /usr/local/libexec/kho/examples/memcached.service.d/kho.conf /etc/systemd/system/memcached.service.d/
	systemctl daemon-reload
	systemctl restart memcached.service
	wait_for 30 memcached ping
	memcached fill $KEYS || fail "can't fill memcached"
	assert_match "$(kho list)" 'cache +memcached.service +64 MiB'
	assert_match "$(kho status)" 'memcached.service +[0-9]+ +yes +watching'

	# A service that is stopped has not failed, and what it had is still kept.
	systemctl stop memcached.service
	assert_eq "$(systemctl is-failed memcached.service)" inactive
	assert_match "$(kho list)" 'cache +memcached.service +64 MiB'
	systemctl start memcached.service
	wait_for 30 memcached ping
	memcached fill $KEYS || fail "can't fill memcached again"
	next_boot
	;;
1)
	assert_match "$(uname -r)" '-next$'
	systemctl start memcached.service
	wait_for 60 memcached ping
	memcached check $KEYS || fail "memcached has not kept its keys"
	assert_ok kho wait --timeout=30
	kho list
	kho report || fail "kho report: exit $?"
	assert_match "$(journalctl -b -u memcached.service -o cat)" 'region cache is here again, 64 MiB'
	[ -z "$(ls /run/memcached/*/*.meta 2>/dev/null)" ] || fail "the metadata is still there"
	;;
esac
