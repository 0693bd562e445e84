#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: systemctl start live-update.target: refused, and then twice in a row, with four kinds of services
# guest: systemd
# files: live-update-store.py kho-memcached.py kexec-participant.py
# timeout: 600
. "$LAB"

KEYS=2000
DIR=/root/live-update

install_services() {
	mkdir -p $DIR
	install -m 0755 -t $DIR live-update-store.py kho-memcached.py kexec-participant.py
	cp /usr/local/libexec/kho/examples/counter.service /etc/systemd/system/
	cat >/etc/systemd/system/cache.service <<-'EOF'
		[Unit]
		After=khod.service

		[Service]
		User=memcache
		RuntimeDirectory=cache
		KillMode=mixed
		ExecStart=/usr/local/bin/kho run --region=cache:64M --file=meta:%%{cache}.meta --freeze-signal=USR1 \
		    -- /usr/bin/memcached -m 64 -e %%{cache} -l 127.0.0.1

		[Install]
		WantedBy=multi-user.target
	EOF
	cat >/etc/systemd/system/store.service <<-EOF
		[Service]
		Type=notify
		ExecStart=$DIR/live-update-store.py
		FileDescriptorStoreMax=4
		FileDescriptorStorePreserve=yes

		[Install]
		WantedBy=multi-user.target
	EOF
	# One that nobody stops: it is frozen at the very end.
	cat >/etc/systemd/system/last.service <<-EOF
		[Unit]
		DefaultDependencies=no
		SurviveFinalKillSignal=yes
		After=khod.service

		[Service]
		ExecStart=/usr/local/libexec/kho/examples/counter --name=last

		[Install]
		WantedBy=multi-user.target
	EOF
	# A file system of its own: it is unmounted before the last step, and khod stays.
	# It runs when the journal is gone.
	mkdir -p /etc/systemd/system/khod-shutdown@.service.d
	printf '[Service]\nStandardError=append:%s\n' $DIR/last-step >/etc/systemd/system/khod-shutdown@.service.d/log.conf
	mkdir -p /etc/kho /srv/kho /var/lib/kho
	echo '/srv/kho /var/lib/kho none bind 0 0' >>/etc/fstab
	printf '[LiveUpdate]\nKernel=%s\nReuseCommandLine=yes\n' "$NEXT" >/etc/kho/live-update.conf
	systemctl daemon-reload
	systemctl start var-lib-kho.mount
	systemctl enable --quiet khod.socket khod-manager.socket khod.service
	systemctl enable --quiet --now khod.service counter.service cache.service store.service last.service
	wait_for 60 $DIR/kho-memcached.py ping
	$DIR/kho-memcached.py fill $KEYS || fail "can't fill memcached"
}

# said UNIT PATTERN: in this boot.
said() {
	journalctl -b -u "$1" -o cat --no-pager | grep -q -- "$2"
}

# A number that a counter said in the boot before.
said_before() {
	journalctl -b -1 -u "$1" -o cat --no-pager | sed -n "s/^$2 \([0-9]*\)\$/\1/p" | tail -n 1
}

refused() {
	systemd-run --quiet --unit=stubborn $DIR/kexec-participant.py yes prepare
	wait_for 30 eval 'kho status | grep -q stubborn'
	assert_fails systemctl start live-update.target
	say "$OUTPUT"
	# Who and why, where an operator looks.
	assert_match "$(systemctl status live-update.service)" 'stubborn.service refuses the update: the disk is being repaired'
	assert_match "$(journalctl -b -u khod.service -o cat --no-pager)" 'stubborn.service refuses the update'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0
	assert_match "$(kho status)" 'khod +idle'
	assert_eq "$(systemctl is-active live-update.target)" inactive
	for unit in counter cache store last; do
		assert_eq "$(systemctl is-active $unit)" active "$unit"
	done
	systemctl stop stubborn.service

	# Whoever holds the shutdown up does so after everything is staged, and committed.
	systemd-run --quiet --unit=busy systemd-inhibit --what=shutdown --mode=block --why="a backup" sleep 600
	wait_for 30 eval 'systemd-inhibit --list --no-pager | grep -q "a backup"'
	assert_fails systemctl start live-update.target
	assert_match "$(journalctl -b -u live-update.service -o cat --no-pager)" \
		'systemctl kexec does not shut the machine down; the update is undone'
	assert_eq "$(cat /sys/kernel/kexec_loaded)" 0
	assert_match "$(kho status)" 'khod +idle'
	wait_for 30 said counter.service "no update .*systemctl kexec does not"
	systemctl stop busy.service
}

update() {
	assert_ok systemctl start live-update.target
}

# found N: everything that was there in the boot before is here.
found() {
	local stopped claimed

	assert_match "$(uname -r)" '-next$'
	assert_eq "$COLD" 0
	assert_eq "$(systemctl is-failed live-update.service khod.service | sort -u | grep -c failed)" 0
	wait_for 60 $DIR/kho-memcached.py ping
	$DIR/kho-memcached.py check $KEYS || fail "memcached has not kept its keys"
	wait_for 30 said store.service "found: kept by process 1 alone"
	wait_for 30 said counter.service "claimed, going on from"
	wait_for 30 said last.service "claimed, going on from"
	assert_ok kho wait --timeout=60
	stopped=$(said_before counter.service "stopped at")
	claimed=$(journalctl -b -u counter.service -o cat --no-pager | sed -n 's/^claimed, going on from //p')
	assert_eq "$claimed" "$stopped" "the counter"
	cat $DIR/last-step
	kho report
	kho report >/dev/null || fail "kho report: exit $?"
	# One was frozen, the other stopped: nobody writes any more, and so both have a digest.
	assert_match "$(kho report)" 'last +last.service +16 B +restored, digest verified'
	assert_match "$(kho report)" 'counter +counter.service +16 B +restored, digest verified'
	# It counted on while the others were being stopped.
	assert_match "$(kho report)" 'kexec, or shutdown begins.*freeze: services stop.*kernel starts'
}

say "=== boot $BOOT, $COLD"
case $BOOT in
0)
	install_services
	refused
	update
	;;
1)
	found
	journalctl -b -1 -u khod.service -u live-update.service -u "khod-shutdown@*" -u last.service -u cache.service -o short-monotonic --no-pager
	update
	;;
2)
	found
	assert_match "$(kho report)" 'kexec 2 since the cold boot'
	;;
esac
