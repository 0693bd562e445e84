/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "tests/unit/tree-sample.h"

static void test_truncated_anywhere(void **state)
{
	_cleanup_free_ void *blob = NULL;
	size_t size = 0;

	blob = sample_tree(0, &size);
	for (size_t n = 0; n < size; n++) {
		/* Of exactly that size, for a sanitizer to see what is read behind it. */
		_cleanup_free_ void *cut = malloc(n ? n : 1);

		assert_non_null(cut);
		memcpy(cut, blob, n);
		assert_parse_fails(cut, n, -EBADMSG);
		/* The same with a header that agrees with the truncation. */
		if (n >= sizeof(struct fdt_header)) {
			fdt_set_totalsize(cut, (uint32_t)n);
			assert_parse_fails(cut, n, -EBADMSG);
		}
	}
	assert_int_equal(parse_error(blob, size), 0);
}

/* Either it is refused, or it is a whole tree all the same: it can be written and read again. */
static void assert_consistent(const void *blob, size_t size, size_t bit)
{
	_cleanup_handover_ struct handover *first = NULL, *second = NULL;
	_cleanup_free_ void *once = NULL, *twice = NULL;
	size_t size_once = 0, size_twice = 0;
	int r = handover_parse(blob, size, &first);

	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		return;
	if (r < 0 || handover_build(first, &once, &size_once) < 0 ||
	    handover_parse(once, size_once, &second) < 0 ||
	    handover_build(second, &twice, &size_twice) < 0)
		fail_msg("bit %zu: read with %d, but not as something to be written", bit, r);
	assert_int_equal(size_once, size_twice);
	assert_memory_equal(once, twice, size_once);
}

static void test_any_bit_flipped(void **state)
{
	_cleanup_free_ char *blob = NULL;
	_cleanup_fclose_ FILE *nowhere = fopen("/dev/null", "w");
	size_t size = 0, n_refused = 0;

	assert_non_null(nowhere);
	blob = sample_tree(0, &size);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		int r;

		blob[bit / 8] ^= (char)(1 << bit % 8);
		assert_consistent(blob, size, bit);
		n_refused += parse_error(blob, size) < 0;
		r = handover_print_dts(nowhere, blob, size);
		assert_true(r == 0 || r == -EBADMSG);
		blob[bit / 8] ^= (char)(1 << bit % 8);
	}
	/* Values have bits that nothing contradicts; the checksum of a slot is for those. */
	assert_true(n_refused > 8 * size / 4 && n_refused < 8 * size);
	assert_consistent(blob, size, 0);
}

static void test_missing_nodes(void **state)
{
	for (size_t i = 1; i < N_SAMPLE_NODES; i++) {
		_cleanup_free_ void *fdt = editable();
		int expected = strcmp(sample_nodes[i], "/regions") == 0 ? -EBADMSG : 0;
		int r;

		assert_int_equal(fdt_del_node(fdt, node_at(fdt, sample_nodes[i])), 0);
		r = parse_error(fdt, fdt_totalsize(fdt));
		if (r != expected)
			fail_msg("without %s: %d", sample_nodes[i], r);
	}
}

static void write_owner(void *fdt, const char *node, const char *owner, uint32_t first, uint32_t n)
{
	assert_int_equal(fdt_begin_node(fdt, node), 0);
	assert_int_equal(fdt_property_string(fdt, "owner", owner), 0);
	for (uint32_t id = first; id < first + n; id++) {
		char name[32];

		snprintf(name, sizeof(name), "region@%x", id);
		assert_int_equal(fdt_begin_node(fdt, name), 0);
		assert_int_equal(fdt_property_u32(fdt, "id", id), 0);
		assert_int_equal(fdt_property_string(fdt, "region-name", name), 0);
		assert_int_equal(fdt_property_u64(fdt, "size", 0), 0);
		assert_int_equal(fdt_property_u32(fdt, "memdesc", 2), 0);
		assert_int_equal(fdt_property_string(fdt, "check", "new"), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	assert_int_equal(fdt_end_node(fdt), 0);
}

static void test_too_many_regions(void **state)
{
	_cleanup_free_ void *fdt = malloc(HANDOVER_SIZE_MAX);

	for (uint32_t n = HANDOVER_REGIONS_MAX; n <= HANDOVER_REGIONS_MAX + 1; n++) {
		begin_tree(fdt, (int)HANDOVER_SIZE_MAX);
		assert_int_equal(fdt_begin_node(fdt, "regions"), 0);
		write_owner(fdt, "owner@0", "one", 1, 2000);
		write_owner(fdt, "owner@1", "two", 2001, n - 2000);
		assert_int_equal(fdt_end_node(fdt), 0);
		assert_int_equal(end_tree(fdt), n > HANDOVER_REGIONS_MAX ? -EBADMSG : 0);
	}
}

static void test_duplicate_nodes(void **state)
{
	static const char *const known[] = {"regions", "timeline", "unknown"};
	char fdt[4096];

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		for (int twice = 0; twice < 2; twice++) {
			begin_tree(fdt, sizeof(fdt));
			if (i > 0)
				empty_node(fdt, "regions");
			empty_node(fdt, known[i]);
			if (twice)
				empty_node(fdt, known[i]);
			assert_int_equal(end_tree(fdt), twice ? -EBADMSG : 0);
		}
	}
	begin_tree(fdt, sizeof(fdt));
	assert_int_equal(fdt_begin_node(fdt, "regions"), 0);
	write_owner(fdt, "owner@0", "one", 1, 1);
	write_owner(fdt, "owner@0", "two", 2, 1);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(end_tree(fdt), -EBADMSG);
}

static void test_duplicate_properties(void **state)
{
	static const char *const names[] = {"compatible", "generation", "state", "unknown"};
	char fdt[4096];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		begin_tree(fdt, sizeof(fdt));
		if (i == 0)
			assert_int_equal(fdt_property_string(fdt, names[i], HANDOVER_COMPATIBLE),
					 0);
		else if (i == 1)
			assert_int_equal(fdt_property_u64(fdt, names[i], 1), 0);
		else
			assert_int_equal(fdt_property_string(fdt, names[i], "idle"), 0);
		if (i == 3)
			assert_int_equal(fdt_property_string(fdt, names[i], "idle"), 0);
		empty_node(fdt, "regions");
		assert_int_equal(end_tree(fdt), -EBADMSG);
	}
}

