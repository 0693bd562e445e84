/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "kho/cli/run-child.h"
#include "kho/cli/run-directory.h"
#include "kho/cli/run-freeze.h"
#include "kho/cli/run-spec.h"

static void options_are_taken_or_explained(void **state)
{
	static const char *const bad[] = {"cache",   "cache:",	  ":64M",    "cache:x",
					  "cache:0", "a{b}c:64M", "cache:1M"};
	_cleanup_run_spec_ struct run_spec spec = {};
	const char *advice;

	assert_int_equal(run_spec_add_region(&spec, "cache:64M", &advice), 0);
	assert_int_equal(spec.regions[0].size, 64 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		advice = NULL;
		assert_int_equal(run_spec_add_region(&spec, bad[i], &advice), -EINVAL);
		assert_non_null(advice);
	}
	assert_int_equal(run_spec_add_file(&spec, "cache:/x", &advice), -EINVAL);
	assert_int_equal(run_spec_add_file(&spec, "meta:%{cache}.meta", &advice), 0);
	assert_int_equal(spec.n_regions, 1);
	assert_int_equal(spec.n_files, 1);
	assert_int_equal(run_spec_set_damaged(&spec, "use", &advice), 0);
	assert_int_equal(spec.damaged, DAMAGED_USE);
	assert_int_equal(run_spec_set_damaged(&spec, "keep", &advice), -EINVAL);
}

static void the_whole_has_to_make_sense(void **state)
{
	_cleanup_run_spec_ struct run_spec spec = {};
	char *none[] = {NULL}, *command[] = {(char *)"true", NULL};
	const char *advice;

	spec.command = command;
	assert_non_null(run_spec_check(&spec));
	assert_int_equal(run_spec_add_file(&spec, "meta:/x", &advice), 0);
	assert_non_null(run_spec_check(&spec));
	spec.freeze_signal = SIGUSR1;
	assert_null(run_spec_check(&spec));
	spec.command = none;
	assert_non_null(run_spec_check(&spec));
}

