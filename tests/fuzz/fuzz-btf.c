/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/abi-layouts.h"
#include "kho/kernel/image-btf.h"

#define LAYOUTS_MAX 100 /* each may take a while */

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-btf: %s\n", what);
	abort();
}

/* Alike what is alike, and not what is not, whichever comes first. */
static void compare(const struct layout *one, const struct layout *other)
{
	_cleanup_free_ char *forth = NULL, *back = NULL, *itself = NULL;

	require(layout_difference(one, one, &itself) == 0 && !itself, "it differs from itself");
	require(layout_difference(one, other, &forth) == 0 &&
			layout_difference(other, one, &back) == 0 && !forth == !back,
		"it depends on the side");
	require(!forth || (strlen(forth) < 700 && strstr(forth, "there")) ||
			strstr(forth, "on one side"),
		"a line that does not say what differs");
}

static void read_layouts(const uint8_t *data, size_t size)
{
	_cleanup_(layout_done) struct layout before = {};
	_cleanup_(btf_done) struct btf btf = {};
	int n = 0;

	if (btf_open(data, size, &btf) < 0)
		return;
	require(btf.n_types > 0 && btf_type(&btf, btf.n_types).kind == BTF_VOID, "a type too many");
	for (uint32_t id = 0; id < btf.n_types && n < LAYOUTS_MAX; id++) {
		struct layout layout = {};

		require(strlen(btf_type(&btf, id).name) < size, "a name is not within");
		if (layout_read(&btf, id, &layout) < 0)
			continue;
		compare(&before, &layout);
		layout_done(&before);
		before = layout;
		n++;
	}
}

/* Whatever the pieces, the same comes out. */
static void take(const uint8_t *data, size_t size, size_t piece, struct image_btf *ret)
{
	size_t end = size < BTF_HEADER_MIN ? 0 : size - BTF_HEADER_MIN;

	for (size_t at = 0; at < end; at += piece)
		require(image_btf_add(ret, data + at,
				      data + (piece < end - at ? at + piece : end)) == 0,
			"no memory");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(image_btf_done) struct image_btf whole = {}, pieces = {};

	read_layouts(data, size);
	take(data, size, size + 1, &whole);
	take(data, size, 13, &pieces);
	for (size_t i = 0; i < ABI_STRUCTURES; i++) {
		_cleanup_free_ char *difference = NULL;

		require(layout_difference(&whole.layouts.of[i], &pieces.layouts.of[i],
					  &difference) == 0 &&
				!difference,
			"the pieces matter");
	}
	return 0;
}
