# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The product of this checkout, built in the root and packed as the tar that a guest unpacks over its own root.

product_tar() {
	local names=(nothing product)

	printf '%s/%s.tar\n' "$(work_dir)" "${names[OPT_product]}"
}

product_ready() {
	mkdir -p "$(work_dir)"
	if [ "$OPT_product" = 0 ]; then
		tar -cf "$(product_tar)" -T /dev/null
		return
	fi
	locked "work-$(basename "$(work_dir)")" product_make
}

product_make() {
	local work changes

	work=$(work_dir)
	changes=$(product_sync "$work")
	[ -n "$changes" ] || [ ! -e "$work/product.stamp" ] || return 0
	rm -f "$work/product.stamp"
	if [ -e "$CHECKOUT/configure.ac" ]; then
		logged "building the product" "$work/logs/product.log" product_build "$work"
	else
		note "nothing to build yet: no configure.ac"
		mkdir -p "$work/dest"
	fi
	tar -cf "$work/product.tar.part" --owner=0 --group=0 -C "$work/dest" .
	mv "$work/product.tar.part" "$work/product.tar"
	touch "$work/product.stamp"
}

# The sources are built in a copy, so that the checkout stays as it is; what git ignores is neither copied nor,
# in the copy, deleted. Prints what changed, of what the product is made from.
product_sync() {
	local work=$1

	mkdir -p "$work/src"
	in_root "$CHECKOUT:checkout:ro" "$work/src:src" -- \
		rsync -a --out-format='%i %n' --delete --exclude=/.git --filter=':- .gitignore' \
		/mnt/checkout/ /mnt/src/ |
		grep -vE '^\.d| tests/(lab|README.md|vm/lib/.*|vm/[^/]*\.sh)$|\.md$' || true
}

# What the build system itself is made of: when it changes, everything is configured anew.
product_recipe() {
	(cd "$1/src" && find . \( -name '*.am' -o -name '*.pc.in' -o -name configure.ac -o -name bootstrap \) -print0 |
		sort -z | xargs -0 cat) | { cat; root_recipe; } | hash_of
}

# product_configure WORK BUILD FLAGS...
product_configure() {
	local work=$1 build=$2 recipe

	shift 2
	recipe=$(product_recipe "$work")
	if [ "$(cat "$work/bootstrapped" 2>/dev/null)" != "$recipe" ]; then
		in_root "$work/src:src" -- /mnt/src/bootstrap
		printf '%s\n' "$recipe" >"$work/bootstrapped"
	fi
	recipe="$recipe $*"
	[ "$(cat "$work/$build/.configured" 2>/dev/null)" != "$recipe" ] || return 0
	rm -rf "${work:?}/$build"
	mkdir -p "$work/$build"
	# shellcheck disable=SC2016
	in_root "$work/src:src" "$work/$build:build" -- sh -euc '
		cd /mnt/build && ../src/configure --sysconfdir=/etc --localstatedir=/var --enable-werror "$@"
	' sh "$@"
	printf '%s\n' "$recipe" >"$work/$build/.configured"
}

product_build() {
	local work=$1

	product_configure "$work" build
	rm -rf "$work/dest"
	mkdir -p "$work/dest/usr/local" "$work/dest/etc"
	# shellcheck disable=SC2016
	in_root "$work/src:src" "$work/build:build" "$work/dest:dest" -- sh -euc '
		cd /mnt/build
		make -j"$1"
		make -s install DESTDIR=/mnt/dest
		# What tests have of their own, linked to the inside of the product and so built with it.
		for program in tests/vm/*/*; do
			[ ! -f "$program" ] || [ ! -x "$program" ] ||
				install -D -t /mnt/dest/usr/lib/kho-lab/bin "$program"
		done
	' sh "$(jobs_wanted)"
	product_helpers "$work"
}

# Against what was just installed: the tests' own C programs, as any user would build them.
# The library cache is made here because a guest would need a second for it.
product_helpers() {
	local work=$1

	mkdir -p "$work/dest/usr/lib/kho-lab/bin"
	# shellcheck disable=SC2016
	in_root "$work/src:src:ro" "$work/dest:dest" -- bash -euc '
		shopt -s nullglob
		mount --bind /mnt/dest/usr/local /usr/local
		ldconfig -i -C /mnt/dest/etc/ld.so.cache
		export PKG_CONFIG_PATH=/usr/local/lib/pkgconfig:/usr/local/share/pkgconfig
		kho=$(pkg-config --cflags --libs libkho 2>/dev/null || true)
		for source in /mnt/src/tests/vm/*.c; do
			name=${source##*/}
			gcc -g -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -o "/mnt/dest/usr/lib/kho-lab/bin/${name%.c}" \
				"$source" $kho
		done
		# What tests put between a program and the kernel.
		for source in /mnt/src/tests/vm/preload/*.c; do
			name=${source##*/}
			gcc -g -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -shared -fPIC \
				-o "/mnt/dest/usr/lib/kho-lab/bin/${name%.c}.so" "$source"
		done
	'
}

# product_check BUILD FLAGS...: the unit tests; leaves automake's counts in WORK/BUILD.counts.
product_check() {
	local work build=$1

	shift
	work=$(work_dir)
	product_configure "$work" "$build" "$@"
	# shellcheck disable=SC2016
	in_root "$work/src:src" "$work/$build:build" -- sh -euc '
		cd /mnt/build
		make -j"$1"
		make -j"$1" check VERBOSE=1
	' sh "$(jobs_wanted)"
}

# product_fuzz SECONDS: runs each fuzz target of the sanitized build; WORK/fuzz/status has a line for each.
product_fuzz() {
	local work seconds=$1

	work=$(work_dir)
	rm -rf "$work/fuzz"
	mkdir -p "$work/fuzz"
	: >"$work/fuzz/status"
	product_configure "$work" sanitized "${SANITIZED[@]}"
	# shellcheck disable=SC2016
	in_root "$work/src:src" "$work/sanitized:build" "$work/fuzz:fuzz" -- bash -euc '
		cd /mnt/build
		targets=$(cd ../src/tests/fuzz && printf "%s " fuzz-*.c | sed "s/\.c//g")
		make -j"$1" $targets
		for target in $targets; do
			(
				status=0
				FUZZ_SECONDS=$2 FUZZ_SEED=$RANDOM srcdir=../src "./$target" >"/mnt/fuzz/$target.log" 2>&1 ||
					status=$?
				echo "$target $status" >>/mnt/fuzz/status
			) &
		done
		wait
	' sh "$(jobs_wanted)" "$seconds"
}
