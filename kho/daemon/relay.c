/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/relay.h"

#define CHUNK 65536
/* net/unix: SCM_MAX_FD */
#define FDS_MAX 253

union control {
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

/* From one socket to the other. */
struct way {
	int from, to;
	bool from_client;
	bool ended, shut;
	char bytes[CHUNK];
	size_t at, n;
	int fds[FDS_MAX];
	size_t n_fds;
};

/* Something of the same kind that nobody else has anything to do with, for khod to refuse. */
static int open_like(int fd)
{
	int flags = fcntl(fd, F_GETFL), ends[2];
	struct stat st;

	if (flags >= 0 && flags & O_PATH)
		return open("/", O_PATH | O_CLOEXEC);
	if (fstat(fd, &st) < 0)
		st.st_mode = 0;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	case S_IFDIR:
		return open("/", O_DIRECTORY | O_CLOEXEC);
	case S_IFCHR:
	case S_IFBLK:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case S_IFSOCK:
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case S_IFIFO:
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -1;
		close(ends[1]);
		return ends[0];
	}
	return eventfd(0, EFD_CLOEXEC);
}

/* Only memory has seals, and this asks no file system (mm/memfd.c, memfd_fcntl()). All else is
 * closed here, where it may take as long as it likes.
 */
static int exchange(int fd)
{
	int like;

	if (fcntl(fd, F_GET_SEALS) >= 0)
		return fd;
	like = open_like(fd);
	close(fd);
	return like;
}

static void take_fds(struct way *w, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[FDS_MAX];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		for (size_t i = 0; i < n; i++)
			w->fds[w->n_fds++] = w->from_client ? exchange(fds[i]) : fds[i];
	}
}

/* 0; or -1: there is nobody any more. */
static int fill(struct way *w)
{
	union control control;
	struct iovec iov = {.iov_base = w->bytes, .iov_len = CHUNK};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(w->from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		w->ended = true;
	w->n = n;
	w->at = 0;
	take_fds(w, &message);
	return 0;
}

static void put_fds(struct way *w, struct msghdr *message, union control *control)
{
	struct cmsghdr *c = &control->align;
	size_t n = 0;
	int fds[FDS_MAX];

	/* What could not be opened is missing, and khod says so. */
	for (size_t i = 0; i < w->n_fds; i++)
		if (w->fds[i] >= 0)
			fds[n++] = w->fds[i];
	if (n == 0)
		return;
	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
			      .cmsg_len = CMSG_LEN(n * sizeof(int))};
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(n * sizeof(int));
}

static void forget(struct way *w, size_t n)
{
	for (size_t i = 0; i < w->n_fds; i++)
		safe_close(w->fds[i]);
	w->n_fds = 0;
	w->at += n;
	w->n -= n;
}

static int drain(struct way *w)
{
	union control control = {};
	struct iovec iov = {.iov_base = w->bytes + w->at, .iov_len = w->n};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	put_fds(w, &message, &control);
	n = sendmsg(w->to, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	forget(w, n);
	return 0;
}

/* What can be done on one way now; -1: it is over. */
static int carry(struct way *w)
{
	if (w->n == 0 && !w->ended && fill(w) < 0)
		return -1;
	if (w->n > 0 && drain(w) < 0) {
		if (w->from_client)
			return -1;
		/* A user that is gone may have said more than it wants to hear of. */
		forget(w, w->n);
	}
	/* khod never ends its half alone: who does not read must not keep this alive. */
	if (w->ended && !w->from_client)
		return -1;
	if (w->ended && w->n == 0 && !w->shut) {
		w->shut = true;
		shutdown(w->to, SHUT_WR);
	}
	return 0;
}

static void relay(int client, int outer)
{
	static struct way out, in;
	bool user_gone = false, khod_gone;

	out = (struct way){.from = client, .to = outer, .from_client = true};
	in = (struct way){.from = outer, .to = client};
	do {
		struct pollfd p[] = {
			{.fd = client,
			 .events = (out.n == 0 && !out.ended ? POLLIN : 0) |
				   (in.n > 0 ? POLLOUT : 0)},
			{.fd = outer,
			 .events = (in.n == 0 ? POLLIN : 0) | (out.n > 0 ? POLLOUT : 0)},
		};

		/* A hang-up is told again and again. Of a user that has ended its half alone it is
		 * still to come, and khod does not see the end of a half while it watches.
		 */
		if (p[0].events == 0 && (!out.ended || user_gone))
			p[0].fd = -1;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		user_gone |= out.ended && p[0].revents & POLLHUP;
		khod_gone = p[1].revents & POLLHUP;
	} while (carry(&in) >= 0 && carry(&out) >= 0 && !(khod_gone && in.n > 0) &&
		 !(user_gone && out.n == 0));
}

/* client, outer */
static int receive_pair(int control_fd, int ret[static 2])
{
	union control control;
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	ssize_t n = recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return n < 0 && errno == EINTR ? 0 : -1;
	c = CMSG_FIRSTHDR(&message);
	if (!c || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return 0;
	memcpy(ret, CMSG_DATA(c), 2 * sizeof(int));
	return 1;
}

static _Noreturn void serve(int control_fd)
{
	int pair[2], r;

	while ((r = receive_pair(control_fd, pair)) >= 0) {
		if (r == 0)
			continue;
		if (fork() == 0) {
			close(control_fd);
			relay(pair[0], pair[1]);
			_exit(0);
		}
		close(pair[0]);
		close(pair[1]);
	}
	_exit(0);
}

int relay_start(int *ret)
{
	const struct timeval patience = {.tv_sec = 1};
	_cleanup_close_ int ours = -EBADF;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	pid = fork();
	if (pid < 0) {
		close(pair[1]);
		return -errno;
	}
	if (pid == 0) {
		/* None of what came from the fd store: its holders are khod and PID 1. */
		if (dup2(pair[1], 3) < 0 || close_range(4, ~0U, 0) < 0)
			_exit(1);
		signal(SIGCHLD, SIG_IGN);
		prctl(PR_SET_NAME, "khod-relay");
		serve(3);
	}
	close(pair[1]);
	/* It only forks: however many come at once, this is not the time to turn them away. */
	if (setsockopt(ours, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	*ret = TAKE_FD(ours);
	return 0;
}

int relay_pass(int relay, int client, int outer)
{
	union control control = {};
	struct cmsghdr *c = &control.align;
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(2 * sizeof(int))};
	int fds[2] = {client, outer};

	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
			      .cmsg_len = CMSG_LEN(2 * sizeof(int))};
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(relay, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
