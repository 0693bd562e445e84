/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kho/kernel/cmdline.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void test_switch(void **state)
{
	static const struct {
		const char *cmdline;
		enum cmdline_switch expected;
	} cases[] = {
		{"", SWITCH_ABSENT},
		{"quiet kho=on", SWITCH_ON},
		{"kho=1", SWITCH_ON},
		{"kho=y", SWITCH_ON},
		{"kho=off", SWITCH_OFF},
		{"kho=OFF", SWITCH_OFF},
		{"kho=0 x", SWITCH_OFF},
		{"kho=on kho=off", SWITCH_OFF},
		{"kho=off\tkho=on\n", SWITCH_ON},
		{"kho", SWITCH_ABSENT},
		{"kho=", SWITCH_ABSENT},
		{"kho=maybe", SWITCH_ABSENT},
		{"kho=off kho=maybe", SWITCH_OFF},
		{"kho=o", SWITCH_ABSENT},
		{"khox=on xkho=on kh=on", SWITCH_ABSENT},
		{"init=/bin/sh -- kho=on", SWITCH_ABSENT},
		{"root=\"a kho=on b\"", SWITCH_ABSENT},
		{"kho=\"on\"", SWITCH_ON},
		{"\"kho=on\"", SWITCH_ON},
		{"\"kho=on", SWITCH_ON},
		{"--x kho=on", SWITCH_ON},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cmdline_switch(cases[i].cmdline, "kho") != cases[i].expected)
			fail_msg("%s", cases[i].cmdline);
	assert_int_equal(cmdline_switch("live-update=on", "live_update"), SWITCH_ON);
}

static void test_end(void **state)
{
	assert_true(cmdline_ends_early("a -- b"));
	assert_true(cmdline_ends_early("--"));
	assert_false(cmdline_ends_early("a --b c"));
	assert_false(cmdline_ends_early("a \"x -- y\""));
	assert_false(cmdline_ends_early(""));
}

static void test_value(void **state)
{
	char *value = cmdline_value("a=1 a=\"two words\" b", "a");

	assert_string_equal(value, "two words");
	free(value);
	assert_null(cmdline_value("a", "a"));
	assert_true(cmdline_has("a", "a"));
	assert_false(cmdline_has("a=b -- c", "c"));
}

static void test_crashkernel(void **state)
{
	static const struct {
		const char *cmdline;
		uint64_t memory, expected;
	} cases[] = {
		{"crashkernel=256M", GIB, 256 * MIB},
		{"crashkernel=0x100M@16M", GIB, 256 * MIB},
		{"crashkernel=1G,high crashkernel=128M,low", GIB, GIB + 128 * MIB},
		{"crashkernel=1G,high crashkernel=64M", GIB, 64 * MIB},
		{"crashkernel=1G-4G:128M,4G-:256M", GIB / 2, 0},
		{"crashkernel=1G-4G:128M,4G-:256M", 2 * GIB, 128 * MIB},
		{"crashkernel=1G-4G:128M,4G-:256M@16M", 64 * GIB, 256 * MIB},
		{"crashkernel=1G-", 2 * GIB, 0},
		{"crashkernel=1G-2G:", 3 * GIB, 0},
		{"crashkernel=:,,", 3 * GIB, 0},
		{"crashkernel", GIB, 0},
		{"", GIB, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cmdline_reservations(cases[i].cmdline, cases[i].memory).crashkernel !=
		    cases[i].expected)
			fail_msg("%s", cases[i].cmdline);
}

static void test_others(void **state)
{
	struct cmdline_reservations r =
		cmdline_reservations("log-buf-len=16M cma=1G@0-4G crashkernel=1K", GIB);

	assert_int_equal(r.log_buf, 16 * MIB);
	assert_int_equal(r.cma, GIB);
	assert_int_equal(r.crashkernel, 1024);
	assert_int_equal(cmdline_reservations("cma=99999999999E", GIB).cma, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch), cmocka_unit_test(test_end),
		cmocka_unit_test(test_value),  cmocka_unit_test(test_crashkernel),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
