# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The verbs that a user types, save check, which has a file of its own.

usage() {
	cat <<-'TEXT'
		usage: tests/lab VERB ...

		  demo                 the main job on a real kernel, step by step
		  check [PATTERN...]   every test, or those whose name contains a PATTERN
		  list                 kernels and tests
		  run [OPTION...] SCRIPT
		                       boots a guest and runs SCRIPT in it as root at every boot, with BOOT=0,1,2...
		                       and NEXT=/boot/vmlinuz-..., until it ends without having started a kexec;
		                       prints what it prints, exits with its status
		  shell [OPTION...]    a guest with the product installed, on this terminal
		  bench [PATTERN...]   the measurements of tests/bench, with their output
		  build                everything but the running: the root, kernels, disk and product
		  format               puts every C file into the project's style
		  clean [--all]        throws away what was made for this checkout, or the whole lab

		options, each also a comment in SCRIPT's header ("# guest: systemd"):
		  --guest=bare|systemd a small init of the lab's own (default), or systemd as process 1
		  --kernel=7.3         the kernel that boots first
		  --next=7.3           the kernel that NEXT is
		  --memory=2G --cpus=2 the machine
		  --timeout=300        seconds after which a guest is hung
		  --append=WORDS       more of the kernel's command line
		  --no-product         a guest without the product, for when it does not build
		  --console            print the kernel's console at the end, whatever happened
		only in a header:
		  # files: NAME...     what stands beside SCRIPT and is to be beside it in the guest
		  # cold-boots: N      how often the machine must boot cold (or panic) on the way; BOOT goes on
		                       counting, COLD=1 says that this boot was one

		KHO_LAB_DIR (default /var/tmp/kho-lab) is where everything is kept; KHO_LAB_JOBS and KHO_LAB_GUESTS
		say how many compilers and guests run at once.
	TEXT
}

# options "$@": sets OPT_* and leaves the rest in ARGS.
options() {
	local arg

	OPT_console=0
	OPT_product=1
	ARGS=()
	while [ $# -gt 0 ]; do
		arg=$1
		shift
		case $arg in
		--console) OPT_console=1 ;;
		--no-product) OPT_product=0 ;;
		--guest=* | --kernel=* | --next=* | --memory=* | --cpus=* | --timeout=* | --append=*)
			arg=${arg#--}
			printf -v "OPT_${arg%%=*}" '%s' "${arg#*=}"
			;;
		--guest | --kernel | --next | --memory | --cpus | --timeout | --append)
			[ $# -gt 0 ] || die "$arg needs a value"
			printf -v "OPT_${arg#--}" '%s' "$1"
			shift
			;;
		--)
			ARGS+=("$@")
			break
			;;
		-*) die "unknown option '$arg'; see tests/lab help" ;;
		*) ARGS+=("$arg") ;;
		esac
	done
}

# A directory of its own for one guest.
run_dir() {
	mkdir -p "$(work_dir)/runs"
	mktemp -d "$(work_dir)/runs/$1.XXXXXX"
}

stop_children() {
	local pids

	pids=$(jobs -p)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
}

run_script() {
	local script=$1 dir pid status=0

	[ -f "$script" ] || die "no such script: $script"
	job_load "$script"
	lab_ready
	guest_ready
	dir=$(run_dir "$(basename "$script" .sh)")
	RUN_DIR=$dir
	trap 'stop_children; rm -rf "$RUN_DIR"' EXIT
	guest_disks "$dir"
	[ "$JOB_GUEST" = bare ] || note "booting a Debian guest with systemd"
	guest_run "$dir" &
	pid=$!
	tail -q -s 0.1 -c +1 -f --pid=$pid "$dir/output"
	wait $pid || status=$?
	if [ -s "$dir/verdict" ] || [ "$OPT_console" = 1 ]; then
		console_tail "$dir" "$OPT_console"
	fi
	[ ! -s "$dir/verdict" ] || note "$(cat "$dir/verdict")"
	return $status
}

console_tail() {
	local lines=40

	[ "${2:-0}" = 0 ] || lines=+1
	printf -- '--- console ---\n' >&2
	tail -n $lines "$1/console" | tr -d '\r' >&2
	printf -- '---------------\n' >&2
}

verb_run() {
	options "$@"
	[ ${#ARGS[@]} = 1 ] || die "run takes one script; see tests/lab help"
	run_script "${ARGS[0]}"
}

verb_demo() {
	options "$@"
	[ ${#ARGS[@]} = 0 ] || die "demo takes no argument; see tests/lab help"
	run_script "$CHECKOUT/tests/vm/demo.sh"
}

verb_bench() {
	local bench pattern status=0

	options "$@"
	for bench in "$CHECKOUT"/tests/bench/*.sh; do
		[ -e "$bench" ] || die "no measurements in tests/bench"
		for pattern in "${ARGS[@]:-}"; do
			[[ ${bench##*/} == *"$pattern"* ]] || continue
			printf '== %s\n' "$(basename "$bench" .sh)"
			(run_script "$bench") || status=1
		done
	done
	return $status
}

verb_shell() {
	local dir

	options "$@"
	[ ${#ARGS[@]} = 0 ] || die "shell takes no script; see tests/lab help"
	[ -t 0 ] || die "shell needs a terminal"
	lab_ready
	dir=$(run_dir shell)
	RUN_DIR=$dir
	trap 'rm -rf "$RUN_DIR"; stty sane' EXIT
	printf '#!/bin/bash\n' >"$dir/script"
	read -r ROWS COLUMNS < <(stty size)
	JOB_INTERACTIVE=1
	job_load "$dir/script"
	guest_ready
	guest_disks "$dir"
	note "kernel $JOB_KERNEL, \$NEXT is another build of $JOB_NEXT; leave with exit or ^D; ^A x ends a hung guest"
	guest_run "$dir"
}

verb_build() {
	options "$@"
	job_load /dev/null
	lab_ready
	guest_ready
}

verb_format() {
	host_ready
	root_ready
	style_run -i
}

verb_list() {
	local kernel state test

	printf 'kernels\n'
	for kernel in $KERNELS; do
		state="made when first asked for"
		[ ! -e "$(kernel_dir "$kernel")/.complete" ] || state=$(cat "$(kernel_dir "$kernel")/release-lab")
		printf '  %-28s %s\n' "$kernel" "$state"
	done
	printf 'tests\n'
	printf '  %-28s %s\n' unit "the unit tests" unit-sanitized "the same with sanitizers" \
		style "clang-format"
	for test in "$CHECKOUT"/tests/vm/*.sh; do
		[ -e "$test" ] || continue
		printf '  %-28s %s\n' "$(basename "$test" .sh)" "$(job_header "$test" about "")"
	done
}

verb_clean() {
	case ${1:-} in
	--all) rm -rf "${KHO_LAB_DIR:?}" ;;
	"") rm -rf "$(work_dir)" ;;
	*) die "clean takes nothing or --all" ;;
	esac
}
