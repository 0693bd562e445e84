/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kho/client/manager.h"
#include "kho/client/waiting.h"

static void assert_phrases(const char *progress, const char *expected)
{
	_cleanup_(free_strv) char **phrases = NULL;
	sd_json_variant *json = NULL;
	char text[512] = "";

	assert_true(sd_json_parse(progress, 0, &json, NULL, NULL) >= 0);
	assert_int_equal(waiting_phrases(json, &phrases), 0);
	for (char **phrase = phrases; *phrase; phrase++) {
		strcat(text, *phrase);
		strcat(text, "|");
	}
	assert_string_equal(text, expected);
	sd_json_variant_unref(json);
}

static void test_phrases(void **state)
{
	assert_phrases("{}", "");
	assert_phrases("{\"waiting\":[]}", "");
	assert_phrases("{\"waiting\":[{\"owner\":\"a\",\"extended\":false},"
		       "{\"owner\":\"b\"},{\"owner\":\"a\"}]}",
		       "a|b|");
	assert_phrases("{\"waiting\":[{\"owner\":\"a\",\"extended\":true,\"reason\":\"so\"},"
		       "{\"owner\":\"b\",\"extended\":true},"
		       "{\"owner\":\"c\",\"waitsFor\":[\"a\",\"b\"]}]}",
		       "a (more time: so)|b (more time)|c (after a, b)|");
}

/* Of a khod that is not as it should be. */
static void test_nonsense(void **state)
{
	assert_phrases("{\"waiting\":[{},{\"owner\":1,\"extended\":1,\"waitsFor\":[1]}]}",
		       "| (after )|");
	assert_phrases("{\"waiting\":7}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
