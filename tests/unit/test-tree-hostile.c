/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "tests/unit/tree-sample.h"

#define SPARE 8192

static const char *const all_nodes[] = {"/",
					"/timeline",
					"/regions",
					"/regions/owner@0",
					"/regions/owner@1",
					"/regions/owner@0/region@1",
					"/regions/owner@0/region@2",
					"/regions/owner@1/region@3"};

/* A sample tree to be spoilt; freed by the caller. */
static void *editable(void)
{
	size_t size;

	return sample_tree(SPARE, &size);
}

static int node_at(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	if (node < 0)
		fail_msg("no node %s", path);
	return node;
}

static void set(void *fdt, const char *path, const char *name, const void *value, int size)
{
	assert_int_equal(fdt_setprop(fdt, node_at(fdt, path), name, value, size), 0);
}

static int parse_error(const void *blob, size_t size)
{
	_cleanup_handover_ struct handover *handover = NULL;

	return handover_parse(blob, size, &handover);
}

static void assert_value_refused(const char *path, const char *name, const void *value, int size)
{
	_cleanup_free_ void *fdt = editable();
	int r;

	set(fdt, path, name, value, size);
	r = parse_error(fdt, fdt_totalsize(fdt));
	if (r != -EBADMSG)
		fail_msg("%s of %s with %d other bytes gives %d", name, path, size, r);
}

static void assert_value_taken(const char *path, const char *name, const void *value, int size)
{
	_cleanup_free_ void *fdt = editable();
	int r;

	set(fdt, path, name, value, size);
	r = parse_error(fdt, fdt_totalsize(fdt));
	if (r != 0)
		fail_msg("%s of %s with %d other bytes gives %d", name, path, size, r);
}

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

/* Calls FUNC for each property of the sample that has a meaning. */
static void for_each_property(void (*func)(const char *path, const char *name, const void *value,
					   int size))
{
	_cleanup_free_ void *fdt = editable();
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all_nodes); i++) {
		int property;

		fdt_for_each_property_offset (property, fdt, node_at(fdt, all_nodes[i])) {
			const char *name;
			int size;
			const void *value = fdt_getprop_by_offset(fdt, property, &name, &size);

			func(all_nodes[i], name, value, size);
			n++;
		}
	}
	/* compatible and 12 of the root, 10 moments, 2 owners, 14 + 6 + 5 of the regions. */
	assert_int_equal(n, 50);
}

static bool is_text(const char *name)
{
	static const char *const names[] = {"state",	"update-id",	"boot-id", "release",
					    "image",	"next-release", "result",  "problems",
					    "owner",	"region-name",	"check",   "reason",
					    "transport"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void refuse_wrong_sizes(const char *path, const char *name, const void *value, int size)
{
	char longer[512] = {0};

	assert_true(size < 500);
	memcpy(longer, value, (size_t)size);
	if (strcmp(name, "compatible") == 0)
		return;
	assert_value_refused(path, name, longer, size + 1);
	assert_value_refused(path, name, longer, size + 4);
	if (size == 0)
		return;
	assert_value_refused(path, name, longer, size - 1);
	assert_value_refused(path, name, longer, 0);
}

static void test_wrong_sizes(void **state)
{
	for_each_property(refuse_wrong_sizes);
}

static void refuse_spoilt_text(const char *path, const char *name, const void *value, int size)
{
	static const struct {
		const char *bytes;
		int size;
	} bad[] = {{"x", 1},	{"\0", 2},	{"a\0b", 4},
		   {"a\0", 3},	{"a\nb", 4},	{"\xff", 2},
		   {"\xc3", 2}, {"\x1b[2J", 5}, {"a\0unterminated", 14}};
	char spoilt[512];

	if (!is_text(name))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		/* A list of two is what problems is made for. */
		if (strcmp(name, "problems") == 0 && bad[i].size == 4 && !bad[i].bytes[1])
			continue;
		assert_value_refused(path, name, bad[i].bytes, bad[i].size);
	}
	memcpy(spoilt, value, (size_t)size);
	spoilt[size - 1] = 'x';
	assert_value_refused(path, name, spoilt, size);
}

static void test_spoilt_text(void **state)
{
	for_each_property(refuse_spoilt_text);
}

static void test_text_too_long(void **state)
{
	static const struct {
		const char *path, *name;
		int max;
	} limits[] = {
		{"/", "update-id", 63},
		{"/", "release", 255},
		{"/", "next-release", 255},
		{"/", "image", 4095},
		{"/", "result", 63},
		{"/", "problems", 511},
		{"/regions/owner@1", "owner", 270},
		{"/regions/owner@1/region@3", "region-name", 255},
		{"/regions/owner@1/region@3", "reason", 255},
		{"/regions/owner@1/region@3", "transport", 63},
	};
	char text[5000];

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		memset(text, 't', sizeof(text));
		text[limits[i].max + 1] = '\0';
		assert_value_refused(limits[i].path, limits[i].name, text, limits[i].max + 2);
		text[limits[i].max] = '\0';
		assert_value_taken(limits[i].path, limits[i].name, text, limits[i].max + 1);
	}
}

