/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives the kho program itself, against a khod that is a thread of this test. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "kho/client/exit-codes.h"
#include "kho/core/cleanup.h"
#include "tests/unit/fake-khod.h"

static char directory[] = "/tmp/test-cli-verbs-XXXXXX";

static struct fake_khod *start_fake(void)
{
	struct fake_khod *khod = test_calloc(1, sizeof(*khod));

	for (size_t i = 0; i < FAKE_REGIONS; i++)
		khod->regions[i].fd = -EBADF;
	fake_start(khod);
	return khod;
}

static void stop_fake(struct fake_khod *khod)
{
	fake_stop(khod);
	for (size_t i = 0; i < FAKE_REGIONS; i++)
		safe_close(khod->regions[i].fd);
	test_free(khod);
}

/* Starts it by a shell, as a user does; %s is the program. */
static pid_t start_shell(const char *script)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	/* Who runs the tests in the background may have it ignored. */
	signal(SIGINT, SIG_DFL);
	/* Nothing outlives a test that fails. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(127);
}

static int shell(const char *script)
{
	pid_t pid = start_shell(script);
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* Waits until the content of a file is text, for 10 s at most. */
static bool becomes(const char *name, const char *text)
{
	char path[128], content[1024];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	for (int i = 0; i < 1000; i++) {
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);

		safe_close(fd);
		content[n < 0 ? 0 : n] = '\0';
		if (strcmp(content, text) == 0)
			return true;
		pause_ms(10);
	}
	print_message("%s is \"%s\", not \"%s\"\n", name, content, text);
	return false;
}

static bool answers(struct fake_khod *khod, const char *answer)
{
	for (int i = 0; i < 1000; i++) {
		if (strcmp(khod->acknowledged, answer) == 0)
			return true;
		pause_ms(10);
	}
	print_message("answered \"%s\", not \"%s\"\n", khod->acknowledged, answer);
	return false;
}

static bool watches(struct fake_khod *khod)
{
	for (int i = 0; i < 1000; i++) {
		if (khod->participant > 0)
			return true;
		pause_ms(10);
	}
	return false;
}

static void ask(struct fake_khod *khod, const char *phase)
{
	khod->update = "u1";
	khod->phase = phase;
	fake_tell(khod, phase);
}

static void assert_content(struct fake_khod *khod, const char *name, const char *text)
{
	struct fake_region *region = fake_find(khod, name);
	char content[128] = "";

	assert_non_null(region);
	assert_int_equal(pread(region->fd, content, sizeof(content) - 1, 0), strlen(text));
	assert_string_equal(content, text);
}

static void what_is_put_can_be_got(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(shell("printf hello | $KHO put blob >/dev/null"), EXIT_DONE);
	assert_content(khod, "blob", "hello");
	assert_int_equal(fcntl(fake_find(khod, "blob")->fd, F_GET_SEALS) & F_SEAL_WRITE,
			 F_SEAL_WRITE);
	assert_int_equal(shell("[ \"$($KHO get blob)\" = hello ]"), 0);
	assert_int_equal(shell("$KHO get blob > $DIR/out && [ \"$(cat $DIR/out)\" = hello ]"), 0);
	assert_int_equal(shell("printf more | $KHO put blob 2>/dev/null"), EXIT_REFUSED);
	assert_content(khod, "blob", "hello");
	assert_int_equal(shell("printf more | $KHO put --replace blob >/dev/null"), EXIT_DONE);
	assert_content(khod, "blob", "more");
	assert_int_equal(shell("$KHO get --drop blob >/dev/null"), EXIT_DONE);
	assert_null(fake_find(khod, "blob"));
	assert_int_equal(shell("$KHO get blob 2>/dev/null"), EXIT_REFUSED);
	assert_int_equal(shell("$KHO drop blob 2>/dev/null"), EXIT_REFUSED);
	stop_fake(khod);
	assert_int_equal(shell("$KHO get blob 2>/dev/null"), EXIT_UNREACHABLE);
}

static void nothing_is_kept_of_what_can_not_be_read(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(shell("$KHO put blob /nonexistent 2>/dev/null"), EXIT_LOCAL);
	assert_int_equal(shell("$KHO put blob / 2>/dev/null"), EXIT_LOCAL);
	assert_int_equal(khod->n_registered, 0);
	stop_fake(khod);
}

