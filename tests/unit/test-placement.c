/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/placement.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define PAGE (4 * KIB)

/* A machine of 2 GiB, as its kernel laid it out: one area is empty. */
static const struct placement_area areas[] = {
	{.start = 0x73000000, .size = 104 * MIB},
	{.start = 0, .size = 0},
	{.start = 0x6d000000, .size = 96 * MIB},
};

static struct placement measured(void)
{
	return (struct placement){.areas = areas, .n_areas = ARRAY_SIZE(areas), .page_size = PAGE};
}

static struct placement_load with_initrd(uint64_t initrd_size)
{
	return (struct placement_load){
		.cmdline_size = 80,
		.init_size = 30 * MIB,
		.kernel_alignment = 2 * MIB,
		.pref_address = 16 * MIB,
		.initrd_size = initrd_size,
	};
}

static const struct placement_segment *find(const struct placement *p, const char *name)
{
	for (size_t i = 0; i < p->n_segments; i++)
		if (strcmp(p->segments[i].name, name) == 0)
			return &p->segments[i];
	fail_msg("no segment %s", name);
	return NULL;
}

static void test_largest_initrd(void **state)
{
	struct placement p = measured(), q = measured();
	struct placement_load fits = with_initrd(96 * MIB), too_big = with_initrd(96 * MIB + 1);
	struct placement_segment failed = {};

	assert_int_equal(placement_load_x86(&p, &fits, &failed), 0);
	assert_int_equal(find(&p, "the initrd")->address, areas[2].start);
	assert_int_equal(placement_load_x86(&q, &too_big, &failed), -EADDRNOTAVAIL);
	assert_string_equal(failed.name, "the initrd");
	assert_int_equal(failed.size, 96 * MIB + 1);
	assert_int_equal(placement_largest(&q, 0, 16 * MIB), 96 * MIB);
}

/* One that is small enough goes where the kernel is, below it. */
static void test_order(void **state)
{
	struct placement p = measured();
	struct placement_load load = with_initrd(40 * MIB);
	struct placement_segment failed;
	const struct placement_segment *kernel, *initrd;

	assert_int_equal(placement_load_x86(&p, &load, &failed), 0);
	kernel = find(&p, "the kernel");
	initrd = find(&p, "the initrd");
	assert_int_equal(kernel->address % (2 * MIB), 0);
	assert_true(kernel->address > areas[0].start);
	assert_true(kernel->address + kernel->size <= areas[0].start + areas[0].size);
	assert_int_equal(initrd->address + initrd->size, kernel->address);
	assert_int_equal(find(&p, "the list of scratch areas")->address,
			 areas[0].start + areas[0].size - 64 * KIB);
	for (size_t i = 0; i < p.n_segments; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(p.segments[i].address >=
					    p.segments[j].address + p.segments[j].size ||
				    p.segments[j].address >=
					    p.segments[i].address + p.segments[i].size);
}

static void test_kernel_does_not_fit(void **state)
{
	struct placement p = measured();
	struct placement_load load = with_initrd(0);
	struct placement_segment failed;

	load.init_size = 105 * MIB;
	assert_int_equal(placement_load_x86(&p, &load, &failed), -EADDRNOTAVAIL);
	assert_string_equal(failed.name, "the kernel");
}

/* What is as large as the first area does not go there: the small parts are in it already. */
static void test_kernel_in_second_area(void **state)
{
	static const struct placement_area two[] = {{.start = 0x73000000, .size = 104 * MIB},
						    {.start = 0x60000000, .size = 128 * MIB}};
	struct placement p = {.areas = two, .n_areas = 2, .page_size = PAGE};
	struct placement_load load = with_initrd(0);
	struct placement_segment failed;

	load.init_size = 104 * MIB;
	assert_int_equal(placement_load_x86(&p, &load, &failed), 0);
	assert_int_equal(find(&p, "the kernel")->address, two[1].start + 24 * MIB);
}

static void test_lowest_address(void **state)
{
	static const struct placement_area low[] = {{.start = 0x100000, .size = 64 * MIB}};
	struct placement p = {.areas = low, .n_areas = 1, .page_size = PAGE};
	struct placement_load load = with_initrd(0);
	struct placement_segment failed;

	load.pref_address = 60 * MIB;
	assert_int_equal(placement_load_x86(&p, &load, &failed), -EADDRNOTAVAIL);
	load.pref_address = 0;
	p.n_segments = 0;
	assert_int_equal(placement_load_x86(&p, &load, &failed), 0);
}

static void test_rest(void **state)
{
	struct placement p = measured();

	assert_int_equal(placement_free(&p), 200 * MIB);
	assert_int_equal(placement_largest(&p, 0, 0), 104 * MIB);
	assert_int_equal(placement_add(&p, (struct placement_segment){.size = 100 * MIB + 1}), 0);
	assert_int_equal(placement_free(&p), 100 * MIB - PAGE);
	assert_int_equal(placement_largest(&p, 0, 0), 96 * MIB);
	assert_int_equal(placement_largest(&p, 0, UINT64_C(1) << 40), 0);
}

static void test_no_areas(void **state)
{
	struct placement p = {.page_size = PAGE};
	struct placement_load load = with_initrd(0);
	struct placement_segment failed;

	assert_int_equal(placement_load_x86(&p, &load, &failed), -EADDRNOTAVAIL);
	assert_int_equal(placement_largest(&p, 0, 0), 0);
}

/* Areas and sizes that no kernel shows must not make it run for ever or wrap around. */
static void test_absurd(void **state)
{
	static const struct placement_area absurd[] = {
		{.start = UINT64_MAX - 5, .size = 64 * MIB},
		{.start = 0, .size = UINT64_MAX},
	};
	struct placement p = {.areas = absurd, .n_areas = 2, .page_size = PAGE};

	assert_int_equal(placement_add(&p, (struct placement_segment){.size = UINT64_MAX}), 0);
	assert_int_equal(placement_add(&p, (struct placement_segment){.size = UINT64_MAX}),
			 -EADDRNOTAVAIL);
	p.n_segments = 0;
	assert_int_equal(
		placement_add(&p, (struct placement_segment){.size = PAGE, .align = UINT64_MAX}),
		0);
	for (int i = 0; i < PLACEMENT_SEGMENTS_MAX - 1; i++)
		assert_int_equal(placement_add(&p, (struct placement_segment){.size = PAGE}), 0);
	assert_int_equal(placement_add(&p, (struct placement_segment){.size = PAGE}), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_largest_initrd),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_kernel_does_not_fit),
		cmocka_unit_test(test_kernel_in_second_area),
		cmocka_unit_test(test_lowest_address),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_no_areas),
		cmocka_unit_test(test_absurd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
