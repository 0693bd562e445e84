/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/finalize.h"
#include "tests/unit/fake-root.h"
#include "tests/unit/kernel-sample.h"

#define OUT "sys/kernel/debug/kho/out"
#define MADE 1000000000

static void set_time(int root, const char *path, time_t seconds)
{
	struct timespec times[2] = {{seconds, 0}, {seconds, 0}};

	assert_int_equal(utimensat(root, path, times, 0), 0);
}

static void put_tree(int root)
{
	static const char *const names[] = {"memblock", NULL};
	size_t size;
	_cleanup_free_ void *blob = sample_root("kho-v1", names, 0, &size);

	fake_blob(root, OUT "/fdt", blob, size);
}

/* A kernel that has just booted; the tree, which a kernel makes when told to, is there. */
static int machine(const char *finalize)
{
	int root = fake_root_open();

	fake_file(root, "proc/sys/kernel/osrelease", "6.18.15\n");
	fake_file(root, OUT "/finalize", finalize);
	fake_file(root, OUT "/scratch_phys", "0x0\n");
	put_tree(root);
	set_time(root, OUT "/scratch_phys", MADE);
	set_time(root, OUT, MADE);
	return root;
}

static void add_user(int root, const char *path)
{
	size_t size;
	_cleanup_free_ void *blob = sample_memblock(&size);

	fake_blob(root, path, blob, size);
	set_time(root, OUT, MADE);
}

typedef int (*finalize_func)(int root_fd, char **ret_message);

static void expect(int root, finalize_func func, int error, const char *words)
{
	_cleanup_free_ char *message = NULL;
	int r = func(root, &message);

	if (r != error)
		fail_msg("%d, not %d: %s", r, error, message);
	if (error == 0)
		assert_null(message);
	else if (!message || !strstr(message, words))
		fail_msg("no '%s' in: %s", words, message);
}

static void expect_state(int root, const char *state)
{
	char line[8];

	assert_int_equal(read_line_at(root, OUT "/finalize", line, sizeof(line)), 0);
	assert_string_equal(line, state);
}

static void test_finalizes_once(void **state)
{
	int root = machine("0\n");

	expect(root, finalize_is_possible_at, 0, NULL);
	expect_state(root, "0");
	expect(root, finalize_check_at, -ENODATA, "carries nothing");
	expect(root, finalize_at, 0, NULL);
	expect_state(root, "1");
	expect(root, finalize_at, 0, NULL);
	expect(root, finalize_check_at, 0, NULL);
	fake_root_close(root);
}

static void test_undone(void **state)
{
	int root = machine("0\n");

	set_time(root, OUT, MADE + 5);
	expect(root, finalize_is_possible_at, -ESTALE, "somebody wrote 0");
	expect(root, finalize_at, -ESTALE, "reboot first, or write 1");
	expect_state(root, "0");
	/* Even by a hair. */
	utimensat(root, OUT, (struct timespec[]){{MADE, 1}, {MADE, 1}}, 0);
	expect(root, finalize_at, -ESTALE, "somebody wrote 0");
	/* The clock was set back meanwhile. */
	set_time(root, OUT, MADE - 3600);
	expect(root, finalize_at, -ESTALE, "somebody wrote 0");
	fake_root_close(root);
}

static void test_undone_and_finalized_again(void **state)
{
	int root = machine("1\n");

	add_user(root, OUT "/sub_fdts/memblock");
	set_time(root, OUT, MADE + 5);
	expect(root, finalize_at, 0, NULL);
	expect(root, finalize_check_at, 0, NULL);
	add_user(root, OUT "/sub_fdts/kho_test");
	set_time(root, OUT, MADE + 5);
	expect(root, finalize_is_possible_at, -ESTALE, "kho_test, memblock");
	expect(root, finalize_check_at, -ESTALE, "somebody wrote 0");
	set_time(root, OUT, MADE);
	expect(root, finalize_check_at, 0, NULL);
	fake_root_close(root);
}

static void test_failed_before(void **state)
{
	int root = machine("0\n");

	add_user(root, OUT "/sub_fdts/kho_test");
	expect(root, finalize_at, -ESTALE, "finalizing has failed in this boot");
	expect_state(root, "0");
	fake_root_close(root);
}

static void test_no_tree_afterwards(void **state)
{
	int root = machine("1\n");

	fake_file(root, OUT "/fdt", "?");
	set_time(root, OUT, MADE);
	expect(root, finalize_at, -EBADMSG, "no handover tree");
	fake_remove(root, OUT "/fdt");
	set_time(root, OUT, MADE);
	expect(root, finalize_check_at, -EBADMSG, "can't be read");
	fake_root_close(root);
}

static void test_out_of_reach(void **state)
{
	int root = fake_root_open();

	fake_file(root, "proc/sys/kernel/osrelease", "6.18.15\n");
	fake_file(root, "proc/kallsyms", "0 T kho_is_enabled\n");
	expect(root, finalize_is_possible_at, -ENOENT, "mount -t debugfs");
	expect(root, finalize_check_at, -ENOENT, "mount -t debugfs");
	assert_true(finalize_is_needed_at(root));
	fake_file(root, "sys/kernel/debug/sleep_time", "");
	expect(root, finalize_is_possible_at, -ENOENT, "kho=on");
	fake_root_close(root);
}

static void test_needed(void **state)
{
	int root = machine("0\n");

	assert_true(finalize_is_needed_at(root));
	fake_remove(root, OUT "/finalize");
	fake_file(root, "proc/sys/kernel/osrelease", "7.3.4\n");
	assert_false(finalize_is_needed_at(root));
	fake_root_close(root);
	root = fake_root_open();
	fake_file(root, "proc/sys/kernel/osrelease", "6.15.2\n");
	assert_false(finalize_is_needed_at(root));
	fake_root_close(root);
}

static void test_users(void **state)
{
	_cleanup_free_ char *none = NULL, *both = NULL;
	int root = machine("1\n");

	assert_int_equal(finalize_users_at(root, &none), -ENOENT);
	add_user(root, OUT "/sub_fdts/memblock");
	add_user(root, OUT "/sub_fdts/kho_test");
	assert_int_equal(finalize_users_at(root, &both), 0);
	assert_string_equal(both, "kho_test, memblock");
	fake_root_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finalizes_once),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_undone_and_finalized_again),
		cmocka_unit_test(test_failed_before),
		cmocka_unit_test(test_no_tree_afterwards),
		cmocka_unit_test(test_out_of_reach),
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