static void replacing_that_fails_keeps_the_old(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(shell("printf old | $KHO put blob >/dev/null"), EXIT_DONE);
	khod->register_error = "io.kho.Handover.LimitReached";
	assert_int_equal(shell("printf new | $KHO put --replace blob 2>/dev/null"), EXIT_REFUSED);
	assert_content(khod, "blob", "old");
	stop_fake(khod);
}

static void losses_have_their_exit_code(void **state)
{
	struct fake_khod *khod = start_fake();
	int memory = memfd_create("damaged", MFD_CLOEXEC);

	assert_int_equal(write(memory, "dmg", 3), 3);
	fake_add(khod, "gone", -EBADF, "lost");
	fake_add(khod, "bad", memory, "damaged");
	assert_int_equal(shell("$KHO get gone 2>/dev/null"), EXIT_LOST);
	assert_int_equal(shell("$KHO get bad 2>/dev/null"), EXIT_LOST);
	assert_int_equal(shell("[ \"$($KHO get --damaged bad)\" = dmg ]"), 0);
	assert_int_equal(shell("$KHO drop gone bad >/dev/null"), EXIT_DONE);
	assert_null(fake_find(khod, "gone"));
	stop_fake(khod);
}

static void root_acts_for_an_owner_that_is_gone(void **state)
{
	struct fake_khod *khod = start_fake();
	int memory = memfd_create("left", MFD_CLOEXEC), damaged = memfd_create("bad", MFD_CLOEXEC);

	assert_int_equal(write(memory, "left", 4), 4);
	assert_int_equal(write(damaged, "dmg", 3), 3);
	fake_add(khod, "left", memory, "verified");
	fake_add(khod, "bad", damaged, "damaged");
	fake_add(khod, "gone", -EBADF, "lost");
	assert_int_equal(shell("$KHO get --owner=other.service left 2>/dev/null"), EXIT_REFUSED);
	assert_int_equal(shell("[ \"$($KHO get --owner=test.service left)\" = left ]"), 0);
	/* It stays what it was: its owner's. */
	assert_false(fake_find(khod, "left")->claimed);
	assert_int_equal(shell("$KHO get --owner=test.service gone 2>/dev/null"), EXIT_LOST);
	assert_int_equal(shell("$KHO get --owner=test.service --drop bad 2>/dev/null"), EXIT_LOST);
	assert_non_null(fake_find(khod, "bad"));
	assert_int_equal(
		shell("[ \"$($KHO get --owner=test.service --damaged --drop bad)\" = dmg ]"), 0);
	assert_null(fake_find(khod, "bad"));
	assert_int_equal(shell("$KHO get --owner=test.service --release left 2>/dev/null"),
			 EXIT_LOCAL);
	assert_int_equal(shell("$KHO take left 2>/dev/null"), EXIT_LOCAL);
	assert_int_equal(shell("$KHO take --owner=test.service 2>/dev/null"), EXIT_LOCAL);
	assert_int_equal(shell("$KHO take --owner=test.service --to=typo left 2>/dev/null"),
			 EXIT_LOCAL);
	assert_int_equal(shell("$KHO take --owner=other.service left 2>/dev/null"), EXIT_REFUSED);
	assert_string_equal(khod->given, "");
	assert_int_equal(shell("[ \"$($KHO take --owner=test.service left)\""
			       " = 'took left of test.service' ]"),
			 0);
	assert_string_equal(khod->given, "left:");
	assert_int_equal(shell("$KHO take --owner=test.service --to=new.service --json left |"
			       " grep -q left"),
			 0);
	assert_string_equal(khod->given, "left:new.service");
	assert_int_equal(shell("$KHO drop --owner=other.service left 2>/dev/null"), EXIT_REFUSED);
	assert_int_equal(shell("[ \"$($KHO drop --owner=test.service none left gone 2>/dev/null)\""
			       " = \"$(printf 'dropped left\ndropped gone')\" ]"),
			 0);
	assert_null(fake_find(khod, "left"));
	assert_null(fake_find(khod, "gone"));
	stop_fake(khod);
}

