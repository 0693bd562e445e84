/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/relay.h"
#include "kho/kernel/pages.h"

#define FDS 8

/* The user's end, and khod's. */
struct ends {
	int relay, user, khod;
};

static int setup(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));
	int client[2], outer[2];

	assert_non_null(e);
	assert_int_equal(relay_start(&e->relay), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, outer), 0);
	assert_int_equal(relay_pass(e->relay, client[1], outer[1]), 0);
	close(client[1]);
	close(outer[1]);
	e->user = client[0];
	e->khod = outer[0];
	*state = e;
	return 0;
}

static int teardown(void **state)
{
	struct ends *e = *state;

	safe_close(e->user);
	safe_close(e->khod);
	close(e->relay);
	free(e);
	return 0;
}

static void put(int fd, const char *text, const int *fds, size_t n)
{
	union {
		char bytes[CMSG_SPACE(FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = {.iov_base = (char *)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > 0) {
		control.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS,
						 .cmsg_len = CMSG_LEN(n * sizeof(int))};
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, 0), strlen(text));
}

/* What comes first, with n fds, which are the caller's. */
static void expect(int fd, const char *text, int *fds, size_t n)
{
	union {
		char bytes[CMSG_SPACE(FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	char buffer[64];
	struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	assert_int_equal(got, strlen(text));
	assert_memory_equal(buffer, text, got);
	assert_int_equal(c ? c->cmsg_len : 0, n ? CMSG_LEN(n * sizeof(int)) : 0);
	if (c)
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static enum memory_type type(int fd)
{
	struct memory_kind kind;

	assert_int_equal(memory_identify(fd, &kind), 0);
	return kind.type;
}

static void test_words(void **state)
{
	struct ends *e = *state;

	put(e->user, "question", NULL, 0);
	expect(e->khod, "question", NULL, 0);
	put(e->khod, "answer", NULL, 0);
	expect(e->user, "answer", NULL, 0);
}

/* Of what is no memory khod learns only what kind of thing it is. */
static void test_fds_of_users(void **state)
{
	struct ends *e = *state;
	int fds[FDS], got[FDS], ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fds[0] = ends[0];
	fds[1] = memfd_create("memory", MFD_CLOEXEC);
	fds[2] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	fds[3] = open("/proc", O_DIRECTORY | O_CLOEXEC);
	fds[4] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	fds[5] = e->user;
	fds[6] = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	fds[7] = fcntl(fds[1], F_DUPFD_CLOEXEC, 0);
	put(e->user, "x", fds, FDS);
	expect(e->khod, "x", got, FDS);
	for (size_t i = 0; i < FDS; i++) {
		bool is_memory = i == 1 || i == 7;

		assert_int_equal(type(got[i]), type(fds[i]));
		assert_int_equal(inode(got[i]) == inode(fds[i]), is_memory);
		close(got[i]);
		if (i != 5)
			close(fds[i]);
	}
	close(ends[1]);
}

static void test_memory_for_users(void **state)
{
	_cleanup_close_ int memory = memfd_create("memory", MFD_CLOEXEC);
	struct ends *e = *state;
	int got;

	put(e->khod, "claimed", &memory, 1);
	expect(e->user, "claimed", &got, 1);
	assert_int_equal(inode(got), inode(memory));
	close(got);
}

/* More than anybody holds on the way, and the fds with the bytes that they came with. */
static void test_much(void **state)
{
	enum { N = 1 << 22 };
	_cleanup_close_ int memory = memfd_create("memory", MFD_CLOEXEC);
	_cleanup_free_ char *bytes = malloc(N);
	struct ends *e = *state;
	size_t sent = 0, received = 0;
	char buffer[4096];
	int got;

	assert_non_null(bytes);
	for (size_t i = 0; i < N; i++)
		bytes[i] = i * 7 + i / 4096;
	while (received < N) {
		ssize_t n = sent < N ? send(e->user, bytes + sent, N - sent, MSG_DONTWAIT) : 0;

		if (n > 0)
			sent += n;
		n = recv(e->khod, buffer, sizeof(buffer), 0);
		assert_true(n > 0);
		assert_memory_equal(buffer, bytes + received, n);
		received += n;
	}
	put(e->user, "end", &memory, 1);
	expect(e->khod, "end", &got, 1);
	close(got);
}

/* A user that has said all still hears the answer. */
static void test_user_ends_first(void **state)
{
	struct ends *e = *state;
	char byte;

	put(e->user, "last", NULL, 0);
	assert_int_equal(shutdown(e->user, SHUT_WR), 0);
	expect(e->khod, "last", NULL, 0);
	assert_int_equal(recv(e->khod, &byte, 1, 0), 0);
	put(e->khod, "answer", NULL, 0);
	expect(e->user, "answer", NULL, 0);
	e->khod = safe_close(e->khod);
	assert_int_equal(recv(e->user, &byte, 1, 0), 0);
}

/* What it has said is carried on, although there is nobody to answer. */
static void test_user_is_gone(void **state)
{
	struct ends *e = *state;

	put(e->user, "first", NULL, 0);
	expect(e->khod, "first", NULL, 0);
	put(e->user, "second", NULL, 0);
	e->user = safe_close(e->user);
	/* It may have heard of that by now. */
	(void)!send(e->khod, "answer", 6, MSG_NOSIGNAL);
	expect(e->khod, "second", NULL, 0);
}

/* khod learns of it, although it may not read: while somebody watches, it does not. */
static void test_user_leaves(void **state)
{
	struct ends *e = *state;
	struct pollfd p = {.fd = e->khod};

	put(e->user, "watch", NULL, 0);
	expect(e->khod, "watch", NULL, 0);
	put(e->khod, "watching", NULL, 0);
	expect(e->user, "watching", NULL, 0);
	e->user = safe_close(e->user);
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(p.revents & POLLHUP);
}

/* Who does not read keeps nothing alive. */
static void test_khod_ends_first(void **state)
{
	struct ends *e = *state;
	char bytes[4096] = {};
	struct pollfd p = {.fd = e->user, .events = POLLRDHUP};

	while (send(e->khod, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0 ||
	       poll(NULL, 0, 100) != 0)
		;
	e->khod = safe_close(e->khod);
	assert_int_equal(poll(&p, 1, 20000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fds_of_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_for_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_much, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_ends_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_khod_ends_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
