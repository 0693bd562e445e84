/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kho/kernel/version-order.h"

/* Each is newer than the one before: the example of the specification, and kernels. */
static const char *const ascending[] = {
	"~1",	 "",	    "a",	 "122.1",   "123~rc1-1", "123",	   "123-a", "123-a.1",
	"123-1", "123-1.1", "123^post1", "123.a-1", "123.1-1",	 "123a-1", "124-1", "1000",
};

static const char *const kernels[] = {
	"6.9.1-1-amd64", "6.18.9-amd64", "6.18.15+deb13-amd64", "7.3.4~rc1", "7.3.4",
	"7.3.4-lab",	 "7.10.0",
};

static void expect_ascending(const char *const *versions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int r = version_compare(versions[i], versions[j]);

			if ((r > 0) - (r < 0) != (i > j) - (i < j))
				fail_msg("\"%s\" and \"%s\": %d", versions[i], versions[j], r);
		}
}

static void test_ascending(void **state)
{
	expect_ascending(ascending, sizeof(ascending) / sizeof(ascending[0]));
	expect_ascending(kernels, sizeof(kernels) / sizeof(kernels[0]));
}

static void test_equal(void **state)
{
	assert_int_equal(version_compare("1.002", "1.2"), 0);
	assert_int_equal(version_compare("1_2", "1+2"), 0);
	assert_int_equal(version_compare(NULL, ""), 0);
	assert_int_equal(version_compare("\xff", ""), 0);
	/* No number of the C language holds them. */
	assert_true(version_compare("99999999999999999999999999998",
				    "99999999999999999999999999999") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ascending),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
