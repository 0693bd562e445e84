/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kho/client/settings.h"
#include "kho/core/strv.h"
#include "tests/unit/fake-root.h"

#define ETC "etc/kho/live-update.conf"
#define ETC_D "etc/kho/live-update.conf.d/"
#define RUN_D "run/kho/live-update.conf.d/"
#define LIB "usr/lib/kho/live-update.conf"
#define LIB_D "usr/lib/kho/live-update.conf.d/"
#define S "[LiveUpdate]\n"

static int setup(void **state)
{
	int *root = malloc(sizeof(*root));

	*root = fake_root_open();
	*state = root;
	return 0;
}

static int teardown(void **state)
{
	int *root = *state;

	fake_root_close(*root);
	free(root);
	return 0;
}

static void expect_read(int root, struct settings *s)
{
	_cleanup_free_ char *message = NULL;
	int r = settings_read_at(root, s, &message);

	if (message)
		print_message("%s\n", message);
	assert_int_equal(r, 0);
}

static void expect_error(int root, int error, const char *words)
{
	_cleanup_(settings_done) struct settings s = {};
	_cleanup_free_ char *message = NULL;

	assert_int_equal(settings_read_at(root, &s, &message), error);
	assert_non_null(message);
	if (!strstr(message, words))
		print_message("%s\n", message);
	assert_non_null(strstr(message, words));
	assert_null(strchr(message, '\n'));
}

static void test_none(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	expect_read(root, &s);
	assert_null(s.kernel);
	assert_null(s.warnings);
	assert_int_equal(s.timeout_usec, 0);
	assert_false(s.digest.set);
}

static void test_all(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	fake_file(root, ETC,
		  "# a comment = with an equals sign\n;another\n\n" S
		  "  Kernel = /boot/k 1 \nInitrd=/a\nInitrd=/b\nCommandLine=a=\"b c\" \\\n# no\n"
		  "   d=1\nReuseCommandLine=On\nTimeoutSec=1.5\nDigestSizeMax=64M\n"
		  "[X-Mine]\nWhatever=3\n");
	expect_read(root, &s);
	assert_null(s.warnings);
	assert_string_equal(s.kernel, "/boot/k 1");
	assert_string_equal(s.kernel_at, "/" ETC ":5");
	assert_int_equal(strv_length(s.initrds), 2);
	assert_string_equal(s.initrds[0], "/a");
	assert_string_equal(s.initrds[1], "/b");
	assert_string_equal(s.initrds_at, "/" ETC ":7");
	assert_string_equal(s.command_line, "a=\"b c\"  d=1");
	assert_string_equal(s.command_line_at, "/" ETC ":8");
	assert_true(s.reuse_cmdline);
	assert_int_equal(s.timeout_usec, 1500000);
	assert_true(s.digest.set);
	assert_int_equal(s.digest.size_max, 64 << 20);
}

/* Later names count more; of one name, the folder of higher rank; the main file counts least. */
static void test_order(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	fake_file(root, LIB, S "Kernel=/lib\nCommandLine=lib\n");
	fake_file(root, ETC, S "Kernel=/etc\n");
	fake_file(root, LIB_D "50-b.conf", S "Kernel=/lib-50\nTimeoutSec=5\n");
	fake_file(root, RUN_D "50-b.conf", S "Kernel=/run-50\n");
	fake_file(root, LIB_D "60-c.conf", S "Kernel=/lib-60\n");
	fake_file(root, ETC_D "10-a.conf", S "Kernel=/etc-10\nTimeoutSec=1\n");
	fake_file(root, ETC_D "70-no.conf~", S "Kernel=/no\n");
	fake_file(root, ETC_D ".80-no.conf", S "Kernel=/no\n");
	expect_read(root, &s);
	assert_string_equal(s.kernel, "/lib-60");
	assert_null(s.command_line); /* of /usr/lib, hidden by /etc */
	assert_int_equal(s.timeout_usec, 1000000);
	settings_done(&s);
	fake_remove(root, LIB_D "60-c.conf");
	expect_read(root, &s);
	assert_string_equal(s.kernel, "/run-50");
	assert_string_equal(s.kernel_at, "/" RUN_D "50-b.conf:2");
}

static void test_masks(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	fake_file(root, LIB, S "Kernel=/lib\n");
	fake_file(root, LIB_D "a.conf", S "TimeoutSec=5\n");
	fake_file(root, LIB_D "b.conf", S "CommandLine=x\n");
	fake_file(root, ETC_D "b.conf", "");
	assert_int_equal(symlinkat("/dev/null", root, ETC), 0);
	assert_int_equal(symlinkat("/dev/null", root, ETC_D "a.conf"), 0);
	expect_read(root, &s);
	assert_null(s.kernel);
	assert_null(s.command_line);
	assert_int_equal(s.timeout_usec, 0);
}