static void end_monitor(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

static void what_happens_is_followed(void **state)
{
	struct fake_khod *khod = start_fake();
	pid_t pid = start_shell("TZ=UTC exec $KHO monitor > $DIR/monitor");

	/* In words, which can't steer a terminal, and before it ends. */
	assert_true(becomes("monitor",
			    "1970-01-01 00:00:01.000 UTC  khod is preparing, update u1\n"
			    "1970-01-01 00:00:01.500 UTC  test.service refuses: prepare, busy?[2J\n"
			    "1970-01-01 00:00:02.000 UTC  painted: $o [blue]\n"));
	end_monitor(pid);
	pid = start_shell("exec $KHO monitor --json > $DIR/monitor");
	assert_true(becomes(
		"monitor",
		"{\"event\":\"monitoring\",\"realtimeUSec\":1000000,\"state\":\"preparing\","
		"\"update\":\"u1\"}\n"
		"{\"event\":\"refused\",\"realtimeUSec\":1500000,\"state\":\"preparing\","
		"\"owner\":\"test.service\",\"phase\":\"prepare\","
		"\"reason\":\"busy\\u001b[2J\"}\n"
		"{\"event\":\"painted\",\"realtimeUSec\":2000000,\"state\":\"idle\","
		"\"reason\":\"$o [blue]\"}\n"));
	end_monitor(pid);
	assert_int_equal(shell("$KHO monitor > /dev/full 2>/dev/null"), EXIT_LOCAL);
	stop_fake(khod);
	assert_int_equal(shell("$KHO monitor 2>/dev/null"), EXIT_UNREACHABLE);
}

static void a_command_runs_with_its_region(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(shell("$KHO run --region=cache:1M -- sh -c "
			       "'printf x | dd of=%{cache} conv=notrunc 2>/dev/null; exit 7'"),
			 7);
	assert_non_null(fake_find(khod, "cache"));
	/* The next one finds what the first has written. */
	assert_int_equal(shell("$KHO run --region=cache:1M 2>/dev/null -- sh -c "
			       "'[ \"$(head -c 1 %{cache})\" = x ] && exit 8'"),
			 8);
	assert_int_equal(
		shell("exec $KHO run --region=cache:1M 2>/dev/null -- sh -c 'kill -KILL $$'"),
		-SIGKILL);
	assert_int_equal(shell("$KHO run --region=cache:1M 2>/dev/null -- /nonexistent"),
			 EXIT_LOCAL);
	assert_int_equal(shell("$KHO run --region=new:1M 2>/dev/null -- echo %{typo}"), EXIT_LOCAL);
	assert_null(fake_find(khod, "new"));
	assert_int_equal(shell("[ -z \"$(ls $RUNTIME_DIRECTORY)\" ]"), 0);
	stop_fake(khod);
}

static void lost_and_damaged_regions_are_handled_as_asked(void **state)
{
	struct fake_khod *khod = start_fake();
	int memory = memfd_create("damaged", MFD_CLOEXEC);

	assert_int_equal(write(memory, "dmg", 3), 3);
	fake_add(khod, "gone", -EBADF, "lost");
	fake_add(khod, "bad", memory, "damaged");
	assert_int_equal(shell("$KHO run --region=gone:4k -- true 2>&1 | grep -q 'starting with'"),
			 0);
	assert_true(fake_find(khod, "gone")->fd >= 0);
	assert_int_equal(shell("$KHO run --region=bad:3 -- true 2>/dev/null"), EXIT_LOST);
	assert_int_equal(shell("$KHO run --damaged=use --region=bad:3 2>/dev/null -- sh -c "
			       "'[ \"$(cat %{bad})\" = dmg ]'"),
			 0);
	assert_int_equal(shell("$KHO run --damaged=empty --region=bad:3 2>/dev/null -- sh -c "
			       "'[ -z \"$(cat %{bad} | tr -d \"\\000\")\" ]'"),
			 0);
	stop_fake(khod);
}

static void a_region_grows_to_what_is_asked_for(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(shell("$KHO run --region=cache:4k -- true"), 0);
	assert_int_equal(shell("$KHO run --region=cache:8k 2>/dev/null -- sh -c "
			       "'[ $(stat -L -c %s %{cache}) = 8192 ]'"),
			 0);
	stop_fake(khod);
}

static void holes_stay_holes(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(
		shell("$KHO run --region=sparse:64M -- sh -c "
		      "'printf x | dd of=%{sparse} bs=1M seek=32 conv=notrunc 2>/dev/null'"),
		0);
	assert_int_equal(shell("$KHO get sparse > $DIR/sparse"), EXIT_DONE);
	assert_int_equal(shell("[ $(stat -c %s $DIR/sparse) = 67108864 ]"), 0);
	assert_int_equal(shell("[ $(stat -c %b $DIR/sparse) -lt 16384 ]"), 0);
	/* Where there can't be any, they are zeros. */
	assert_int_equal(shell("$KHO get sparse | cmp - $DIR/sparse"), 0);
	assert_int_equal(shell("rm $DIR/sparse"), 0);
	stop_fake(khod);
}

static void descriptors_of_a_socket_unit_come_first(void **state)
{
	struct fake_khod *khod = start_fake();

	assert_int_equal(
		shell("echo from the socket > $DIR/in; exec 3<$DIR/in;"
		      "export LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web;"
		      "exec $KHO run --region=cache:4k -- sh -c '"
		      "[ \"$LISTEN_FDS $LISTEN_FDNAMES $LISTEN_PID\" = \"2 web:cache $$\" ] &&"
		      "[ \"$(cat <&3)\" = \"from the socket\" ] &&"
		      "[ \"$(readlink %{cache})\" = /proc/self/fd/4 ] &&"
		      "[ $(stat -L -c %s %{cache}) = 4096 ]'"),
		0);
	stop_fake(khod);
}

static void signals_are_passed_on(void **state)
{
	struct fake_khod *khod = start_fake();
	int status;
	pid_t pid;

	pid = start_shell("exec $KHO run --region=cache:4k -- sh -c 'trap \"exit 9\" HUP;"
			  "echo ready > $DIR/signal; while :; do sleep 0.01; done'");
	assert_true(becomes("signal", "ready\n"));
	assert_int_equal(kill(pid, SIGHUP), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 9);
	stop_fake(khod);
}

/* Counts into a file, so that it shows whether it runs. */
#define COUNT "'i=0; while :; do i=$((i+1)); echo $i > $DIR/count; sleep 0.01; done'"

static bool is_counting(void)
{
	char path[128], before[32] = "", after[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/count", directory);
	for (int i = 0; i < 50; i++) {
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, i == 0 ? before : after, 31) < 0)
			fail();
		safe_close(fd);
		if (i > 0 && after[0] && strcmp(before, after) != 0)
			return true;
		pause_ms(20);
	}
	return false;
}