static void test_names_that_are_none(void **state)
{
	assert_value_refused("/", "state", "resting", 8);
	assert_value_refused("/", "state", "IDLE", 5);
	assert_value_refused("/regions/owner@1/region@3", "check", "fine", 5);
	assert_value_taken("/", "state", "idle", 5);
}

static bool is_mandatory(const char *name)
{
	static const char *const names[] = {
		"compatible", "generation",  "state", "next-region-id", "owner",
		"id",	      "region-name", "size",  "memdesc",	"check"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void delete_property(const char *path, const char *name, const void *value, int size)
{
	_cleanup_free_ void *fdt = editable();
	int r;

	assert_int_equal(fdt_delprop(fdt, node_at(fdt, path), name), 0);
	r = parse_error(fdt, fdt_totalsize(fdt));
	if (r != (is_mandatory(name) ? -EBADMSG : 0))
		fail_msg("without %s of %s: %d", name, path, r);
}

static void test_missing_properties(void **state)
{
	for_each_property(delete_property);
}

static void test_missing_nodes(void **state)
{
	for (size_t i = 1; i < ARRAY_SIZE(all_nodes); i++) {
		_cleanup_free_ void *fdt = editable();
		int expected = strcmp(all_nodes[i], "/regions") == 0 ? -EBADMSG : 0;
		int r;

		assert_int_equal(fdt_del_node(fdt, node_at(fdt, all_nodes[i])), 0);
		r = parse_error(fdt, fdt_totalsize(fdt));
		if (r != expected)
			fail_msg("without %s: %d", all_nodes[i], r);
	}
}

static void assert_compatible_gives(const char *value, int size, int expected)
{
	_cleanup_free_ void *fdt = editable();
	int r;

	set(fdt, "/", "compatible", value, size);
	r = parse_error(fdt, fdt_totalsize(fdt));
	if (r != expected)
		fail_msg("compatible with %s gives %d", value, r);
}

static void test_versions(void **state)
{
#define GIVES(text, expected) assert_compatible_gives(text, sizeof(text), expected)
	GIVES("kho-tools,handover-v1", 0);
	GIVES("kho-tools,handover-v2", -EPROTONOSUPPORT);
	GIVES("kho-tools,handover-v10", -EPROTONOSUPPORT);
	GIVES("kho-tools,handover-v2\0kho-tools,handover-v1", 0);
	GIVES("somebody,else\0kho-tools,handover-v3", -EPROTONOSUPPORT);
	GIVES("kho-tools,handover-v", -EBADMSG);
	GIVES("kho-tools,handover", -EBADMSG);
	GIVES("kho-v4", -EBADMSG);
	GIVES("", -EBADMSG);
#undef GIVES
	assert_compatible_gives("kho-tools,handover-v1x", 21, -EBADMSG);
	assert_compatible_gives("", 0, -EBADMSG);
}

static void set_u32(void *fdt, const char *path, const char *name, uint32_t value)
{
	assert_int_equal(fdt_setprop_u32(fdt, node_at(fdt, path), name, value), 0);
}

static void rename_node(void *fdt, const char *path, const char *name)
{
	assert_int_equal(fdt_set_name(fdt, node_at(fdt, path), name), 0);
}

static void assert_refused(const void *fdt)
{
	assert_parse_fails(fdt, fdt_totalsize(fdt), -EBADMSG);
}

static void test_ids(void **state)
{
	static const char region[] = "/regions/owner@1/region@3";
	static const uint32_t bad[] = {0, 1, 2, 18, UINT32_MAX};
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ void *fdt = editable();

		set_u32(fdt, region, "id", bad[i]);
		snprintf(name, sizeof(name), "region@%x", bad[i]);
		rename_node(fdt, region, name);
		assert_refused(fdt);
	}
	for (uint32_t id = 4; id < 18; id++) {
		_cleanup_free_ void *fdt = editable();

		set_u32(fdt, region, "id", id);
		assert_refused(fdt); /* not what the node's name says */
		snprintf(name, sizeof(name), "region@%x", id);
		rename_node(fdt, region, name);
		assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
	}
}

static void test_next_region_id(void **state)
{
	static const uint32_t bad[] = {0, 1, 3};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ void *fdt = editable();

		set_u32(fdt, "/", "next-region-id", bad[i]);
		assert_refused(fdt);
		set_u32(fdt, "/", "next-region-id", 4);
		assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
	}
}