static void test_reset(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	fake_file(root, LIB,
		  S "Kernel=/lib\nInitrd=/a\nReuseCommandLine=1\nTimeoutSec=4\nDigestSizeMax=1G\n");
	fake_file(root, ETC_D "a.conf",
		  S "Initrd=\nInitrd=/b\nReuseCommandLine=no\nTimeoutSec=\nDigestSizeMax=\n");
	expect_read(root, &s);
	assert_int_equal(strv_length(s.initrds), 1);
	assert_string_equal(s.initrds[0], "/b");
	assert_false(s.reuse_cmdline);
	assert_int_equal(s.timeout_usec, 0);
	assert_false(s.digest.set);
	settings_done(&s);
	fake_file(root, ETC_D "b.conf", S "Kernel=\nInitrd=\n");
	expect_read(root, &s);
	assert_null(s.kernel);
	assert_null(s.kernel_at);
	assert_null(s.initrds);
}

static void test_warnings(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	fake_file(root, ETC, "Kernel=/a\n" S "Kernl=/a\nnonsense\n=x\n[Other]\nKernel=/a\n");
	expect_read(root, &s);
	assert_null(s.kernel);
	assert_int_equal(strv_length(s.warnings), 5);
	assert_non_null(strstr(s.warnings[0], "/" ETC ":1: Kernel= is not in section"));
	assert_non_null(strstr(s.warnings[1], "/" ETC ":3: unknown setting Kernl="));
	assert_non_null(strstr(s.warnings[2], "/" ETC ":4: neither"));
	assert_non_null(strstr(s.warnings[3], "/" ETC ":5: neither"));
	assert_non_null(strstr(s.warnings[4], "/" ETC ":7: Kernel= is not in section"));
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *line, *words;
	} bad[] = {
		{"Kernel=vmlinuz", ":2: Kernel= takes an absolute path, not \"vmlinuz\""},
		{"Initrd=x", ":2: Initrd= takes an absolute path"},
		{"ReuseCommandLine=maybe", ":2: ReuseCommandLine= takes yes or no"},
		{"TimeoutSec=0", ":2: TimeoutSec= takes seconds"},
		{"TimeoutSec=1h", ":2: TimeoutSec= takes seconds"},
		{"TimeoutSec=86401", ":2: TimeoutSec= takes seconds"},
		{"DigestSizeMax=-1", ":2: DigestSizeMax= takes always"},
		{"DigestSizeMax=lots", ":2: DigestSizeMax= takes always"},
		{"Initrd=/x", ":2: Initrd= goes with Kernel= only"},
	};
	int root = *(int *)*state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, S "%s\n", bad[i].line) > 0);
		fake_file(root, ETC, text);
		expect_error(root, -EINVAL, bad[i].words);
	}
}

static void test_hostile(void **state)
{
	static char large[1024 * 1024 + 10];
	int root = *(int *)*state;

	fake_blob(root, ETC, S "Kernel=/a\0b\n", 24);
	expect_error(root, -EBADMSG, "/" ETC ": is not text");
	fake_file(root, ETC, S "Kernel=/\xff\n");
	expect_error(root, -EBADMSG, "/" ETC ": is not text");
	memset(large, '#', sizeof(large) - 1);
	fake_file(root, ETC, large);
	expect_error(root, -EFBIG, "/" ETC ": File too large");
	fake_remove(root, ETC);
	assert_int_equal(mkdirat(root, ETC, 0700), 0);
	expect_error(root, -EINVAL, "/" ETC ": is not a regular file");
	assert_int_equal(unlinkat(root, ETC, AT_REMOVEDIR), 0);
	/* To open it would wait for ever. */
	assert_int_equal(mkfifoat(root, ETC, 0600), 0);
	expect_error(root, -EINVAL, "/" ETC ": is not a regular file");
}

/* At the end of a file too, with and without the end of a line. */
static void test_continuation_at_end(void **state)
{
	_cleanup_(settings_done) struct settings s = {};
	int root = *(int *)*state;

	fake_file(root, ETC, S "Kernel=/a\\");
	expect_read(root, &s);
	assert_string_equal(s.kernel, "/a");
	settings_done(&s);
	fake_file(root, ETC, S "Kernel=/a\\\n\n");
	expect_read(root, &s);
	assert_string_equal(s.kernel, "/a");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_none),       TEST(test_all),	   TEST(test_order),
		TEST(test_masks),      TEST(test_reset),   TEST(test_warnings),
		TEST(test_bad_values), TEST(test_hostile), TEST(test_continuation_at_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
