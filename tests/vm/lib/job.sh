# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A job: one test script, what its header asks for, and the disk that brings it into a guest.

# job_header SCRIPT KEY DEFAULT: the value of a line "# KEY: value" among the script's first comments.
job_header() {
	local value

	value=$(sed -n "/^#/!q; s/^# $2: *//p" "$1" | head -n 1)
	printf '%s\n' "${value:-$3}"
}

# job_load SCRIPT: fills the caller's JOB_* variables; options of the command line come before the header.
job_load() {
	JOB_SCRIPT=$1
	JOB_GUEST=${OPT_guest:-$(job_header "$1" guest bare)}
	JOB_KERNEL=${OPT_kernel:-$(job_header "$1" kernel "$(kernel_default)")}
	JOB_NEXT=${OPT_next:-$(job_header "$1" next "$JOB_KERNEL")}
	JOB_MEMORY=${OPT_memory:-$(job_header "$1" memory 2G)}
	JOB_CPUS=${OPT_cpus:-$(job_header "$1" cpus 2)}
	JOB_TIMEOUT=${OPT_timeout:-$(job_header "$1" timeout 300)}
	JOB_APPEND="$(job_header "$1" append "") ${OPT_append:-}"
	JOB_COLD_BOOTS=$(job_header "$1" cold-boots 0)
	JOB_FILES=$(job_header "$1" files "")
	case $JOB_GUEST in
	bare | systemd) ;;
	*) die "$1: guest '$JOB_GUEST' is neither bare nor systemd" ;;
	esac
	[[ $JOB_TIMEOUT =~ ^[0-9]+$ ]] || die "$1: timeout '$JOB_TIMEOUT' is not a number of seconds"
	[[ $JOB_MEMORY =~ ^[0-9]+[MG]$ ]] || die "$1: memory '$JOB_MEMORY' is not like 512M or 2G"
}

# What systemd does at boot that no test looks at, and that costs seconds.
JOB_MASKED="systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket
systemd-udevd-kernel.socket systemd-udevd-varlink.socket systemd-udev-load-credentials.service
systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-update-done.service
systemd-firstboot.service systemd-machine-id-commit.service systemd-random-seed.service
systemd-timesyncd.service systemd-binfmt.service systemd-vconsole-setup.service
systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-pcrphase.service ldconfig.service
systemd-remount-fs.service kmod-static-nodes.service e2scrub_reap.service e2scrub_all.timer fstrim.timer
apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer memcached.service
getty.target remote-fs.target"

# job_disk DIR: makes DIR/job.tar of the lab's own guest programs, the kernels and the script.
job_disk() {
	local dir=$1 stage=$1/stage own=$1/stage/usr/lib/kho-lab release file

	mkdir -p "$own/test" "$stage/boot" "$stage/etc/systemd/system"
	cp "$LIB"/guest/{start,run,lib.sh} "$own/"
	cp "$LIB/guest/kho-lab.service" "$LIB/guest/kho-lab.target" "$stage/etc/systemd/system/"
	for file in $JOB_MASKED; do
		ln -s /dev/null "$stage/etc/systemd/system/$file"
	done
	ln -s kho-lab.target "$stage/etc/systemd/system/default.target"
	job_kernel "$stage/boot" "$JOB_KERNEL" lab >/dev/null
	release=$(job_kernel "$stage/boot" "$JOB_NEXT" next)
	install -m 0755 "$JOB_SCRIPT" "$own/test/script"
	for file in $JOB_FILES; do
		cp -r "$(dirname "$JOB_SCRIPT")/$file" "$own/test/" || die "$JOB_SCRIPT: its file '$file' is missing"
	done
	cat >"$own/job.conf" <<-CONF
		GUEST=$JOB_GUEST
		KERNEL=$JOB_KERNEL
		NEXT=/boot/vmlinuz-$release
		SCRIPT=script
		INTERACTIVE=${JOB_INTERACTIVE:-0}
		TERM=$(job_terminal)
		ROWS=${ROWS:-24}
		COLUMNS=${COLUMNS:-80}
	CONF
	tar -cf "$dir/job.tar" --owner=0 --group=0 -C "$stage" .
	rm -rf "$stage"
}

# What nobody watches comes without colours.
job_terminal() {
	[ "${JOB_INTERACTIVE:-0}" = 1 ] && echo "${TERM:-linux}" || echo dumb
}

# job_kernel BOOT VERSION FLAVOUR: as a distribution would install it; prints its release.
job_kernel() {
	local from release

	from=$(kernel_dir "$2")
	release=$(cat "$from/release-$3")
	cp "$from/vmlinuz-$3" "$1/vmlinuz-$release"
	cp "$from/config-$3" "$1/config-$release"
	printf '%s\n' "$release"
}
