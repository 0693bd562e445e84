/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "tests/unit/tree-sample.h"

/* Leaves a mark in each node, and in a node of its own in each. */
static void add_unknown(void *fdt)
{
	for (size_t i = 0; i < N_SAMPLE_NODES; i++) {
		int node;

		set(fdt, sample_nodes[i], "later", sample_nodes[i], (int)strlen(sample_nodes[i]));
		set(fdt, sample_nodes[i], "later-flag", NULL, 0);
		node = fdt_add_subnode(fdt, node_at(fdt, sample_nodes[i]), "addition@5");
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
	for (size_t i = 0; i < N_SAMPLE_NODES; i++) {
		int node = node_at(fdt, sample_nodes[i]), size;
		const void *value = fdt_getprop(fdt, node, "later", &size);

		if (!value || size != (int)strlen(sample_nodes[i]))
			fail_msg("%s has lost a property", sample_nodes[i]);
		assert_memory_equal(value, sample_nodes[i], (size_t)size);
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
		node = node_at(blob, sample_nodes[3 + i]);
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

static void test_unknown_of_the_last_owner_alone(void **state)
{
	_cleanup_handover_ struct handover *handover = NULL;
	_cleanup_free_ void *fdt = editable(), *blob = NULL;
	size_t size = 0;

	set(fdt, "/regions/owner@1", "later", "x", 2);
	handover = parse(fdt, fdt_totalsize(fdt));
	blob = build(handover, &size);
	assert_non_null(fdt_getprop(blob, node_at(blob, "/regions/owner@1"), "later", NULL));
	assert_null(fdt_getprop(blob, node_at(blob, "/regions/owner@0"), "later", NULL));
	node_at(blob, "/regions/owner@1/region@3");
}

static void test_owner_goes_with_its_last_region(void **state)
{
	_cleanup_handover_ struct handover *handover = NULL;
	_cleanup_free_ void *fdt = editable(), *blob = NULL;
	size_t size = 0;

	handover = parse(fdt, fdt_totalsize(fdt));
	region_free(handover_remove(handover, handover_find(handover, "uid:0", "blob")));
	blob = build(handover, &size);
	node_at(blob, "/regions/owner@0/region@1");
	assert_true(fdt_path_offset(blob, "/regions/owner@1") < 0);
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
		cmocka_unit_test(test_unknown_survives),
		cmocka_unit_test(test_unknown_of_an_owner_without_regions),
		cmocka_unit_test(test_unknown_of_the_last_owner_alone),
		cmocka_unit_test(test_owner_goes_with_its_last_region),
		cmocka_unit_test(test_unknown_takes_all_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