static void test_sizes_of_regions(void **state)
{
	_cleanup_free_ void *fdt = editable();
	static const char region[] = "/regions/owner@1/region@3";

	assert_int_equal(fdt_setprop_u64(fdt, node_at(fdt, region), "size", REGION_SIZE_MAX), 0);
	assert_refused(fdt);
	assert_int_equal(fdt_setprop_u64(fdt, node_at(fdt, region), "size", UINT64_MAX), 0);
	assert_refused(fdt);
	assert_int_equal(fdt_setprop_u64(fdt, node_at(fdt, region), "size", REGION_SIZE_MAX - 1),
			 0);
	assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
}

static void test_one_owner_twice(void **state)
{
	_cleanup_free_ void *fdt = editable();

	set(fdt, "/regions/owner@1", "owner", "cache.service", sizeof("cache.service"));
	assert_refused(fdt);
	set(fdt, "/regions/owner@1", "owner", "cache.servicf", sizeof("cache.service"));
	assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
}

static void test_one_region_name_twice(void **state)
{
	_cleanup_free_ void *fdt = editable();

	set(fdt, "/regions/owner@0/region@2", "region-name", "items", sizeof("items"));
	assert_refused(fdt);
	/* Another owner may use the name. */
	set(fdt, "/regions/owner@0/region@2", "region-name", "blob", sizeof("blob"));
	assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
}

/* What libfdt's sequential writer, which checks nothing, makes of a tree. */
static void begin_tree(void *fdt, int size)
{
	assert_int_equal(fdt_create(fdt, size), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", HANDOVER_COMPATIBLE), 0);
	assert_int_equal(fdt_property_u64(fdt, "generation", 1), 0);
	assert_int_equal(fdt_property_string(fdt, "state", "idle"), 0);
	assert_int_equal(fdt_property_u32(fdt, "next-region-id", 100000), 0);
}

static int end_tree(void *fdt)
{
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	return parse_error(fdt, fdt_totalsize(fdt));
}

static void empty_node(void *fdt, const char *name)
{
	assert_int_equal(fdt_begin_node(fdt, name), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
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

/* Leaves a mark in each node, and in a node of its own in each. */
static void add_unknown(void *fdt)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_nodes); i++) {
		int node;

		set(fdt, all_nodes[i], "later", all_nodes[i], (int)strlen(all_nodes[i]));
		set(fdt, all_nodes[i], "later-flag", NULL, 0);
		node = fdt_add_subnode(fdt, node_at(fdt, all_nodes[i]), "addition@5");
		assert_true(node >= 0);
		assert_int_equal(fdt_setprop_u32(fdt, node, "id", (uint32_t)i), 0);
		node = fdt_add_subnode(fdt, node, "below");
		assert_true(node >= 0);
		assert_int_equal(fdt_setprop_u32(fdt, node, "deep", (uint32_t)i), 0);
	}
}

static void assert_cell(const void *fdt, int node, const char *name, uint32_t expected)
{
	int size;
	const fdt32_t *value = fdt_getprop(fdt, node, name, &size);

	assert_non_null(value);
	assert_int_equal(size, 4);
	assert_int_equal(fdt32_ld(value), expected);
}

