/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/transport/luo-choose.h"

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

#define REQUIRED(bytes)                                                                            \
	{                                                                                          \
		.demand = {.holes = (bytes) * MIB }                                                \
	}
#define OPTIONAL(bytes) {.demand = {.holes = (bytes) * MIB}, .optional = true}

/* Into so many MiB, beside the reserve. expected: '-' is left out, '+' is not; NULL: nothing helps.
 */
static void assert_leaves_out(struct luo_choice *choices, size_t n, uint64_t available,
			      uint64_t headroom, const char *expected)
{
	const struct memory_room room = {.available = available * MIB + LUO_RESERVE};
	bool fits = luo_leave_out(choices, n, &room,
				  headroom == UINT64_MAX ? UINT64_MAX : headroom * MIB);
	char text[16] = "";

	assert_int_equal(fits, !!expected);
	for (size_t i = 0; i < n; i++)
		strcat(text, choices[i].left_out ? "-" : "+");
	assert_string_equal(text, expected ?: "++++++++" + 8 - n);
}

#define ASSERT_LEAVES_OUT(available, expected, ...)                                                \
	do {                                                                                       \
		struct luo_choice _choices[] = {__VA_ARGS__};                                      \
		assert_leaves_out(_choices, ARRAY_SIZE(_choices), available, UINT64_MAX,           \
				  expected);                                                       \
	} while (0)

static void test_fewest(void **state)
{
	ASSERT_LEAVES_OUT(100, "+++", REQUIRED(50), OPTIONAL(20), OPTIONAL(30));
	/* One is enough. */
	ASSERT_LEAVES_OUT(70, "++-", REQUIRED(50), OPTIONAL(20), OPTIONAL(30));
	ASSERT_LEAVES_OUT(60, "++-", REQUIRED(50), OPTIONAL(10), OPTIONAL(40));
	/* Of those that are, the smallest. */
	ASSERT_LEAVES_OUT(95, "+-++", REQUIRED(40), OPTIONAL(10), OPTIONAL(20), OPTIONAL(30));
	ASSERT_LEAVES_OUT(85, "++-+", REQUIRED(40), OPTIONAL(10), OPTIONAL(20), OPTIONAL(30));
	/* Two are needed: not three small ones. */
	ASSERT_LEAVES_OUT(45, "+-++-", REQUIRED(20), OPTIONAL(20), OPTIONAL(10), OPTIONAL(10),
			  OPTIONAL(30));
	ASSERT_LEAVES_OUT(0, "--", OPTIONAL(1), OPTIONAL(1));
}

static void test_required_ones_stay(void **state)
{
	ASSERT_LEAVES_OUT(49, NULL, REQUIRED(50), OPTIONAL(20));
	ASSERT_LEAVES_OUT(50, "+-", REQUIRED(50), OPTIONAL(20));
	ASSERT_LEAVES_OUT(10, NULL, REQUIRED(50));
}

/* The kernel's lists are charged to nobody. */
static void test_cgroup_limit(void **state)
{
	struct luo_choice choices[] = {
		{.demand = {.holes = 10 * MIB}, .optional = true},
		{.demand = {.lists = 90 * MIB}, .optional = true},
		{.demand = {.swapped = 20 * MIB}},
	};

	assert_leaves_out(choices, 3, 1000, 30, "+++");
	assert_leaves_out(choices, 3, 1000, 20, "-++");
}

/* Swapped and moved memory count as well. */
static void test_moved(void **state)
{
	struct luo_choice choices[] = {
		{.demand = {.present = 100 * MIB}},
		{.demand = {.swapped = 50 * MIB}, .optional = true},
	};
	const struct memory_room room = {.available = 120 * MIB + LUO_RESERVE,
					 .cma_used = 80 * MIB};

	assert_true(luo_leave_out(choices, 2, &room, UINT64_MAX));
	assert_true(choices[1].left_out);
}

/* Real memory: one that can't cross at all is left out, and says why. */
static void test_choose(void **state)
{
	_cleanup_close_ int small = memfd_create("small", MFD_CLOEXEC);
	_cleanup_close_ int huge = memfd_create("huge", MFD_CLOEXEC);
	struct transport_item items[] = {
		{.fd = small, .label = "small"},
		{.fd = huge, .label = "huge"},
		{.fd = huge, .label = "required"},
	};
	const bool optional[] = {true, true, false};
	char *reasons[3] = {};

	assert_int_equal(ftruncate(small, 4096), 0);
	assert_int_equal(ftruncate(huge, TIB), 0);
	assert_int_equal(luo_choose(items, 3, optional, reasons), 0);
	assert_int_equal(items[0].error, 0);
	assert_null(reasons[0]);
	assert_int_equal(items[1].error, -EFBIG);
	assert_non_null(strstr(reasons[1], "smaller than 1.0 TiB"));
	/* It is for the check to refuse. */
	assert_int_equal(items[2].error, 0);
	free(reasons[1]);

	items[1].error = 0;
	reasons[1] = NULL;
	assert_int_equal(ftruncate(huge, TIB - 4096), 0);
	assert_int_equal(luo_choose(items, 2, optional, reasons), 0);
	assert_int_equal(items[0].error, 0);
	assert_int_equal(items[1].error, -ENOMEM);
	assert_non_null(strstr(reasons[1], "1.0 TiB to fill holes"));
	free(reasons[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewest),	     cmocka_unit_test(test_required_ones_stay),
		cmocka_unit_test(test_cgroup_limit), cmocka_unit_test(test_moved),
		cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
