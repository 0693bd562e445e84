/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kho/core/order.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_precedes(void **state)
{
	const struct order a = {.owner = "a", .before = NAMES("x", "b")}, b = {.owner = "b"},
			   c = {.owner = "c", .after = NAMES("b")};

	assert_true(order_precedes(&a, &b));
	assert_false(order_precedes(&b, &a));
	assert_true(order_precedes(&b, &c));
	assert_false(order_precedes(&c, &b));
	/* Only what is said. */
	assert_false(order_precedes(&a, &c));
	assert_false(order_precedes(&a, NULL));
	assert_false(order_precedes(NULL, &a));
}

#define ASSERT_CYCLE(cycle, ...)                                                                   \
	do {                                                                                       \
		const struct order *const _orders[] = {__VA_ARGS__};                               \
		_cleanup_free_ char *_text = NULL;                                                 \
		assert_int_equal(order_find_cycle(_orders, ARRAY_SIZE(_orders), &_text), -ELOOP);  \
		assert_string_equal(_text, cycle);                                                 \
	} while (0)

#define ASSERT_NO_CYCLE(...)                                                                       \
	do {                                                                                       \
		const struct order *const _orders[] = {__VA_ARGS__};                               \
		_cleanup_free_ char *_text = NULL;                                                 \
		assert_int_equal(order_find_cycle(_orders, ARRAY_SIZE(_orders), &_text), 0);       \
		assert_null(_text);                                                                \
	} while (0)

static void test_cycles(void **state)
{
	const struct order a = {.owner = "a", .before = NAMES("b")},
			   b = {.owner = "b", .before = NAMES("c", "d")},
			   c = {.owner = "c", .before = NAMES("a")},
			   d = {.owner = "d", .after = NAMES("a", "b")},
			   b_after_d = {.owner = "b", .after = NAMES("d")},
			   a_after_b = {.owner = "a", .after = NAMES("b")},
			   self = {.owner = "s", .before = NAMES("s")};

	ASSERT_NO_CYCLE(&a);
	ASSERT_NO_CYCLE(&a, &b, NULL, &d);
	ASSERT_CYCLE("c → a → b → c", &a, &b, &c);
	ASSERT_CYCLE("b → d → b", &a, &d, &b_after_d);
	ASSERT_CYCLE("a → b → a", &a, &a_after_b);
	ASSERT_CYCLE("s → s", &a, &b, &self);
}

/* A name of whom nobody speaks yet counts: it could not come any more, whatever it says. */
static void test_cycle_through_absent(void **state)
{
	const struct order a = {.owner = "a", .before = NAMES("absent")},
			   b = {.owner = "b", .before = NAMES("a"), .after = NAMES("absent")};

	ASSERT_CYCLE("b → a → absent → b", &a, &b);
}

/* Those of one owner are one. */
static void test_several_of_an_owner(void **state)
{
	const struct order a1 = {.owner = "a", .before = NAMES("b")},
			   a2 = {.owner = "a", .after = NAMES("c")},
			   b = {.owner = "b", .before = NAMES("c")};

	ASSERT_CYCLE("b → c → a → b", &a1, &a2, &b);
}

/* Only a cycle of its own is held against a newcomer, and the shortest is shown. */
static void test_shortest(void **state)
{
	const struct order a = {.owner = "a", .before = NAMES("b", "c")},
			   b = {.owner = "b", .before = NAMES("c")},
			   c = {.owner = "c", .before = NAMES("a")};
	const struct order other = {.owner = "z", .after = NAMES("a")};

	ASSERT_CYCLE("c → a → c", &a, &b, &c);
	ASSERT_NO_CYCLE(&a, &b, &c, &other);
}

static void test_many(void **state)
{
	enum { N = 2000 };
	static struct order orders[N];
	static const struct order *pointers[N];
	static const char *after[N][3];
	static char names[N][8];
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		if (i > 0)
			after[i][0] = names[i - 1];
		orders[i] = (struct order){.owner = names[i], .after = after[i]};
		pointers[i] = &orders[i];
	}
	assert_int_equal(order_find_cycle(pointers, N, &text), 0);
	after[0][0] = names[N - 1];
	assert_int_equal(order_find_cycle(pointers, N, &text), -ELOOP);
	assert_int_equal(strncmp(text, "n1999 → n0 → n1 → ", strlen("n1999 → n0 → n1 → ")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedes),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_cycle_through_absent),
		cmocka_unit_test(test_several_of_an_owner),
		cmocka_unit_test(test_shortest),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