static void assert_unknown(const void *fdt)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_nodes); i++) {
		int node = node_at(fdt, all_nodes[i]), size;
		const void *value = fdt_getprop(fdt, node, "later", &size);

		if (!value || size != (int)strlen(all_nodes[i]))
			fail_msg("%s has lost a property", all_nodes[i]);
		assert_memory_equal(value, all_nodes[i], (size_t)size);
		assert_non_null(fdt_getprop(fdt, node, "later-flag", &size));
		assert_int_equal(size, 0);
		node = fdt_subnode_offset(fdt, node, "addition@5");
		assert_true(node >= 0);
		assert_cell(fdt, node, "id", (uint32_t)i);
		assert_cell(fdt, fdt_subnode_offset(fdt, node, "below"), "deep", (uint32_t)i);
	}
}

static void test_unknown_survives(void **state)
{
	_cleanup_handover_ struct handover *once = NULL, *twice = NULL;
	_cleanup_free_ void *fdt = editable(), *first = NULL, *second = NULL;
	size_t first_size = 0, second_size = 0;

	add_unknown(fdt);
	once = parse(fdt, fdt_totalsize(fdt));
	assert_int_equal(once->n_regions, 3);
	first = build(once, &first_size);
	assert_unknown(first);
	twice = parse(first, first_size);
	second = build(twice, &second_size);
	assert_unknown(second);
	assert_int_equal(once->generation, twice->generation);
}

static void test_unknown_of_an_owner_without_regions(void **state)
{
	_cleanup_handover_ struct handover *handover = NULL;
	_cleanup_free_ void *fdt = editable(), *blob = NULL;
	size_t size = 0;
	int node;

	add_unknown(fdt);
	handover = parse(fdt, fdt_totalsize(fdt));
	while (handover->n_regions > 0)
		region_free(handover_remove(handover, handover->regions[0]));
	blob = build(handover, &size);
	for (unsigned int i = 0; i < 2; i++) {
		node = node_at(blob, all_nodes[3 + i]);
		assert_non_null(fdt_getprop(blob, node, "later", NULL));
		assert_string_equal(fdt_getprop(blob, node, "owner", NULL),
				    i ? "uid:0" : "cache.service");
		assert_true(fdt_subnode_offset(blob, node, "region@1") < 0);
	}
	assert_int_equal(parse_error(blob, size), 0);
	/* A new region of that owner goes into the same node. */
	add_region(handover, "uid:0", "again");
	free(blob);
	blob = build(handover, &size);
	node_at(blob, "/regions/owner@1/region@12");
	assert_int_equal(parse_error(blob, size), 0);
}

/* What is kept for others can leave too little room: said, and nothing is cut off. */
static void test_unknown_takes_all_room(void **state)
{
	_cleanup_free_ char *filling = calloc(1, HANDOVER_SIZE_MAX);
	_cleanup_free_ void *fdt = malloc(HANDOVER_SIZE_MAX);
	_cleanup_handover_ struct handover *handover = NULL;
	void *blob = NULL;
	size_t size = 0;

	begin_tree(fdt, (int)HANDOVER_SIZE_MAX);
	assert_int_equal(fdt_property(fdt, "unknown", filling, (int)HANDOVER_SIZE_MAX - 4096), 0);
	empty_node(fdt, "regions");
	assert_int_equal(end_tree(fdt), 0);
	handover = parse(fdt, fdt_totalsize(fdt));
	blob = build(handover, &size);
	assert_int_equal(parse_error(blob, size), 0);
	free(blob);
	blob = NULL;
	for (int i = 0; i < 64; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%d", i);
		add_region(handover, "owner", name);
	}
	assert_int_equal(handover_build(handover, &blob, &size), -E2BIG);
	assert_null(blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_anywhere),
		cmocka_unit_test(test_any_bit_flipped),
		cmocka_unit_test(test_wrong_sizes),
		cmocka_unit_test(test_spoilt_text),
		cmocka_unit_test(test_text_too_long),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_missing_properties),
		cmocka_unit_test(test_missing_nodes),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_next_region_id),
		cmocka_unit_test(test_sizes_of_regions),
		cmocka_unit_test(test_one_owner_twice),
		cmocka_unit_test(test_one_region_name_twice),
		cmocka_unit_test(test_too_many_regions),
		cmocka_unit_test(test_duplicate_nodes),
		cmocka_unit_test(test_duplicate_properties),
		cmocka_unit_test(test_property_after_a_node),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_strange_names),
		cmocka_unit_test(test_too_many_property_names),
		cmocka_unit_test(test_unknown_survives),
		cmocka_unit_test(test_unknown_of_an_owner_without_regions),
		cmocka_unit_test(test_unknown_takes_all_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