static void a_command_stands_still_while_frozen(void **state)
{
	struct fake_khod *khod = start_fake();
	int status;
	pid_t pid;

	pid = start_shell("exec $KHO run --region=cache:1M -- sh -c " COUNT " 2>/dev/null");
	assert_true(watches(khod));
	assert_true(is_counting());
	ask(khod, "prepare");
	assert_true(answers(khod, "prepare:u1:accept:"));
	ask(khod, "freeze");
	assert_true(answers(khod, "freeze:u1:accept:"));
	pause_ms(50);
	assert_false(is_counting());
	fake_tell(khod, "resume");
	assert_true(is_counting());
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	stop_fake(khod);
}

static void a_frozen_command_can_be_ended(void **state)
{
	struct fake_khod *khod = start_fake();
	int status;
	pid_t pid;

	pid = start_shell("exec $KHO run --region=cache:1M -- sh -c " COUNT);
	assert_true(watches(khod));
	assert_true(is_counting());
	ask(khod, "freeze");
	assert_true(answers(khod, "freeze:u1:accept:"));
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_false(is_counting());
	stop_fake(khod);
}

/* Reads its state at start and appends to it at the signal, as memcached does with its metadata. */
#define STATEFUL                                                                                   \
	"exec $KHO run --region=cache:1M --file=meta:%{cache}.meta --freeze-signal=USR1 -- sh -c " \
	"'trap \"echo saved\\$n > %{cache}.meta; exit 0\" USR1; n=0;"                              \
	"[ -e %{cache}.meta ] && { read s < %{cache}.meta; rm %{cache}.meta; n=1; };"              \
	"echo started $s > $DIR/state; while :; do sleep 0.01; done' 2>/dev/null"

