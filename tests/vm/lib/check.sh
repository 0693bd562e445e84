# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# check: every test there is, one line each, and what the failed ones had to say.

SANITIZED=(--disable-werror
	CFLAGS="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer")

verb_check() {
	options "$@"
	PATTERNS=("${ARGS[@]}")
	PASSED=0 FAILED=0 SKIPPED=0
	trap stop_children EXIT
	host_ready
	root_ready
	! wanted style || check_style
	check_build
	if [ $BUILT = 1 ]; then
		! wanted unit || check_unit unit build
		! wanted unit-sanitized || check_unit unit-sanitized sanitized "${SANITIZED[@]}"
		! wanted fuzz || check_fuzz
		image_ready
		check_guests
	fi
	[ $((PASSED + FAILED + SKIPPED)) -gt 0 ] || die "no test is called that; see tests/lab list"
	printf '%d passed, %d failed, %d skipped\n' $PASSED $FAILED $SKIPPED
	[ $FAILED = 0 ]
}

wanted() {
	local pattern

	[ ${#PATTERNS[@]} -gt 0 ] || return 0
	for pattern in "${PATTERNS[@]}"; do
		# shellcheck disable=SC2053
		[[ $1 != *$pattern* ]] || return 0
	done
	return 1
}

# tell VERDICT NAME SECONDS [WHY]
tell() {
	printf '%-4s  %-32s %5s s%s\n' "$1" "$2" "$3" "${4:+  $4}"
}

# apart COMMAND...: in a subshell that stops at its first error; leaves how it ended in STATUS. Never call it,
# or what calls it, as a condition: bash then goes on after errors all the way down.
apart() {
	set +e
	(
		set -e
		trap - EXIT
		"$@"
	)
	STATUS=$?
	set -e
}

check_style() {
	local log start=$SECONDS

	log=$(work_dir)/logs/style.log
	mkdir -p "${log%/*}"
	apart style_run --dry-run -Werror >"$log" 2>&1
	if [ $STATUS = 0 ]; then
		PASSED=$((PASSED + 1))
		tell ok style $((SECONDS - start))
	else
		FAILED=$((FAILED + 1))
		tell FAIL style $((SECONDS - start)) "not as .clang-format has it: tests/lab format puts it right"
		grep -a 'error:' "$log" | sed 's,^/mnt/checkout/,,' | cut -d: -f1 | sort | uniq -c || true
	fi
}

# clang-format over every C file of the checkout.
style_run() {
	# shellcheck disable=SC2016
	in_root "$CHECKOUT:checkout" -- sh -euc '
		cd /mnt/checkout
		find . -name "*.[ch]" -not -path "./.git/*" -not -name config.h -print0 | sort -z |
			xargs -0 -r clang-format "$@"
	' sh "$@"
}

check_build() {
	local start=$SECONDS

	BUILT=1
	apart product_ready
	[ $STATUS != 0 ] || return 0
	BUILT=0
	FAILED=$((FAILED + 1))
	tell FAIL build $((SECONDS - start)) "nothing else can be tried"
}

# check_unit NAME BUILD FLAGS...: counts what automake counted.
check_unit() {
	local name=$1 build=$2 log start=$SECONDS passed failed skipped why

	shift 2
	[ -e "$CHECKOUT/configure.ac" ] || return 0
	log=$(work_dir)/logs/$name.log
	apart locked "work-$(basename "$(work_dir)")" product_check "$build" "$@" >"$log" 2>&1
	passed=$(unit_count "$log" PASS)
	failed=$(($(unit_count "$log" FAIL) + $(unit_count "$log" ERROR) + $(unit_count "$log" XPASS)))
	skipped=$(unit_count "$log" SKIP)
	# A make check that broke, or that had nothing to run, is no success.
	why="$failed failed"
	if [ $failed = 0 ] && [ $STATUS != 0 ]; then
		failed=1 why="make check broke"
	elif [ $((passed + failed + skipped)) = 0 ]; then
		failed=1 why="make check ran nothing"
	fi
	PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
	if [ $failed = 0 ]; then
		tell ok "$name" $((SECONDS - start)) "$passed programs"
	else
		tell FAIL "$name" $((SECONDS - start)) "$why; all of it is in $log"
		grep -aE '^(not ok|FAIL|ERROR|\[  FAILED)|: error:|ERROR: AddressSanitizer|runtime error' "$log" |
			sort -u | head -n 40 || true
		tail -n 30 "$log"
	fi
}

# The last summary counts: a log that make shows before it has one of its own.
unit_count() {
	sed -n "s/^# $2: *//p" "$1" | awk '{ n = $1 } END { print n + 0 }'
}

# Each fuzz target, all at once, for a minute on inputs that no run before has seen.
check_fuzz() {
	local log start=$SECONDS target

	log=$(work_dir)/logs
	apart locked "work-$(basename "$(work_dir)")" product_fuzz 60 >"$log/fuzz.log" 2>&1
	if [ ! -s "$(work_dir)/fuzz/status" ]; then
		FAILED=$((FAILED + 1))
		tell FAIL fuzz $((SECONDS - start)) "no target could be run"
		tail -n 30 "$log/fuzz.log"
	fi
	while read -r target STATUS; do
		if [ "$STATUS" = 0 ]; then
			PASSED=$((PASSED + 1))
			tell ok "$target" $((SECONDS - start))
		else
			FAILED=$((FAILED + 1))
			tell FAIL "$target" $((SECONDS - start)) "FUZZ_SEED and input are the last that it names"
			tail -n 40 "$(work_dir)/fuzz/$target.log"
		fi
	done <"$(work_dir)/fuzz/status"
}

# The longest first, by what they say themselves, so that none is left running alone at the end.
check_tests() {
	local test

	for test in "$CHECKOUT"/tests/vm/*.sh; do
		[ -e "$test" ] && wanted "$(basename "$test" .sh)" || continue
		printf '%s %s\n' "$(job_header "$test" timeout 300)" "$test"
	done | sort -k1,1nr -k2 | cut -d' ' -f2-
}

# A guest keeps little more than one core busy, and waits now and then.
guests_default() {
	local cores

	cores=$(nproc)
	echo $((cores > 2 ? cores - 1 : cores))
}

check_guests() {
	local test tests free limit
	local -A RUNNING=() MEMORY=() UNAVAILABLE=()

	mapfile -t tests < <(check_tests)
	[ ${#tests[@]} -gt 0 ] || return 0
	check_kernels "${tests[@]}"
	RESULTS=$(run_dir check)
	limit=${KHO_LAB_GUESTS:-$(guests_default)}
	free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) - 1024 }' /proc/meminfo)
	for test in "${tests[@]}"; do
		job_load "$test"
		if [ -n "${UNAVAILABLE[$JOB_KERNEL]:-}${UNAVAILABLE[$JOB_NEXT]:-}" ]; then
			SKIPPED=$((SKIPPED + 1))
			tell skip "$(basename "$test" .sh)" 0 "kernel $JOB_KERNEL or $JOB_NEXT cannot be had"
			continue
		fi
		while [ ${#RUNNING[@]} -ge "$limit" ] || ! check_fits "$free"; do
			check_collect
		done
		apart_guest "$test" "$RESULTS/$(basename "$test" .sh)" &
		RUNNING[$!]=$(basename "$test" .sh)
		MEMORY[$!]=$(guest_mebibytes)
	done
	while [ ${#RUNNING[@]} -gt 0 ]; do
		check_collect
	done
	rm -rf "$RESULTS"
}

# Makes every kernel that a test asks for; one that cannot be had is named, and so are the tests without it.
check_kernels() {
	local test kernel

	for kernel in $(for test in "$@"; do
		job_load "$test"
		printf '%s\n' "$JOB_KERNEL" "$JOB_NEXT"
	done | sort -u); do
		apart kernel_ready "$kernel"
		[ $STATUS = 0 ] || UNAVAILABLE[$kernel]=1
	done
	locked accel guest_accel_ready
}

# What QEMU takes for the loaded job, its own share included.
guest_mebibytes() {
	case $JOB_MEMORY in
	*G) echo $((${JOB_MEMORY%G} * 1024 + 400)) ;;
	*M) echo $((${JOB_MEMORY%M} + 400)) ;;
	esac
}

check_fits() {
	local free=$1 pid

	[ ${#RUNNING[@]} -gt 0 ] || return 0
	for pid in "${!RUNNING[@]}"; do
		free=$((free - MEMORY[$pid]))
	done
	[ $free -ge "$(guest_mebibytes)" ]
}

# One guest in the background; DIR/status and DIR/seconds are its result.
apart_guest() {
	local test=$1 dir=$2 start=$SECONDS

	set +e
	trap stop_children EXIT
	trap 'exit 143' TERM
	mkdir "$dir"
	job_load "$test"
	guest_disks "$dir" && guest_run "$dir" &
	wait $!
	echo $? >"$dir/exit"
	echo $((SECONDS - start)) >"$dir/seconds"
	rm -f "$dir/disk.qcow2" "$dir"/*.tar
}

check_collect() {
	local pid name dir status seconds

	wait -n -p pid || true
	name=${RUNNING[$pid]}
	unset "RUNNING[$pid]" "MEMORY[$pid]"
	dir=$RESULTS/$name
	status=$(cat "$dir/exit" 2>/dev/null || echo 125)
	seconds=$(cat "$dir/seconds" 2>/dev/null || echo 0)
	case $status in
	0)
		PASSED=$((PASSED + 1))
		tell ok "$name" "$seconds"
		;;
	77)
		SKIPPED=$((SKIPPED + 1))
		tell skip "$name" "$seconds" "$(tail -n 1 "$dir/output")"
		;;
	*)
		FAILED=$((FAILED + 1))
		tell FAIL "$name" "$seconds" "$(check_why "$dir" "$status")"
		check_show "$name" "$dir"
		;;
	esac
}

check_why() {
	if [ -s "$1/verdict" ]; then
		cat "$1/verdict"
	else
		echo "exit status $2"
	fi
}

# All of it stays where it can be read; its ends are shown here.
check_show() {
	local name=$1 dir=$2 kept

	kept=$(work_dir)/failed/$name
	rm -rf "$kept"
	mkdir -p "${kept%/*}"
	mv "$dir" "$kept"
	printf -- '--- output ---\n'
	tail -n 60 "$kept/output"
	if [ -s "$kept/verdict" ]; then
		printf -- '--- console ---\n'
		tail -n 40 "$kept/console" | tr -d '\r'
	fi
	printf -- '--- all of it: %s ---\n' "$kept"
}
