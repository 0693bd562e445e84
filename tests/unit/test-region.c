/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/paths.h"
#include "kho/core/region.h"
#include "kho/core/state.h"
#include "kho/core/text.h"

static const char *name_of_length(char buf[512], size_t length)
{
	memset(buf, 'n', length);
	buf[length] = '\0';
	return buf;
}

static void assert_name_refused(const char *name, const char *words)
{
	const char *advice = region_name_advice(name);

	assert_non_null(advice);
	if (!strstr(advice, words))
		fail_msg("\"%s\" does not speak of %s", advice, words);
}

static void test_names(void **state)
{
	char buf[512];

	assert_null(region_name_advice("a"));
	assert_null(region_name_advice("cache/1 2.ö€😀"));
	assert_null(region_name_advice(name_of_length(buf, 255)));
	assert_name_refused(name_of_length(buf, 256), "too long");
	assert_name_refused("", "needs a name");
	assert_name_refused(NULL, "needs a name");
	assert_name_refused("a\nb", "control");
	assert_name_refused("a\x7f", "control");
	assert_name_refused("\x1b[31m", "control");
	assert_name_refused("\xc2\x85", "control");
}

static void test_names_are_utf8(void **state)
{
	static const char *const bad[] = {
		"\x80",		    /* continuation alone */
		"\xc3",		    /* cut */
		"\xe2\x82",	    /* cut */
		"\xf0\x9f\x98",	    /* cut */
		"\xc3(",	    /* no continuation */
		"\xc0\xaf",	    /* overlong */
		"\xe0\x80\xaf",	    /* overlong */
		"\xf0\x80\x80\xaf", /* overlong */
		"\xed\xa0\x80",	    /* surrogate */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf8\x88\x80\x80\x80",
		"\xff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_name_refused(bad[i], "UTF-8");
	assert_null(region_name_advice("\xf4\x8f\xbf\xbf"));
	assert_null(region_name_advice("\xed\x9f\xbf\xee\x80\x80\xc2\xa0"));
}

static void test_text_ends_at_its_size(void **state)
{
	assert_true(text_is_utf8("ö€😀", 9));
	assert_false(text_is_utf8("ö€😀", 8));
	assert_false(text_is_utf8("ö", 1));
	assert_true(text_is_printable("a\n", 1));
	assert_false(text_is_printable("a\n", 2));
	assert_true(text_is_utf8("\xff", 0));
}

static void test_owners(void **state)
{
	char buf[512];

	assert_true(region_owner_is_valid("cache.service"));
	assert_true(region_owner_is_valid("uid:1000/app@1.service"));
	assert_true(region_owner_is_valid(name_of_length(buf, REGION_OWNER_MAX)));
	assert_false(region_owner_is_valid(name_of_length(buf, REGION_OWNER_MAX + 1)));
	assert_false(region_owner_is_valid(""));
	assert_false(region_owner_is_valid(NULL));
	assert_false(region_owner_is_valid("a\tb"));
	assert_false(region_owner_is_valid("\xff"));
}

static void test_new(void **state)
{
	_cleanup_region_ struct region *region = NULL;

	assert_int_equal(region_new("cache.service", "", &region), -EINVAL);
	assert_int_equal(region_new("", "items", &region), -EINVAL);
	assert_null(region);
	assert_int_equal(region_new("cache.service", "items", &region), 0);
	assert_string_equal(region->owner, "cache.service");
	assert_string_equal(region->name, "items");
	assert_int_equal(region->id, 0);
	assert_int_equal(region->check, REGION_NEW);
	assert_false(region->required || region->claimed || region->has_digest);
	assert_null(region->reason);
	assert_null(region->transport);
	assert_null(region_free(NULL));
}

static void test_reasons_are_cut_and_clean(void **state)
{
	_cleanup_region_ struct region *region = NULL;
	char buf[512];

	assert_int_equal(region_new("o", "n", &region), 0);
	assert_int_equal(region_set_reason(region, "token %d: %s", 7, "no such file"), 0);
	assert_string_equal(region->reason, "token 7: no such file");
	assert_int_equal(region_set_reason(region, "a\nb\xff\x1b[c\xc2\x9b"), 0);
	assert_string_equal(region->reason, "a?b??[c??");
	assert_int_equal(region_set_reason(region, "%s", name_of_length(buf, 255)), 0);
	assert_int_equal(strlen(region->reason), 255);
	assert_int_equal(region_set_reason(region, "%s", name_of_length(buf, 300)), 0);
	assert_int_equal(strlen(region->reason), 255);
	/* Never half a character. */
	assert_int_equal(region_set_reason(region, "%s€", name_of_length(buf, 253)), 0);
	assert_int_equal(strlen(region->reason), 253);
	assert_int_equal(region_set_reason(region, "%s€", name_of_length(buf, 252)), 0);
	assert_int_equal(strlen(region->reason), 255);
}

static void test_checks_have_names(void **state)
{
	static const char *const names[] = {"new", "verified", "unchecked", "damaged", "lost"};

	assert_int_equal(ARRAY_SIZE(names), _REGION_CHECK_MAX);
	for (int i = 0; i < _REGION_CHECK_MAX; i++) {
		assert_string_equal(region_check_to_string(i), names[i]);
		assert_int_equal(region_check_from_string(names[i]), i);
	}
	assert_null(region_check_to_string(_REGION_CHECK_MAX));
	assert_int_equal(region_check_from_string("Lost"), -EINVAL);
	assert_int_equal(region_check_from_string(""), -EINVAL);
	assert_int_equal(region_check_from_string(NULL), -EINVAL);
}

static void test_states_and_moments_have_names(void **state)
{
	static const char *const states[] = {"idle",	  "preparing", "prepared",
					     "staged",	  "freezing",  "frozen",
					     "committed", "aborting",  "restoring"};
	static const char *const moments[] = {
		"prepare",	"prepared",	"staged",   "freeze",	   "frozen",	"commit",
		"kernel-start", "daemon-start", "restored", "first-claim", "last-claim"};

	assert_int_equal(ARRAY_SIZE(states), _UPDATE_STATE_MAX);
	for (int i = 0; i < _UPDATE_STATE_MAX; i++) {
		assert_string_equal(update_state_to_string(i), states[i]);
		assert_int_equal(update_state_from_string(states[i]), i);
	}
	assert_null(update_state_to_string(_UPDATE_STATE_MAX));
	assert_int_equal(update_state_from_string("prepare"), -EINVAL);
	assert_int_equal(ARRAY_SIZE(moments), _MOMENT_MAX);
	for (int i = 0; i < _MOMENT_MAX; i++) {
		assert_string_equal(moment_to_string(i), moments[i]);
		assert_int_equal(moment_from_string(moments[i]), i);
	}
	assert_null(moment_to_string(_MOMENT_MAX));
	assert_int_equal(moment_from_string("idle"), -EINVAL);
}

static void test_store_names(void **state)
{
	static const char *const bad[] = {
		"",    "r",	      "1",   "r0",  "r01",
		"r-1", "r+1",	      "r 1", "r1 ", "r1x",
		"R1",  "r4294967296", "rr1", " r1", "r18446744073709551617"};
	char buf[REGION_STORE_NAME_MAX];
	uint32_t id = 0;

	assert_string_equal(region_store_name(1, buf), "r1");
	assert_int_equal(region_store_name_parse("r17", &id), 0);
	assert_int_equal(id, 17);
	assert_string_equal(region_store_name(UINT32_MAX, buf), "r4294967295");
	assert_int_equal(region_store_name_parse(buf, &id), 0);
	assert_int_equal(id, UINT32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (region_store_name_parse(bad[i], &id) != -EINVAL)
			fail_msg("\"%s\" was taken as %u", bad[i], id);
	assert_int_equal(id, UINT32_MAX);
}

static void assert_path(char *path, const char *expected)
{
	_cleanup_free_ char *owned = path;

	assert_non_null(owned);
	assert_string_equal(owned, expected);
}

static void test_paths(void **state)
{
	unsetenv("KHO_RUNTIME_DIR");
	setenv("KHO_STATE_DIR", "", 1);
	assert_path(runtime_path(KHO_MANAGER_SOCKET), "/run/kho/io.kho.Manager");
	assert_path(state_path(KHO_LEDGER_FILE), "/var/lib/kho/ledger.dtb");
	setenv("KHO_RUNTIME_DIR", "/elsewhere", 1);
	setenv("KHO_STATE_DIR", "/there", 1);
	assert_path(runtime_path(KHO_HANDOVER_SOCKET), "/elsewhere/io.kho.Handover");
	assert_path(state_path(KHO_REPORT_FILE), "/there/report.dtb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_are_utf8),
		cmocka_unit_test(test_text_ends_at_its_size),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_reasons_are_cut_and_clean),
		cmocka_unit_test(test_checks_have_names),
		cmocka_unit_test(test_states_and_moments_have_names),
		cmocka_unit_test(test_store_names),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