static void names_are_replaced(void **state)
{
	static const struct {
		const char *text, *expanded;
	} cases[] = {
		{"", ""},
		{"-m", "-m"},
		{"%{cache}", "/run/c"},
		{"%{cache}.meta", "/run/c.meta"},
		{"x%{b}y%{cache}z", "x/run/by/run/cz"},
		{"%%{cache}", "%{cache}"},
		{"100%", "100%"},
		{"+%s", "+%s"},
		{"%%%%", "%%"},
	};
	static const char *const bad[] = {"%{", "%{cache", "%{}", "%{other}", "%{cach}"};
	_cleanup_run_spec_ struct run_spec spec = {};
	char *paths[] = {(char *)"/run/c", (char *)"/run/b"};
	const struct run_names names = {&spec, paths};
	const char *advice;
	char *none;

	assert_int_equal(run_spec_add_region(&spec, "cache:1M", &advice), 0);
	assert_int_equal(run_spec_add_region(&spec, "b:1M", &advice), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *expanded = NULL;

		assert_int_equal(run_names_expand(&names, cases[i].text, &expanded), 0);
		assert_string_equal(expanded, cases[i].expanded);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(run_names_expand(&names, bad[i], &none), -EINVAL);
}

static void a_directory_has_links_and_goes_away(void **state)
{
	char parent[] = "/tmp/test-cli-run-XXXXXX", target[64] = "";
	_cleanup_free_ char *directory = NULL, *path = NULL, *other = NULL;
	struct stat st;

	assert_non_null(mkdtemp(parent));
	setenv("RUNTIME_DIRECTORY", parent, 1);
	assert_int_equal(run_directory_make(&directory), 0);
	assert_int_equal(run_directory_link(directory, "a/../b", 7, &path), 0);
	assert_int_equal(run_directory_link(directory, "..", 8, &other), 0);
	assert_int_equal(strncmp(path, directory, strlen(directory)), 0);
	assert_null(strchr(path + strlen(directory) + 1, '/'));
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/proc/self/fd/7");
	run_directory_remove(directory);
	assert_int_equal(stat(directory, &st), -1);
	assert_int_equal(rmdir(parent), 0);
	unsetenv("RUNTIME_DIRECTORY");
}

/* The command checks what it was given, and says by its exit status what is wrong. */
static void a_command_finds_its_descriptors(void **state)
{
	static char *const command[] = {
		(char *)"sh", (char *)"-c",
		(char *)"[ \"$LISTEN_PID\" = $$ ] || exit 2; [ \"$LISTEN_FDS\" = 2 ] || exit 3;"
			"[ \"$LISTEN_FDNAMES\" = one:two ] || exit 4;"
			"[ \"$(cat <&3)\" = first ] || exit 5; [ \"$(cat <&4)\" = second ] || exit 6;"
			"[ -z \"$LISTEN_PIDFDID\" ] || exit 7; [ -e /proc/self/fd/5 ] && exit 8; exit 0",
		NULL};
	_cleanup_run_fds_ struct run_fds list = {};
	_cleanup_close_ int first = -EBADF, second = -EBADF;
	int status;
	pid_t pid;

	second = memfd_create("second", MFD_CLOEXEC);
	first = memfd_create("first", MFD_CLOEXEC);
	assert_int_equal(write(first, "first", 5), 5);
	assert_int_equal(write(second, "second", 6), 6);
	assert_int_equal(lseek(first, 0, SEEK_SET), 0);
	assert_int_equal(lseek(second, 0, SEEK_SET), 0);
	/* The second comes before the first in this process: they have to change places. */
	assert_int_equal(run_fds_add(&list, first, "one"), 3);
	assert_int_equal(run_fds_add(&list, second, "two"), 4);
	setenv("LISTEN_PIDFDID", "1", 1);
	pid = run_child_start(command, &list);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_command_that_is_not_there_is_an_error(void **state)
{
	static char *const command[] = {(char *)"/nonexistent/command", NULL};
	_cleanup_run_fds_ struct run_fds list = {};

	assert_int_equal(run_child_start(command, &list), -ENOENT);
}

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static _Noreturn void count_forever(atomic_ulong *counter)
{
	for (;;)
		atomic_fetch_add(counter, 1);
}

/* A child and its child, each counting, in a session of its own. */
static pid_t start_family(atomic_ulong *counters)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (fork() == 0) {
		setsid();
		count_forever(&counters[1]);
	}
	count_forever(&counters[0]);
}

static bool counts(atomic_ulong *counter)
{
	unsigned long before = atomic_load(counter);

	for (int i = 0; i < 200; i++) {
		if (atomic_load(counter) != before)
			return true;
		sleep_ms(10);
	}
	return false;
}

static void descendants_stop_and_go_on(void **state)
{
	atomic_ulong *counters =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct frozen frozen = {};
	unsigned long first, second;
	pid_t pid;

	assert_ptr_not_equal(counters, MAP_FAILED);
	pid = start_family(counters);
	assert_true(counts(&counters[0]));
	assert_true(counts(&counters[1]));
	assert_int_equal(frozen_freeze(&frozen, getpid(), 10000000), 0);
	assert_int_equal(frozen.n, 2);
	first = atomic_load(&counters[0]);
	second = atomic_load(&counters[1]);
	sleep_ms(50);
	assert_int_equal(atomic_load(&counters[0]), first);
	assert_int_equal(atomic_load(&counters[1]), second);
	frozen_thaw(&frozen);
	assert_true(counts(&counters[0]));
	assert_true(counts(&counters[1]));
	assert_int_equal(descendants_kill(pid, SIGKILL), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	frozen_done(&frozen);
	munmap(counters, 4096);
}

static void who_was_stopped_before_stays_stopped(void **state)
{
	struct frozen frozen = {};
	int status;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(frozen_freeze(&frozen, getpid(), 10000000), 0);
	assert_int_equal(frozen.n, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	frozen_done(&frozen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_or_explained),
		cmocka_unit_test(the_whole_has_to_make_sense),
		cmocka_unit_test(names_are_replaced),
		cmocka_unit_test(a_directory_has_links_and_goes_away),
		cmocka_unit_test(a_command_finds_its_descriptors),
		cmocka_unit_test(a_command_that_is_not_there_is_an_error),
		cmocka_unit_test(descendants_stop_and_go_on),
		cmocka_unit_test(who_was_stopped_before_stays_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
