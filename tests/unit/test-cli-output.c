/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/cli/json.h"
#include "kho/cli/regions.h"
#include "kho/cli/room.h"
#include "kho/cli/table.h"
#include "kho/cli/tree-json.h"

static char *print_to_string(const struct table *table)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(table_print(table, "  ", out), 0);
	fclose(out);
	return text;
}

static void columns_are_aligned(void **state)
{
	_cleanup_table_ struct table *table = table_new("NAME|>SIZE|CONTENT");
	_cleanup_free_ char *text = NULL;

	table_cell(table, "a");
	table_cell(table, "64 MiB");
	table_cell(table, "new");
	table_cell(table, "longer");
	table_cellf(table, "%d B", 5);
	table_cell(table, NULL);
	text = print_to_string(table);
	assert_string_equal(text, "  NAME      SIZE  CONTENT\n"
				  "  a       64 MiB  new\n"
				  "  longer     5 B  \n");
}

static void a_name_can_not_steer_the_terminal(void **state)
{
	_cleanup_table_ struct table *table = table_new("NAME");
	_cleanup_free_ char *text = NULL;

	table_cell(table, "\033[2Jx\x7f\n");
	text = print_to_string(table);
	assert_string_equal(text, "  NAME\n  ?[2Jx??\n");
}

static sd_json_variant *parse(const char *text)
{
	sd_json_variant *v = NULL;

	assert_true(sd_json_parse(text, 0, &v, NULL, NULL) >= 0);
	return v;
}

static void fields_of_any_type_are_survived(void **state)
{
	_cleanup_json_ sd_json_variant *v =
		parse("{\"s\":1,\"u\":-1,\"b\":\"yes\",\"a\":{},\"n\":null,\"ok\":7}");
	_cleanup_json_ sd_json_variant *no_object = parse("[]");

	assert_string_equal(json_string(v, "s"), "");
	assert_int_equal(json_unsigned(v, "u"), 0);
	assert_false(json_boolean(v, "b"));
	assert_null(json_array(v, "a"));
	assert_int_equal(json_length(json_array(v, "a")), 0);
	assert_false(json_has(v, "n"));
	assert_false(json_has(v, "missing"));
	assert_int_equal(json_unsigned(v, "ok"), 7);
	assert_string_equal(json_string(no_object, "s"), "");
	assert_string_equal(json_string(NULL, "s"), "");
}

#define REGIONS                                                                                    \
	"[{\"name\":\"a\",\"owner\":\"x.service\",\"check\":\"verified\"},"                        \
	"{\"name\":\"a\",\"owner\":\"y.service\",\"check\":\"lost\",\"reason\":\"why\"},"          \
	"{\"name\":\"b/c\",\"owner\":\"uid:0/u.service\",\"check\":\"damaged\"}]"

static void regions_are_found_by_name_and_owner(void **state)
{
	_cleanup_json_ sd_json_variant *regions = parse(REGIONS);
	char *both[] = {(char *)"a", NULL}, *one[] = {(char *)"y.service/a", NULL};
	char *slashes[] = {(char *)"uid:0/u.service/b/c", NULL};
	char *some[] = {(char *)"a", (char *)"z", NULL}, *none[] = {NULL};
	char **const filters[] = {both, one, slashes, some, none};
	const size_t expected[] = {2, 1, 1, 2, 3};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_json_ sd_json_variant *kept = NULL;

		assert_int_equal(regions_filter(regions, filters[i], &kept), 0);
		assert_int_equal(json_length(kept), expected[i]);
	}
	assert_null(regions_missing(regions, both));
	assert_null(regions_missing(regions, slashes));
	assert_string_equal(regions_missing(regions, some), "z");
}

static void fates_are_told_with_their_reason(void **state)
{
	_cleanup_json_ sd_json_variant *regions = parse(REGIONS);
	_cleanup_json_ sd_json_variant *newer = parse("{\"check\":\"moved\"}");
	sd_json_variant *verified = sd_json_variant_by_index(regions, 0);
	sd_json_variant *lost = sd_json_variant_by_index(regions, 1);
	_cleanup_free_ char *fine = region_fate(verified), *gone = region_fate(lost);
	_cleanup_free_ char *unknown = region_fate(newer);

	assert_string_equal(fine, "restored, digest verified");
	assert_string_equal(gone, "LOST: why");
	assert_string_equal(unknown, "moved");
	assert_false(region_is_lost(verified));
	assert_true(region_is_lost(lost));
	assert_true(region_is_lost(sd_json_variant_by_index(regions, 2)));
}

static void a_tree_becomes_json(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();
	_cleanup_json_ sd_json_variant *document = NULL;
	sd_json_variant *json;
	struct region *region;

	assert_non_null(handover);
	assert_int_equal(region_new("x.service", "a", &region), 0);
	region->size = UINT64_C(1) << 39;
	region->has_digest = true;
	memset(region->digest, 0xab, sizeof(region->digest));
	assert_int_equal(handover_add_region(handover, region), 0);
	handover->moments[MOMENT_KERNEL_START] = 42;

	assert_int_equal(tree_to_json(handover, &document), 0);
	assert_string_equal(json_string(document, "state"), "idle");
	assert_false(json_has(document, "update"));
	assert_int_equal(
		json_unsigned(sd_json_variant_by_key(document, "timeline"), "kernel-start"), 42);
	json = sd_json_variant_by_index(json_array(document, "regions"), 0);
	assert_string_equal(json_string(json, "name"), "a");
	assert_string_equal(json_string(json, "digest"), "abababababababababababababababab");
	assert_int_equal(json_unsigned(json, "size"), UINT64_C(1) << 39);
	assert_false(json_has(json, "transport"));
	assert_false(json_has(json, "token"));
}

static void only_file_cache_can_be_reclaimed(void **state)
{
	assert_int_equal(room_reclaimable("anon 4096\ninactive_anon 1\nactive_file 10\n"
					  "inactive_file 200\nworkingset_activate_file 5000\n"),
			 210);
	assert_int_equal(room_reclaimable("active_file 7"), 7);
	assert_int_equal(room_reclaimable(""), 0);
	assert_int_equal(room_reclaimable("nonsense\n\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(a_name_can_not_steer_the_terminal),
		cmocka_unit_test(fields_of_any_type_are_survived),
		cmocka_unit_test(regions_are_found_by_name_and_owner),
		cmocka_unit_test(fates_are_told_with_their_reason),
		cmocka_unit_test(a_tree_becomes_json),
		cmocka_unit_test(only_file_cache_can_be_reclaimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
