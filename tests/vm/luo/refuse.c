/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kho/kernel/luo.h"
#include "tests/vm/luo/luo-test.h"

static void expect(uint64_t size, int expected)
{
	struct transport_item items[2] = {
		{.fd = memfd_create("small", MFD_CLOEXEC), .label = "region \"small\""},
		{.fd = memfd_create("large", MFD_CLOEXEC), .label = "region \"large\""},
	};
	char *message = NULL;
	uint64_t start = now_usec();

	CHECK(ftruncate(items[0].fd, MIB) == 0);
	CHECK(ftruncate(items[1].fd, (off_t)size) == 0);
	CHECK(transport_luo.check(items, 2, &message) == expected);
	CHECK(message && strstr(message, "region \"large\""));
	printf("%" PRIu64 " MiB refused in %" PRIu64 " us: %s\n", (uint64_t)(size / MIB),
	       now_usec() - start, message);
	safe_close(items[0].fd);
	safe_close(items[1].fd);
	free(message);
}

int verb_refuse(int argc, char **argv)
{
	expect(8192 * MIB, -ENOMEM);
	expect(1ULL << 40, -EFBIG);
	expect((1ULL << 40) - 4096, -ENOMEM);
	return 0;
}

/* What the caller's cgroup leaves for the given number of bytes. */
int verb_limit(int argc, char **argv)
{
	char *message = NULL;
	uint64_t bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	int r = transport_luo.room(bytes, &message);

	CHECK(bytes > 0);
	printf("%s\n", r < 0 ? message : "room");
	free(message);
	return r < 0 ? 2 : 0;
}

/* The device is open elsewhere, for a while and then for too long. */
int verb_busy(int argc, char **argv)
{
	uint64_t start;
	int session;
	pid_t pid;

	CHECK(system("exec 9<>/dev/liveupdate; sleep 1 & exec 9>&-") == 0);
	start = now_usec();
	session = must(luo_create_session("patient"), NULL, "create");
	printf("created after %" PRIu64 " ms\n", (now_usec() - start) / 1000);
	CHECK(now_usec() - start > SECOND / 2);
	safe_close(session);

	pid = fork();
	if (pid == 0) {
		execlp("sh", "sh", "-c", "exec 9<>/dev/liveupdate; exec sleep 60", NULL);
		_exit(1);
	}
	sleep(1);
	start = now_usec();
	CHECK(luo_create_session("hopeless") == -EBUSY);
	printf("gave up after %" PRIu64 " ms: %s\n", (now_usec() - start) / 1000,
	       luo_session_advice(-EBUSY));
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	return 0;
}
