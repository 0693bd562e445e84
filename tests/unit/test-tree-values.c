/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "tests/unit/tree-sample.h"

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

/* Calls FUNC for each property of the sample that has a meaning. */
static void for_each_property(void (*func)(const char *path, const char *name, const void *value,
					   int size))
{
	_cleanup_free_ void *fdt = editable();
	size_t n = 0;

	for (size_t i = 0; i < N_SAMPLE_NODES; i++) {
		int property;

		fdt_for_each_property_offset (property, fdt, node_at(fdt, sample_nodes[i])) {
			const char *name;
			int size;
			const void *value = fdt_getprop_by_offset(fdt, property, &name, &size);

			func(sample_nodes[i], name, value, size);
			n++;
		}
	}
	/* compatible and 19 of the root, 10 moments, 2 owners, 14 + 6 + 7 of the regions. */
	assert_int_equal(n, 59);
}

static bool is_text(const char *name)
{
	static const char *const names[] = {
		"state",     "update-id", "boot-id",	"release",     "image", "next-release",
		"result",    "problems",  "owner",	"region-name", "check", "reason",
		"transport", "spool",	  "kept-spool", "kept-update"};

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
	assert_value_refused("/", "boot-id", "short", 6);
}

static void test_number_of_problems(void **state)
{
	char texts[2 * 1025];

	for (size_t i = 0; i < sizeof(texts); i++)
		texts[i] = i % 2 ? '\0' : 'p';
	assert_value_taken("/", "problems", texts, 2 * 1024);
	assert_value_refused("/", "problems", texts, 2 * 1025);
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

static void test_next_region_id_of_an_empty_tree(void **state)
{
	_cleanup_free_ void *fdt = editable();

	assert_int_equal(fdt_del_node(fdt, node_at(fdt, "/regions/owner@1")), 0);
	assert_int_equal(fdt_del_node(fdt, node_at(fdt, "/regions/owner@0")), 0);
	set_u32(fdt, "/", "next-region-id", 0);
	assert_refused(fdt);
	set_u32(fdt, "/", "next-region-id", 1);
	assert_int_equal(parse_error(fdt, fdt_totalsize(fdt)), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_sizes),
		cmocka_unit_test(test_spoilt_text),
		cmocka_unit_test(test_text_too_long),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_number_of_problems),
		cmocka_unit_test(test_missing_properties),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_next_region_id),
		cmocka_unit_test(test_next_region_id_of_an_empty_tree),
		cmocka_unit_test(test_sizes_of_regions),
		cmocka_unit_test(test_one_owner_twice),
		cmocka_unit_test(test_one_region_name_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