static void test_property_after_a_node(void **state)
{
	char fdt[4096];

	begin_tree(fdt, sizeof(fdt));
	empty_node(fdt, "regions");
	assert_int_equal(fdt_property_string(fdt, "release", "hidden"), 0);
	assert_int_equal(end_tree(fdt), -EBADMSG);
}

static void test_property_outside_of_nodes(void **state)
{
	char fdt[4096];

	begin_tree(fdt, sizeof(fdt));
	empty_node(fdt, "regions");
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_property_u32(fdt, "outside", 1), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	assert_refused(fdt);
}

static void test_two_roots(void **state)
{
	char fdt[4096];

	begin_tree(fdt, sizeof(fdt));
	empty_node(fdt, "regions");
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(end_tree(fdt), -EBADMSG);
}

static void test_negative_size(void **state)
{
	_cleanup_free_ void *fdt = editable();
	int size, node = node_at(fdt, "/regions");
	struct fdt_property *property;

	set(fdt, "/regions", "unknown", "", 1);
	property = fdt_get_property_w(fdt, node, "unknown", &size);
	assert_non_null(property);
	fdt32_st(&property->len, UINT32_MAX);
	assert_refused(fdt);
	fdt32_st(&property->len, 0x7fffffff);
	assert_refused(fdt);
}

static void test_older_format(void **state)
{
	_cleanup_free_ void *fdt = editable();

	for (uint32_t version = 0; version < 17; version++) {
		fdt_set_version(fdt, version);
		fdt_set_last_comp_version(fdt, version < 16 ? version : 16);
		assert_refused(fdt);
	}
	fdt_set_version(fdt, 17);
	assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
}

static void test_depth(void **state)
{
	char fdt[4096];

	/* The root is the first of 16. */
	for (int depth = 15; depth <= 16; depth++) {
		begin_tree(fdt, sizeof(fdt));
		empty_node(fdt, "regions");
		for (int i = 0; i < depth; i++)
			assert_int_equal(fdt_begin_node(fdt, "deeper"), 0);
		for (int i = 0; i < depth; i++)
			assert_int_equal(fdt_end_node(fdt), 0);
		assert_int_equal(end_tree(fdt), depth > 15 ? -EBADMSG : 0);
	}
}

static void test_strange_names(void **state)
{
	static const char *const bad[] = {"", "a b", "\x1b[2J", "a\"b", "\xc3\xb6", "a/b"};
	char fdt[4096], longer[65];

	memset(longer, 'l', sizeof(longer) - 1);
	longer[64] = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
		const char *name = i < ARRAY_SIZE(bad) ? bad[i] : longer;

		begin_tree(fdt, sizeof(fdt));
		empty_node(fdt, "regions");
		empty_node(fdt, name);
		assert_int_equal(end_tree(fdt), -EBADMSG);
		begin_tree(fdt, sizeof(fdt));
		assert_int_equal(fdt_property_u32(fdt, name, 1), 0);
		empty_node(fdt, "regions");
		assert_int_equal(end_tree(fdt), -EBADMSG);
	}
}

/* Each name costs time at every write: a tree full of them must not get in. */
static void test_too_many_property_names(void **state)
{
	enum { SIZE = 256 << 10 };
	_cleanup_free_ void *fdt = malloc(SIZE);

	for (int n = 1000; n <= 2000; n += 1000) {
		begin_tree(fdt, SIZE);
		for (int i = 0; i < n; i++) {
			char name[32];

			snprintf(name, sizeof(name), "unknown-%04d", i);
			assert_int_equal(fdt_property_u32(fdt, name, 1), 0);
		}
		empty_node(fdt, "regions");
		assert_int_equal(end_tree(fdt), n > 1000 ? -EBADMSG : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_anywhere),
		cmocka_unit_test(test_any_bit_flipped),
		cmocka_unit_test(test_missing_nodes),
		cmocka_unit_test(test_too_many_regions),
		cmocka_unit_test(test_duplicate_nodes),
		cmocka_unit_test(test_duplicate_properties),
		cmocka_unit_test(test_property_after_a_node),
		cmocka_unit_test(test_property_outside_of_nodes),
		cmocka_unit_test(test_two_roots),
		cmocka_unit_test(test_negative_size),
		cmocka_unit_test(test_older_format),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_strange_names),
		cmocka_unit_test(test_too_many_property_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
