# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# One guest: starts QEMU as often as the job may boot cold, and says how it ended.

GUEST_CMDLINE="console=ttyS0 printk.time=1 kho=on liveupdate=on panic=-1 root=/dev/vda rw"
GUEST_CMDLINE_SYSTEMD="systemd.show_status=no systemd.getty_auto=no systemd.minimum_uptime_sec=0"

# KVM if it works: where machines are nested it may be there and not boot anything. An emulated CPU loses a
# tenth of its time to five-level page tables.
guest_accel() {
	local accel=${KHO_LAB_ACCEL:-$(cat "$KHO_LAB_DIR/accel")}

	case $accel in
	kvm) echo "-accel kvm -cpu host" ;;
	tcg) echo "-accel tcg,thread=multi,tb-size=256 -cpu max,la57=off" ;;
	*) die "KHO_LAB_ACCEL is kvm or tcg, not '$accel'" ;;
	esac
}

# A kernel without a root panics, reboots, and so ends QEMU: that is a machine that works.
guest_probe_kvm() {
	timeout 20 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -M q35 \
		-accel kvm -cpu host -m 512M -kernel "$1" -append "console=ttyS0 panic=-1" \
		-chardev stdio,id=console -serial chardev:console 2>&1 </dev/null | grep -aq 'Kernel panic'
}

guest_accel_ready() {
	local boot accel=tcg

	boot=$(cat /proc/sys/kernel/random/boot_id)
	[ "$(cat "$KHO_LAB_DIR/accel.boot" 2>/dev/null)" != "$boot" ] || return 0
	[ ! -e /dev/kvm ] || ! guest_probe_kvm "$(kernel_image "$JOB_KERNEL" lab)" || accel=kvm
	[ $accel = kvm ] || note "no KVM that works here: QEMU emulates, which is some ten times slower"
	echo $accel >"$KHO_LAB_DIR/accel"
	echo "$boot" >"$KHO_LAB_DIR/accel.boot"
}

# guest_qemu DIR START: one power-on; DIR holds the guest's disks and files.
guest_qemu() {
	local dir=$1 append="$GUEST_CMDLINE kholab.start=$2 $JOB_APPEND" out="file,id=out,path=$1/output,append=on"
	local disk="if=none,format=raw,readonly=on"

	[ "$JOB_GUEST" != systemd ] || append="$append $GUEST_CMDLINE_SYSTEMD"
	[ "${JOB_INTERACTIVE:-0}" = 0 ] || out="stdio,id=out,signal=off,mux=on"
	# shellcheck disable=SC2046
	# Nothing of it is left behind when the lab is interrupted.
	exec setpriv --pdeathsig KILL qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-M q35 $(guest_accel) \
		-m "$JOB_MEMORY" -smp "$JOB_CPUS" \
		-kernel "$(kernel_image "$JOB_KERNEL" lab)" -append "$append" \
		-drive "if=none,id=root,format=qcow2,file=$dir/disk.qcow2,cache=unsafe" \
		-drive "$disk,id=product,file=$dir/product.tar" -drive "$disk,id=job,file=$dir/job.tar" \
		-device virtio-blk-pci,drive=root -device virtio-blk-pci,drive=product \
		-device virtio-blk-pci,drive=job \
		-chardev "file,id=console,path=$dir/console,append=on" -serial chardev:console \
		-chardev "$out" -chardev "file,id=status,path=$dir/status,append=on" \
		-device virtio-serial-pci -device virtconsole,chardev=out -device virtconsole,chardev=status \
		2>>"$dir/qemu.log"
}

guest_disks() {
	local dir=$1

	job_disk "$dir"
	# A link, so that a build that goes on meanwhile does not change it under the guest.
	ln "$(product_tar)" "$dir/product.tar"
	qemu-img create -q -f qcow2 -F raw -b "$(image_path)" "$dir/disk.qcow2"
	: >"$dir/output"
	: >"$dir/status"
	: >"$dir/console"
}

# guest_run DIR: leaves DIR/verdict (empty, or what went wrong around the script) and returns the script's
# exit status, or 124 after a timeout and 125 for all else.
guest_run() {
	local dir=$1 start=0 deadline=$((SECONDS + JOB_TIMEOUT)) left status

	: >"$dir/verdict"
	while :; do
		left=$((deadline - SECONDS))
		status=0
		if [ "${JOB_INTERACTIVE:-0}" = 1 ]; then
			(guest_qemu "$dir" $start) || status=$?
		elif [ $left -gt 0 ]; then
			guest_limited $left guest_qemu "$dir" $start || status=$?
		else
			status=124
		fi
		if grep -q '^exit ' "$dir/status"; then
			status=$(sed -n 's/^exit //p' "$dir/status" | tail -n 1)
			[ $start = "$JOB_COLD_BOOTS" ] ||
				echo "booted cold $start times, $JOB_COLD_BOOTS expected" >"$dir/verdict"
			[ ! -s "$dir/verdict" ] || status=125
			return "$status"
		fi
		guest_stopped "$dir" "$status" "$start" || return
		start=$((start + 1))
	done
}

# guest_limited SECONDS COMMAND...: timeout(1) for a function that ends in an exec.
guest_limited() {
	local seconds=$1 pid watch status=0

	shift
	"$@" &
	pid=$!
	(
		sleep "$seconds" &
		trap 'kill $!; exit 1' TERM
		wait $!
		kill -KILL "$pid"
	) 2>/dev/null &
	watch=$!
	# bash would tell of the kill.
	{ wait "$pid" || status=$?; } 2>/dev/null
	kill -TERM $watch 2>/dev/null || true
	! wait $watch 2>/dev/null || status=124
	return $status
}

# guest_stopped DIR STATUS START: the machine went off and the script never ended. 0 if it may be started
# again.
guest_stopped() {
	local dir=$1 status=$2 start=$3 how

	if [ "$status" = 124 ]; then
		echo "no end after $JOB_TIMEOUT s" >"$dir/verdict"
		return 124
	elif [ "$status" != 0 ]; then
		echo "QEMU failed with $status: $(tail -n 1 "$dir/qemu.log")" >"$dir/verdict"
		return 125
	fi
	if tail -n 60 "$dir/console" | grep -aq 'Kernel panic'; then
		how="the guest's kernel panicked"
	elif [ "$start" -ge "$JOB_COLD_BOOTS" ] &&
		tail -n 5 "$dir/console" | grep -aq 'reboot: Power down'; then
		echo "the guest was powered off before the script ended" >"$dir/verdict"
		return 125
	else
		how="the guest rebooted cold"
	fi
	[ "$start" -ge "$JOB_COLD_BOOTS" ] || return 0
	echo "$how" >"$dir/verdict"
	return 125
}

# guest_ready: everything that the loaded job needs, made if it is not there.
guest_ready() {
	kernel_ready "$JOB_KERNEL"
	kernel_ready "$JOB_NEXT"
	locked accel guest_accel_ready
}

# lab_ready: everything that every guest needs.
lab_ready() {
	host_ready
	root_ready
	image_ready
	product_ready
}
