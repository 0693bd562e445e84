/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"
#include "kho/transport/kernel.h"

static void test_only_where_the_kernel_is_finalized(void **state)
{
	for (int i = 0; i < _KHO_GENERATION_MAX; i++) {
		struct kernel_info kernel = {.generation = i};
		_cleanup_free_ char *message = NULL;
		int r = transport_kernel.probe(&kernel, &message);

		assert_int_equal(r, i == KHO_FINALIZE ? 0 : -EOPNOTSUPP);
		assert_int_equal(!message, r == 0);
	}
}

/* As they go through an update: the tree first, a region that comes late after it. */
static void test_the_tree_alone_passes(void **state)
{
	struct transport_item items[] = {{.fd = -EBADF, .label = "the handover tree"},
					 {.fd = -EBADF, .label = "region \"a\" of b"}};
	_cleanup_free_ char *message = NULL;
	size_t failed = SIZE_MAX;
	int session;

	assert_int_equal(transport_kernel.place(items, 0, 1), 1);
	assert_int_equal(transport_kernel.check(items, 1, &message), 0);
	assert_int_equal(transport_kernel.open("0123456789abcdef", 0, 1, &session, &message), 0);
	assert_true(session < 0);
	assert_int_equal(transport_kernel.preserve(session, 0, items, 1, NULL, &failed, &message),
			 0);
	assert_null(message);

	assert_int_equal(transport_kernel.place(items, 1, 2), 1);
	assert_int_equal(
		transport_kernel.preserve(session, 0, items + 1, 1, NULL, &failed, &message),
		-EOPNOTSUPP);
	assert_int_equal(failed, 0);
	assert_int_equal(items[1].error, -EOPNOTSUPP);
	assert_non_null(strstr(message, "region \"a\" of b: this kernel can't"));
	assert_non_null(strstr(message, "this kernel can't hand over userspace memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_where_the_kernel_is_finalized),
		cmocka_unit_test(test_the_tree_alone_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