static void a_state_file_goes_along(void **state)
{
	struct fake_khod *khod = start_fake();
	int status;
	pid_t pid;

	pid = start_shell(STATEFUL);
	assert_true(watches(khod));
	assert_true(becomes("state", "started\n"));
	ask(khod, "freeze");
	assert_true(answers(khod, "freeze:u1:accept:"));
	assert_content(khod, "meta", "saved0\n");
	fake_tell(khod, "resume");
	assert_true(becomes("state", "started saved0\n"));
	for (int i = 0; i < 1000 && fake_find(khod, "meta"); i++)
		pause_ms(10);
	/* Given to the command again: it must not come a second time. */
	assert_null(fake_find(khod, "meta"));
	khod->acknowledged[0] = '\0';
	ask(khod, "freeze");
	assert_true(answers(khod, "freeze:u1:accept:"));
	assert_content(khod, "meta", "saved1\n");
	/* The kexec: all processes are gone, khod has the regions. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	khod->participant = 0;

	pid = start_shell(STATEFUL);
	assert_true(watches(khod));
	assert_true(becomes("state", "started saved1\n"));
	for (int i = 0; i < 1000 && fake_find(khod, "meta"); i++)
		pause_ms(10);
	assert_null(fake_find(khod, "meta"));
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	stop_fake(khod);
}

static void a_state_file_that_is_not_written_stops_the_update(void **state)
{
	struct fake_khod *khod = start_fake();
	int status;
	pid_t pid;

	pid = start_shell("exec $KHO run --file=meta:$DIR/none --freeze-signal=TERM -- sleep 60 "
			  "2>/dev/null");
	assert_true(watches(khod));
	ask(khod, "freeze");
	for (int i = 0; i < 1000 && !khod->acknowledged[0]; i++)
		pause_ms(10);
	assert_memory_equal(khod->acknowledged, "freeze:u1:refuse", strlen("freeze:u1:refuse"));
	assert_non_null(strstr(khod->acknowledged, "none"));
	fake_tell(khod, "resume");
	pause_ms(100);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	stop_fake(khod);
}

static void a_command_that_does_not_stop_stops_the_update(void **state)
{
	struct fake_khod *khod = start_fake();
	int status;
	pid_t pid;

	khod->timeout_usec = 500000;
	pid = start_shell("exec $KHO run --region=cache:1M --freeze-signal=USR1 -- sh -c "
			  "'trap \"\" USR1; i=0; while :; do i=$((i+1)); echo $i > $DIR/count;"
			  "sleep 0.01; done' 2>/dev/null");
	assert_true(watches(khod));
	assert_true(is_counting());
	for (int i = 0; i < 2; i++) {
		khod->acknowledged[0] = '\0';
		ask(khod, "freeze");
		assert_true(answers(khod, "freeze:u1:refuse:sh has not exited at SIGUSR1 in time"));
		fake_tell(khod, "resume");
		assert_true(is_counting());
	}
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_false(is_counting());
	stop_fake(khod);
}

static int set_up(void **state)
{
	char kho[4096];

	if (!realpath("kho/cli/kho", kho) || !mkdtemp(directory))
		return -1;
	setenv("KHO", kho, 1);
	setenv("DIR", directory, 1);
	setenv("KHO_RUNTIME_DIR", directory, 1);
	setenv("RUNTIME_DIRECTORY", strcat(strcpy(kho, directory), "/run"), 1);
	return mkdir(kho, 0755);
}

static int tear_down(void **state)
{
	return shell("rm -r \"$DIR\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_can_be_got),
		cmocka_unit_test(nothing_is_kept_of_what_can_not_be_read),
		cmocka_unit_test(replacing_that_fails_keeps_the_old),
		cmocka_unit_test(losses_have_their_exit_code),
		cmocka_unit_test(root_acts_for_an_owner_that_is_gone),
		cmocka_unit_test(what_happens_is_followed),
		cmocka_unit_test(a_command_runs_with_its_region),
		cmocka_unit_test(lost_and_damaged_regions_are_handled_as_asked),
		cmocka_unit_test(a_region_grows_to_what_is_asked_for),
		cmocka_unit_test(holes_stay_holes),
		cmocka_unit_test(descriptors_of_a_socket_unit_come_first),
		cmocka_unit_test(signals_are_passed_on),
		cmocka_unit_test(a_command_stands_still_while_frozen),
		cmocka_unit_test(a_frozen_command_can_be_ended),
		cmocka_unit_test(a_state_file_goes_along),
		cmocka_unit_test(a_state_file_that_is_not_written_stops_the_update),
		cmocka_unit_test(a_command_that_does_not_stop_stops_the_update),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
