/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kho/kernel/luo.h"
#include "tests/vm/luo/luo-test.h"

#define FILES 5
#define LINGER_USEC 700000

/* Another process, as PID 1 with its fd store is, that closes the session a while later. */
static pid_t linger(useconds_t usec)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		usleep(usec);
		_exit(0);
	}
	return pid;
}

static void files_new(struct transport_item items[static FILES])
{
	static const struct sample sample = {.label = "to abort", .size = MIB, .data = MIB};

	for (size_t i = 0; i < FILES; i++)
		items[i] = (struct transport_item){
			.fd = sample_create(&sample, i),
			.label = sample.label,
		};
	CHECK(transport_luo.place(items, 0, FILES) == 1);
}

static void abort_awaited(void)
{
	struct transport_item items[FILES];
	char *message = NULL;
	int session, r;
	size_t failed = 0;
	uint64_t start;
	pid_t pid;

	files_new(items);
	must(transport_luo.open(TEST_UPDATE, 0, 1, &session, &message), message, "open");
	must(transport_luo.preserve(session, 0, items, FILES, NULL, &failed, &message), message,
	     "preserve");
	for (size_t i = 0; i < FILES; i++)
		CHECK(ftruncate(items[i].fd, 2 * MIB) < 0 && errno == EPERM);

	pid = linger(LINGER_USEC);
	start = now_usec();
	r = transport_luo.abort(&session, 1, items, FILES, LINGER_USEC / 4, &failed, &message);
	CHECK(r == -ETIMEDOUT && failed == 0 && session < 0);
	printf("in time: %s\n", message);
	must(transport_luo.abort(&session, 1, items, FILES, 10 * SECOND, &failed, &message),
	     message, "abort");
	printf("released after %" PRIu64 " ms, %d ms after which the other holder went\n",
	       (now_usec() - start) / 1000, LINGER_USEC / 1000);
	CHECK(now_usec() - start >= LINGER_USEC / 2);
	CHECK(waitpid(pid, NULL, 0) == pid);
	for (size_t i = 0; i < FILES; i++) {
		CHECK(ftruncate(items[i].fd, 2 * MIB) == 0);
		safe_close(items[i].fd);
	}
	free(message);
}

/* The third file is one that LUO refuses: nothing stays behind, and the message names it. */
static void refused_in_the_middle(const char *what, int bad_fd, int expected)
{
	struct transport_item items[FILES];
	char *message = NULL;
	int session;
	size_t failed = 0;

	files_new(items);
	safe_close(items[2].fd);
	items[2].fd = bad_fd;
	items[2].label = what;
	must(transport_luo.open(TEST_UPDATE, 0, 1, &session, &message), message, "open");
	CHECK(transport_luo.preserve(session, 0, items, FILES, NULL, &failed, &message) ==
	      expected);
	CHECK(failed == 2 && items[2].error == expected);
	CHECK(strncmp(message, what, strlen(what)) == 0);
	printf("refused: %s\n", message);
	must(transport_luo.abort(&session, 1, items, FILES, 5 * SECOND, &failed, &message), message,
	     "abort");
	for (size_t i = 0; i < FILES; i++) {
		CHECK(luo_is_preserved(items[i].fd) != 1 || i == 2);
		safe_close(items[i].fd);
	}
	free(message);
}

static void refused(void)
{
	static const struct sample sample = {.label = "elsewhere", .size = MIB, .data = MIB};
	_cleanup_close_ int foreign = sample_create(&sample, 1);
	_cleanup_close_ int session = must(luo_create_session("foreign"), NULL, "create");
	int pipes[2];

	must(luo_session_preserve(session, foreign, 7), NULL, "preserve");
	refused_in_the_middle("held elsewhere", fcntl(foreign, F_DUPFD_CLOEXEC, 0), -EBUSY);
	CHECK(pipe(pipes) == 0);
	refused_in_the_middle("a pipe", pipes[0], -ENOENT);
	refused_in_the_middle("a named file", open("/dev/shm/named", O_RDWR | O_CREAT, 0600),
			      -ENOENT);
	refused_in_the_middle("a closed fd", -EBADF, -EBADF);
}

static void cancelled(void)
{
	struct transport_item items[FILES];
	atomic_bool cancel = true;
	char *message = NULL;
	int session;
	size_t failed = 99;

	files_new(items);
	must(transport_luo.open(TEST_UPDATE, 0, 1, &session, &message), message, "open");
	CHECK(transport_luo.preserve(session, 0, items, FILES, &cancel, &failed, &message) ==
	      -ECANCELED);
	CHECK(failed == 0 && luo_is_preserved(items[0].fd) == 0);
	must(transport_luo.abort(&session, 1, items, FILES, SECOND, &failed, &message), message,
	     "abort");
	for (size_t i = 0; i < FILES; i++)
		safe_close(items[i].fd);
	free(message);
}

/* A name that is taken: 51 sessions are where 7.3 leaves an empty block behind. */
static void name_taken(void)
{
	int sessions[51], again;

	must(transport_luo.open(TEST_UPDATE, 0, 51, sessions, NULL), NULL, "open");
	CHECK(transport_luo.open(TEST_UPDATE, 50, 1, &again, NULL) == -EEXIST);
	printf("51 sessions, and a name that was taken\n");
	if (fork() == 0)
		for (;;)
			pause();
}

int verb_abort(int argc, char **argv)
{
	abort_awaited();
	refused();
	cancelled();
	name_taken();
	return 0;
}
