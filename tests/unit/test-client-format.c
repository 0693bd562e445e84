/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "kho/client/format.h"
#include "kho/core/cleanup.h"

static void sizes_are_short_and_never_seem_exact(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{1, "1 B"},
		{1023, "1023 B"},
		{1024, "1 KiB"},
		{1025, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{64 << 20, "64 MiB"},
		{(64 << 20) + 1, "64.0 MiB"},
		{(UINT64_C(1) << 40) - 1, "1023.9 GiB"},
		{UINT64_C(1) << 40, "1 TiB"},
		{UINT64_MAX, "15.9 EiB"},
	};
	char buf[FORMAT_SIZE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_size(cases[i].bytes, buf), cases[i].text);
}

static void durations_have_three_figures_or_so(void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} cases[] = {
		{0, "0 µs"},
		{999, "999 µs"},
		{1000, "1 ms"},
		{999999, "999 ms"},
		{1204000, "1.204 s"},
		{59999999, "59.999 s"},
		{60000000, "1 min 0 s"},
		{185000000, "3 min 5 s"},
		{UINT64_C(3600000000), "1 h 0 min"},
	};
	char buf[FORMAT_DURATION_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_duration(cases[i].usec, buf), cases[i].text);
	assert_string_equal(format_offset(1000000, 2204000, buf), "+1.204 s");
	assert_string_equal(format_offset(2204000, 1000000, buf), "-1.204 s");
	assert_string_equal(format_offset(5, 5, buf), "+0 µs");
}

static void times_are_local(void **state)
{
	char buf[FORMAT_TIME_MAX];

	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(format_time(UINT64_C(1700000000123456), buf),
			    "2023-11-14 22:13:20.123 UTC");
	setenv("TZ", "EST5", 1);
	tzset();
	assert_string_equal(format_time(UINT64_C(1700000000123456), buf),
			    "2023-11-14 17:13:20.123 EST");
}

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{"0", 0},
		{"4096", 4096},
		{"4096B", 4096},
		{"1k", 1024},
		{"64M", 64 << 20},
		{"64MiB", 64 << 20},
		{"1.5G", UINT64_C(3) << 29},
		{"2T", UINT64_C(2) << 40},
	};
	static const char *const bad[] = {"",	  "M",	 "-1",	"0x10", "1e3", "1.",
					  "1,5M", " 1M", "1 M", "1Q",	"inf", "1MM"};
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_size(cases[i].text, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_size(bad[i], &bytes), -EINVAL);
	assert_int_equal(parse_size("8388607T", &bytes), 0);
	assert_int_equal(parse_size("8388608T", &bytes), -ERANGE);
}

static void seconds_are_read(void **state)
{
	uint64_t usec;

	assert_int_equal(parse_seconds("30", &usec), 0);
	assert_int_equal(usec, 30000000);
	assert_int_equal(parse_seconds("0.25s", &usec), 0);
	assert_int_equal(usec, 250000);
	assert_int_equal(parse_seconds("0", &usec), 0);
	assert_int_equal(usec, 0);
	assert_int_equal(parse_seconds("1m", &usec), -EINVAL);
	assert_int_equal(parse_seconds("", &usec), -EINVAL);
	assert_int_equal(parse_seconds("99999999999999999999", &usec), -ERANGE);
}

static void signals_are_read(void **state)
{
	assert_int_equal(parse_signal("USR1"), SIGUSR1);
	assert_int_equal(parse_signal("SIGTERM"), SIGTERM);
	assert_int_equal(parse_signal("15"), SIGTERM);
	assert_int_equal(parse_signal("0"), -EINVAL);
	assert_int_equal(parse_signal("65"), -EINVAL);
	assert_int_equal(parse_signal("15x"), -EINVAL);
	assert_int_equal(parse_signal("SIG"), -EINVAL);
	assert_int_equal(parse_signal("FOO"), -EINVAL);
	assert_int_equal(parse_signal(""), -EINVAL);
}

static void pairs_are_split_at_the_first_colon(void **state)
{
	static const char *const bad[] = {"", ":", "a", "a:", ":b"};
	_cleanup_free_ char *name = NULL;
	const char *value;
	char *none;

	assert_int_equal(parse_pair("meta:/run/a:b", &name, &value), 0);
	assert_string_equal(name, "meta");
	assert_string_equal(value, "/run/a:b");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_pair(bad[i], &none, &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_short_and_never_seem_exact),
		cmocka_unit_test(durations_have_three_figures_or_so),
		cmocka_unit_test(times_are_local),
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(seconds_are_read),
		cmocka_unit_test(signals_are_read),
		cmocka_unit_test(pairs_are_split_at_the_first_colon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
